//! A package's file through Jamf Pro, onto its record (`jamf-pro-api.md §5.4`).

use crate::answer::Answer;
use crate::call::Call;
use crate::error::{Phase, Request};
use crate::form::{Fault, Form, Gauge, Progress};
use crate::retry::Next;
use crate::transport::{Authorization, Server, late};
use crate::{Error, Privilege, Session};
use pipeline::{Context, PackageId};
use reqwest::header::CONTENT_TYPE;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::fs::File;

/// Bytes a second below which a line is as good as dead. A modem of 1998 was faster.
const FLOOR: u64 = 1024;
/// What a server that has got all bytes puts away in a second, at the least: it passes them on before it answers.
const PUT_AWAY: u64 = 4 << 20;

/// A file to be sent onto a package record.
#[derive(Clone, Copy, Debug)]
pub struct PackageFile<'a> {
    /// Where it is.
    pub path: &'a Path,
    /// The file name of the record, exactly as the server spells it: anything else is refused.
    pub name: &'a str,
    /// Its size in bytes, as it was when the file was looked at.
    pub size: u64,
    /// How long hardly anything may move (less than 1 KiB a second) before a try is given up. The answer may take as long
    /// after the last byte, and longer by a second for each 4 MiB.
    pub patience: Duration,
}

impl Session {
    /// Sends a file onto a package record; one that is there is replaced. It is streamed in little memory, from its start at
    /// each try; `progress` is told the bytes of the current one. How long it takes is not limited, only how long nothing
    /// moves.
    ///
    /// That the server took the bytes does not mean that it can deliver them (`jamf-pro-api.md §11.1`). Metadata has to be
    /// written before, since a later write blanks the size (`§5.3`).
    ///
    /// # Errors
    /// When the file cannot be read, or ends sooner or later than at `size`: then the server has taken none of it. When the
    /// server refuses ([`Error::is_refusal`]), or cannot be reached.
    pub async fn upload_package(
        &self,
        cx: &Context,
        id: PackageId,
        file: &PackageFile<'_>,
        progress: impl Fn(u64) + Send + Sync + 'static,
    ) -> Result<(), Error> {
        let path = format!("/api/v1/packages/{id}/upload");
        // A second upload replaces the first.
        let call = Call::post(path).needs(Privilege::UpdatePackages).repeatable();
        self.hold_against_schema(cx, &call).await?;
        let progress: Progress = Arc::new(progress);
        let mut outcome = self.upload(cx, &call, file, &progress).await;
        // A record that was made a moment ago may not be known yet to the node that answers (§13.1).
        if matches!(&outcome, Err(error) if error.is_absence())
            && self.is_fresh(cx, id)
            && self.package(cx, id).await?.is_some()
        {
            outcome = self.upload(cx, &call, file, &progress).await;
        }
        self.packages.written(id, None);
        self.jcds_name_changed(file.name);
        outcome.map(drop)
    }

    async fn upload(
        &self,
        cx: &Context,
        call: &Call,
        file: &PackageFile<'_>,
        progress: &Progress,
    ) -> Result<Answer, Error> {
        let server = self.shared_server();
        let form = Form::new(file.name, file.size, &server.boundary());
        let mut attempts = server.attempts(call);
        let mut renewed = false;
        loop {
            let token = self.tokens().fresh(cx).await?;
            self.pace().wait(cx).await?;
            let sending = server.carry(cx, call, token.authorization(), file, &form, progress);
            let outcome =
                cx.cancelled().run_until_cancelled(sending).await.unwrap_or(Err(Error::Interrupted));
            self.learn(cx, &outcome);
            if !renewed && matches!(&outcome, Ok(answer) if answer.status == 401) {
                self.tokens().replace(cx, &token).await?;
                renewed = true;
                continue;
            }
            match attempts.judge(outcome, cx.clock().now())? {
                Next::Done(answer) => return Ok(answer),
                Next::Again(again) => server.pause(cx, again).await?,
            }
        }
    }
}

impl Server {
    /// Sends a form once.
    async fn carry(
        &self,
        cx: &Context,
        call: &Call,
        authorization: Authorization<'_>,
        file: &PackageFile<'_>,
        form: &Form,
        progress: &Progress,
    ) -> Result<Answer, Error> {
        let _place = self.place().await;
        let request = self.request(call);
        let url = self.url(call, &request);
        let opened = open(file).await?;
        self.pass(cx, call, &url)?;
        let gauge = Gauge::new(Arc::clone(progress));
        // Whoever goes away in the middle, or is answered in the middle, wants nothing more to be sent.
        let _end = End(Arc::clone(&gauge));
        let sending = self
            .prepare(self.carrier()?, call, &url, authorization)
            .header(CONTENT_TYPE, form.content_type())
            .body(reqwest::Body::wrap(form.body(opened, Arc::clone(&gauge))))
            .send();
        let limits = Limits {
            patience: file.patience,
            answer: patience_for_answer(file, self.config().timeouts.header),
        };
        let sent = unless_stalled(sending, limits, || gauge.moved(), form.length()).await;
        if let Some(fault) = gauge.fault() {
            return Err(unsendable(file, fault));
        }
        let response = match sent {
            Ok(Ok(response)) => response,
            Ok(Err(source)) => return Err(self.broken(&request, source)),
            Err(Stalled { phase, limit }) => return Err(late(&request, phase, limit)),
        };
        tracing::debug!(method = %request.method, path = url.path(), status = response.status().as_u16());
        if response.status().is_success() && gauge.moved() < form.length() {
            return Err(too_soon(request));
        }
        self.redirected(&request, &response)?;
        self.answer(call, request, response).await
    }
}

