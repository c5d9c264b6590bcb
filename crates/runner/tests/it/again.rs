//! Plans that are made again, because a step was refused and knows what may succeed instead.

use crate::{CHAIN, Log, NoLuck, house};
use pipeline::{
    Applied, Change, Context, Effect, Env, Failure, Input, Key, Plan, Processor, Spec, Status, Subject, Verb,
};
use runner::Report;

/// Sends by the way that it is told, and is refused on the ways that are closed.
pub struct Send(pub Log);

const WAY: Key<String> = Key::new("way");
const CLOSED: Key<Vec<String>> = Key::new("closed");
const REFUSES: Key<String> = Key::new("refuses");

impl Send {
    /// On the road it is refused, and knows of the sea; at sea it knows of the road.
    fn try_way(env: &Env, now: &str) -> Result<(), Failure> {
        let way = env.need(WAY)?;
        let when = env.get(REFUSES)?.unwrap_or_else(|| "plan".to_owned());
        if when != now || !env.get(CLOSED)?.unwrap_or_default().contains(&way) {
            return Ok(());
        }
        let failure = Failure::from(NoLuck(way.clone(), std::fmt::Error));
        Err(match way.as_str() {
            "road" => failure.or_with(WAY, "sea".to_owned()),
            "sea" => failure.or_with(WAY, "road".to_owned()),
            _ => failure,
        })
    }
}

impl Processor for Send {
    type Work = String;
    fn spec(&self) -> &'static Spec {
        static SPEC: Spec = Spec {
            name: "send",
            summary: "sends",
            docs: "",
            writes: true,
            inputs: &[
                Input::with_default(WAY, pipeline::Default::Text("road"), "by road, or by sea"),
                Input::optional(CLOSED, "what is closed"),
                Input::optional(REFUSES, "plan or apply"),
            ],
            outputs: &[],
        };
        &SPEC
    }
    async fn plan(&self, env: &Env, _cx: &Context) -> Result<Plan<String>, Failure> {
        let way = env.need(WAY)?;
        self.0.lock().unwrap().push(format!("plan send by {way}"));
        Self::try_way(env, "plan")?;
        Ok(Plan::change(Change::new(Verb::Create, Subject::File, &way).sending(5), way))
    }
    async fn apply(&self, way: String, env: &Env, cx: &Context) -> Result<Applied, Failure> {
        self.0.lock().unwrap().push(format!("apply send by {way}"));
        Self::try_way(env, "apply")?;
        cx.boundary().pass(Effect::Write, "PUT", "/things")?;
        Ok(Applied::done(format!("sent by {way}")))
    }
}

const BY_ANY_WAY: &str = "\n- Processor: look\n- Processor: send\n";

#[tokio::test]
async fn what_is_refused_while_planning_is_planned_again_in_another_way() {
    let house = house();
    let report = house.run(&house.checked("  closed: [road]", BY_ANY_WAY)).await;
    insta::assert_snapshot!(house.log(), @r"
    plan look nothing
    plan send by road
    plan look nothing
    plan send by sea
    apply send by sea
    ");
    insta::assert_snapshot!(house.story(), @r"
    test.recipe -: recipe started, 2 steps
    test.recipe look: planned, 0 changes
    test.recipe send: Warning: no luck with road: an error occurred when formatting an argument; planning again with way sea
    test.recipe look: planned, 0 changes
    test.recipe send: planned, 1 changes
    test.recipe -: plan ready
    test.recipe send: started
    test.recipe send: finished: sent by sea
    test.recipe -: recipe finished
    ");
    assert_eq!((report.status, report.bytes_sent, &report.failure), (Status::Created, 5, &None));
    let given_up = report.given_up.unwrap();
    assert_eq!((given_up.status, given_up.bytes_sent, given_up.steps.len()), (Status::Failed, 0, 1));
    let failure = given_up.failure.unwrap();
    assert_eq!((failure.message.as_str(), failure.hint.as_deref()), ("no luck with road", Some("try again")));
}

#[tokio::test]
async fn what_is_refused_while_applying_is_planned_again_from_the_first_step() {
    let house = house();
    let process = "\n- Processor: fetch\n- Processor: send\n";
    let report = house.run(&house.checked("  closed: [road]\n  refuses: apply", process)).await;
    insta::assert_snapshot!(house.log(), @r"
    plan fetch 
    plan send by road
    apply fetch 
    apply send by road
    plan fetch 
    plan send by sea
    apply fetch 
    apply send by sea
    ");
    assert_eq!((report.status, report.bytes_sent), (Status::Created, 12));
    let given_up = report.given_up.unwrap();
    assert_eq!(given_up.bytes_sent, 7, "what the first attempt did is told");
    assert_eq!(given_up.failure.unwrap().step.unwrap().number, 2);
}

#[tokio::test]
async fn a_recipe_is_planned_again_only_once() {
    let house = house();
    for refuses in ["plan", "apply"] {
        house.log.lock().unwrap().clear();
        let input = format!("  closed: [road, sea]\n  refuses: {refuses}");
        let report = house.run(&house.checked(&input, "\n- Processor: send\n")).await;
        let ways: Vec<_> =
            house.log.lock().unwrap().iter().filter(|line| line.starts_with("plan")).cloned().collect();
        assert_eq!(ways, ["plan send by road", "plan send by sea"]);
        assert_eq!(report.status, Status::Failed);
        assert_eq!(report.failure.unwrap().message, "no luck with sea");
        assert_eq!(report.given_up.unwrap().failure.unwrap().message, "no luck with road");
        assert_eq!(house.boundary.traffic().writes, 0);
    }
    let failed = house.story().lines().filter(|line| line.contains("failed")).count();
    assert_eq!(failed, 2, "one a run: the first attempt has not failed as yet");
}

#[tokio::test]
async fn a_failure_that_knows_nothing_else_is_final() {
    let house = house();
    let report = house.run(&house.checked("  fail: apply", CHAIN)).await;
    assert_eq!((report.status, &report.given_up), (Status::Failed, &None));
    assert_eq!(house.log().matches("plan fetch").count(), 1);

    let report = house.run(&house.checked("  closed: [air]\n  way: air", "\n- Processor: send\n")).await;
    assert_eq!((report.status, &report.given_up), (Status::Failed, &None));
}

#[tokio::test]
async fn a_dry_run_plans_again_too() {
    let house = house();
    let checked = house.checked("  closed: [road]", BY_ANY_WAY);
    let dry = house.dry_run(&checked).await;
    assert_eq!(house.boundary.traffic().writes, 0);
    assert_eq!((dry.status, dry.bytes_sent, dry.dry_run), (Status::Created, 5, true));
    assert!(!house.log().contains("apply"));
    let given_up = dry.given_up.as_ref().unwrap();
    assert!(given_up.dry_run && given_up.failure.is_some());

    let real = house.run(&checked).await;
    let changes = |report: &Report| report.steps.iter().map(|step| step.changes.clone()).collect::<Vec<_>>();
    assert_eq!(changes(&dry), changes(&real));
}

#[tokio::test]
async fn what_to_try_instead_wins_over_arguments() {
    let house = house();
    let process = "\n- Processor: send\n  Arguments: {way: road, closed: [road]}\n";
    let report = house.run(&house.checked("  way: air", process)).await;
    assert_eq!((report.status, report.failure), (Status::Created, None));
    assert!(house.log().ends_with("apply send by sea"), "{}", house.log());
}
