//! Many recipes side by side, with a made-up step that takes as long as it is told.

use crate::NoLuck;
use futures_util::stream;
use pipeline::{
    Access, Applied, Boundary, Change, Clock as _, Context, Env, Event, Failure, Input, Key, Listener,
    Occurrence, Plan, Processor, SimulatedClock, Spec, Status, Stop, Subject, Verb,
};
use proptest::prelude::*;
use recipe::Library;
use runner::{Batch, Claim, Item, Job, Registry, Report};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const NAME: Key<String> = Key::new("NAME");
const ROUNDS: Key<u32> = Key::new("ROUNDS");
const DEED: Key<String> = Key::new("DEED");
const MINUTE: Duration = Duration::from_secs(60);

/// What the steps leave behind.
#[derive(Default)]
struct Traces {
    log: Vec<String>,
    running: Vec<String>,
    most: usize,
    finished: usize,
}

#[derive(Default)]
struct Hall {
    traces: Mutex<Traces>,
    cancel: CancellationToken,
}

impl Hall {
    fn traces(&self) -> MutexGuard<'_, Traces> {
        self.traces.lock().unwrap()
    }
}

impl Listener for Hall {
    fn on(&self, event: &Event) {
        if matches!(event.what, Occurrence::RecipeFinished) {
            self.traces().finished += 1;
        }
    }
}

/// Takes a minute a round, and others their turn meanwhile.
struct Toil(Arc<Hall>);

impl Processor for Toil {
    type Work = String;
    fn spec(&self) -> &'static Spec {
        static SPEC: Spec = Spec {
            name: "toil",
            summary: "toils",
            docs: "",
            writes: true,
            inputs: &[
                Input::required(NAME, "who"),
                Input::required(ROUNDS, "how long"),
                Input::optional(
                    DEED,
                    "panic, interrupt the batch, or be refused, and then not; be alone; rest after sending",
                ),
            ],
            outputs: &[],
        };
        &SPEC
    }
    async fn plan(&self, env: &Env, _cx: &Context) -> Result<Plan<String>, Failure> {
        let name = env.need(NAME)?;
        let change = Change::new(Verb::Create, Subject::File, &name).sending(1);
        let is_alone = env.get(DEED)?.as_deref() == Some("be alone");
        Ok(Plan::change(if is_alone { change.alone() } else { change }, name))
    }
    async fn apply(&self, name: String, env: &Env, cx: &Context) -> Result<Applied, Failure> {
        {
            let mut traces = self.0.traces();
            traces.log.push(format!("begin {name}"));
            traces.running.push(name.clone());
            traces.most = traces.most.max(traces.running.len());
        }
        for _ in 0..env.need(ROUNDS)? {
            cx.clock().sleep(MINUTE).await;
        }
        let deed = env.get(DEED)?;
        if deed.as_deref() == Some("rest") {
            self.0.traces().log.push(format!("rest {name}"));
            cx.has_sent();
            for _ in 0..env.need(ROUNDS)? {
                cx.clock().sleep(MINUTE).await;
            }
        }
        if deed.as_deref() == Some("be refused") {
            self.0.traces().running.retain(|other| *other != name);
            return Err(Failure::from(NoLuck(name, std::fmt::Error)).or_with(DEED, String::new()));
        }
        {
            let mut traces = self.0.traces();
            traces.log.push(format!("end {name}"));
            traces.running.retain(|other| *other != name);
        }
        match deed.as_deref() {
            Some("panic") => panic!("{name} stumbled"),
            Some("interrupt") => self.0.cancel.cancel(),
            _ => {}
        }
        Ok(Applied::done("toiled"))
    }
}

/// A hall with a clock, and items to run in it.
struct Desk {
    hall: Arc<Hall>,
    registry: Arc<Registry>,
    clock: Arc<SimulatedClock>,
    cx: Context,
    /// What recipes have: an interrupt of the batch does not end them here.
    own: Context,
}

impl Desk {
    fn until(deadline: &str) -> Self {
        let desk = Self::new();
        let deadline = deadline.parse().unwrap();
        Self { cx: desk.cx.until(deadline), own: desk.own.until(deadline), ..desk }
    }

