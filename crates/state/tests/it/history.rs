//! What runs did.

use crate::child::play;
use crate::{SERVER, begin_run, clock, file, open, time};
use pipeline::{
    Activity, Change, Clock as _, Event, Level, Listener as _, Occurrence, Outcome, PackageId, Progress,
    SimulatedClock, StepRef, Subject, Verb, Warning,
};
use state::{
    CommandLine, Cursor, Error, Failed, NewPackage, NewRun, PackageEnd, PackageFacts, PackageLog, RunEnding,
    RunId, RunLog, State, StepProgress, StoredFailure, StoredPackage, StoredStep, StoredWarning,
};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

const MANY: NonZeroU32 = NonZeroU32::new(100).unwrap();
const MINUTE: Duration = Duration::from_secs(60);

fn step(number: usize, processor: &str) -> StepRef {
    StepRef { number, processor: processor.into() }
}

fn package(run: &RunLog, recipe: &str) -> PackageLog {
    run.package(&NewPackage { recipe, facts: PackageFacts::default() })
}

fn skipped() -> PackageEnd<'static> {
    PackageEnd {
        status: "skipped",
        reason: "the server has it",
        bytes_sent: 0,
        bytes_fetched: 0,
        bytes_saved: 10,
        failure: None,
    }
}

fn tell(package: &PackageLog, step: Option<StepRef>, what: Occurrence) {
    package.on(&Event { recipe: "com.example.app".into(), step, what });
}

fn only_package(state: &State, id: &RunId) -> StoredPackage {
    let mut packages = state.history().run(id.as_str()).unwrap().unwrap().packages;
    assert_eq!(packages.len(), 1);
    packages.remove(0)
}

#[test]
fn a_run_is_found_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (state, clock, id) = (open(folder.path()), clock(), RunId::random());
    let run = begin_run(&state, &id, &clock);
    clock.advance(MINUTE);
    let app = run.package(&NewPackage {
        recipe: "App.yaml",
        facts: PackageFacts { server: Some(SERVER), ..PackageFacts::default() },
    });
    app.learn(&PackageFacts { file: Some(&file("App.pkg")), ..PackageFacts::default() });
    app.learn(&PackageFacts { record: PackageId::try_from(7).ok(), ..PackageFacts::default() });
    app.warn(None, "the clock is wrong", Some("set it"));
    app.warn(None, "the clock is wrong", Some("set it"));
    clock.advance(MINUTE);
    let step = step(2, "s3-upload");
    let failure = Failed { step: Some(&step), message: "S3 refused: why", hint: Some("look") };
    app.end(&PackageEnd {
        status: "failed",
        reason: "S3 refused",
        bytes_sent: 5,
        failure: Some(failure),
        ..skipped()
    });
    package(&run, "Other.yaml").end(&skipped());
    package(&run, "Third.yaml").end(&skipped());
    drop(package(&run, "Fourth.yaml"));
    run.warn("no home folder", None);
    run.end(5).unwrap();
    drop((app, state));

    let found = open(folder.path()).history().run(id.as_str()).unwrap().unwrap();
    assert_eq!(found.run.id, id);
    assert_eq!(found.run.begun, time("2026-11-20T22:00:00Z"));
    assert_eq!(found.run.ending, RunEnding::Ended { at: time("2026-11-20T22:02:00Z"), exit: 5 });
    assert_eq!(found.run.command.words(), ["run", "nightly.yaml"]);
    assert_eq!(
        (found.run.version.as_str(), found.run.host.as_str(), found.run.dry_run),
        ("0.1.0", "mac-3", false)
    );
    assert_eq!(found.run.statuses, [("failed".to_owned(), 1), ("skipped".to_owned(), 2)].into());
    assert_eq!((found.run.open, found.run.bytes_sent, found.run.bytes_saved), (1, 5, 30));
    let warning = |message: &str, hint: Option<&str>| StoredWarning {
        step: None,
        message: message.into(),
        hint: hint.map(str::to_owned),
    };
    assert_eq!(found.warnings, [warning("no home folder", None)]);
    let recipes: Vec<&str> = found.packages.iter().map(|package| package.recipe.as_str()).collect();
    assert_eq!(recipes, ["App.yaml", "Other.yaml", "Third.yaml", "Fourth.yaml"]);
    let expected = StoredPackage {
        run: id,
        dry_run: false,
        recipe: "App.yaml".into(),
        server: Some(SERVER.into()),
        file: Some(file("App.pkg")),
        record: PackageId::try_from(7).ok(),
        begun: time("2026-11-20T22:01:00Z"),
        ended: Some(time("2026-11-20T22:02:00Z")),
        status: Some("failed".into()),
        reason: Some("S3 refused".into()),
        bytes_sent: 5,
        bytes_fetched: 0,
        bytes_saved: 10,
        failure: Some(StoredFailure {
            step: Some(step),
            message: "S3 refused: why".into(),
            hint: Some("look".into()),
        }),
        steps: vec![],
        warnings: vec![warning("the clock is wrong", Some("set it"))],
    };
    assert_eq!(found.packages[0], expected);
    assert_eq!((found.packages[3].status.as_ref(), found.packages[3].ended), (None, None));
}

