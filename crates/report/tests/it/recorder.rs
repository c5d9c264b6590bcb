//! Reports of runs, as the runner tells of them.

use crate::sample::{at, program};
use insta::assert_snapshot;
use pipeline::{
    Access, Activity, Applied, Boundary, Change, Context, Diagnose, Effect, Env, Event, Failure, FailureKind,
    Input, Key, Level, Listener, Occurrence, Outcome, Plan, Processor, SimulatedClock, Spec, StepRef,
    Subject as Target, Verb, Warning,
};
use recipe::{Checked, Library};
use report::{PackageReport, Recorder, Run, RunReport, Status, Subject};
use runner::Registry;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

#[derive(Debug, thiserror::Error)]
#[error("S3 refused part 3 of 12")]
struct Refusal(#[source] std::fmt::Error);

impl Diagnose for Refusal {
    fn kind(&self) -> FailureKind {
        FailureKind::Remote
    }
    fn hint(&self) -> Option<String> {
        Some("run it again".into())
    }
}

const ACT: Key<String> = Key::new("act");
const SECONDS: Key<u32> = Key::new("seconds");

/// Does what the recipe says, and takes as long as it says.
struct Act;

impl Processor for Act {
    type Work = (String, u32);

    fn spec(&self) -> &'static Spec {
        static SPEC: Spec = Spec {
            name: "act",
            summary: "acts",
            docs: "",
            writes: true,
            inputs: &[
                Input::required(ACT, "what"),
                Input::with_default(SECONDS, pipeline::Default::Number(1), "how long"),
            ],
            outputs: &[],
        };
        &SPEC
    }

    async fn plan(&self, env: &Env, cx: &Context) -> Result<Plan<Self::Work>, Failure> {
        let (act, seconds) = (env.need(ACT)?, env.need(SECONDS)?);
        cx.boundary().pass(Effect::Read, "GET", "/")?;
        cx.clock().sleep(Duration::from_secs(seconds.into())).await;
        let change = match act.as_str() {
            "find" => return Ok(Plan::done("record 42, file of 1.0 MiB")),
            "same" => {
                cx.progress(Activity::Hashing, 0, 10);
                return Ok(Plan::done("same: size, MD5 and SHA3-512 agree"));
            }
            "skip" => return Ok(Plan::skipped("nothing was sent")),
            "refuse" => return Err(Refusal(std::fmt::Error).into()),
            "send" | "fail" | "stop" => {
                Change::new(Verb::Replace, Target::File, "App-2.pkg").sending(1 << 20).because("MD5 differs")
            }
            "fetch" => {
                Change::new(Verb::Download, Target::File, "App-2.pkg").fetching(9).to("/tmp/App-2.pkg")
            }
            "record" => Change::new(Verb::Update, Target::Record, "App-2.pkg"),
            _ => Change::new(Verb::Prove, Target::Delivery, "App-2.pkg"),
        };
        Ok(Plan::change(change, (act, seconds)))
    }

    async fn apply(&self, (act, seconds): Self::Work, _env: &Env, cx: &Context) -> Result<Applied, Failure> {
        cx.boundary().pass(Effect::Write, "PUT", "/")?;
        if act == "send" {
            cx.warn("part 2 was sent again");
            cx.progress(Activity::Uploading, 1 << 19, 1 << 20);
        }
        cx.clock().sleep(Duration::from_secs(seconds.into())).await;
        match act.as_str() {
            "fail" => Err(Refusal(std::fmt::Error).into()),
            "stop" => {
                cx.cancelled().cancel();
                Ok(Applied::done("sent, and somebody pressed Ctrl-C"))
            }
            "doubt" => Ok(Applied::warned(Warning::Unverified, "not proven after 15 min", "look later")),
            "odd" => {
                Ok(Applied::warned(Warning::Other, "proven; App-2_1.pkg holds the same bytes", "delete it"))
            }
            "record" => Ok(Applied::done("updated record 42: pkg_notes")),
            _ => Ok(Applied::done(format!("{act} done"))),
        }
    }
}

