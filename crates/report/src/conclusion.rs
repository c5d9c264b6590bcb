//! What a finished recipe means for the package that it carried.

use crate::recorder::Subject;
use crate::{Failure, Status};
use pipeline::{Change, Outcome, PackageId, Verb, Warning};
use runner::StepReport;

#[derive(Clone)]
pub(crate) struct Conclusion {
    pub status: Status,
    pub reason: String,
    pub file: Option<String>,
    pub package_id: Option<PackageId>,
    pub fetched_to: Option<String>,
    pub bytes_sent: u64,
    pub bytes_resumed: u64,
    pub bytes_fetched: u64,
    pub bytes_saved: u64,
    pub failure: Option<Failure>,
}

impl Conclusion {
    pub(crate) fn unfinished(status: Status, reason: String) -> Self {
        Self {
            status,
            reason,
            file: None,
            package_id: None,
            fetched_to: None,
            bytes_sent: 0,
            bytes_resumed: 0,
            bytes_fetched: 0,
            bytes_saved: 0,
            failure: None,
        }
    }

    pub(crate) fn of(report: &runner::Report, subject: &Subject) -> Self {
        let failure = report.failure.as_ref().map(Failure::from);
        let status = report.status;
        let file = file_change(&report.steps);
        Self {
            status,
            reason: match &failure {
                Some(failure) => failure.message.clone(),
                None => reason(status, &report.steps),
            },
            file: file_name(&report.steps),
            package_id: report.package_id(),
            fetched_to: file.and_then(|(_, change)| change.to.clone()),
            bytes_sent: report.bytes_sent,
            bytes_resumed: report.bytes_resumed,
            bytes_fetched: report.bytes_fetched,
            bytes_saved: match status {
                Status::Skipped | Status::MetadataOnly if file.is_none() => subject.size.unwrap_or(0),
                _ => 0,
            },
            // That its turn did not come is no failure of its own.
            failure: failure.filter(|_| status != Status::NotBegun),
        }
    }
}

fn changes(steps: &[StepReport]) -> impl Iterator<Item = (&StepReport, &Change)> + Clone {
    steps.iter().flat_map(|step| step.changes.iter().map(move |change| (step, change)))
}

/// The change of the file that the status goes by: what is sent counts for more than what is fetched.
fn file_change(steps: &[StepReport]) -> Option<(&StepReport, &Change)> {
    let mut files = changes(steps).filter(|(_, change)| change.subject == pipeline::Subject::File);
    let is_sent = |change: &Change| change.verb != Verb::Download;
    files.clone().find(|(_, change)| is_sent(change)).or_else(|| files.next())
}

/// Changes of files, records and deliveries are named by the file.
fn file_name(steps: &[StepReport]) -> Option<String> {
    use pipeline::Subject;
    let named = |subject: Subject| changes(steps).find(move |(_, change)| change.subject == subject);
    file_change(steps)
        .or_else(|| named(Subject::Record))
        .or_else(|| named(Subject::Delivery))
        .map(|(_, change)| change.name.clone())
}

fn reason(status: Status, steps: &[StepReport]) -> String {
    let found = match status {
        Status::Unverified => doubt(steps),
        Status::Created | Status::Replaced | Status::Downloaded => file_change(steps).map(why),
        Status::MetadataOnly => {
            use pipeline::Subject;
            let is_record = |change: &Change| matches!(change.subject, Subject::Record | Subject::Category);
            changes(steps).filter(|(_, change)| is_record(change)).last().map(said)
        }
        Status::Skipped => nothing_to_do(steps),
        Status::Failed | Status::Interrupted | Status::Running | Status::NotBegun => None,
    };
    found.unwrap_or_else(|| status.word().to_owned())
}

/// The last doubt that no proof came after; its step's own words.
fn doubt(steps: &[StepReport]) -> Option<String> {
    steps.iter().rev().find_map(|step| match &step.outcome {
        Some(Outcome::Warned { warning: Warning::Unverified, message, .. }) => Some(message.clone()),
        _ => None,
    })
}

fn why((step, change): (&StepReport, &Change)) -> String {
    change.reason.clone().unwrap_or_else(|| said((step, change)))
}

fn said((step, change): (&StepReport, &Change)) -> String {
    match &step.outcome {
        Some(outcome) => outcome.message().to_owned(),
        None if change.fields.is_empty() => change.to_string(),
        None => {
            let fields: Vec<&str> = change.fields.iter().map(|field| field.field.as_str()).collect();
            format!("{change}: {}", fields.join(", "))
        }
    }
}

/// What was found out right before a step had nothing to do; what that step said, if it was the first; else the last word.
fn nothing_to_do(steps: &[StepReport]) -> Option<String> {
    let outcomes: Vec<&Outcome> = steps.iter().filter_map(|step| step.outcome.as_ref()).collect();
    let skipped = outcomes.iter().position(|outcome| matches!(outcome, Outcome::Skipped { .. }));
    let telling = match skipped {
        Some(0) => outcomes.first(),
        Some(index) => outcomes.get(index - 1),
        None => outcomes.last(),
    };
    telling.map(|outcome| outcome.message().to_owned())
}
