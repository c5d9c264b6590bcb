use crate::args::VerifyArgs;
use crate::desk::{self, Desk, Here};
use crate::error::Error;
use crate::exit::Exit;
use crate::remembered;
use crate::run::{Job, execute};
use crate::servers::Target;
use crate::settings::Settings;
use crate::shipped;
use jamf::Listing;
use pipeline::{Env, FileName, Origin, keys};
use state::{Delivery, State};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// `pkgferry verify`: looks again at what earlier runs have sent and not proven. It sends nothing and needs no local file.
pub async fn verify(args: VerifyArgs, settings: Settings, cancel: CancellationToken) -> Result<Exit, Error> {
    let desk = Desk::new(args.json, cancel.clone());
    let state = settings.state.look(&desk.cx)?;
    let left = match &state {
        Some(state) => state.unproven(None).map_err(Error::Remembered)?,
        None => Vec::new(),
    };
    let (Some(state), false) = (state, left.is_empty()) else {
        desk.display.say("nothing is left to prove\n")?;
        return desk.end();
    };
    let sessions = remembered::sessions(&state, Listing::ByName)?;
    let targets = settings.reveal_all(settings.targets(&args.variables.key, false)?, &desk.cx).await?;
    let (here, elsewhere) = desk::sort(left, targets, &sessions, |unproven| &unproven.server)?;
    if !args.forget.is_empty() {
        forget(&args.forget, &here, &state, &desk)?;
        return desk.end();
    }
    for Delivery { file, server, .. } in &elsewhere {
        let flag = desk::flag_for(server, &settings, &sessions);
        desk.cx.warn(format!("{file} on {server} is not proven; {flag} lets pkgferry verify look there"));
    }
    let jobs = |here: &Here<Delivery>| here.left.iter().map(|one| job(one, &here.target)).collect::<Vec<_>>();
    let jobs: Vec<_> = here.iter().flat_map(jobs).collect();
    if jobs.is_empty() {
        desk.display.say("nothing is left to prove here\n")?;
        return desk.end();
    }
    // It is opened again by the run.
    drop((sessions, state));
    execute(jobs, &settings, &args.mode(), cancel).await
}

/// The shipped recipe, for a file that need not be here any more.
fn job(unproven: &Delivery, target: &Target) -> Job {
    let Delivery { file, sent, record, .. } = unproven;
    let mut values = Env::new();
    values.set(keys::PKG_NAME, file.clone(), Origin::Runner);
    values.set(keys::PKG_SIZE, sent.size, Origin::Runner);
    values.set(keys::PKG_MD5, sent.md5, Origin::Runner);
    values.set(keys::PKG_SHA3_512, sent.sha3_512, Origin::Runner);
    if let Some(record) = record {
        values.set(keys::PACKAGE_ID, *record, Origin::Runner);
    }
    let chain = recipe::Library::default().load_source(&shipped::verify_package()).map(|mut chain| {
        chain.identifier = file.to_string();
        chain
    });
    Job::new(file.as_str(), Arc::new(chain), target, &values)
}

/// Nobody will ever prove what was deleted or replaced by somebody else.
fn forget(names: &[FileName], here: &[Here<Delivery>], state: &State, desk: &Desk) -> Result<(), Error> {
    for name in names {
        let is_named = |unproven: &&Delivery| name.same_name(unproven.file.as_str());
        let found: Vec<_> = here.iter().flat_map(|here| &here.left).filter(is_named).collect();
        if found.is_empty() {
            desk.cx.warn(format!("{name} is not among what is to be proven here"));
        }
        for unproven in found {
            state.forget_delivery(unproven).map_err(Error::Remembered)?;
            let Delivery { file, server, .. } = unproven;
            desk.display.say(&format!("{file} on {server} is not to be proven any more\n"))?;
        }
    }
    Ok(())
}