    fn new() -> Self {
        let hall = Arc::new(Hall::default());
        let mut registry = Registry::default();
        registry.register(Toil(hall.clone())).unwrap();
        let clock = Arc::new(SimulatedClock::at("2026-11-20T01:00:00Z".parse().unwrap()));
        let boundary = Arc::new(Boundary::new(Access::ReadWrite));
        let cx = Context::new(clock.clone(), boundary, hall.clone(), hall.cancel.clone());
        Self { hall, registry: Arc::new(registry), clock, own: cx.shielded(), cx }
    }

    fn item(&self, name: &str, rounds: u32, deed: &str) -> Item {
        let text = format!(
            "Identifier: '{name}'\nInput:\n  NAME: '{name}'\n  ROUNDS: '{rounds}'\n  DEED: '{deed}'\nProcess:\n- Processor: toil\n"
        );
        let source = recipe::Source { path: format!("{name}.recipe.yaml").into(), bytes: text.into_bytes() };
        let chain = Library::default().load_source(&source).unwrap();
        let checked = recipe::check(&chain, &self.registry.specs(), &Env::new(), &Env::new()).unwrap();
        let job = Job { checked, registry: self.registry.clone(), cx: self.own.clone() };
        Item { name: name.to_owned(), claim: None, work: Ok(job) }
    }

    fn claiming(&self, name: &str, rounds: u32, server: &str, file: &str) -> Item {
        Item { claim: Some(Claim::new(server, file.parse().unwrap())), ..self.item(name, rounds, "") }
    }

    /// The reports in their order, and the names in the order in which they ended.
    async fn run(&self, batch: &Batch, items: Vec<Item>) -> (Vec<Report>, Vec<String>) {
        let mut ended = Vec::new();
        let done = |place: usize, report: &Report| ended.push(format!("{place} {}", report.recipe));
        let reports = batch.run(stream::iter(items), &self.cx, done).await;
        (reports, ended)
    }

    fn log(&self) -> String {
        self.hall.traces().log.join("\n")
    }
}

fn batch(jobs: usize) -> Batch {
    let jobs = NonZeroUsize::new(jobs).unwrap();
    Batch { jobs, senders: jobs, dry_run: false }
}

