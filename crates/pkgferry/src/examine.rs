use crate::args::{DoctorArgs, Size};
use crate::clock::SystemClock;
use crate::display::{count, line, on};
use crate::error::Error;
use crate::exit::Exit;
use crate::serve::Embedded;
use crate::servers::Target;
use crate::settings::Settings;
use doctor::{Expected, Finding, Level, StateFolder, Subject};
use jamf::Sessions;
use jiff::Timestamp;
use pipeline::{Access, Boundary, Clock as _, Context, Env, Silent, keys};
use s3_upload::Connections;
use serde::Serialize;
use std::io::Write as _;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Version of the JSON's shape. It grows when a key changes its meaning or goes; new keys do not count.
const VERSION: u32 = 1;

/// What was found about one server.
#[derive(Debug, Serialize)]
struct Examined {
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<String>,
    address: String,
    findings: Vec<Finding>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
enum Line<'a> {
    Examination { version: u32, time: Timestamp, exit_code: u8, servers: &'a [Examined] },
}

/// `pkgferry doctor`: examines each server, S3 and this machine. Nothing is written: the boundary refuses it.
pub async fn doctor(args: DoctorArgs, settings: Settings, cancel: CancellationToken) -> Result<Exit, Error> {
    let targets = settings.targets(&args.variables.key, args.rehearsal.sandbox)?;
    let expected = expected(&args)?;
    let clock = Arc::new(SystemClock);
    let embedded = Embedded::start(&args.rehearsal, clock.clone()).await?;
    let boundary = Arc::new(Boundary::new(Access::ReadOnly));
    // What the client notices on the way is what the findings are about.
    let cx = Context::new(clock.clone(), boundary, Arc::new(Silent), cancel.clone());
    let is_rehearsal = embedded.is_some();
    let state = if is_rehearsal { settings.state.of_rehearsal() } else { settings.state.clone() };
    let sessions = Sessions::new(jamf::Config::default()).map_err(Error::Client)?;
    let targets = match embedded {
        Some(_) => targets,
        None => settings.reveal_all(targets, &cx).await?,
    };
    let mut examined = Vec::with_capacity(targets.len());
    for target in &targets {
        let env = env(target, embedded.as_ref());
        let subject = Subject {
            sessions: &sessions,
            connections: &Connections::default(),
            env: &env,
            expected,
            state: match state.path() {
                Some(path) => StateFolder::At(path),
                None if is_rehearsal => StateFolder::OfRehearsal,
                None => StateFolder::Nowhere,
            },
            temporary: &std::env::temp_dir(),
            free: doctor::free,
        };
        let findings = doctor::judge(&doctor::observe(subject, &cx).await);
        examined.push(Examined { server: target.name.clone(), address: address(&env), findings });
        if cancel.is_cancelled() {
            break;
        }
    }
    sessions.close(&cx).await;
    if cancel.is_cancelled() {
        return Err(Error::Interrupted);
    }
    let blocks = examined.iter().flat_map(|one| &one.findings).any(|finding| finding.level == Level::Blocks);
    let exit = if blocks { Exit::Blocked } else { Exit::Done };
    if args.json {
        let (version, time, exit_code) = (VERSION, clock.now(), exit.code());
        line(&Line::Examination { version, time, exit_code, servers: &examined })?;
    } else {
        let mut out = std::io::stdout().lock();
        for one in &examined {
            out.write_all(shown(one).as_bytes())?;
        }
    }
    Ok(exit)
}

fn expected(args: &DoctorArgs) -> Result<Expected, Error> {
    let rate = args.rate << 20;
    let size = match &args.size {
        None => return Ok(Expected { rate, ..Expected::ASSUMED }),
        Some(Size::Bytes(bytes)) => *bytes,
        Some(Size::File(path)) => fingerprint::FileIdentity::of(path).map_err(Error::File)?.size,
    };
    Ok(Expected { size, is_assumed: false, rate })
}

/// The settings as a recipe would see them that says nothing itself.
fn env(target: &Target, embedded: Option<&Embedded>) -> Env {
    let mut env = target.env();
    if let Some(embedded) = embedded {
        env.overlay(&embedded.env());
    }
    env
}

/// What the server is called where it has no name.
fn address(env: &Env) -> String {
    let text = |key| env.get(key).ok().flatten().filter(|text: &String| !text.is_empty());
    match (text(keys::JSS_URL), text(keys::REGION)) {
        (Some(address), _) => address,
        (None, Some(region)) => format!("gateway in {region}"),
        (None, None) => "no server".to_owned(),
    }
}

/// The worst first; what could not be examined in one line at the end.
fn shown(examined: &Examined) -> String {
    let Examined { server, address, findings } = examined;
    let mut text = format!("{}\n", on(address, server.as_deref()));
    let (not_examined, told): (Vec<_>, Vec<_>) =
        findings.iter().partition(|finding| doctor::was_not_examined(finding));
    for finding in told {
        let Finding { check, level, what, why, mend } = finding;
        text.push_str(&format!("  {level:<7}  {check:<18}  {what}\n"));
        for (word, line) in [("why", why), ("mend", mend)] {
            if let Some(line) = line {
                text.push_str(&format!("  {:<7}  {:<18}  {word}: {line}\n", "", ""));
            }
        }
    }
    if !not_examined.is_empty() {
        let names: Vec<_> = not_examined.iter().map(|finding| finding.check.name()).collect();
        text.push_str(&format!("  not examined: {}\n", names.join(", ")));
    }
    let of = |level| findings.iter().filter(|finding| finding.level == level).count();
    let verdict = match (of(Level::Blocks), of(Level::Warning)) {
        (0, 0) => "nothing is wrong".to_owned(),
        (0, warnings) => count(warnings, "warning"),
        (blocks, 0) => format!("blocked by {}", count(blocks, "finding")),
        (blocks, warnings) => {
            format!("blocked by {}, and {}", count(blocks, "finding"), count(warnings, "warning"))
        }
    };
    text.push_str(&format!("  = {verdict}\n"));
    text
}
