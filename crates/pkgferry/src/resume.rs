use crate::args::ResumeArgs;
use crate::desk::{self, Desk, Here};
use crate::error::Error;
use crate::exit::Exit;
use crate::remembered;
use crate::run::{Job, execute};
use crate::servers::Target;
use crate::settings::Settings;
use crate::shipped;
use jamf::Listing;
use pipeline::{Env, Origin, Value, keys};
use s3_upload::{Abandoned, Outlook};
use state::StoredUpload;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// A journal knows the file, and nothing of the recipe that had it sent.
const FILE_ALONE: &str = "files are delivered with their names alone; category, notes and the like are set by the next run of their recipes\n";

/// `pkgferry resume`: goes on with what earlier runs have left unfinished on the server, and removes what nobody can go on
/// with.
pub async fn resume(args: ResumeArgs, settings: Settings, cancel: CancellationToken) -> Result<Exit, Error> {
    let Desk { display, cx, .. } = Desk::new(args.json, cancel.clone());
    let memory = settings.state.open(false, &cx).map_err(Error::State)?;
    let left = memory.state.left_over().map_err(Error::State)?;
    if left.is_empty() {
        display.say("nothing was left unfinished\n")?;
        return Ok(Exit::Done);
    }
    let sessions = remembered::sessions(&memory.state, Listing::ByName)?;
    let (mut removed, mut jobs, mut open) = (Vec::new(), Vec::new(), Vec::new());
    let targets = settings.reveal_all(settings.targets(&[], false)?, &cx).await?;
    let (here, elsewhere) = desk::sort(left, targets, &sessions, |upload| &upload.server)?;
    for Here { target, session, left } in here {
        if !left.is_empty() {
            let unwanted = |upload: &StoredUpload| args.discard || Outlook::of(upload) == Outlook::Over;
            removed.extend(s3_upload::discard(&memory, &session, &cx, unwanted).await);
        }
        for upload in left.into_iter().filter(|_| !args.discard) {
            match Outlook::of(&upload) {
                Outlook::GoesOn => jobs.push(job(&upload, &target)),
                Outlook::MayAppear => open.push(upload.file),
                Outlook::Over => {}
            }
        }
    }
    sessions.close(&cx).await;
    for other in &elsewhere {
        cx.warn(format!(
            "an upload of {} to {} is unfinished; name that server to go on",
            other.file, other.server
        ));
    }
    for file in &open {
        cx.warn(format!(
            "S3 was asked to put {file} together, and its local file is gone or another one now: what was sent is left \
             alone, since it may be all that there is; run the recipe of {file}, or give it up with --discard"
        ));
    }
    for (file, came_to) in &removed {
        let end = match came_to {
            Abandoned::LeftToS3 => {
                "stays in S3 until S3 removes it by itself, since nobody may ask for it any more"
            }
            Abandoned::Removed | Abandoned::Stays => "was removed",
        };
        cx.warn(format!("what an earlier run left of {file} {end}"));
    }
    if !jobs.is_empty() {
        display.say(FILE_ALONE)?;
    }
    // The journals are opened again by the run.
    drop(memory);
    execute(jobs, &settings, &args.mode(), cancel).await
}

/// The shipped recipe, for the file as it was called. What else a recipe said about the record, its next run says again.
fn job(upload: &StoredUpload, target: &Target) -> Job {
    let mut values = Env::new();
    let known = [
        (keys::PKG_PATH.name(), upload.path.to_string_lossy().into_owned()),
        (keys::PKG_NAME.name(), upload.file.clone()),
    ];
    for (name, value) in known {
        values.insert(name, Value::String(value), Origin::Runner, false);
    }
    let chain = recipe::Library::default().load_source(&shipped::upload_package()).map(|mut chain| {
        chain.identifier.clone_from(&upload.file);
        chain
    });
    Job::new(&upload.file, Arc::new(chain), target, &values)
}
