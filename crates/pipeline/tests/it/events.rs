//! Events as JSON lines: a format that other programs read, so every change of it shows here.

use pipeline::{
    Activity, Change, Event, FieldChange, Level, Occurrence, Outcome, Progress, StepRef, Subject, Verb,
    Warning,
};

fn step() -> StepRef {
    StepRef { number: 2, processor: "s3-upload".into() }
}

/// The events as JSON lines, those about a step with the step.
fn lines(events: impl IntoIterator<Item = Occurrence>) -> String {
    let lines = events.into_iter().map(|what| {
        let about_recipe = matches!(
            what,
            Occurrence::RecipeStarted { .. } | Occurrence::PlanReady | Occurrence::RecipeFinished
        );
        let event = Event { recipe: "App.yaml".into(), step: (!about_recipe).then(step), what };
        serde_json::to_string(&event).unwrap()
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_course_of_a_recipe() {
    let events = [
        Occurrence::RecipeStarted { dry_run: false, steps: vec![step()] },
        Occurrence::PlanReady,
        Occurrence::StepStarted,
        Occurrence::StepFailed { message: "the server is away".into() },
        Occurrence::RecipeFinished,
    ];
    insta::assert_snapshot!(lines(events), @r#"
    {"recipe":"App.yaml","event":"recipe-started","dry_run":false,"steps":[{"number":2,"processor":"s3-upload"}]}
    {"recipe":"App.yaml","event":"plan-ready"}
    {"recipe":"App.yaml","step":{"number":2,"processor":"s3-upload"},"event":"step-started"}
    {"recipe":"App.yaml","step":{"number":2,"processor":"s3-upload"},"event":"step-failed","message":"the server is away"}
    {"recipe":"App.yaml","event":"recipe-finished"}
    "#);
}

#[test]
fn plans() {
    let field = |old: Option<&str>| FieldChange {
        field: "pkg_info".into(),
        old: old.map(Into::into),
        new: "b".into(),
    };
    let changes = vec![
        Change::new(Verb::Replace, Subject::File, "App.pkg").because("MD5 differs").sending(1024),
        Change::new(Verb::Update, Subject::Record, "App.pkg").setting(vec![field(Some("a")), field(None)]),
    ];
    let skipped = Outcome::Skipped { reason: "the server has the same bytes".into() };
    let events = [
        Occurrence::StepPlanned { changes, result: None },
        Occurrence::StepPlanned { changes: Vec::new(), result: Some(skipped) },
    ];
    insta::assert_snapshot!(lines(events), @r#"
    {"recipe":"App.yaml","step":{"number":2,"processor":"s3-upload"},"event":"step-planned","changes":[{"verb":"replace","subject":"file","name":"App.pkg","reason":"MD5 differs","bytes":1024},{"verb":"update","subject":"record","name":"App.pkg","bytes":0,"fields":[{"field":"pkg_info","old":"a","new":"b"},{"field":"pkg_info","old":null,"new":"b"}]}]}
    {"recipe":"App.yaml","step":{"number":2,"processor":"s3-upload"},"event":"step-planned","changes":[],"result":{"outcome":"skipped","reason":"the server has the same bytes"}}
    "#);
}

#[test]
fn results() {
    let warned = |warning, hint: Option<&str>| Outcome::Warned {
        warning,
        message: "listed with another size".into(),
        hint: hint.map(Into::into),
    };
    let results = [
        Outcome::Done { message: "sent 1.0 KiB".into() },
        warned(Warning::Unverified, Some("run again")),
        warned(Warning::Other, None),
    ];
    insta::assert_snapshot!(lines(results.map(|result| Occurrence::StepFinished { result })), @r#"
    {"recipe":"App.yaml","step":{"number":2,"processor":"s3-upload"},"event":"step-finished","result":{"outcome":"done","message":"sent 1.0 KiB"}}
    {"recipe":"App.yaml","step":{"number":2,"processor":"s3-upload"},"event":"step-finished","result":{"outcome":"warned","warning":"unverified","message":"listed with another size","hint":"run again"}}
    {"recipe":"App.yaml","step":{"number":2,"processor":"s3-upload"},"event":"step-finished","result":{"outcome":"warned","warning":"other","message":"listed with another size"}}
    "#);
}

#[test]
fn progress_and_notices() {
    let activities = [
        Activity::Hashing,
        Activity::Uploading,
        Activity::Downloading,
        Activity::Committing,
        Activity::Verifying,
    ];
    let progress = activities
        .map(|activity| Occurrence::Progress(Progress { activity, done: 1_048_576, total: u64::MAX }));
    let notices = [Level::Info, Level::Warning]
        .map(|level| Occurrence::Notice { level, message: "two\nlines \u{1f98a}".into() });
    insta::assert_snapshot!(lines(progress.into_iter().chain(notices)), @r#"
    {"recipe":"App.yaml","step":{"number":2,"processor":"s3-upload"},"event":"progress","activity":"hashing","done":1048576,"total":18446744073709551615}
    {"recipe":"App.yaml","step":{"number":2,"processor":"s3-upload"},"event":"progress","activity":"uploading","done":1048576,"total":18446744073709551615}
    {"recipe":"App.yaml","step":{"number":2,"processor":"s3-upload"},"event":"progress","activity":"downloading","done":1048576,"total":18446744073709551615}
    {"recipe":"App.yaml","step":{"number":2,"processor":"s3-upload"},"event":"progress","activity":"committing","done":1048576,"total":18446744073709551615}
    {"recipe":"App.yaml","step":{"number":2,"processor":"s3-upload"},"event":"progress","activity":"verifying","done":1048576,"total":18446744073709551615}
    {"recipe":"App.yaml","step":{"number":2,"processor":"s3-upload"},"event":"notice","level":"info","message":"two\nlines 🦊"}
    {"recipe":"App.yaml","step":{"number":2,"processor":"s3-upload"},"event":"notice","level":"warning","message":"two\nlines 🦊"}
    "#);
}
