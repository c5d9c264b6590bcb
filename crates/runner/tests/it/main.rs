//! The runner with small processors, on recipes as they stand in files.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

mod again;
mod batch;
mod carried;
mod deadline;

use pipeline::{
    Access, Applied, Boundary, Change, Context, Diagnose, Effect, Env, Event, Failure, FailureKind, Input,
    Key, Listener, Occurrence, Origin, Outcome, Output, Plan, Processor, SimulatedClock, Spec, Status,
    Subject, Value, Verb, Warning,
};
use recipe::{Checked, Library};
use runner::{Registry, Report, Source};
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use tokio_util::sync::CancellationToken;

/// What happened, in order; shared by processors and tests.
type Log = Arc<Mutex<Vec<String>>>;

const WORD: Key<String> = Key::new("word");
const FOUND: Key<String> = Key::new("found");
const TICKET: Key<String> = Key::new("ticket");
const NOTE: Key<String> = Key::new("note");
const FAIL: Key<String> = Key::new("fail");

#[derive(Debug, thiserror::Error)]
#[error("no luck with {0}")]
struct NoLuck(String, #[source] std::fmt::Error);

impl Diagnose for NoLuck {
    fn kind(&self) -> FailureKind {
        FailureKind::Remote
    }
    fn hint(&self) -> Option<String> {
        Some("try again".into())
    }
}

/// Reads only: tells what it found.
struct Look(Log);

impl Processor for Look {
    type Work = Infallible;
    fn spec(&self) -> &'static Spec {
        static SPEC: Spec = Spec {
            name: "look",
            summary: "looks",
            docs: "",
            writes: false,
            inputs: &[Input::with_default(WORD, pipeline::Default::Text("nothing"), "what to look for")],
            outputs: &[Output::planned(FOUND, "what was found")],
        };
        &SPEC
    }
    async fn plan(&self, env: &Env, _cx: &Context) -> Result<Plan<Infallible>, Failure> {
        let word = env.need(WORD)?;
        self.0.lock().unwrap().push(format!("plan look {word}"));
        if word == "nowhere" {
            return Ok(Plan::done("found nothing"));
        }
        Ok(Plan::done(format!("found {word}")).with(FOUND, word))
    }
    async fn apply(&self, work: Infallible, _env: &Env, _cx: &Context) -> Result<Applied, Failure> {
        match work {}
    }
}

/// Gets a ticket, which is known only after it ran.
struct Fetch(Log);

impl Processor for Fetch {
    type Work = String;
    fn spec(&self) -> &'static Spec {
        static SPEC: Spec = Spec {
            name: "fetch",
            summary: "fetches",
            docs: "",
            writes: true,
            inputs: &[Input::optional(FOUND, "for what"), Input::optional(FAIL, "plan or apply")],
            outputs: &[Output::applied(TICKET, "the ticket")],
        };
        &SPEC
    }
    async fn plan(&self, env: &Env, _cx: &Context) -> Result<Plan<String>, Failure> {
        let found = env.get(FOUND)?.unwrap_or_default();
        self.0.lock().unwrap().push(format!("plan fetch {found}"));
        match env.get(FAIL)?.as_deref() {
            Some("plan") => Err(NoLuck(found, std::fmt::Error).into()),
            Some("skip") => Ok(Plan::skipped("nothing to fetch")),
            _ => Ok(Plan::change(Change::new(Verb::Create, Subject::File, &found).sending(7), found)),
        }
    }
    async fn apply(&self, found: String, env: &Env, cx: &Context) -> Result<Applied, Failure> {
        cx.boundary().pass(Effect::Write, "POST", "/tickets")?;
        self.0.lock().unwrap().push(format!("apply fetch {found}"));
        match env.get(FAIL)?.as_deref() {
            Some("apply") => Err(NoLuck(found, std::fmt::Error).into()),
            Some("doubt") => {
                Ok(Applied::warned(Warning::Unverified, "not seen yet", "look later")
                    .with(TICKET, "T".into()))
            }
            _ => Ok(Applied::done("fetched").with(TICKET, format!("ticket for {found}"))),
        }
    }
}

/// Needs the ticket, while applying.
struct Write(Log);

impl Processor for Write {
    type Work = ();
    fn spec(&self) -> &'static Spec {
        static SPEC: Spec = Spec {
            name: "write",
            summary: "writes",
            docs: "",
            writes: true,
            inputs: &[
                Input::required(TICKET, "the ticket").at_apply(),
                Input::optional(NOTE, "a note").at_apply(),
            ],
            outputs: &[],
        };
        &SPEC
    }
    async fn plan(&self, env: &Env, _cx: &Context) -> Result<Plan<()>, Failure> {
        self.0.lock().unwrap().push("plan write".into());
        let verb = if env.contains("prove") { Verb::Prove } else { Verb::Update };
        Ok(Plan::change(Change::new(verb, Subject::Record, "it"), ()))
    }
    async fn apply(&self, (): (), env: &Env, _cx: &Context) -> Result<Applied, Failure> {
        let note = env.get(NOTE)?.unwrap_or_default();
        self.0.lock().unwrap().push(format!("apply write [{}] [{note}]", env.need(TICKET)?));
        Ok(Applied::done("written"))
    }
}

