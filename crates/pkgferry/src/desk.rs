//! What commands share that work with what earlier runs have left.

use crate::clock::SystemClock;
use crate::display::Display;
use crate::error::Error;
use crate::exit::Exit;
use crate::servers::Target;
use crate::settings::Settings;
use jamf::{Session, Sessions};
use jiff::Timestamp;
use pipeline::{Access, Boundary, Context, Env};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// A display and a context, before there is a run or without one.
pub struct Desk {
    pub display: Display,
    pub cx: Context,
    boundary: Arc<Boundary>,
}

impl Desk {
    /// Text, or JSON lines.
    pub fn new(json: bool, cancel: CancellationToken) -> Self {
        let clock = Arc::new(SystemClock);
        let display = Display::new(json, clock.clone());
        let boundary = Arc::new(Boundary::new(Access::ReadWrite));
        let cx = Context::new(clock, boundary.clone(), display.listener(None), cancel);
        Self { display, cx, boundary }
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.cx.clock().now()
    }

    /// Ends without a run. Programs get a result in which no recipe is.
    pub fn end(&self) -> Result<Exit, Error> {
        self.display.finish(&[], self.boundary.traffic(), Exit::Done, None)?;
        Ok(Exit::Done)
    }
}

/// What was left on a server that is asked for.
pub struct Here<T> {
    pub target: Target,
    pub session: Arc<Session>,
    pub left: Vec<T>,
}

/// Tells what was left on these servers from what was left on others. `server` gives the address of where something is.
pub fn sort<T>(
    left: Vec<T>,
    targets: Vec<Target>,
    sessions: &Sessions,
    server: impl Fn(&T) -> &str,
) -> Result<(Vec<Here<T>>, Vec<T>), Error> {
    let (mut elsewhere, mut here) = (left, Vec::with_capacity(targets.len()));
    for target in targets {
        let session = sessions.open(&target.env()).map_err(Error::Client)?;
        let (left, others) = elsewhere.into_iter().partition(|one| server(one) == session.server());
        elsewhere = others;
        here.push(Here { target, session, left });
    }
    Ok((here, elsewhere))
}

/// What to type to reach the server at this address.
pub fn flag_for(address: &str, settings: &Settings, sessions: &Sessions) -> String {
    let mut named = settings.places();
    let is_there = |env: &Env| sessions.open(env).is_ok_and(|session| session.server() == address);
    match named.find(|(_, env)| is_there(env)) {
        Some((name, _)) => format!("--server {name}"),
        None => format!("--url {address}"),
    }
}
