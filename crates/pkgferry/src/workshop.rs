//! What the recipes of one command share: a display, one session for each server, the memory of this machine.

use crate::args::Mode;
use crate::clock::SystemClock;
use crate::display::{Display, ServerReport};
use crate::error::Error;
use crate::exit::Exit;
use crate::promote::Promoted;
use crate::remembered;
use crate::run::{Job, exit_of};
use crate::serve::Embedded;
use crate::settings::Settings;
use jamf::Sessions;
use pipeline::{Access, Boundary, Context, Origin};
use runner::{Registry, Report};
use s3_upload::Memory;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// It is opened once, and closed when all is done.
pub struct Workshop {
    /// What people and programs see.
    pub display: Display,
    /// One session for each server and account.
    pub sessions: Arc<Sessions>,
    /// What is remembered, and connections to S3.
    pub memory: Memory,
    clock: Arc<SystemClock>,
    boundary: Arc<Boundary>,
    cancel: CancellationToken,
    registry: Registry,
    embedded: Option<Embedded>,
    dry_run: bool,
    keep_partial: bool,
}

impl Workshop {
    /// Starts the rehearsal server if it is asked for, and opens the memory.
    pub async fn open(settings: &Settings, mode: &Mode, cancel: CancellationToken) -> Result<Self, Error> {
        let clock = Arc::new(SystemClock);
        let embedded = Embedded::start(&mode.rehearsal, clock.clone()).await?;
        let display = Display::new(mode.json, clock.clone());
        let access = if mode.dry_run { Access::ReadOnly } else { Access::ReadWrite };
        let boundary = Arc::new(Boundary::new(access));
        let cx = Context::new(clock.clone(), boundary.clone(), display.listener(None), cancel.clone());
        let folder = if embedded.is_some() { settings.state.of_rehearsal() } else { settings.state.clone() };
        let memory = folder.open(mode.rehash, &cx).map_err(Error::State)?;
        let sessions = Arc::new(remembered::sessions(&memory.state)?);
        let registry = crate::registry::registry(&sessions, &memory)?;
        Ok(Self {
            display,
            sessions,
            memory,
            clock,
            boundary,
            cancel,
            registry,
            embedded,
            dry_run: mode.dry_run,
            keep_partial: mode.keep_partial,
        })
    }

    /// A context that speaks of the work for a server.
    pub fn context(&self, server: Option<&str>) -> Context {
        let listener = self.display.listener(server);
        Context::new(self.clock.clone(), self.boundary.clone(), listener, self.cancel.clone())
    }

    /// Runs a recipe, and shows what came of it. Output that cannot be written is no reason to leave packages undelivered, so
    /// that it is told beside the report.
    pub async fn run(&self, mut job: Job) -> (ServerReport, Result<(), Error>) {
        let overrides = &mut job.target.overrides;
        if let Some(embedded) = &self.embedded {
            overrides.overlay(&embedded.env());
        }
        if self.keep_partial {
            overrides.set(s3_upload::KEEP_PARTIAL, true, Origin::Flag("--keep-partial"));
        }
        let server = job.target.name.clone();
        let report = match self.cancel.is_cancelled() {
            true => Report::not_begun(job.name, self.dry_run),
            false => {
                let cx = self.context(server.as_deref());
                job.run(self.dry_run, &self.registry, &cx).await
            }
        };
        let report = ServerReport { server, report };
        let shown = self.display.report(&report);
        (report, shown)
    }

    /// Signs out and shows what came of everything.
    pub async fn close(
        self,
        reports: &[ServerReport],
        shown: Result<(), Error>,
        mode: &Mode,
        promoted: Option<&Promoted>,
    ) -> Result<Exit, Error> {
        self.sessions.close(&self.context(None)).await;
        let exit = exit_of(reports, mode);
        match shown.and(self.display.finish(reports, self.boundary.traffic(), exit, promoted)) {
            Err(error) if !error.is_closed_pipe() => Err(error),
            _ => Ok(exit),
        }
    }
}
