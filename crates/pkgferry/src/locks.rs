//! One run at a time on a server.

use jiff::Timestamp;
use pipeline::{Context, Shard, causes};
use state::{Claim, Held, ServerLock, State};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The servers that this run has for itself, until it ends.
pub struct Locks {
    state: State,
    what: String,
    host: String,
    shard: Shard,
    held: Mutex<HashMap<String, Result<ServerLock, Held>>>,
}

impl Locks {
    /// None yet. `what` and `host` are what another run is told that comes later.
    pub fn new(state: State, what: String, host: String, shard: Shard) -> Self {
        Self { state, what, host, shard, held: Mutex::default() }
    }

    /// Whether another run works on packages of this run's on a server now. Nobody is kept off by asking.
    pub fn is_held_by_another(&self, server: &str) -> bool {
        let is_mine = matches!(self.held().get(server), Some(Ok(_)));
        !is_mine && self.state.server_holders(server).iter().any(|(other, _)| self.shard.overlaps(*other))
    }

    fn held(&self) -> MutexGuard<'_, HashMap<String, Result<ServerLock, Held>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes this run's packages on a server, unless it has them already. Shards of one division do not touch the same packages,
    /// and do not keep each other off.
    pub fn hold(&self, server: &str, now: Timestamp, cx: &Context) -> Result<(), state::Error> {
        let mut held = self.held();
        // Who was kept off once is for the whole run, or half of it would be done beside the other.
        match held.get(server) {
            Some(Ok(_)) => return Ok(()),
            Some(Err(by)) => return Err(state::Error::Held(by.clone())),
            None => {}
        }
        let claim = Claim { what: &self.what, host: &self.host, since: now };
        let lock = match self.state.lock_server(server, self.shard, &claim) {
            Ok(lock) => lock,
            Err(state::Error::Held(by)) => {
                held.insert(server.to_owned(), Err(by.clone()));
                return Err(state::Error::Held(by));
            }
            // Nothing that would do harm relies on it.
            Err(error) => {
                let why = causes(&error).collect::<Vec<_>>().join(": ");
                cx.warn(format!("whether another run works on {server} is not known: {why}"));
                return Ok(());
            }
        };
        if let Some(before) = lock.left_by() {
            cx.info(format!("the run before this one did not end: {before}"));
        }
        held.insert(server.to_owned(), Ok(lock));
        Ok(())
    }
}