#[test]
fn events_become_steps_and_warnings() {
    let (state, clock, id) = (State::in_memory().unwrap(), clock(), RunId::random());
    let run = begin_run(&state, &id, &clock);
    let app = package(&run, "App.yaml");
    let steps = ["find-package", "compare-hash", "s3-upload", "verify-delivery"];
    let steps: Vec<StepRef> = (1..).zip(steps).map(|(number, name)| step(number, name)).collect();
    let at = |index: usize| Some(steps[index].clone());
    tell(&app, None, Occurrence::RecipeStarted { dry_run: false, steps: steps.clone() });
    let progress = || -> Vec<StepProgress> {
        only_package(&state, &id).steps.into_iter().map(|step| step.progress).collect()
    };
    use StepProgress::{Done, Failed, Planned, Skipped, Unverified, Waiting, Working};
    assert_eq!(progress(), [Waiting; 4]);

    let found = Outcome::Done { message: "record 7".into() };
    tell(&app, at(0), Occurrence::StepPlanned { changes: vec![], result: Some(found) });
    let same = Outcome::Skipped { reason: "nothing to compare".into() };
    tell(&app, at(1), Occurrence::StepPlanned { changes: vec![], result: Some(same) });
    let send = Change::new(Verb::Create, Subject::File, "App.pkg");
    tell(&app, at(2), Occurrence::StepPlanned { changes: vec![send], result: None });
    tell(&app, at(2), Occurrence::StepStarted);
    let moving = Progress { activity: Activity::Uploading, done: 1, total: 2 };
    tell(&app, at(2), Occurrence::Progress(moving));
    let notice = |level, message: &str| Occurrence::Notice { level, message: message.into() };
    tell(&app, at(2), notice(Level::Info, "part 1"));
    tell(&app, at(2), notice(Level::Warning, "part 2 again"));
    assert_eq!(progress(), [Done, Skipped, Working, Waiting]);
    // What it plans stays readable while it works.
    let working = only_package(&state, &id).steps.remove(2);
    insta::assert_snapshot!(working.message.unwrap(), @"create file App.pkg");

    tell(&app, at(2), Occurrence::StepFailed { message: "S3 refused".into() });
    assert_eq!(progress(), [Done, Skipped, Failed, Waiting]);

    // It is planned again, and goes through.
    tell(&app, None, Occurrence::RecipeStarted { dry_run: false, steps: steps.clone() });
    assert_eq!(progress(), [Waiting; 4]);
    clock.advance(MINUTE);
    tell(&app, at(3), Occurrence::StepPlanned { changes: vec![], result: None });
    tell(&app, at(3), Occurrence::Progress(moving));
    assert_eq!(progress(), [Waiting, Waiting, Waiting, Planned]);
    let doubt = Outcome::Warned {
        warning: Warning::Unverified,
        message: "not listed".into(),
        hint: Some("wait".into()),
    };
    tell(&app, at(3), Occurrence::StepFinished { result: doubt });
    assert_eq!(progress(), [Waiting, Waiting, Waiting, Unverified]);
    tell(&app, None, Occurrence::RecipeFinished);
    run.end(7).unwrap();

    let app = only_package(&state, &id);
    let expected = StoredStep {
        step: steps[3].clone(),
        progress: Unverified,
        message: Some("not listed".into()),
        at: Some(clock.now()),
    };
    assert_eq!(app.steps[3], expected);
    let warnings = app.warnings.iter().map(|warning| {
        let processor = warning.step.as_ref().map_or("", |step| step.processor.as_str());
        (processor, warning.message.as_str(), warning.hint.as_deref())
    });
    let expected = [("s3-upload", "part 2 again", None), ("verify-delivery", "not listed", Some("wait"))];
    assert_eq!(warnings.collect::<Vec<_>>(), expected);
}

