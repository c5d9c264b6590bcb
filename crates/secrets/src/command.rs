//! A program that prints a secret.

use crate::place::{CommandLine, Place};
use crate::text::LONGEST;
use crate::{Error, said, text};
use pipeline::{Context, Secret};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;

/// As much of the standard error is kept.
const KEPT: usize = 16 << 10;

/// What a program did.
pub(crate) struct Finished {
    status: ExitStatus,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

impl Finished {
    pub(crate) fn succeeded(&self) -> bool {
        self.status.success()
    }

    /// The exit status, if no signal ended it.
    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// What it said, as far as it may be shown.
    pub(crate) fn said(&self) -> Option<String> {
        said::redacted(&self.stderr, &self.stdout)
    }

    /// That it failed.
    pub(crate) fn failure(&self, place: &Place) -> Error {
        Error::Ended { place: place.clone(), ending: ending(self.status), said: self.said() }
    }

    /// The secret on its standard output.
    pub(crate) fn secret(&self, place: &Place) -> Result<Secret, Error> {
        let unusable = |fault| Error::Unusable { place: place.clone(), fault, said: self.said() };
        text::secret(&self.stdout).map_err(unusable)
    }
}

/// The secret that the program prints.
pub(crate) async fn secret(
    place: &Place,
    line: &CommandLine,
    limit: Duration,
    cx: &Context,
) -> Result<Secret, Error> {
    let finished = run(place, line.program(), line.arguments(), limit, cx).await?;
    // Whoever prints without end is stopped by a signal, which is not why there is no secret.
    if finished.succeeded() || finished.stdout.len() > LONGEST {
        finished.secret(place)
    } else {
        Err(finished.failure(place))
    }
}

/// Runs a program to its end. It dies with this future, and when its time is over.
pub(crate) async fn run(
    place: &Place,
    program: &str,
    arguments: &[String],
    limit: Duration,
    cx: &Context,
) -> Result<Finished, Error> {
    if cx.cancelled().is_cancelled() {
        return Err(Error::Interrupted);
    }
    let running = tokio::time::timeout(limit, to_the_end(place, program, arguments));
    match cx.cancelled().run_until_cancelled(running).await {
        None => Err(Error::Interrupted),
        Some(Err(_)) => Err(Error::Late { place: place.clone(), limit }),
        Some(Ok(finished)) => finished,
    }
}

async fn to_the_end(place: &Place, program: &str, arguments: &[String]) -> Result<Finished, Error> {
    let not_started = |source| Error::NotStarted {
        place: place.clone(),
        program: program.escape_debug().to_string(),
        source: Arc::new(source),
    };
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(not_started)?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (stdout, stderr, status) = tokio::join!(up_to(stdout, LONGEST), beginning(stderr), child.wait());
    let unreadable = |source| Error::Read { place: place.clone(), source: Arc::new(source) };
    Ok(Finished {
        status: status.map_err(unreadable)?,
        stdout: stdout.map_err(unreadable)?,
        stderr: stderr.map_err(unreadable)?,
    })
}

/// Up to one byte more than `most`. Then the pipe is closed, and whoever goes on writing to it ends.
async fn up_to(pipe: Option<impl AsyncRead + Unpin>, most: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        pipe.take(most as u64 + 1).read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}

/// The beginning. What comes after it is read all the same: a program that cannot complain may not end.
async fn beginning(pipe: Option<impl AsyncRead + Unpin>) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let Some(mut pipe) = pipe else { return Ok(bytes) };
    (&mut pipe).take(KEPT as u64).read_to_end(&mut bytes).await?;
    tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await?;
    Ok(bytes)
}

fn ending(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("signal {signal}");
    }
    status.code().map_or_else(|| "no exit status".to_owned(), |code| format!("exit status {code}"))
}
