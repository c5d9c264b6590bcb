//! What a run shows: text for people, JSON lines for programs. Both listen to the same events.

pub mod error;
mod human;
mod json;
mod progress;
pub mod trace;

pub use human::Pace;

use crate::clock::SystemClock;
use crate::error::Error;
use crate::exit::Exit;
use crate::promote::Promoted;
use pipeline::{Listener, Status, Traffic};
use runner::Report;
use serde::Serialize;
use std::io::Write as _;
use std::sync::Arc;

/// What came of a recipe, and on which server, if it has a name.
#[derive(Debug, Serialize)]
pub struct ServerReport {
    /// The server's name in the settings file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// What came of the recipe.
    #[serde(flatten)]
    pub report: Report,
}

/// The display of a run.
pub enum Display {
    Human(Arc<human::Human>),
    Json(Arc<json::Json>),
}

impl Display {
    /// Text, or JSON lines.
    pub fn new(json: bool, clock: Arc<SystemClock>) -> Self {
        if json {
            Self::Json(Arc::new(json::Json::new(clock)))
        } else {
            Self::Human(Arc::new(human::Human::new(clock)))
        }
    }

    /// What the libraries speak to while they work for a server, and for no recipe in particular.
    pub fn listener(&self, server: Option<&str>) -> Arc<dyn Listener> {
        self.voice("", server, Pace::Live).listener()
    }

    /// What a recipe speaks with.
    pub fn voice(&self, title: &str, server: Option<&str>, pace: Pace) -> Voice {
        let name = server.map(str::to_owned);
        match self {
            Self::Human(human) => {
                let title = on(title, server);
                Voice::Human(Arc::new(human::Voice::new(human.clone(), title, name, pace)))
            }
            Self::Json(json) => Voice::Json(Arc::new(json::Listening::new(json.clone(), name))),
        }
    }

    /// Says something to a person. Programs see it by what is missing in the result.
    pub fn say(&self, text: &str) -> Result<(), Error> {
        match self {
            Self::Human(human) => human.print(text),
            Self::Json(_) => Ok(()),
        }
    }

    /// Shows what came of the run.
    pub fn finish(
        &self,
        reports: &[ServerReport],
        traffic: Traffic,
        exit: Exit,
        promoted: Option<&Promoted>,
    ) -> Result<(), Error> {
        match self {
            Self::Human(human) => human.finish(reports, traffic),
            Self::Json(json) => json.finish(reports, traffic, exit, promoted),
        }
    }
}

/// What a recipe speaks with while it runs, and once when it has ended.
#[derive(Clone)]
pub enum Voice {
    Human(Arc<human::Voice>),
    Json(Arc<json::Listening>),
}

impl Voice {
    /// What the libraries speak to.
    pub fn listener(&self) -> Arc<dyn Listener> {
        match self {
            Self::Human(voice) => voice.clone(),
            Self::Json(listening) => listening.clone(),
        }
    }

    /// Shows what came of the recipe.
    pub fn report(&self, report: &ServerReport) -> Result<(), Error> {
        match self {
            Self::Human(voice) => voice.report(report),
            // The final result holds all of them.
            Self::Json(_) => Ok(()),
        }
    }
}

/// `App.pkg`, or `App.pkg (test)` for a server that has a name.
pub fn on(title: &str, server: Option<&str>) -> String {
    server.map_or_else(|| title.to_owned(), |server| format!("{title} ({server})"))
}

/// What came of a package: `created`. A dry run has changed nothing, and says so wherever a status is one of a change: `would be
/// created`.
pub fn came_of(status: Status, dry_run: bool) -> String {
    let would_be = if dry_run && status.is_change() { "would be " } else { "" };
    format!("{would_be}{}", status.final_word())
}

/// `1 step`, `2 steps`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// The same of what is counted in a state.
pub fn count_of(number: u64, noun: &str) -> String {
    count(usize::try_from(number).unwrap_or(usize::MAX), noun)
}

/// The one line of JSON of a command that runs nothing.
pub fn line(line: &impl Serialize) -> Result<(), Error> {
    let text = serde_json::to_string(line).map_err(std::io::Error::from)?;
    Ok(writeln!(std::io::stdout().lock(), "{text}")?)
}