/// A thousand packages that are as they should be must not be written down ten times each.
#[test]
fn what_was_only_looked_at_is_held_back_and_never_lost() {
    use StepProgress::{Done, Waiting, Working};
    type Then = fn(&PackageLog, &Arc<SimulatedClock>);
    let at = || Some(step(2, "s3-upload"));
    let moving = || Occurrence::Progress(Progress { activity: Activity::Hashing, done: 1, total: 2 });
    let looked = || {
        let result = Some(Outcome::Done { message: "record 7".into() });
        Occurrence::StepPlanned { changes: vec![], result }
    };
    let cases: [(Then, [StepProgress; 2]); 7] = [
        (|_, _| {}, [Waiting, Waiting]),
        (|app, _| tell(app, Some(step(2, "s3-upload")), Occurrence::StepStarted), [Done, Working]),
        (|app, _| app.warn(None, "odd", None), [Done, Waiting]),
        (|app, _| app.learn(&PackageFacts::default()), [Done, Waiting]),
        (|app, _| app.end(&skipped()), [Done, Waiting]),
        (
            |app, clock| {
                clock.advance(Duration::from_millis(999));
                let result = Some(Outcome::Skipped { reason: "same".into() });
                tell(app, Some(step(2, "s3-upload")), Occurrence::StepPlanned { changes: vec![], result });
            },
            [Waiting, Waiting],
        ),
        (
            |app, clock| {
                clock.advance(Duration::from_secs(1));
                let result = Some(Outcome::Done { message: "same".into() });
                tell(app, Some(step(2, "s3-upload")), Occurrence::StepPlanned { changes: vec![], result });
            },
            [Done, Done],
        ),
    ];
    for (n, (then, expected)) in cases.into_iter().enumerate() {
        let (state, clock, id) = (State::in_memory().unwrap(), clock(), RunId::random());
        let run = begin_run(&state, &id, &clock);
        let app = package(&run, "App.yaml");
        let steps = vec![step(1, "find-package"), step(2, "s3-upload")];
        tell(&app, None, Occurrence::RecipeStarted { dry_run: false, steps });
        tell(&app, Some(step(1, "find-package")), looked());
        then(&app, &clock);
        let progress = |state: &State| {
            only_package(state, &id).steps.iter().map(|step| step.progress).collect::<Vec<_>>()
        };
        assert_eq!(progress(&state), expected, "case {n}");
        tell(&app, at(), moving());
        assert_eq!(progress(&state)[0], Done, "case {n}: a step takes its time");
        assert_eq!(only_package(&state, &id).steps[0].at, Some(time("2026-11-20T22:00:00Z")));
        tell(&app, at(), looked());
        drop(app);
        assert_eq!(progress(&state), [Done, Done], "case {n}: nobody listens any longer");
    }
}

#[test]
fn runs_come_newest_first_page_by_page() {
    let (state, clock) = (State::in_memory().unwrap(), clock());
    let ids: Vec<RunId> = (0..5).map(|n| format!("run-{n}").parse().unwrap()).collect();
    let begin = |id: &RunId| begin_run(&state, id, &clock).end(0).unwrap();
    // A clock that was put back changes nothing in the order.
    ids.iter().for_each(begin);
    let two = NonZeroU32::new(2).unwrap();
    let page = |from: Option<Cursor>| {
        let page = state.history().runs(two, from).unwrap();
        let ids: Vec<String> = page.items.iter().map(|run| run.id.to_string()).collect();
        (ids, page.next)
    };
    let (ids, next) = page(None);
    assert_eq!(ids, ["run-4", "run-3"]);
    // A run that begins meanwhile does not move the pages, and a cursor may go over a command line.
    begin(&"run-5".parse().unwrap());
    let next: Cursor = next.unwrap().to_string().parse().unwrap();
    let (ids, next) = page(Some(next));
    assert_eq!(ids, ["run-2", "run-1"]);
    assert_eq!(page(next), (vec!["run-0".to_owned()], None));
    assert_eq!(state.history().runs(NonZeroU32::new(6).unwrap(), None).unwrap().next, None);
}

