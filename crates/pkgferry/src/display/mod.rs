//! What a run shows: text for people, JSON lines for programs. Both listen to the same events.

pub mod error;
mod human;
mod json;
mod progress;
pub mod trace;

use crate::clock::SystemClock;
use crate::error::Error;
use crate::exit::Exit;
use crate::promote::Promoted;
use pipeline::{Listener, Traffic};
use runner::Report;
use serde::Serialize;
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

    /// What the libraries speak to while they work for a server.
    pub fn listener(&self, server: Option<&str>) -> Arc<dyn Listener> {
        let server = server.map(str::to_owned);
        match self {
            Self::Human(human) => Arc::new(human::Listening { human: human.clone(), server }),
            Self::Json(json) => Arc::new(json::Listening { json: json.clone(), server }),
        }
    }

    /// Says something to a person. Programs see it by what is missing in the result.
    pub fn say(&self, text: &str) -> Result<(), Error> {
        match self {
            Self::Human(human) => human.print(text),
            Self::Json(_) => Ok(()),
        }
    }

    /// Shows what came of a recipe.
    pub fn report(&self, report: &ServerReport) -> Result<(), Error> {
        match self {
            Self::Human(human) => human.report(report),
            // The final result holds all of them.
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

/// `App.pkg`, or `App.pkg (test)` for a server that has a name.
pub fn on(title: &str, server: Option<&str>) -> String {
    server.map_or_else(|| title.to_owned(), |server| format!("{title} ({server})"))
}

/// `1 step`, `2 steps`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
