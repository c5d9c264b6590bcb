//! The state folder: what is remembered between runs, and what becomes of a run that has none.

use crate::args::Global;
use crate::process::Process;
use fingerprint::Digests;
use pipeline::{Context, Diagnose as _, causes};
use s3_upload::{Connections, Memory};
use state::State;
use std::path::PathBuf;
use std::sync::Arc;

/// Where the state is, if anywhere.
#[derive(Clone, Debug)]
pub struct StateFolder {
    /// The folder; `None` if the user has no home.
    path: Option<PathBuf>,
    /// Whether somebody named it.
    named: bool,
}

impl StateFolder {
    /// What the command line or `PKGFERRY_STATE` says, else the usual place of the system.
    pub fn resolve(global: &Global, process: &Process) -> Self {
        let named = global.state.clone().or_else(|| process.variable("PKGFERRY_STATE").map(PathBuf::from));
        let is_named = named.is_some();
        Self { path: named.or_else(|| usual(process)), named: is_named }
    }

    /// The folder of a run against the rehearsal server that ends with the run: what is left there, nobody can go on with.
    pub fn of_rehearsal(&self) -> Self {
        Self { path: self.path.clone().filter(|_| self.named), named: self.named }
    }

    /// Opens the state. A run whose state cannot be used goes on without, and says so.
    pub fn open(&self, rehash: bool, cx: &Context) -> Result<Memory, state::Error> {
        let state = match self.path.as_deref().map(State::open) {
            Some(Ok(opened)) => {
                if let Some(aside) = opened.set_aside {
                    cx.warn(format!(
                        "the state was damaged and is now {}; what it remembered is found out again",
                        aside.display()
                    ));
                }
                opened.state
            }
            Some(Err(error)) => {
                let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
                let why = causes(&error).collect::<Vec<_>>().join(": ");
                cx.warn(format!("nothing is remembered after this run: {why}{hint}"));
                State::in_memory()?
            }
            None => State::in_memory()?,
        };
        let digests = Digests::new(Arc::new(state.clone()), rehash);
        Ok(Memory { state, digests, connections: Connections::default() })
    }
}

fn usual(process: &Process) -> Option<PathBuf> {
    if let Some(folder) = process.variable("XDG_STATE_HOME") {
        return Some(PathBuf::from(folder).join("pkgferry"));
    }
    let home = process.home()?;
    let place = if cfg!(target_os = "macos") { "Library/Application Support" } else { ".local/state" };
    Some(home.join(place).join("pkgferry"))
}