#[test]
fn a_package_is_followed_through_runs_in_any_spelling() {
    let (state, clock) = (State::in_memory().unwrap(), clock());
    let (composed, decomposed) = (file("B\u{fc}ro.pkg"), file("Bu\u{308}ro.pkg"));
    let names = [&composed, &decomposed, &file("App.pkg"), &composed];
    for (n, name) in names.into_iter().enumerate() {
        let run = begin_run(&state, &format!("run-{n}").parse().unwrap(), &clock);
        package(&run, "x").learn(&PackageFacts { file: Some(name), ..PackageFacts::default() });
        run.end(0).unwrap();
    }
    for name in [&composed, &decomposed] {
        let one = NonZeroU32::new(1).unwrap();
        let mut runs = Vec::new();
        let mut from = None;
        loop {
            let page = state.history().packages_named(name, one, from).unwrap();
            runs.extend(
                page.items.into_iter().map(|package| (package.run.to_string(), package.file.unwrap())),
            );
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        let expected = [("run-3", &composed), ("run-1", &decomposed), ("run-0", &composed)];
        assert_eq!(runs, expected.map(|(run, name)| (run.to_owned(), name.clone())));
    }
    assert!(state.history().packages_named(&file("app.pkg"), MANY, None).unwrap().items.is_empty());
}

#[test]
fn the_beginning_of_an_id_is_enough_if_it_is_one_run() {
    let (state, clock) = (State::in_memory().unwrap(), clock());
    for id in ["abc1", "abc2", "abd", "ab"] {
        begin_run(&state, &id.parse().unwrap(), &clock).end(0).unwrap();
    }
    let found =
        |text: &str| state.history().run(text).map(|found| found.map(|found| found.run.id.to_string()));
    assert_eq!(found("abd").unwrap().as_deref(), Some("abd"));
    assert_eq!(found("abc1").unwrap().as_deref(), Some("abc1"));
    assert_eq!(found("ab").unwrap().as_deref(), Some("ab"), "the id itself wins");
    assert_eq!(found("x").unwrap(), None);
    assert_eq!(found("%").unwrap(), None);
    assert_eq!(found("ABC1").unwrap(), None);
    let error = found("abc").unwrap_err();
    assert!(matches!(&error, Error::Ambiguous { ids, .. } if ids.len() == 2), "{error:?}");
    insta::assert_snapshot!(error, @r#""abc" is the beginning of several runs: abc2, abc1"#);
}

#[test]
fn an_id_is_given_once() {
    let state = State::in_memory().unwrap();
    let id = "a".parse().unwrap();
    begin_run(&state, &id, &clock()).end(0).unwrap();
    let run = NewRun { id: &id, command: &CommandLine::default(), version: "", host: "", dry_run: true };
    assert!(matches!(state.history().begin_run(&run, clock()), Err(Error::Database(_))));
    assert_ne!(RunId::random(), RunId::random());
    let too_long = "x".repeat(65);
    for text in ["", "a b", "ä", "a%", too_long.as_str()] {
        assert!(text.parse::<RunId>().is_err(), "{text}");
    }
}

fn ending(state: &State, id: &str) -> RunEnding {
    state.history().run(id).unwrap().unwrap().run.ending
}

#[test]
fn a_run_goes_on_as_long_as_its_process_works_at_it() {
    let folder = tempfile::tempdir().unwrap();
    let (state, other, clock) = (open(folder.path()), open(folder.path()), clock());
    let run = begin_run(&state, &"a".parse().unwrap(), &clock);
    let package = package(&run, "App");
    assert_eq!([ending(&state, "a"), ending(&other, "a")], [RunEnding::GoesOn; 2]);
    drop(run);
    assert_eq!(ending(&other, "a"), RunEnding::GoesOn, "one of its packages goes on");
    drop(package);
    assert_eq!([ending(&state, "a"), ending(&other, "a")], [RunEnding::Gone; 2]);
}

#[test]
fn a_killed_run_is_told_from_one_that_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let state = open(folder.path());
    let mut child = play("work", folder.path());
    assert_eq!(child.says().as_deref(), Some("working"));
    assert_eq!(ending(&state, "work"), RunEnding::GoesOn);
    child.kill();
    assert_eq!(ending(&state, "work"), RunEnding::Gone);
    let found = state.history().run("work").unwrap().unwrap();
    assert_eq!((found.run.open, found.packages[0].recipe.as_str()), (1, "App"));
}

/// A history that cannot be written is no reason to fail, or to wait at each step.
#[test]
fn what_cannot_be_written_is_left_out_and_told_in_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let (state, clock) = (open(folder.path()), clock());
    let run = begin_run(&state, &"a".parse().unwrap(), &clock);
    let app = package(&run, "App");
    let database = rusqlite::Connection::open(folder.path().join("state.db")).unwrap();
    database.execute_batch("ALTER TABLE steps RENAME TO elsewhere").unwrap();
    tell(&app, None, Occurrence::RecipeStarted { dry_run: false, steps: vec![step(1, "find-package")] });
    database.execute_batch("ALTER TABLE elsewhere RENAME TO steps").unwrap();
    app.end(&skipped());
    drop((app, package(&run, "Other")));
    let error = run.end(0).unwrap_err();
    assert!(matches!(error, Error::Database(_)), "{error:?}");
    let found = state.history().run("a").unwrap().unwrap();
    assert!(
        matches!(found.run.ending, RunEnding::Ended { exit: 0, .. }),
        "that it ended is tried all the same"
    );
    assert_eq!((found.packages.len(), found.run.open), (1, 1));
}
