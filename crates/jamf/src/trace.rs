//! What a gateway calls a request by, for those who ask Jamf about it (`jamf-pro-api.md §14`).

use crate::wire;
use reqwest::header::HeaderMap;
use serde_json::Value;

const HEADERS: [&str; 3] = ["x-traceid", "x-tyk-trace-id", "x-b3-traceid"];
/// No id is longer; it ends on a terminal.
const LONGEST: usize = 100;

/// The id in an answer.
pub(crate) fn id(body: &[u8], headers: &HeaderMap) -> Option<String> {
    let told: Option<Value> = serde_json::from_slice(body).ok();
    let told = told.as_ref().and_then(|json| wire::filled(json, "traceId"));
    let in_headers = HEADERS.into_iter().find_map(|name| headers.get(name)?.to_str().ok());
    let is_id =
        |text: &&str| (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    told.filter(is_id).or(in_headers.filter(is_id)).map(str::to_owned)
}

/// How an error ends that has one.
pub(crate) fn suffix(id: Option<&String>) -> String {
    id.map(|id| format!(" (trace id {id})")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    #[test]
    fn the_body_goes_before_the_headers_and_nothing_odd_is_taken() {
        let headers = |name, value: &'static str| {
            HeaderMap::from_iter([(
                reqwest::header::HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )])
        };
        let body = br#"{"httpStatus":404,"traceId":"in-body","errors":[]}"#;
        assert_eq!(id(body, &headers("x-traceid", "in-header")).as_deref(), Some("in-body"));
        for name in HEADERS {
            assert_eq!(id(b"<html>", &headers(name, "in-header")).as_deref(), Some("in-header"));
        }
        assert_eq!(id(br#"{"traceId":"a\u001b[31m"}"#, &headers("x-traceid", "two words")), None);
        assert_eq!(id(br#"{"traceId":7}"#, &HeaderMap::new()), None);
        assert_eq!(suffix(Some(&"7".to_owned())), " (trace id 7)");
    }
}
