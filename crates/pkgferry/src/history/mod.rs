//! `pkgferry history`: what earlier runs did.

mod json;
mod text;

use crate::args::HistoryArgs;
use crate::chronicle::{self, HISTORY_RUNS};
use crate::desk::Desk;
use crate::display::{count_of, line};
use crate::error::Error;
use crate::exit::Exit;
use crate::remembered::StateFolder;
use json::Line;
use state::State;
use std::collections::HashMap;
use tokio_util::sync::CancellationToken;

/// Shows the newest runs, one of them, or one package over all of them; or forgets old ones.
pub fn history(args: &HistoryArgs, folder: &StateFolder, cancel: CancellationToken) -> Result<Exit, Error> {
    let desk = Desk::new(args.json, cancel);
    let state = match folder.look(&desk.cx)? {
        Some(state) => state,
        None => State::in_memory().map_err(Error::State)?,
    };
    let history = state.history();
    let (text, told) = if let Some(days) = args.prune {
        let pruned = chronicle::forget(&state, days, desk.now()).map_err(Error::Remembered)?;
        let text = match pruned.runs {
            0 => format!(
                "no run began more than {} ago and is not among the newest {HISTORY_RUNS}\n",
                count_of(days.into(), "day")
            ),
            runs => {
                format!("{} with {} forgotten\n", count_of(runs, "run"), count_of(pruned.packages, "package"))
            }
        };
        (text, Line::pruned(pruned, desk.now()))
    } else if let Some(beginning) = &args.run {
        let found = history.run(beginning).map_err(Error::Remembered)?;
        let run = found.ok_or_else(|| Error::NoRun(beginning.clone()))?;
        (text::run(&run), Line::run(&run, desk.now()))
    } else if let Some(name) = &args.package {
        let page = history.packages_named(name, args.number, None).map_err(Error::Remembered)?;
        let files =
            if page.items.is_empty() { history.files().map_err(Error::Remembered)? } else { Vec::new() };
        let near = recipe::nearest(name.as_str(), files.iter().map(String::as_str));
        // What nobody has told of is of a run that goes on or that did not end.
        let mut endings = HashMap::new();
        for package in page.items.iter().filter(|package| package.status.is_none()) {
            if let Some(run) = history.run(package.run.as_str()).map_err(Error::Remembered)? {
                endings.insert(package.run.clone(), run.run.ending);
            }
        }
        (text::packages(name, &page, &endings, args.number, near), Line::packages(&page, desk.now()))
    } else {
        let page = history.runs(args.number, None).map_err(Error::Remembered)?;
        (text::runs(&page, args.number), Line::runs(&page, desk.now()))
    };
    if args.json {
        line(&told)?;
    } else {
        desk.display.say(&text)?;
    }
    Ok(Exit::Done)
}
