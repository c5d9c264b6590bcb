//! Lists of the Pro API (`jamf-pro-api.md §1.2`).

use crate::transport::Call;
use crate::{Error, Session, wire};
use pipeline::Context;
use serde_json::Value;
use std::collections::HashSet;

/// As many as Jamf's own client asks for.
const PAGE_SIZE: u64 = 200;

impl Session {
    /// Every entry that the filter lets through, page after page, in the order of ids.
    ///
    /// `totalCount` says when it is enough. A page with nothing new ends the list too: entries may go while it is read,
    /// and a server that repeats itself must not hold a client for ever.
    pub(crate) async fn every_page(
        &self,
        cx: &Context,
        path: &str,
        privilege: &'static str,
        filter: &str,
    ) -> Result<Vec<Value>, Error> {
        let expected = "a page of a list";
        let (mut all, mut seen) = (Vec::new(), HashSet::new());
        for page in 0_u64.. {
            let (page, size) = (page.to_string(), PAGE_SIZE.to_string());
            let query = [("page", &*page), ("page-size", &*size), ("sort", "id:asc"), ("filter", filter)];
            let answer = self.send(cx, &Call::get(path).needs(privilege).query(&query)).await?;
            let mut json = answer.json(expected)?;
            let total = wire::number(&json, "totalCount").and_then(|total| usize::try_from(total).ok());
            let results = match json.get_mut("results").map(Value::take) {
                Some(Value::Array(results)) => results,
                // Any key may be missing or null (§1.1); where there is nothing to list, that is no fault.
                None | Some(Value::Null) if total == Some(0) => Vec::new(),
                _ => return Err(answer.lacks(expected, "results")),
            };
            let before = all.len();
            all.extend(results.into_iter().filter(|entry| seen.insert(wire::number(entry, "id"))));
            if all.len() == before || total.is_some_and(|total| all.len() >= total) {
                break;
            }
        }
        Ok(all)
    }
}