struct House {
    registry: Registry,
    clock: Arc<SimulatedClock>,
    boundary: Arc<Boundary>,
    cancel: CancellationToken,
    recorder: Arc<Recorder>,
}

fn house(access: Access) -> House {
    let mut registry = Registry::default();
    registry.register(Act).unwrap();
    let clock = Arc::new(SimulatedClock::at(at("2026-11-21T02:00:00Z")));
    let boundary = Arc::new(Boundary::new(access));
    let run = Run {
        program: program(),
        id: "nightly-7".into(),
        dry_run: access == Access::ReadOnly,
        shard: None,
        servers: vec!["production".into()],
    };
    let recorder = Arc::new(Recorder::new(run, clock.clone(), boundary.clone()));
    House { registry, clock, boundary, cancel: CancellationToken::new(), recorder }
}

fn subject() -> Subject {
    Subject {
        server: Some("production".into()),
        file: Some("App-1.pkg".into()),
        pkg_version: Some("2".into()),
        size: Some(1 << 20),
        ..Subject::default()
    }
}

impl House {
    fn checked(&self, name: &str, acts: &str) -> Checked {
        let steps: Vec<String> = acts
            .split(' ')
            .map(|act| {
                let (act, seconds) = act.split_once(':').unwrap_or((act, "1"));
                format!("- Processor: act\n  Arguments: {{act: {act}, seconds: {seconds}}}")
            })
            .collect();
        let text = format!("Identifier: {name}\nInput:\n  NAME: App\nProcess:\n{}", steps.join("\n"));
        let source = recipe::Source { path: "test.recipe.yaml".into(), bytes: text.into_bytes() };
        let chain = Library::default().load_source(&source).unwrap();
        recipe::check(&chain, &self.registry.specs(), &Env::new(), &Env::new()).unwrap()
    }

    fn context(&self, listener: Arc<dyn Listener>) -> Context {
        Context::new(self.clock.clone(), self.boundary.clone(), listener, self.cancel.clone())
    }

    async fn run(&self, checked: &Checked, cx: &Context) -> runner::Report {
        let dry_run = self.boundary.access() == Access::ReadOnly;
        runner::run(&self.registry, checked, dry_run, cx).await
    }

    /// Carries one package by these steps, and tells what the recorder makes of it.
    async fn carry(&self, acts: &str, subject: Subject) -> PackageReport {
        let package = self.recorder.package("App.jamf", subject);
        let report =
            self.run(&self.checked("com.example.App", acts), &self.context(Arc::new(package.clone()))).await;
        package.finish(&report);
        package.snapshot().unwrap()
    }
}

fn told(package: &PackageReport) -> String {
    use std::fmt::Write as _;
    let mut told = format!("{} {}: {}\n", package.name(), package.status.word(), package.reason);
    let bytes = [package.bytes_sent, package.bytes_fetched, package.bytes_saved];
    let _ = writeln!(told, "sent, fetched, saved {bytes:?}");
    let clock =
        |time: Option<jiff::Timestamp>| time.map_or("-".into(), |time| time.strftime("%M:%S").to_string());
    let _ = writeln!(told, "from {} to {}", clock(package.started), clock(package.finished));
    for phase in &package.phases {
        let (from, to) = (clock(Some(phase.from)), clock(phase.to));
        let said = phase.outcome.as_deref().unwrap_or("-");
        let _ = writeln!(
            told,
            "{from} {to} {} {:?} {:?} {:?}: {said}",
            phase.step.number, phase.stage, phase.kind, phase.result
        );
    }
    for warning in &package.warnings {
        let step = warning.step.as_ref().map(|step| step.number);
        let _ = writeln!(told, "warning {step:?}: {} ({:?})", warning.message, warning.hint);
    }
    let _ = writeln!(told, "next: {:?}", package.next_step());
    told
}

