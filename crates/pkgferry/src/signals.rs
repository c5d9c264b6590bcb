use crate::error::Error;
use crate::exit::Exit;
use std::future::Future;
use tokio_util::sync::CancellationToken;

/// Runs the program's work until it ends. The first Ctrl-C or SIGTERM asks it to end cleanly; a second one does not wait.
pub fn supervise<F>(work: impl FnOnce(CancellationToken) -> F) -> Result<Exit, Error>
where
    F: Future<Output = Result<Exit, Error>>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Error::Runtime)?;
    let cancel = CancellationToken::new();
    let result = runtime.block_on(async {
        let work = work(cancel.clone());
        tokio::pin!(work);
        tokio::select! {
            // In this order: a signal that comes with the first line of output must be listened for by then.
            biased;
            () = interrupted() => cancel.cancel(),
            result = &mut work => return result,
        }
        tokio::select! {
            result = work => result,
            () = interrupted() => Ok(Exit::Interrupted),
        }
    });
    // A read of the file that is still going on must not hold up the end.
    runtime.shutdown_background();
    result
}

#[cfg(unix)]
async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => ctrl_c().await,
    }
}

#[cfg(not(unix))]
async fn interrupted() {
    ctrl_c().await;
}

async fn ctrl_c() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Without a handler the system ends the process itself, as it would any other.
        std::future::pending::<()>().await;
    }
}

/// Runs what does not wait by itself, such as looking through folders, so that an interrupt ends it at once.
pub async fn blocking<T: Send + 'static>(
    cancel: &CancellationToken,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    match cancel.run_until_cancelled(tokio::task::spawn_blocking(work)).await {
        Some(Ok(result)) => Ok(result),
        Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
        None => Err(Error::Interrupted),
    }
}