#[derive(Default)]
struct Ears(Mutex<Vec<Event>>);

impl Listener for Ears {
    fn on(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

struct StopsAtThePlan(CancellationToken);

impl Listener for StopsAtThePlan {
    fn on(&self, event: &Event) {
        if event.what == Occurrence::PlanReady {
            self.0.cancel();
        }
    }
}

struct House {
    log: Log,
    registry: Registry,
    ears: Arc<Ears>,
    boundary: Arc<Boundary>,
    cancel: CancellationToken,
    cx: Context,
}

fn house() -> House {
    let log = Log::default();
    let mut registry = Registry::default();
    registry.register(Look(log.clone())).unwrap();
    registry.register(Fetch(log.clone())).unwrap();
    registry.register(Write(log.clone())).unwrap();
    registry.register(again::Send(log.clone())).unwrap();
    let ears = Arc::new(Ears::default());
    let boundary = Arc::new(Boundary::new(Access::ReadWrite));
    let cancel = CancellationToken::new();
    let clock = Arc::new(SimulatedClock::at("2026-11-20T12:00:00Z".parse().unwrap()));
    let cx = Context::new(clock, boundary.clone(), ears.clone(), cancel.clone());
    House { log, registry, ears, boundary, cancel, cx }
}

impl House {
    fn checked(&self, input: &str, process: &str) -> Checked {
        let text = format!("Identifier: test.recipe\nInput:\n  NAME: app\n{input}\nProcess:\n{process}");
        let source = recipe::Source { path: "test.recipe.yaml".into(), bytes: text.into_bytes() };
        let chain = Library::default().load_source(&source).unwrap();
        recipe::check(&chain, &self.registry.specs(), &Env::new(), &Env::new()).unwrap()
    }

    async fn run(&self, checked: &Checked) -> Report {
        runner::run(&self.registry, checked, false, &self.cx).await
    }

    async fn dry_run(&self, checked: &Checked) -> Report {
        runner::run(&self.registry, checked, true, &self.cx).await
    }

    fn log(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }

    /// All events, one a line.
    fn story(&self) -> String {
        let events = self.ears.0.lock().unwrap();
        let story = events.iter().map(|event| {
            let name = match &event.what {
                Occurrence::RecipeStarted { steps, .. } => format!("recipe started, {} steps", steps.len()),
                Occurrence::StepPlanned { changes, .. } => format!("planned, {} changes", changes.len()),
                Occurrence::PlanReady => "plan ready".into(),
                Occurrence::StepStarted => "started".into(),
                Occurrence::StepFinished { result } => format!("finished: {result}"),
                Occurrence::StepFailed { message } => format!("failed: {message}"),
                Occurrence::Notice { level, message } => format!("{level:?}: {message}"),
                Occurrence::RecipeFinished => "recipe finished".into(),
                other => format!("{other:?}"),
            };
            let step = event.step.as_ref().map_or("-", |step| &step.processor);
            format!("{} {step}: {name}", event.recipe)
        });
        story.collect::<Vec<_>>().join("\n")
    }
}

const CHAIN: &str = "
- Processor: look
  Arguments: {word: '%NAME%'}
- Processor: fetch
- Processor: write
  Arguments: {note: 'got %ticket% for %NAME%'}
";

#[tokio::test]
async fn every_step_plans_before_the_first_one_applies() {
    let house = house();
    let report = house.run(&house.checked("", CHAIN)).await;
    insta::assert_snapshot!(house.log(), @r"
    plan look app
    plan fetch app
    plan write
    apply fetch app
    apply write [ticket for app] [got ticket for app for app]
    ");
    assert_eq!((report.status, report.bytes_sent), (Status::Created, 7));
}

#[tokio::test]
async fn a_dry_run_is_the_first_half_and_its_plan_is_what_the_run_then_does() {
    let house = house();
    let checked = house.checked("", CHAIN);
    let dry = house.dry_run(&checked).await;
    assert_eq!(house.boundary.traffic().writes, 0);
    assert!(!house.log().contains("apply"));

    let real = house.run(&checked).await;
    let changes = |report: &Report| report.steps.iter().map(|step| step.changes.clone()).collect::<Vec<_>>();
    assert_eq!(changes(&dry), changes(&real));
    assert_eq!((dry.status, dry.bytes_sent), (real.status, real.bytes_sent));
}

#[tokio::test]
async fn a_step_that_cannot_plan_ends_the_recipe_before_anything_is_written() {
    let house = house();
    let report = house.run(&house.checked("  fail: plan", CHAIN)).await;
    assert_eq!(house.boundary.traffic().writes, 0);
    assert_eq!(report.steps.len(), 1);
    insta::assert_snapshot!(serde_json::to_string_pretty(&report.failure).unwrap(), @r#"
    {
      "step": {
        "number": 2,
        "processor": "fetch"
      },
      "kind": "remote",
      "message": "no luck with app",
      "causes": [
        "an error occurred when formatting an argument"
      ],
      "hint": "try again"
    }
    "#);
}

#[tokio::test]
async fn a_step_that_fails_ends_the_recipe_and_counts_for_nothing() {
    let house = house();
    let report = house.run(&house.checked("  fail: apply", CHAIN)).await;
    assert_eq!((report.status, report.bytes_sent), (Status::Failed, 0));
    assert!(!house.log().contains("apply write"));
    // What was planned and not done is still told.
    assert_eq!(report.steps[2].changes.len(), 1);
    assert_eq!(report.steps[2].outcome, None);
}

#[tokio::test]
async fn doubt_is_a_status_of_its_own() {
    let house = house();
    let report = house.run(&house.checked("  fail: doubt", CHAIN)).await;
    assert_eq!(report.status, Status::Unverified);
    assert_eq!(report.failure, None);

    let report = house.run(&house.checked("  fail: doubt\n  prove: 'yes'", CHAIN)).await;
    assert_eq!(report.status, Status::Created, "a later proof settles it");
}

#[tokio::test]
async fn a_step_with_nothing_to_do_is_not_applied() {
    let house = house();
    let checked = house.checked("", "\n- Processor: look\n- Processor: fetch\n  Arguments: {fail: skip}\n");
    let report = house.run(&checked).await;
    assert_eq!(report.status, Status::Skipped);
    assert_eq!(report.steps[1].outcome, Some(Outcome::Skipped { reason: "nothing to fetch".into() }));
    insta::assert_snapshot!(house.log(), @r"
    plan look nothing
    plan fetch nothing
    ");
}

#[tokio::test]
async fn a_value_that_a_skipped_step_would_have_given_is_named() {
    let house = house();
    let process = "\n- Processor: fetch\n  Arguments: {fail: skip}\n- Processor: write\n  Arguments: {note: 'got %ticket%'}\n";
    let report = house.run(&house.checked("", process)).await;
    let failure = report.failure.unwrap();
    insta::assert_snapshot!(failure.message, @"argument note cannot be filled in");
    insta::assert_snapshot!(failure.causes[0], @"`%ticket%` is not defined");
}

#[tokio::test]
async fn a_processor_that_runs_again_does_not_stand_by_what_it_said_first() {
    let house = house();
    let process = "
- Processor: look
  Arguments: {word: here}
- Processor: look
  Arguments: {word: nowhere}
- Processor: fetch
";
    house.run(&house.checked("", process)).await;
    insta::assert_snapshot!(house.log(), @r"
    plan look here
    plan look nowhere
    plan fetch 
    apply fetch 
    ");
}

#[tokio::test]
async fn an_interrupt_stops_before_the_next_write() {
    let house = house();
    // As if somebody pressed Ctrl-C when the plan had been shown.
    let stop = Arc::new(StopsAtThePlan(house.cancel.clone()));
    let cx = Context::new(house.cx.clock().clone(), house.boundary.clone(), stop, house.cancel.clone());
    let report = runner::run(&house.registry, &house.checked("", CHAIN), false, &cx).await;
    assert_eq!(report.failure.unwrap().kind, FailureKind::Interrupted);
    assert_eq!(report.steps.len(), 3, "all had planned");
    assert_eq!(house.boundary.traffic().writes, 0);

    let report = house.run(&house.checked("", CHAIN)).await;
    assert_eq!(report.failure.unwrap().kind, FailureKind::Interrupted);
}

#[tokio::test]
async fn events_tell_the_whole_story_in_order() {
    let house = house();
    house.run(&house.checked("", CHAIN)).await;
    insta::assert_snapshot!(house.story(), @r"
    test.recipe -: recipe started, 3 steps
    test.recipe look: planned, 0 changes
    test.recipe fetch: planned, 1 changes
    test.recipe write: planned, 1 changes
    test.recipe -: plan ready
    test.recipe fetch: started
    test.recipe fetch: finished: fetched
    test.recipe write: started
    test.recipe write: finished: written
    test.recipe -: recipe finished
    ");
}

#[tokio::test]
async fn explain_tells_where_each_value_comes_from() {
    let house = house();
    let steps = runner::explain(&house.checked("", CHAIN));
    let known = |shown: &str, origin| Source::Known { shown: shown.into(), origin };
    let sources =
        |step: usize| steps[step].inputs.iter().map(|input| input.source.clone()).collect::<Vec<_>>();
    assert_eq!(sources(0), [known("\"app\"", Origin::Argument(1))]);
    assert_eq!(sources(1), [Source::Step(1), Source::Unset]);
    assert_eq!(sources(2), [Source::Step(2), Source::Template("\"got %ticket% for %NAME%\"".into())]);
}

#[test]
fn files_are_needed_before_the_first_step_unless_a_step_gives_them() {
    const INPUTS: &[Input] = &[Input::optional(pipeline::keys::PKG_PATH, "the file").existing()];
    static READ: Spec =
        Spec { name: "read", summary: "", docs: "", writes: false, inputs: INPUTS, outputs: &[] };
    static MAKE: Spec = Spec {
        name: "make",
        inputs: &[],
        outputs: &[Output::planned(pipeline::keys::PKG_PATH, "the file")],
        ..READ
    };
    let needed = |process: &str| {
        let text =
            format!("Identifier: r\nInput: {{NAME: app, pkg_path: '/p/%NAME%.pkg'}}\nProcess: [{process}]\n");
        let source = recipe::Source { path: "r.recipe.yaml".into(), bytes: text.into_bytes() };
        let chain = Library::default().load_source(&source).unwrap();
        let checked = recipe::check(&chain, &[&READ, &MAKE], &Env::new(), &Env::new()).unwrap();
        let files = runner::needed_files(&checked).into_iter();
        files
            .map(|file| format!("{}:{}", file.step.number, file.path.display()))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let other = "{Processor: read, Arguments: {pkg_path: '/q/%NAME%.pkg'}}";
    assert_eq!(needed("{Processor: read}, {Processor: read}"), "1:/p/app.pkg");
    assert_eq!(
        needed(&format!("{{Processor: read}}, {other}, {{Processor: read}}")),
        "1:/p/app.pkg 2:/q/app.pkg"
    );
    assert_eq!(needed("{Processor: make}, {Processor: read}"), "");
    assert_eq!(needed(&format!("{{Processor: make}}, {other}")), "2:/q/app.pkg");
    let made = "{Processor: read, Arguments: {pkg_path: '%pkg_path%.zip'}}";
    assert_eq!(needed(&format!("{{Processor: make}}, {made}")), "");
}

#[test]
fn two_processors_of_one_name_are_refused() {
    let mut registry = house().registry;
    let error = registry.register(Look(Log::default())).unwrap_err();
    insta::assert_snapshot!(error, @"two processors are called look");
}

#[tokio::test]
async fn what_is_made_from_a_secret_is_secret_in_the_steps() {
    let house = house();
    let text = "Identifier: t\nInput: {mine: 'x%CLIENT_SECRET%'}\nProcess:\n- Processor: fetch\n- Processor: write\n";
    let source = recipe::Source { path: "t.recipe.yaml".into(), bytes: text.into() };
    let chain = Library::default().load_source(&source).unwrap();
    let mut settings = Env::new();
    settings.insert("CLIENT_SECRET", Value::String("hunter2".into()), Origin::Runner, false);
    let checked = recipe::check(&chain, &house.registry.specs(), &settings, &Env::new()).unwrap();
    assert!(!format!("{:?}", runner::explain(&checked)).contains("hunter2"));
}

/// Tells the steps that it is told of.
struct Count;

impl Processor for Count {
    type Work = Infallible;
    fn spec(&self) -> &'static Spec {
        static SPEC: Spec = Spec {
            name: "count",
            summary: "counts",
            docs: "",
            writes: false,
            inputs: &[Input::optional(pipeline::keys::RECIPE_STEPS, "all steps")],
            outputs: &[],
        };
        &SPEC
    }
    async fn plan(&self, env: &Env, _cx: &Context) -> Result<Plan<Infallible>, Failure> {
        Ok(Plan::done(env.need(pipeline::keys::RECIPE_STEPS)?.join(", ")))
    }
    async fn apply(&self, work: Infallible, _env: &Env, _cx: &Context) -> Result<Applied, Failure> {
        match work {}
    }
}

#[tokio::test]
async fn every_step_can_see_which_steps_there_are() {
    let mut house = house();
    house.registry.register(Count).unwrap();
    let checked = house.checked("", "\n- Processor: count\n- Processor: look\n- Processor: look\n");
    let report = house.run(&checked).await;
    assert_eq!(report.steps[0].outcome.as_ref().unwrap().message(), "count, look, look");
    let steps = runner::explain(&checked);
    let shown = r#"["count", "look", "look"]"#.to_owned();
    assert_eq!(steps[0].inputs[0].source, Source::Known { shown, origin: Origin::Runner });
}
