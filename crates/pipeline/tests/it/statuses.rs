//! What came of a package, in words for people and for programs.

use pipeline::Status;
use serde_json::json;

#[test]
fn each_is_written_as_its_key_and_read_again() {
    for status in Status::ALL {
        assert_eq!(serde_json::to_value(status).unwrap(), json!(status.key()));
        assert_eq!(serde_json::from_value::<Status>(json!(status.key())).unwrap(), status);
        assert_eq!(Status::of_key(status.key()), Some(status));
    }
    assert_eq!(Status::of_key("not begun"), None);
}

#[test]
fn words() {
    let told = Status::ALL.map(|status| [status.word(), status.final_word(), status.key()].join(" | "));
    insta::assert_snapshot!(told.join("\n"), @"
    failed | failed | failed
    interrupted | interrupted | interrupted
    running | did not end | running
    not begun | not begun | not-begun
    unverified | unverified | unverified
    replaced | replaced | replaced
    created | created | created
    metadata only | metadata only | metadata-only
    downloaded | downloaded | downloaded
    skipped | skipped | skipped
    ");
}

/// Failures come first wherever statuses are sorted.
#[test]
fn order() {
    assert!(Status::ALL.is_sorted());
}
