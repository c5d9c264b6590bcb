//! Where servers are seen to differ from their own schema, and the contract says so.

use serde_json::Value;

/// Statuses that a call can end in beside those that its schema lists: the request is wrong, the token, the privilege, the
/// object or the call is missing, a proxy or the gateway is in the way (`jamf-pro-api.md §1.5`, `§5.3`, `§13.2`).
const ANYWHERE: [u16; 9] = [400, 401, 403, 404, 405, 410, 413, 415, 429];

/// Whether any call can end in this status.
pub(crate) fn is_possible_anywhere(status: u16) -> bool {
    ANYWHERE.contains(&status) || (500..600).contains(&status)
}

/// Statuses with which something in front of the server answers, with a page (`§1.5`; 403 by the edge of the gateway:
/// `user-pains.md`, section 3).
pub(crate) fn comes_with_a_page(status: u16) -> bool {
    matches!(status, 403 | 413 | 502..=504)
}

/// Whether a property of an answer may be null although the schema says otherwise.
pub(crate) fn may_be_null(schema: &str, property: &str) -> bool {
    match schema {
        // `id` may be by the schema, `field` must be there and is null all the same (`§1.5`).
        "ApiErrorCause" => property == "field",
        // What is not set is null or empty, whatever the schema says (`§8`).
        "CloudDistributionPoint" => true,
        _ => false,
    }
}

/// What stands for a boolean in requests: servers take 0 and 1 too (`§1.1`).
pub(crate) fn booleans() -> [Value; 4] {
    [true.into(), false.into(), 0.into(), 1.into()]
}

/// The spelling of a path in the schema; the older one of this call is still served, and is in no schema (`§2.5`).
pub(crate) fn spelled_in_schema(path: &str) -> &str {
    if path == "/oauth/token" { "/v1/oauth/token" } else { path }
}
