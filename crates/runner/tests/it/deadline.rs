//! What a recipe does whose run comes to its deadline.

use pipeline::{
    Access, Applied, Boundary, Change, Context, Env, Failure, FailureKind, Input, Key, Plan, Processor,
    Silent, SimulatedClock, Spec, Status, Subject, Verb,
};
use recipe::Library;
use runner::{Registry, Report, run};
use std::sync::Arc;
use std::time::Duration;

const SUBJECT: Key<String> = Key::new("subject");
const MINUTES: Key<u64> = Key::new("minutes");

/// Changes something, and takes its time.
struct Make;

impl Processor for Make {
    type Work = u64;
    fn spec(&self) -> &'static Spec {
        static SPEC: Spec = Spec {
            name: "change",
            summary: "changes something",
            docs: "",
            writes: true,
            inputs: &[Input::required(SUBJECT, "what"), Input::required(MINUTES, "how long it takes")],
            outputs: &[],
        };
        &SPEC
    }
    async fn plan(&self, env: &Env, cx: &Context) -> Result<Plan<u64>, Failure> {
        let subject = match env.need(SUBJECT)?.as_str() {
            "credentials" => Subject::Credentials,
            "record" | "refused" => Subject::Record,
            "nothing" => return Ok(Plan::skipped("nothing to do")),
            // It would go on planning for ever.
            _ => loop {
                cx.clock().sleep(Duration::from_secs(60)).await;
                let _ = cx.stop();
            },
        };
        Ok(Plan::change(Change::new(Verb::Create, subject, "one"), env.need(MINUTES)?))
    }
    async fn apply(&self, minutes: u64, env: &Env, cx: &Context) -> Result<Applied, Failure> {
        if env.need(SUBJECT)? == "refused" {
            let refused = crate::NoLuck("the step".into(), std::fmt::Error);
            return Err(Failure::from(refused).or_with(SUBJECT, "record".to_owned()));
        }
        cx.clock().sleep(Duration::from_secs(minutes * 60)).await;
        Ok(Applied::done("changed"))
    }
}

/// Runs steps that take two minutes each, up to a deadline in a minute.
async fn run_steps(subjects: &[&str]) -> (Report, String) {
    let mut registry = Registry::default();
    registry.register(Make).unwrap();
    let mut text = "Identifier: r\nProcess:\n".to_owned();
    for subject in subjects {
        text.push_str(&format!(
            "- Processor: change\n  Arguments:\n    subject: {subject}\n    minutes: 2\n"
        ));
    }
    let source = recipe::Source { path: "r.recipe.yaml".into(), bytes: text.into_bytes() };
    let chain = Library::default().load_source(&source).unwrap();
    let checked = recipe::check(&chain, &registry.specs(), &Env::new(), &Env::new()).unwrap();
    let clock = Arc::new(SimulatedClock::at("2026-11-20T01:00:00Z".parse().unwrap()));
    let boundary = Arc::new(Boundary::new(Access::ReadWrite));
    let cx = Context::new(clock, boundary, Arc::new(Silent), Default::default());
    let cx = cx.until("2026-11-20T01:01:00Z".parse().unwrap());
    let report = run(&registry, &checked, false, &cx).await;
    let shown = match &report.failure {
        None => format!("{:?}", report.status),
        Some(failure) => {
            let step = failure.step.as_ref().map_or(0, |step| step.number);
            format!("{:?} at step {step}: {}", failure.kind, failure.message)
        }
    };
    (report, shown)
}

#[tokio::test]
async fn what_has_changed_something_is_brought_to_its_end() {
    let (_, shown) = run_steps(&["record", "record", "record"]).await;
    assert_eq!(shown, "MetadataOnly");
}

#[tokio::test]
async fn what_has_changed_nothing_that_lasts_is_not_begun() {
    let (report, shown) = run_steps(&["credentials", "nothing", "record"]).await;
    insta::assert_snapshot!(shown, @"Deadline at step 3: the run was to begin nothing after 2026-11-20T01:01:00Z");
    assert_eq!(report.status, Status::NotBegun);
}

#[tokio::test]
async fn planning_ends_there() {
    let (report, shown) = run_steps(&["record", "thoughts", "record"]).await;
    insta::assert_snapshot!(shown, @"Deadline at step 2: the run was to begin nothing after 2026-11-20T01:01:00Z");
    assert_eq!(report.failure.as_ref().map(|failure| failure.kind), Some(FailureKind::Deadline));
    assert_eq!(report.status, Status::NotBegun);
}

/// The first attempt had changed something when it was given up.
#[tokio::test]
async fn a_second_attempt_is_brought_to_its_end_too() {
    let (report, shown) = run_steps(&["record", "refused"]).await;
    assert_eq!(shown, "MetadataOnly");
    assert!(report.given_up.is_some());
}
