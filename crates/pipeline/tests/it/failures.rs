use pipeline::{Diagnose, Failure, FailureKind};
use std::fmt;

#[derive(Debug, thiserror::Error)]
#[error("cannot read /App.pkg")]
struct Outer {
    source: Middle,
}

#[derive(Debug, thiserror::Error)]
#[error("the disk did not answer")]
struct Middle(#[source] fmt::Error);

impl Diagnose for Outer {
    fn kind(&self) -> FailureKind {
        FailureKind::Local
    }
    fn hint(&self) -> Option<String> {
        Some("look at the cable".into())
    }
}

#[test]
fn a_failure_tells_its_causes_once_each_and_its_hint_apart() {
    let failure = Failure::from(Outer { source: Middle(fmt::Error) });
    assert_eq!(failure.kind(), FailureKind::Local);
    assert_eq!(failure.hint().as_deref(), Some("look at the cable"));
    assert_eq!(pipeline::causes(failure.error()).collect::<Vec<_>>(), failure.chain());
    assert_eq!(failure.chain().len(), 3);
    insta::assert_snapshot!(failure, @"cannot read /App.pkg: the disk did not answer: an error occurred when formatting an argument");
    assert!(failure.error().is::<Outer>());
}
