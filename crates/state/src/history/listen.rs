//! Events of a package, as they are written down.
//!
//! What a step found while it only looked is held back until something else is written, or for a second: of a thousand packages that
//! are as they should be, each would otherwise be written down ten times, and a kill loses nothing but what can be looked up
//! again. Whatever a step changes is written before it.

use super::{PackageLog, StepProgress};
use pipeline::{Change, Event, Level, Listener, Occurrence, Outcome, StepRef};

impl Listener for PackageLog {
    fn on(&self, event: &Event) {
        match (&event.what, &event.step) {
            (Occurrence::RecipeStarted { steps, .. }, _) => self.steps(steps),
            (Occurrence::StepPlanned { changes, result }, Some(step)) => match result {
                Some(outcome @ Outcome::Warned { .. }) => self.came_to(step, outcome),
                Some(outcome) => self.hold(step, outcome.into(), Some(outcome.message())),
                None => self.hold(step, StepProgress::Planned, Some(&in_words(changes))),
            },
            (Occurrence::StepStarted, Some(step)) => self.step(step, StepProgress::Working, None),
            (Occurrence::StepFinished { result }, Some(step)) => self.came_to(step, result),
            (Occurrence::StepFailed { message }, Some(step)) => {
                self.step(step, StepProgress::Failed, Some(message));
            }
            (Occurrence::Notice { level: Level::Warning, message }, step) => {
                self.warn(step.as_ref(), message, None);
            }
            // It comes often, and says nothing that outlasts the run but that a step takes its time.
            (Occurrence::Progress(_), _) => self.write_held(),
            _ => {}
        }
    }
}

impl PackageLog {
    fn came_to(&self, step: &StepRef, outcome: &Outcome) {
        self.step(step, outcome.into(), Some(outcome.message()));
        if let Outcome::Warned { message, hint, .. } = outcome {
            self.warn(Some(step), message, hint.as_deref());
        }
    }
}

fn in_words(changes: &[Change]) -> String {
    changes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
