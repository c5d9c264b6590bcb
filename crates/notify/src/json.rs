//! A webhook that takes anything: all there is, for a program to read.

use crate::card::headline;
use crate::summary::{Changed, Ending, FullReport, How, Mode, Summary, Trouble};
use serde_json::{Value, json};

/// The version of the message. It changes when something is taken away or means something else; what is added changes
/// nothing.
pub(crate) const VERSION: u32 = 1;

/// The message. `text` is one line for a person, as services that speak Slack's dialect want it.
pub(crate) fn message(summary: &Summary) -> Value {
    let mut message = json!({
        "kind": "pkgferry.run",
        "version": VERSION,
        "text": headline(summary),
        "status": summary.standing().as_str(),
        "title": summary.title,
        "run": summary.run,
        "program": summary.program,
        "dry_run": summary.mode == Mode::DryRun,
        "ending": ending(&summary.ending),
        "started": summary.started.to_string(),
        "duration_seconds": summary.duration.as_secs_f64(),
        "counts": {
            "packages": summary.packages(),
            "failed": summary.failed.len(),
            "unverified": summary.unverified.len(),
            "not_begun": summary.not_begun,
            "created": summary.count(How::Created),
            "replaced": summary.count(How::Replaced),
            "metadata_only": summary.count(How::MetadataOnly),
            "downloaded": summary.count(How::Downloaded),
            "skipped": summary.skipped,
        },
        "bytes": {
            "sent": summary.volume.sent,
            "saved": summary.volume.saved,
            "fetched": summary.volume.fetched,
        },
        "failed": summary.failed.iter().map(trouble).collect::<Vec<_>>(),
        "unverified": summary.unverified.iter().map(trouble).collect::<Vec<_>>(),
        "changed": summary.changed.iter().map(changed).collect::<Vec<_>>(),
    });
    match &summary.report {
        Some(FullReport::Page(url)) => message["report"] = json!({ "url": url.as_str() }),
        Some(FullReport::File(path)) => message["report"] = json!({ "file": path }),
        None => {}
    }
    message
}

fn ending(ending: &Ending) -> Value {
    match ending {
        Ending::Complete => json!({ "how": "complete" }),
        Ending::Interrupted => json!({ "how": "interrupted" }),
        Ending::DeadlineReached => json!({ "how": "deadline-reached" }),
        Ending::BrokenOff { message, next_step } => {
            with_options(json!({ "how": "broken-off", "message": message }), [("next_step", next_step)])
        }
    }
}

fn trouble(trouble: &Trouble) -> Value {
    let mut value =
        json!({ "package": trouble.package, "recipe": trouble.recipe, "message": trouble.message });
    if let Some(step) = &trouble.step {
        value["step"] = json!({ "number": step.number, "processor": step.processor });
    }
    with_options(value, [("server", &trouble.server), ("next_step", &trouble.next_step)])
}

fn changed(changed: &Changed) -> Value {
    let how = changed.how.status().key();
    let options = [
        ("server", &changed.server),
        ("version", &changed.version),
        ("category", &changed.category),
        ("reason", &changed.reason),
    ];
    with_options(json!({ "package": changed.package, "recipe": changed.recipe, "how": how }), options)
}

/// With those entries that there are.
fn with_options<const N: usize>(mut value: Value, options: [(&str, &Option<String>); N]) -> Value {
    for (name, option) in options {
        if let Some(text) = option {
            value[name] = json!(text);
        }
    }
    value
}
