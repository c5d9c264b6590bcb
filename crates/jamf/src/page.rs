//! Lists of the Pro API (`jamf-pro-api.md §1.2`).

use crate::call::Call;
use crate::{Error, Privilege, Session, wire};
use pipeline::Context;
use serde_json::Value;
use std::collections::HashSet;

/// As many as Jamf's own client asks for: of what a filter lets through there are few.
const PAGE_SIZE: u64 = 200;
/// The most that clients ask for (`jamf-pro-api.md §1.2`). A server that gives fewer is asked for more pages.
const LARGEST_PAGE: u64 = 2000;
/// No server has more of anything: in small pages that is a fifth of a million.
const MOST_PAGES: usize = 1000;
/// So many entries more than it counts may a server send: some come twice when others go while the list is read.
const MOST_REPEATED: usize = 2000;

impl Session {
    /// Every entry, or every one that the filter lets through, page after page, in the order of ids.
    ///
    /// `totalCount` says when it is enough. A page with nothing new ends the list too: entries may go while it is read.
    /// A server that goes on and on must not hold a client for ever; half a list is not used, since what is missing in it
    /// would be made a second time.
    pub(crate) async fn every_page(
        &self,
        cx: &Context,
        path: &str,
        privilege: Privilege,
        filter: Option<&str>,
    ) -> Result<Vec<Value>, Error> {
        let expected = "a page of a list";
        let (mut all, mut seen, mut came) = (Vec::new(), HashSet::new(), 0_usize);
        let mut pages = 0;
        loop {
            let size = if filter.is_some() { PAGE_SIZE } else { LARGEST_PAGE };
            let (page, size) = (pages.to_string(), size.to_string());
            let query = [("page", &*page), ("page-size", &*size), ("sort", "id:asc")];
            let query: Vec<_> = query.into_iter().chain(filter.map(|filter| ("filter", filter))).collect();
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
            pages += 1;
            came += results.len();
            all.extend(results.into_iter().filter(|entry| seen.insert(Identity::of(entry))));
            if all.len() == before || total.is_some_and(|total| all.len() >= total) {
                return Ok(all);
            }
            let counted = total.unwrap_or(usize::MAX);
            if pages == MOST_PAGES || came > counted.saturating_add(MOST_REPEATED) {
                let total =
                    total.map_or_else(|| "no total".to_owned(), |total| format!("a total of {total}"));
                let found =
                    format!("it never ends: {pages} pages with {came} entries came, and it claims {total}");
                return Err(answer.unusable("a list", found));
            }
        }
    }
}

/// What tells an entry from others: its id, and without a usable one all of it.
#[derive(PartialEq, Eq, Hash)]
enum Identity {
    Id(u64),
    Whole(String),
}

impl Identity {
    fn of(entry: &Value) -> Self {
        let id = wire::number(entry, "id").filter(|id| *id > 0);
        id.map_or_else(|| Self::Whole(entry.to_string()), Self::Id)
    }
}
