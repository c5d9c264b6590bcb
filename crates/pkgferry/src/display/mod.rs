//! What a run shows: text for people, JSON lines for programs. Both listen to the same events.

pub mod error;
mod human;
mod json;
mod progress;
pub mod trace;

use crate::clock::SystemClock;
use crate::error::Error;
use crate::exit::Exit;
use pipeline::{Listener, Traffic};
use runner::Report;
use std::sync::Arc;

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

    /// What the libraries speak to.
    pub fn listener(&self) -> Arc<dyn Listener> {
        match self {
            Self::Human(human) => human.clone(),
            Self::Json(json) => json.clone(),
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
    pub fn report(&self, report: &Report) -> Result<(), Error> {
        match self {
            Self::Human(human) => human.report(report),
            // The final result holds all of them.
            Self::Json(_) => Ok(()),
        }
    }

    /// Shows what came of the run.
    pub fn finish(&self, reports: &[Report], traffic: Traffic, exit: Exit) -> Result<(), Error> {
        match self {
            Self::Human(human) => human.finish(reports, traffic),
            Self::Json(json) => json.finish(reports, traffic, exit),
        }
    }
}

/// `1 step`, `2 steps`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