fn statuses(reports: &[Report]) -> String {
    let line = |report: &Report| match &report.failure {
        None => format!("{} {:?}", report.recipe, report.status),
        Some(failure) => {
            let hint = failure.hint.iter().map(|hint| format!("; {hint}"));
            let causes = failure.causes.iter().map(|cause| format!(": {cause}"));
            format!(
                "{} {:?}, {}{}",
                report.recipe,
                failure.kind,
                failure.message,
                causes.chain(hint).collect::<String>()
            )
        }
    };
    reports.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn no_more_run_at_a_time_than_there_are_jobs_and_reports_come_in_the_order_of_the_items() {
    let desk = Desk::new();
    let items = (0..20).map(|number| desk.item(&format!("r{number}"), 20 - number, "")).collect();
    let (reports, ended) = desk.run(&batch(3), items).await;
    assert_eq!(desk.hall.traces().most, 3);
    let names: Vec<_> = reports.iter().map(|report| report.recipe.clone()).collect();
    assert_eq!(names, (0..20).map(|number| format!("r{number}")).collect::<Vec<_>>());
    assert!(reports.iter().all(|report| report.status == Status::Created));
    assert_eq!(ended.len(), 20);
    assert_ne!(ended[0], "0 r0", "the longest one comes first and does not end first");
    // One at a time is one after the other.
    let desk = Desk::new();
    let items = ["a", "b"].map(|name| desk.item(name, 2, "")).into();
    let (_, ended) = desk.run(&batch(1), items).await;
    assert_eq!(ended, ["0 a", "1 b"]);
    insta::assert_snapshot!(desk.log(), @r"
    begin a
    end a
    begin b
    end b
    ");
}

#[tokio::test]
async fn items_are_taken_from_the_stream_when_there_is_room() {
    let desk = Desk::new();
    let taken = Mutex::new(Vec::new());
    let items = (0..6).map(|number| {
        taken.lock().unwrap().push(number);
        desk.hall.traces().log.push(format!("prepare {number}"));
        desk.item(&number.to_string(), 3, "")
    });
    batch(2).run(stream::iter(items), &desk.cx, |_, _| {}).await;
    let log = desk.log();
    let first_end = log.lines().position(|line| line.starts_with("end")).unwrap();
    let prepared = log.lines().take(first_end).filter(|line| line.starts_with("prepare")).count();
    assert_eq!(prepared, 2, "{log}");
}

#[tokio::test]
async fn what_is_settled_already_takes_no_place_and_a_dry_run_applies_nothing() {
    let desk = Desk::new();
    let refused = Report::not_begun("settled", true, Stop::Interrupted);
    let settled = Item { name: "settled".into(), claim: None, work: Err(Box::new(refused)) };
    let dry = Batch { dry_run: true, ..batch(1) };
    let (reports, _) = desk.run(&dry, vec![desk.item("a", 1, ""), settled, desk.item("b", 1, "")]).await;
    assert!(reports.iter().all(|report| report.dry_run) && reports[0].has_changes());
    assert_eq!(desk.log(), "");
    insta::assert_snapshot!(statuses(&reports), @"
    a Created
    settled Interrupted, the run was interrupted
    b Created
    ");
}

#[tokio::test]
async fn after_the_deadline_nothing_is_begun_and_what_runs_ends() {
    let desk = Desk::until("2026-11-20T01:03:00Z");
    let items = ["a", "b", "c", "d"].map(|name| desk.item(name, 2, "")).into();
    let (reports, ended) = desk.run(&batch(1), items).await;
    assert_eq!(ended, ["0 a", "1 b", "2 c", "3 d"]);
    insta::assert_snapshot!(statuses(&reports), @"
    a Created
    b Created
    c Deadline, the run was to begin nothing after 2026-11-20T01:03:00Z; run again for what is left, or give the run more time or more jobs
    d Deadline, the run was to begin nothing after 2026-11-20T01:03:00Z; run again for what is left, or give the run more time or more jobs
    ");
    assert_eq!(desk.clock.now().to_string(), "2026-11-20T01:04:00Z");
}

#[tokio::test]
async fn who_waits_for_a_turn_to_send_is_not_begun_after_the_deadline() {
    let desk = Desk::until("2026-11-20T01:03:00Z");
    let items = ["a", "b", "c", "d"].map(|name| desk.item(name, 2, "")).into();
    let few = Batch { senders: NonZeroUsize::MIN, ..batch(4) };
    let (reports, _) = desk.run(&few, items).await;
    insta::assert_snapshot!(statuses(&reports), @"
    a Created
    b Created
    c Deadline, the run was to begin nothing after 2026-11-20T01:03:00Z; run again for what is left, or give the run more time or more jobs
    d Deadline, the run was to begin nothing after 2026-11-20T01:03:00Z; run again for what is left, or give the run more time or more jobs
    ");
    let ends = reports.iter().map(|report| report.status).collect::<Vec<_>>();
    assert_eq!(ends, [Status::Created, Status::Created, Status::NotBegun, Status::NotBegun]);
    assert_eq!(desk.clock.now().to_string(), "2026-11-20T01:04:00Z");
}

#[tokio::test]
async fn no_more_send_at_a_time_than_there_are_senders() {
    let desk = Desk::new();
    let items = (0..20).map(|number| desk.item(&format!("r{number}"), 20 - number, "")).collect();
    let two = Batch { senders: NonZeroUsize::new(2).unwrap(), ..batch(8) };
    let (reports, _) = desk.run(&two, items).await;
    assert!(reports.iter().all(|report| report.status == Status::Created));
    assert_eq!(desk.hall.traces().most, 2);
}

#[tokio::test]
async fn the_next_one_sends_as_soon_as_everything_has_been_sent() {
    let desk = Desk::new();
    let items = vec![desk.item("a", 50, "rest"), desk.item("b", 5, "")];
    let one = Batch { senders: NonZeroUsize::MIN, ..batch(2) };
    desk.run(&one, items).await;
    insta::assert_snapshot!(desk.log(), @"
    begin a
    rest a
    begin b
    end b
    end a
    ");
}

#[tokio::test]
async fn what_is_sent_alone_waits_for_the_others_and_they_for_it() {
    let desk = Desk::new();
    let mut items: Vec<_> = ["a", "b"].map(|name| desk.item(name, 5, "")).into();
    items.push(desk.item("large", 5, "be alone"));
    items.extend(["c", "d"].map(|name| desk.item(name, 5, "")));
    desk.run(&batch(5), items).await;
    let log = desk.log();
    let lines: Vec<_> = log.lines().collect();
    let at = lines.iter().position(|line| *line == "begin large").unwrap();
    assert_eq!(lines[at + 1], "end large", "{log}");
    // A gate with fewer places than that is no reason to wait for ever.
    let desk = Desk::new();
    let items = vec![desk.item("large", 1, "be alone"), desk.item("huge", 1, "be alone")];
    let (reports, _) = desk.run(&batch(1), items).await;
    assert!(reports.iter().all(|report| report.status == Status::Created));
}

#[tokio::test]
async fn an_interrupt_keeps_others_from_being_begun() {
    let desk = Desk::new();
    let items = vec![
        desk.item("a", 1, "interrupt"),
        // Longer than the runtime goes on with tasks before it looks at the batch again.
        desk.item("b", 500, ""),
        desk.claiming("c", 1, "s", "C.pkg"),
        desk.item("d", 1, ""),
    ];
    let (reports, ended) = desk.run(&batch(2), items).await;
    insta::assert_snapshot!(statuses(&reports), @"
    a Created
    b Created
    c Interrupted, the run was interrupted
    d Interrupted, the run was interrupted
    ");
    assert_eq!(ended, ["0 a", "2 c", "3 d", "1 b"], "what is not begun is told at once");
    // Interrupted before anything.
    let (reports, _) = desk.run(&batch(2), vec![desk.item("e", 1, "")]).await;
    insta::assert_snapshot!(statuses(&reports), @"e Interrupted, the run was interrupted");
}

#[tokio::test]
async fn a_panic_is_the_failure_of_its_recipe_alone() {
    let desk = Desk::new();
    let items = vec![desk.item("a", 1, ""), desk.item("b", 2, "panic"), desk.item("c", 3, "")];
    let (reports, _) = desk.run(&batch(2), items).await;
    insta::assert_snapshot!(statuses(&reports), @"
    a Created
    b Internal, pkgferry broke down while it ran this recipe; what it had changed by then is not known: b stumbled; this is a fault in pkgferry: please report it; then run again, which finds what is already there
    c Created
    ");
    assert_eq!(reports[1].status, Status::Failed);
    assert_eq!(desk.hall.traces().finished, 3, "listeners hear the end of each");
}

#[tokio::test]
async fn a_recipe_that_is_planned_again_keeps_its_place_meanwhile() {
    let desk = Desk::new();
    let refused = |name: &str| Item {
        claim: desk.claiming(name, 1, "s", "A.pkg").claim,
        ..desk.item(name, 1, "be refused")
    };
    let (reports, ended) = desk.run(&batch(2), vec![refused("a"), refused("b"), desk.item("c", 3, "")]).await;
    assert!(reports.iter().all(|report| report.status == Status::Created && report.failure.is_none()));
    let given_up = reports.iter().map(|report| report.given_up.is_some()).collect::<Vec<_>>();
    assert_eq!(given_up, [true, true, false]);
    insta::assert_snapshot!(desk.log(), @"
    begin a
    begin c
    begin a
    end a
    end c
    begin b
    begin b
    end b
    ");
    assert_eq!((ended.len(), desk.hall.traces().finished), (3, 3));
}

#[tokio::test]
async fn recipes_for_one_package_run_in_turn_and_hold_up_nobody_else() {
    let desk = Desk::new();
    let items = vec![
        desk.claiming("first", 3, "s", "M\u{fc}ller.pkg"),
        // The same name, in another spelling.
        desk.claiming("second", 1, "s", "Mu\u{308}ller.pkg"),
        desk.claiming("third", 1, "s", "M\u{fc}ller.pkg"),
        // A twin of it, and so of both.
        desk.claiming("twin", 1, "s", "M\u{fc}ller_1.pkg"),
        desk.claiming("elsewhere", 1, "other", "M\u{fc}ller.pkg"),
        desk.claiming("other", 1, "s", "Other.pkg"),
        desk.item("unknown", 1, ""),
    ];
    let (reports, ended) = desk.run(&batch(2), items).await;
    assert!(reports.iter().all(|report| report.status == Status::Created));
    insta::assert_snapshot!(ended.join("\n"), @"
    4 elsewhere
    0 first
    1 second
    5 other
    2 third
    6 unknown
    3 twin
    ");
    insta::assert_snapshot!(desk.log(), @"
    begin first
    begin elsewhere
    end elsewhere
    end first
    begin second
    begin other
    end second
    end other
    begin third
    begin unknown
    end third
    end unknown
    begin twin
    end twin
    ");
}

#[test]
fn claims_collide_where_one_upload_could_be_taken_for_the_other() {
    let claim = |server: &str, file: &str| Claim::new(server, file.parse().unwrap());
    let collide = |one: &str, two: &str| {
        let both = [
            claim("s", one).collides_with(&claim("s", two)),
            claim("s", two).collides_with(&claim("s", one)),
        ];
        assert_eq!(both[0], both[1]);
        both[0]
    };
    assert!(collide("App.pkg", "App.pkg") && collide("App.pkg", "App_1.pkg"));
    assert!(
        !collide("App_1.pkg", "App_2.pkg")
            && !collide("App.pkg", "app.pkg")
            && !collide("App.pkg", "App.dmg")
    );
    assert!(!claim("s", "App.pkg").collides_with(&claim("t", "App.pkg")));
}

#[derive(Clone, Debug)]
struct Drawn {
    rounds: u32,
    file: Option<usize>,
    panics: bool,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_item_ends_once_whatever_they_claim(
        jobs in 1..5_usize,
        drawn in prop::collection::vec(
            (0..4_u32, prop::option::of(0..3_usize), prop::bool::weighted(0.1))
                .prop_map(|(rounds, file, panics)| Drawn { rounds, file, panics }),
            0..12,
        ),
    ) {
        const FILES: [&str; 3] = ["A.pkg", "A_1.pkg", "A_2.pkg"];
        let desk = Desk::new();
        let items = drawn.iter().enumerate().map(|(number, drawn)| {
            let claim = drawn.file.map(|file| Claim::new("s", FILES[file].parse().unwrap()));
            let deed = if drawn.panics { "panic" } else { "" };
            Item { claim, ..desk.item(&number.to_string(), drawn.rounds, deed) }
        });
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (reports, ended) = runtime.block_on(desk.run(&batch(jobs), items.collect()));
        prop_assert_eq!((reports.len(), ended.len()), (drawn.len(), drawn.len()));
        for (number, (report, drawn)) in reports.iter().zip(&drawn).enumerate() {
            prop_assert_eq!(&report.recipe, &number.to_string());
            prop_assert_eq!(report.status == Status::Failed, drawn.panics);
        }
        let traces = desk.hall.traces();
        prop_assert!(traces.most <= jobs);
        // Of two that collide the later one begins after the earlier one has ended.
        let at = |what: &str, number: usize| traces.log.iter().position(|line| *line == format!("{what} {number}")).unwrap();
        for (later, two) in drawn.iter().enumerate() {
            for (earlier, one) in drawn[..later].iter().enumerate() {
                if let (Some(one), Some(two)) = (one.file, two.file)
                    && (one == two || one == 0 || two == 0)
                {
                    prop_assert!(at("end", earlier) < at("begin", later), "{earlier} {later}");
                }
            }
        }
    }
}
