use crate::args::ResumeArgs;
use crate::clock::SystemClock;
use crate::display::Display;
use crate::error::Error;
use crate::exit::Exit;
use crate::run::{Job, execute};
use crate::settings::Settings;
use crate::shipped;
use fingerprint::FileIdentity;
use jamf::Sessions;
use pipeline::{Access, Boundary, Context, Env, Origin, Value, keys};
use state::StoredUpload;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// `pkgferry resume`: goes on with what earlier runs have left unfinished on the server, and removes what nobody can go on
/// with.
pub async fn resume(args: ResumeArgs, settings: Settings, cancel: CancellationToken) -> Result<Exit, Error> {
    let clock = Arc::new(SystemClock);
    let display = Display::new(args.json, clock.clone());
    let boundary = Arc::new(Boundary::new(Access::ReadWrite));
    let cx = Context::new(clock, boundary, display.listener(), cancel.clone());
    let memory = settings.state.open(false, &cx).map_err(Error::State)?;
    let left = memory.state.left_over().map_err(Error::State)?;
    if left.is_empty() {
        display.say("nothing was left unfinished\n")?;
        return Ok(Exit::Done);
    }
    let sessions = Sessions::new(jamf::Config::default()).map_err(Error::Client)?;
    let session = sessions.open(&connection(&settings)).map_err(Error::Client)?;
    let (here, elsewhere): (Vec<_>, Vec<_>) =
        left.into_iter().partition(|upload| upload.server == session.server());
    for other in &elsewhere {
        cx.warn(format!(
            "an upload of {} to {} is unfinished; name that server to go on",
            other.file, other.server
        ));
    }
    let goes_on = |upload: &StoredUpload| !args.discard && is_there(upload);
    let removed = s3_upload::discard(&memory, &session, &cx, |upload| !goes_on(upload)).await;
    sessions.close(&cx).await;
    for file in &removed {
        cx.warn(format!("what an earlier run left of {file} was removed"));
    }
    let jobs: Vec<Job> =
        here.iter().filter(|upload| goes_on(upload)).map(|upload| job(upload, &settings)).collect();
    // The journals are opened again by the run.
    drop(memory);
    execute(jobs, &settings, &args.mode(), cancel).await
}

/// Whether the file that was being sent is still the same.
fn is_there(upload: &StoredUpload) -> bool {
    FileIdentity::of(&upload.path).is_ok_and(|identity| identity == upload.identity)
}

/// The settings that lead to the server.
fn connection(settings: &Settings) -> Env {
    let mut env = settings.preferences.clone();
    env.overlay(&settings.overrides);
    env
}

/// The shipped recipe, for the file as it was called. What else a recipe said about the record, its next run says again.
fn job(upload: &StoredUpload, settings: &Settings) -> Job {
    let mut overrides = settings.overrides.clone();
    let values = [
        (keys::PKG_PATH.name(), upload.path.to_string_lossy().into_owned()),
        (keys::PKG_NAME.name(), upload.file.clone()),
    ];
    for (name, value) in values {
        overrides.insert(name, Value::String(value), Origin::Runner, false);
    }
    let chain = recipe::Library::default().load_source(&shipped::upload_package()).map(|mut chain| {
        chain.identifier.clone_from(&upload.file);
        chain
    });
    Job { name: upload.file.clone(), chain, overrides }
}
