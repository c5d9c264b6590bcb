//! Filtering, sorting and paging of lists (`jamf-pro-api.md §1.2` to `§1.4`).

use super::answer::{Answer, Fault, json};
use super::caller::Query;
use crate::rsql::{self, Filter};
use http::StatusCode;
use serde_json::{Value, json};
use std::cmp::Ordering;

const DEFAULT_PAGE_SIZE: usize = 100;
/// Clients go up to this (`§1.2`).
const MAX_PAGE_SIZE: usize = 2000;

/// The part of `rows` that the query asks for. Only `filterable` fields may be filtered on.
pub(super) fn page_of(mut rows: Vec<Value>, filterable: &[&'static str], query: &Query) -> Answer {
    if let Some(text) = query.get("filter").filter(|text| !text.trim().is_empty()) {
        let filter = Filter::parse(text, filterable)
            .map_err(|error| Fault::field("INVALID_FIELD", &error.to_string(), "filter"))?;
        rows.retain(|row| filter.matches(&|field| text_of(row, field)));
    }
    let keys: Vec<(&str, bool)> = query.all("sort").flat_map(|sort| sort.split(',')).map(sort_key).collect();
    rows.sort_by(|left, right| compare(&keys, left, right));

    let number = |name, default| match query.get(name) {
        None | Some("") => Ok(default),
        Some(text) => text.parse::<usize>().map_err(|_| {
            Fault::field("INVALID_FIELD", &format!("{name} takes a whole number, not {text:?}"), name)
        }),
    };
    let size = number("page-size", DEFAULT_PAGE_SIZE)?.clamp(1, MAX_PAGE_SIZE);
    let start = number("page", 0)?.saturating_mul(size);
    let total = rows.len();
    let results: Vec<Value> = rows.into_iter().skip(start).take(size).collect();
    Ok(json(StatusCode::OK, &json!({ "totalCount": total, "results": results })))
}

/// Field, and whether it runs downward.
fn sort_key(sort: &str) -> (&str, bool) {
    match sort.split_once(':') {
        Some((field, direction)) => (field.trim(), direction.trim().eq_ignore_ascii_case("desc")),
        None => (sort.trim(), false),
    }
}

/// Fields that no row has compare as equal, so that odd values do no harm: JamfSync sends a literal `id%3Aasc` and gets
/// its list (`§1.3`). The rows come by id, and the sort is stable.
fn compare(keys: &[(&str, bool)], left: &Value, right: &Value) -> Ordering {
    keys.iter()
        .map(|(field, down)| {
            let order = rsql::order(&text_of(left, field), &text_of(right, field));
            if *down { order.reverse() } else { order }
        })
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

fn text_of(row: &Value, field: &str) -> String {
    match &row[field] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
