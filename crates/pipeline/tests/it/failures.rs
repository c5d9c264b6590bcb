use pipeline::{Diagnose, Env, Failure, FailureKind, Instead, Origin, Route, Value, keys};
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

#[test]
fn a_failure_may_know_what_to_try_instead() {
    let failure = || Failure::from(Outer { source: Middle(fmt::Error) });
    let mut env = Env::new();
    assert_eq!(failure().or_fallback(&env).instead(), None, "no other route was chosen");

    env.set(keys::FALLBACK_ROUTE, Route::PackagesApi, Origin::Output(1));
    let instead = Instead { name: "route", value: Value::String("packages-api".to_owned()) };
    assert_eq!(failure().or_fallback(&env).instead(), Some(&instead));

    env.insert("fallback_route", Value::String("by pigeon".into()), Origin::CommandLine, false);
    assert_eq!(failure().or_fallback(&env).instead(), None);
}

#[test]
fn a_step_of_another_route_has_nothing_to_do() {
    let mut env = Env::new();
    assert_eq!(keys::other_route(&env, Route::Jcds), Ok(None), "nobody has chosen");
    env.set(keys::CHOSEN_ROUTE, Route::PackagesApi, Origin::Output(1));
    assert_eq!(keys::other_route(&env, Route::PackagesApi), Ok(None));
    let why = keys::other_route(&env, Route::Jcds).ok().flatten();
    assert_eq!(why.as_deref(), Some("route packages-api: package-upload sends the file"));
}