struct End(Arc<Gauge>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Opens a file that still is as large as it was.
async fn open(file: &PackageFile<'_>) -> Result<File, Error> {
    let unreadable = |source| Error::Unreadable { path: file.path.to_owned(), source };
    let opened = File::open(file.path).await.map_err(unreadable)?;
    let found = opened.metadata().await.map_err(unreadable)?.len();
    if found == file.size { Ok(opened) } else { Err(changed(file, format!("has {found}"))) }
}

fn unsendable(file: &PackageFile<'_>, fault: &Fault) -> Error {
    match fault {
        Fault::Read(error) => {
            let source = std::io::Error::new(error.kind(), error.to_string());
            Error::Unreadable { path: file.path.to_owned(), source }
        }
        Fault::Ended(sent) => changed(file, format!("ended after {sent}")),
        Fault::Grown => changed(file, "goes on behind them".to_owned()),
    }
}

fn changed(file: &PackageFile<'_>, found: String) -> Error {
    Error::Changed { path: file.path.to_owned(), expected: file.size, found }
}

fn too_soon(request: Request) -> Error {
    let found = "it came before the file was sent".to_owned();
    Error::Decode { request, expected: "one to an upload", found, source: None }
}

/// How long nothing may happen.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// While there are bytes to send.
    patience: Duration,
    /// Afterwards.
    answer: Duration,
}

fn patience_for_answer(file: &PackageFile<'_>, header: Duration) -> Duration {
    file.patience.max(header) + Duration::from_secs(file.size / PUT_AWAY)
}

#[derive(Debug, PartialEq, Eq)]
struct Stalled {
    phase: Phase,
    limit: Duration,
}

/// Gives up sending when too little moves. It waits on the runtime's clock, because the network does not follow an injected
/// one.
async fn unless_stalled<T>(
    sending: impl Future<Output = T>,
    limits: Limits,
    moved: impl Fn() -> u64,
    of: u64,
) -> Result<T, Stalled> {
    let window = limits.patience.max(Duration::from_millis(1));
    let enough = FLOOR.saturating_mul(u64::try_from(window.as_millis()).unwrap_or(u64::MAX)) / 1000;
    let mut sending = pin!(sending);
    let (mut before, mut quiet) = (moved(), Duration::ZERO);
    loop {
        if let Ok(sent) = tokio::time::timeout(window, &mut sending).await {
            return Ok(sent);
        }
        let now = moved();
        let (phase, limit) = if now < of { (Phase::Sending, window) } else { (Phase::Header, limits.answer) };
        quiet = if now - before >= enough.max(1) { Duration::ZERO } else { quiet + window };
        if quiet >= limit {
            return Err(Stalled { phase, limit });
        }
        before = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    const LIMITS: Limits = Limits { patience: Duration::from_secs(10), answer: Duration::from_secs(35) };

    fn never() -> std::future::Pending<()> {
        std::future::pending()
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stands_still_or_trickles_is_given_up() {
        let begun = tokio::time::Instant::now();
        let stalled = unless_stalled(never(), LIMITS, || 7, 10).await;
        assert_eq!(stalled, Err(Stalled { phase: Phase::Sending, limit: LIMITS.patience }));
        assert_eq!(begun.elapsed(), LIMITS.patience);

        let moved = AtomicU64::new(0);
        let trickle = || moved.fetch_add(1000, Ordering::Relaxed);
        assert!(unless_stalled(never(), LIMITS, trickle, u64::MAX).await.is_err());
        assert_eq!(begun.elapsed(), 2 * LIMITS.patience);
    }

    #[tokio::test(start_paused = true)]
    async fn slow_is_not_stalled_and_the_answer_has_its_own_time() {
        let day = Duration::from_secs(24 * 60 * 60);
        let moved = AtomicU64::new(0);
        let slow = || moved.fetch_add(FLOOR * 10, Ordering::Relaxed);
        assert!(unless_stalled(tokio::time::timeout(day, never()), LIMITS, slow, u64::MAX).await.is_ok());

        let begun = tokio::time::Instant::now();
        let stalled = unless_stalled(never(), LIMITS, || 10, 10).await;
        assert_eq!(stalled, Err(Stalled { phase: Phase::Header, limit: LIMITS.answer }));
        assert_eq!(begun.elapsed(), Duration::from_secs(40), "in steps of the patience");
    }

    #[test]
    fn the_answer_to_ten_gibibytes_may_take_three_quarters_of_an_hour() {
        let file = |size| PackageFile { path: Path::new(""), name: "", size, patience: LIMITS.patience };
        let minute = Duration::from_secs(60);
        assert_eq!(patience_for_answer(&file(1), minute), minute);
        assert_eq!(patience_for_answer(&file(10 << 30), minute), Duration::from_secs(60 + 2560));
        assert!(patience_for_answer(&file(u64::MAX), minute) > minute);
    }
}
