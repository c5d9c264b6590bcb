//! The state folder: what is remembered between runs, and what becomes of a run that has none.

use crate::args::Global;
use crate::error::Error;
use crate::process::Process;
use fingerprint::Digests;
use jamf::{Config, Listing, Notes, Sessions};
use pipeline::{Context, Diagnose as _, causes};
use s3_upload::{Connections, Memory};
use state::{Examined, Opened, State};
use std::path::{Path, PathBuf};
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

    /// The folder, if there is one.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Opens the state for who asks what is in it; `None` if nothing was ever remembered there.
    ///
    /// # Errors
    /// When it cannot be used. Here that is no small thing, as it is for a run.
    pub fn look(&self, cx: &Context) -> Result<Option<State>, Error> {
        let Some(path) = &self.path else {
            cx.warn("there is no state folder: neither --state nor a home folder tells where");
            return Ok(None);
        };
        if state::examine(path).map_err(Error::Remembered)? == Examined::Nothing {
            cx.warn(format!("{} holds no state: nothing was remembered there yet", path.display()));
            return Ok(None);
        }
        let Opened { state, set_aside, .. } = State::open(path).map_err(Error::Remembered)?;
        if let Some(aside) = set_aside {
            warn_of_damage(&aside, cx);
        }
        state.today(cx.clock().now());
        Ok(Some(state))
    }

    /// Opens the state. A run whose state cannot be used goes on without, and says so.
    pub fn open(&self, rehash: bool, cx: &Context) -> Result<Memory, state::Error> {
        let state = match self.path.as_deref() {
            Some(path) => {
                let opened = State::open_or_forget(path)?;
                if let Some(aside) = opened.set_aside {
                    warn_of_damage(&aside, cx);
                }
                if let Some(error) = opened.forgets {
                    let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
                    let why = causes(&error).collect::<Vec<_>>().join(": ");
                    cx.warn(format!("nothing is remembered after this run: {why}{hint}"));
                }
                opened.state
            }
            None => State::in_memory()?,
        };
        state.today(cx.clock().now());
        let digests = Digests::new(Arc::new(state.clone()), rehash);
        Ok(Memory { state, digests, connections: Connections::default() })
    }
}

fn warn_of_damage(aside: &Path, cx: &Context) {
    let aside = aside.display();
    cx.warn(format!("the state was damaged and is now {aside}; what it remembered is found out again"));
}

/// Sessions that keep what servers say of themselves in the state.
pub fn sessions(state: &State, listing: Listing) -> Result<Sessions, Error> {
    let notes: Arc<dyn Notes> = Arc::new(Noted(state.clone()));
    // The seed only spreads retries over time; two runs at once should not share it.
    let config = Config { seed: std::process::id().into(), notes: Some(notes), listing, ..Config::default() };
    Sessions::new(config).map_err(Error::Client)
}

/// The notes of the client, in the state.
#[derive(Debug)]
struct Noted(State);

impl Notes for Noted {
    fn get(&self, key: &str) -> Option<String> {
        self.0.note(key)
    }

    fn put(&self, key: &str, value: &str) {
        self.0.put_note(key, value);
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