#[tokio::test]
async fn a_replaced_package_with_all_its_times() {
    let house = house(Access::ReadWrite);
    let package = house.carry("find:2 same:30 send:60 record odd:5", subject()).await;
    assert_snapshot!(told(&package), @r#"
    App-2.pkg replaced: MD5 differs
    sent, fetched, saved [1048576, 0, 0]
    from 00:00 to 02:44
    00:00 00:02 1 Plan Look Some(Done): record 42, file of 1.0 MiB
    00:02 00:32 2 Plan Hash Some(Done): same: size, MD5 and SHA3-512 agree
    00:32 01:32 3 Plan Look Some(Planned): replace file App-2.pkg (MD5 differs)
    01:32 01:33 4 Plan Look Some(Planned): update record App-2.pkg
    01:33 01:38 5 Plan Look Some(Planned): prove delivery of App-2.pkg
    01:38 02:38 3 Apply Send Some(Done): send done
    02:38 02:39 4 Apply Record Some(Done): updated record 42: pkg_notes
    02:39 02:44 5 Apply Prove Some(Warned): proven; App-2_1.pkg holds the same bytes
    warning Some(3): part 2 was sent again (None)
    warning Some(5): proven; App-2_1.pkg holds the same bytes (Some("delete it"))
    next: None
    "#);
    let report = house.recorder.finish();
    assert_eq!((report.requests.reads, report.requests.writes), (5, 3));
    assert_eq!(report.finished.unwrap().to_string(), "2026-11-21T02:02:44Z");
    assert_eq!(report.packages, [package]);
}

#[tokio::test]
async fn what_was_there_counts_as_saved() {
    let package = house(Access::ReadWrite).carry("find same skip", subject()).await;
    assert_snapshot!(told(&package), @"
    App-1.pkg skipped: same: size, MD5 and SHA3-512 agree
    sent, fetched, saved [0, 0, 1048576]
    from 00:00 to 00:03
    00:00 00:01 1 Plan Look Some(Done): record 42, file of 1.0 MiB
    00:01 00:02 2 Plan Hash Some(Done): same: size, MD5 and SHA3-512 agree
    00:02 00:03 3 Plan Look Some(Skipped): nothing was sent
    next: None
    ");
    let package = house(Access::ReadWrite).carry("same record", subject()).await;
    assert_snapshot!(told(&package), @"
    App-2.pkg metadata only: updated record 42: pkg_notes
    sent, fetched, saved [0, 0, 1048576]
    from 00:00 to 00:03
    00:00 00:01 1 Plan Hash Some(Done): same: size, MD5 and SHA3-512 agree
    00:01 00:02 2 Plan Look Some(Planned): update record App-2.pkg
    00:02 00:03 2 Apply Record Some(Done): updated record 42: pkg_notes
    next: None
    ");
    // A recipe that carries no file saves none.
    let package = house(Access::ReadWrite).carry("skip", Subject::default()).await;
    assert_eq!(
        (package.name(), package.bytes_saved, package.reason.as_str()),
        ("App.jamf", 0, "nothing was sent")
    );
    let package = house(Access::ReadWrite).carry("fetch", Subject::default()).await;
    assert_eq!((package.status, package.bytes_fetched), (Status::Downloaded, 9));
    assert_eq!((package.name(), package.fetched_to.as_deref()), ("App-2.pkg", Some("/tmp/App-2.pkg")));
}

#[tokio::test]
async fn a_doubt_a_failure_and_an_interruption() {
    let package = house(Access::ReadWrite).carry("send doubt", subject()).await;
    assert_snapshot!(told(&package), @r#"
    App-2.pkg unverified: not proven after 15 min
    sent, fetched, saved [1048576, 0, 0]
    from 00:00 to 00:04
    00:00 00:01 1 Plan Look Some(Planned): replace file App-2.pkg (MD5 differs)
    00:01 00:02 2 Plan Look Some(Planned): prove delivery of App-2.pkg
    00:02 00:03 1 Apply Send Some(Done): send done
    00:03 00:04 2 Apply Prove Some(Unverified): not proven after 15 min
    warning Some(1): part 2 was sent again (None)
    warning Some(2): not proven after 15 min (Some("look later"))
    next: Some("look later")
    "#);
    let package = house(Access::ReadWrite).carry("find send fail:7 record", subject()).await;
    assert_snapshot!(told(&package), @r#"
    App-2.pkg failed: S3 refused part 3 of 12
    sent, fetched, saved [1048576, 0, 0]
    from 00:00 to 00:18
    00:00 00:01 1 Plan Look Some(Done): record 42, file of 1.0 MiB
    00:01 00:02 2 Plan Look Some(Planned): replace file App-2.pkg (MD5 differs)
    00:02 00:09 3 Plan Look Some(Planned): replace file App-2.pkg (MD5 differs)
    00:09 00:10 4 Plan Look Some(Planned): update record App-2.pkg
    00:10 00:11 2 Apply Send Some(Done): send done
    00:11 00:18 3 Apply Send Some(Failed): S3 refused part 3 of 12
    warning Some(2): part 2 was sent again (None)
    next: Some("run it again")
    "#);
    assert_eq!(package.step().unwrap().to_string(), "3 act");
    assert_eq!(package.failure.unwrap().causes, ["an error occurred when formatting an argument"]);
    let package = house(Access::ReadWrite).carry("find refuse send", subject()).await;
    assert_snapshot!(told(&package), @r#"
    App-1.pkg failed: S3 refused part 3 of 12
    sent, fetched, saved [0, 0, 0]
    from 00:00 to 00:02
    00:00 00:01 1 Plan Look Some(Done): record 42, file of 1.0 MiB
    00:01 00:02 2 Plan Look Some(Failed): S3 refused part 3 of 12
    next: Some("run it again")
    "#);
    let package = house(Access::ReadWrite).carry("stop record", subject()).await;
    assert_snapshot!(told(&package), @r#"
    App-2.pkg interrupted: the run was interrupted
    sent, fetched, saved [1048576, 0, 0]
    from 00:00 to 00:03
    00:00 00:01 1 Plan Look Some(Planned): replace file App-2.pkg (MD5 differs)
    00:01 00:02 2 Plan Look Some(Planned): update record App-2.pkg
    00:02 00:03 1 Apply Send Some(Done): sent, and somebody pressed Ctrl-C
    00:03 00:03 2 Apply Record Some(Failed): the run was interrupted
    next: Some("run again: what is in place already is not sent again")
    "#);
}

/// The runner plans a recipe again where another route may succeed, and reports the second attempt.
#[tokio::test]
async fn a_second_attempt_goes_on_where_the_first_failed() {
    let house = house(Access::ReadWrite);
    let package = house.recorder.package("App.jamf", subject());
    let cx = house.context(Arc::new(package.clone()));
    for acts in ["find refuse", "find send"] {
        let report = house.run(&house.checked("com.example.App", acts), &cx).await;
        package.finish(&report);
    }
    assert_snapshot!(told(&package.snapshot().unwrap()), @"
    App-2.pkg replaced: MD5 differs
    sent, fetched, saved [1048576, 0, 0]
    from 00:00 to 00:05
    00:00 00:01 1 Plan Look Some(Done): record 42, file of 1.0 MiB
    00:01 00:02 2 Plan Look Some(Failed): S3 refused part 3 of 12
    00:02 00:03 1 Plan Look Some(Done): record 42, file of 1.0 MiB
    00:03 00:04 2 Plan Look Some(Planned): replace file App-2.pkg (MD5 differs)
    00:04 00:05 2 Apply Send Some(Done): send done
    warning Some(2): part 2 was sent again (None)
    next: None
    ");
}

#[tokio::test]
async fn a_dry_run_tells_what_would_be() {
    let house = house(Access::ReadOnly);
    let package = house.carry("find send record", subject()).await;
    assert_snapshot!(told(&package), @"
    App-2.pkg replaced: MD5 differs
    sent, fetched, saved [1048576, 0, 0]
    from 00:00 to 00:03
    00:00 00:01 1 Plan Look Some(Done): record 42, file of 1.0 MiB
    00:01 00:02 2 Plan Look Some(Planned): replace file App-2.pkg (MD5 differs)
    00:02 00:03 3 Plan Look Some(Planned): update record App-2.pkg
    next: None
    ");
    let report = house.recorder.finish();
    assert!(report.dry_run);
    assert_eq!(report.requests.writes, 0);
}

#[tokio::test]
async fn recipes_of_one_name_side_by_side_are_told_apart() {
    let house = house(Access::ReadWrite);
    let (one, other) = (
        house.recorder.package("App.jamf", subject()),
        house.recorder.package("App.jamf", Subject::default()),
    );
    let (slow, fast) = (
        house.checked("com.example.App", "find:9 send:60"),
        house.checked("com.example.App", "find:1 skip:1"),
    );
    let contexts = [one.clone(), other.clone()].map(|listener| house.context(Arc::new(listener)));
    let (slow, fast) = tokio::join!(house.run(&slow, &contexts[0]), house.run(&fast, &contexts[1]));
    other.finish(&fast);
    one.finish(&slow);
    let report = house.recorder.finish();
    let statuses: Vec<Status> = report.packages.iter().map(|package| package.status).collect();
    assert_eq!(statuses, [Status::Replaced, Status::Skipped]);
    let phases: Vec<usize> = report.packages.iter().map(|package| package.phases.len()).collect();
    assert_eq!(phases, [3, 2]);
    assert!(report.packages.iter().all(|package| package.phases.iter().all(|phase| phase.to.is_some())));
}

#[tokio::test]
async fn events_find_their_recipe_by_its_name() {
    let house = house(Access::ReadWrite);
    let cx = house.context(house.recorder.clone());
    let (one, two) =
        (house.checked("com.example.One", "find send"), house.checked("com.example.Two", "find skip"));
    let (one, two) = tokio::join!(house.run(&one, &cx), house.run(&two, &cx));
    house.recorder.finish_recipe(&two);
    house.recorder.finish_recipe(&one);
    // The same recipe again is another package.
    let again = house.run(&house.checked("com.example.One", "find skip"), &cx).await;
    house.recorder.finish_recipe(&again);
    cx.warn("the state folder was damaged and set aside");
    house.recorder.warn("the report folder is full", Some("make room".into()));
    let report = house.recorder.finish();
    let told: Vec<String> = report
        .packages
        .iter()
        .map(|package| format!("{} {}", package.recipe, package.status.word()))
        .collect();
    assert_eq!(told, ["com.example.One replaced", "com.example.Two skipped", "com.example.One skipped"]);
    let warnings: Vec<&str> = report.warnings.iter().map(|warning| warning.message.as_str()).collect();
    assert_eq!(warnings, ["the state folder was damaged and set aside", "the report folder is full"]);
}

fn event(step: Option<usize>, what: Occurrence) -> Event {
    let step = step.map(|number| StepRef { number, processor: "s3-upload".into() });
    Event { recipe: "com.example.App".into(), step, what }
}

/// What a file holds that was written right before the process died.
#[test]
fn a_snapshot_is_honest_about_what_is_not_known_yet() {
    let house = house(Access::ReadWrite);
    let waiting = house
        .recorder
        .package("Waiting.jamf", Subject { file: Some("Waiting-1.pkg".into()), ..Subject::default() });
    let package = house.recorder.package("App.jamf", subject());
    let reason =
        |report: &RunReport| format!("{}: {}", report.packages[1].status.word(), report.packages[1].reason);
    let mut told = vec![reason(&house.recorder.snapshot())];
    let steps = vec![StepRef { number: 1, processor: "s3-upload".into() }];
    let change = Change::new(Verb::Replace, Target::File, "App-2.pkg").sending(9);
    let progress =
        |activity, done| Occurrence::Progress(pipeline::Progress { activity, done, total: 3 << 30 });
    let course = [
        event(None, Occurrence::RecipeStarted { dry_run: false, steps }),
        event(Some(1), progress(Activity::Hashing, 1 << 30)),
        event(Some(1), Occurrence::StepPlanned { changes: vec![change], result: None }),
        event(None, Occurrence::PlanReady),
        event(Some(1), Occurrence::StepStarted),
        event(Some(1), progress(Activity::Hashing, 5)),
        event(Some(1), progress(Activity::Uploading, 1 << 30)),
        event(Some(1), Occurrence::Notice { level: Level::Info, message: "part 1 is there".into() }),
        event(Some(1), progress(Activity::Committing, 0)),
        event(Some(1), progress(Activity::Verifying, 2)),
        event(Some(1), Occurrence::StepFinished { result: Outcome::Done { message: "sent".into() } }),
    ];
    for event in course {
        house.clock.advance(Duration::from_secs(1));
        package.on(&event);
        told.push(reason(&house.recorder.snapshot()));
    }
    assert_snapshot!(told.join("\n"), @"
    not begun: its turn had not come when this was written
    running: planning step 1 s3-upload
    running: planning step 1 s3-upload: 1.0 GiB of 3.0 GiB read
    running: after step 1 s3-upload
    running: after step 1 s3-upload
    running: in step 1 s3-upload
    running: in step 1 s3-upload: 5 bytes of 3.0 GiB read
    running: in step 1 s3-upload: 1.0 GiB of 3.0 GiB sent
    running: in step 1 s3-upload: 1.0 GiB of 3.0 GiB sent
    running: in step 1 s3-upload: putting the new file in place of the old one
    running: in step 1 s3-upload: waiting for the server to show it
    running: after step 1 s3-upload
    ");

    let crashed = house.recorder.snapshot();
    assert_eq!((crashed.finished, crashed.totals().running, crashed.totals().not_begun), (None, 1, 1));
    assert_eq!(
        RunReport::from_json(&report::write(&crashed, report::Format::Json).unwrap()).unwrap(),
        crashed
    );
    let kinds: Vec<String> =
        crashed.packages[1].phases.iter().map(|phase| format!("{:?}", phase.kind)).collect();
    assert_eq!(kinds, ["Hash", "Send"]);

    // A run that ends without having heard of the end of a package does not make one up.
    package.learn(Subject { package_id: Some(42.try_into().unwrap()), ..Subject::default() });
    waiting.finish(&runner::Report::not_begun("Waiting.jamf", false, pipeline::Stop::Interrupted));
    let ended = house.recorder.finish();
    assert_eq!(ended.packages[1].package_id.unwrap().get(), 42);
    assert_eq!(ended.packages[1].server.as_deref(), Some("production"));
    assert_snapshot!(reason(&ended), @"running: nobody told how it ended; last heard of after step 1 s3-upload");
    let waiting = &ended.packages[0];
    assert_eq!((waiting.status, waiting.failure.clone(), waiting.finished), (Status::NotBegun, None, None));
    assert_eq!(waiting.reason, "the run was interrupted");
    assert_eq!(house.recorder.finish().finished, ended.finished, "a run ends once");
}

#[test]
fn a_recipe_that_is_wrong_failed_before_it_began() {
    let house = house(Access::ReadWrite);
    let source = recipe::Source {
        path: "Bad.recipe.yaml".into(),
        bytes: b"Identifier: x\nInput: {}\nProcess:\n- Processor: nothing\n- Processor: act".to_vec(),
    };
    let chain = Library::default().load_source(&source).unwrap();
    let faults = recipe::check(&chain, &house.registry.specs(), &Env::new(), &Env::new()).unwrap_err();
    let package = house.recorder.package("Bad.jamf", Subject::default());
    package.finish(&runner::Report::refused("Bad.jamf", false, &faults));
    let report = package.snapshot().unwrap();
    assert_eq!((report.status, report.started, report.identifier.clone()), (Status::Failed, None, None));
    let failure = report.failure.unwrap();
    assert_eq!(failure.faults.len(), 2);
    assert_eq!(failure.faults[0].place().unwrap(), "Bad.recipe.yaml:4:14");
    insta::assert_snapshot!(failure.message, @"Bad.recipe.yaml:4:14: step 1: unknown processor `nothing`; Bad.recipe.yaml:5:3: step 2: the input `act` is missing");
    assert_eq!(report.reason, failure.message);
    assert_eq!(house.recorder.snapshot().totals().failed, 1);
}
