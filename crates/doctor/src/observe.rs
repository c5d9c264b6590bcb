//! Asking. Whatever comes of it is an observation; nothing here fails.

use crate::{Calls, Expected, Family, Observations, Place, PlaceRole, Record, Remembered, Seen, Trouble};
use jamf::{Error, Fact, Privilege, Served, Session, Sessions, TokenFacts, Version};
use jiff::civil::Date;
use pipeline::{Context, Diagnose, Env, PackageApiChoice, RouteChoice, causes, keys};
use s3_upload::Connections;
use state::{Examined, State};
use std::path::Path;

/// Jamf's list of deprecations has the calls of the distribution service here (`user-pains.md` section 3), for servers that do
/// not tell of their calls themselves.
const JCDS_DEPRECATED: (Version, Date) = (Version::new(11, 24), Date::constant(2025, 8, 28));

/// Calls that are used, by what they belong to.
const USED: [(Family, &[(&str, &str)]); 3] = [
    (
        Family::Jcds,
        &[
            ("GET", "/v1/jcds/files"),
            ("POST", "/v1/jcds/files"),
            ("DELETE", "/v1/jcds/files/{fileName}"),
            ("POST", "/v1/jcds/renew-credentials"),
        ],
    ),
    (
        Family::Packages,
        &[
            ("GET", "/v1/packages"),
            ("POST", "/v1/packages"),
            ("GET", "/v1/packages/{id}"),
            ("PUT", "/v1/packages/{id}"),
            ("POST", "/v1/packages/{id}/upload"),
        ],
    ),
    (
        Family::DistributionPoint,
        &[
            ("GET", "/v1/cloud-distribution-point"),
            ("GET", "/v1/cloud-distribution-point/upload-capability"),
            ("POST", "/v1/cloud-distribution-point/refresh-inventory"),
        ],
    ),
];

/// Where the state is kept.
#[derive(Clone, Copy, Debug)]
pub enum StateFolder<'a> {
    /// Here, be it there already or not.
    At(&'a Path),
    /// Nobody says where.
    Nowhere,
    /// Nowhere on purpose: what is left at a rehearsal server ends with it.
    OfRehearsal,
}

/// What is to be examined.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Sessions to ask with.
    pub sessions: &'a Sessions,
    /// Connections to S3.
    pub connections: &'a Connections,
    /// Which server and account, and the settings about routes.
    pub env: &'a Env,
    /// The transfer that it is examined for.
    pub expected: Expected,
    /// The state folder.
    pub state: StateFolder<'a>,
    /// Where packages are kept that go from one server to another.
    pub temporary: &'a Path,
    /// Tells how many bytes are free where a path is, or would be: [`free`](crate::free), or what a test says.
    pub free: fn(&Path) -> Result<u64, String>,
}

/// Looks at a server, at S3 and at this machine. Only reads.
pub async fn observe(subject: Subject<'_>, cx: &Context) -> Observations {
    let Subject { sessions, connections, env, expected, state, temporary, free } = subject;
    let mut seen = Observations { expected, ..Observations::nothing(remembered(state)) };
    seen.places = places(state, temporary, free);
    // A setting of the wrong type is told by every run.
    seen.choice = env.get(keys::ROUTE).ok().flatten().unwrap_or(RouteChoice::Auto);
    seen.classic_forced = env.get(keys::PACKAGE_API).ok().flatten() == Some(PackageApiChoice::Classic);
    match sessions.open(env) {
        Ok(session) => {
            let (server, storage) = tokio::join!(server(seen, &session, cx), storage(connections, env, cx));
            seen = server;
            seen.storage = storage;
        }
        Err(error) => {
            seen.token = Seen::Failed(trouble(&error));
            seen.storage = storage(connections, env, cx).await;
        }
    }
    seen
}

async fn server(mut seen: Observations, session: &Session, cx: &Context) -> Observations {
    seen.kind = session.kind();
    seen.clock = match session.clock_difference(cx).await {
        Ok(Some(difference)) => Seen::Told(difference),
        Ok(None) => Seen::NotTold("its answers have no date".to_owned()),
        Err(error) => failed(&error),
    };
    seen.token = token(session, cx).await;
    if seen.token.told().is_none() {
        return seen;
    }
    let version = async { session.version(cx).await.map_or_else(|error| failed(&error), Seen::Told) };
    let lacking = async { fact(session.rights(cx).await).map(|rights| rights.lacking(&Privilege::ALL)) };
    let point = async { fact(session.distribution_point(cx).await) };
    let capability = async { fact(session.upload_capability(cx).await) };
    let served = async { fact(session.served(cx).await) };
    let records = async {
        let records = session.all_packages(cx).await.map_err(|error| failed(&error));
        records.map_or_else(
            |seen| seen,
            |records| {
                let record =
                    |record: &jamf::Package| Record { id: record.id, file: record.file_name.clone() };
                Seen::Told(records.iter().map(record).collect())
            },
        )
    };
    let files = async {
        let files = session.jcds_files(cx).await.map_err(|error| failed(&error));
        files.map_or_else(
            |seen| seen,
            |files| Seen::Told(files.iter().map(|file| file.name.clone()).collect()),
        )
    };
    let told: Seen<_>;
    (seen.version, seen.lacking, seen.point, seen.capability, told, seen.records, seen.files) =
        tokio::join!(version, lacking, point, capability, served, records, files);
    seen.calls = match told {
        Seen::Told(served) => Seen::Told(calls(&served)),
        other => match seen.version.told() {
            Some(version) if *version >= JCDS_DEPRECATED.0 => {
                Seen::Told(Calls { jcds: None, deprecated: vec![(Family::Jcds, Some(JCDS_DEPRECATED.1))] })
            }
            _ => other.map(|_| Calls::default()),
        },
    };
    seen
}

async fn token(session: &Session, cx: &Context) -> Seen<TokenFacts> {
    session.token(cx).await.map_or_else(|error| Seen::Failed(trouble(&error)), Seen::Told)
}

async fn storage(connections: &Connections, env: &Env, cx: &Context) -> Seen<s3_upload::Probe> {
    match s3_upload::probe(connections, env, cx).await {
        Ok(probe) => Seen::Told(probe),
        Err(error) => Seen::Failed(trouble(&error)),
    }
}

fn calls(served: &Served) -> Calls {
    let deprecated = |(family, calls): &(Family, &[(&str, &str)])| {
        let marks = calls.iter().filter_map(|(method, path)| served.deprecation(method, path));
        let earliest = marks.min_by_key(|mark| mark.since)?;
        Some((*family, earliest.since))
    };
    Calls {
        jcds: Some(served.has("POST", "/v1/jcds/files")),
        deprecated: USED.iter().filter_map(deprecated).collect(),
    }
}

fn fact<T>(fact: Result<Fact<T>, Error>) -> Seen<T> {
    match fact {
        Ok(Fact::Told(fact)) => Seen::Told(fact),
        Ok(Fact::NotAllowed(privilege)) => Seen::NotTold(format!("it takes {privilege}")),
        Ok(Fact::NotServed) => Seen::NotTold("this server does not know the question".to_owned()),
        Err(error) => failed(&error),
    }
}

/// What the account may not see, and what the server does not have, is no trouble: other checks tell of it.
fn failed<T>(error: &Error) -> Seen<T> {
    match error {
        Error::Interrupted => Seen::NotExamined,
        error if matches!(error.status(), Some(403..=405 | 410)) => Seen::NotTold(error.to_string()),
        error => Seen::Failed(trouble(error)),
    }
}

fn trouble(error: &impl Diagnose) -> Trouble {
    Trouble { message: causes(error).collect::<Vec<_>>().join(": "), hint: error.hint() }
}

fn remembered(folder: StateFolder<'_>) -> Remembered {
    let folder = match folder {
        StateFolder::At(folder) => folder.to_owned(),
        StateFolder::Nowhere => return Remembered::Nowhere,
        StateFolder::OfRehearsal => return Remembered::OfRehearsal,
    };
    let unusable = |error: state::Error| {
        let trouble = trouble(&error);
        Remembered::Unusable { folder: folder.clone(), trouble, is_damaged: false }
    };
    let set_aside = match state::examine(&folder) {
        Ok(Examined::Nothing) => return Remembered::Nothing { folder },
        Ok(Examined::Damaged { why }) => {
            let trouble = Trouble { message: why, hint: None };
            return Remembered::Unusable { folder, trouble, is_damaged: true };
        }
        Ok(Examined::Sound { set_aside }) => set_aside,
        Err(error) => return unusable(error),
    };
    match State::open(&folder).and_then(|opened| opened.state.left_over()) {
        Ok(left) => {
            let left_over = left.into_iter().map(|upload| (upload.file, upload.server)).collect();
            Remembered::Sound { folder, left_over, set_aside }
        }
        Err(error) => unusable(error),
    }
}

fn places(state: StateFolder<'_>, temporary: &Path, free: fn(&Path) -> Result<u64, String>) -> Vec<Place> {
    let place = |role, path: &Path| Place { role, path: path.to_owned(), free: free(path) };
    let state = match state {
        StateFolder::At(path) => Some(place(PlaceRole::State, path)),
        StateFolder::Nowhere | StateFolder::OfRehearsal => None,
    };
    state.into_iter().chain([place(PlaceRole::Temporary, temporary)]).collect()
}
