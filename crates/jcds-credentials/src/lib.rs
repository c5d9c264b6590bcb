//! The processor `jcds-credentials`: temporary S3 credentials for one upload (`jamf-pro-api.md §7.2`).
//!
//! Planning asks for nothing: credentials are obtained only when a file is going to be sent, right before the step
//! that sends it. If an earlier run has left an upload of the file unfinished, the credentials of that upload are renewed,
//! so that `s3-upload` can go on with it. While it works, `s3-upload` renews them by itself.
//!
//! ```
//! use jcds_credentials::JcdsCredentials;
//! use pipeline::Processor as _;
//! use std::sync::Arc;
//!
//! let sessions = Arc::new(jamf::Sessions::new(jamf::Config::default())?);
//! let step = JcdsCredentials::new(sessions, state::State::in_memory()?);
//! assert_eq!(step.spec().name, "jcds-credentials");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;

pub use error::Error;

use jamf::{CONNECTION, Session, Sessions, UploadGrant};
use jiff::{SignedDuration, Timestamp};
use pipeline::{
    Applied, Change, Context, Env, EnvError, Failure, Input, Output, Plan, Processor, Route, Spec, Subject,
    Verb, Verdict, causes, join, keys,
};
use state::{State, StoredUpload};
use std::sync::Arc;

/// Credentials that end sooner than this are of no use: not even the request that begins an upload would fit in.
const TOO_SHORT: SignedDuration = SignedDuration::from_secs(5);

/// Obtains temporary credentials and hands them to the step that sends the file.
#[derive(Debug)]
pub struct JcdsCredentials {
    sessions: Arc<Sessions>,
    state: State,
}

impl JcdsCredentials {
    /// A step that talks through these sessions, and looks there for what earlier runs have left unfinished.
    #[must_use]
    pub fn new(sessions: Arc<Sessions>, state: State) -> Self {
        Self { sessions, state }
    }

    /// The latest upload of this file that was begun on this server and not finished.
    fn left_over(&self, session: &Session, env: &Env) -> Option<StoredUpload> {
        let name = keys::file_name(env).ok()?;
        // What cannot be read is not gone on with.
        let mut left = self.state.left_over().ok()?.into_iter();
        left.rfind(|left| left.server == session.server() && name.same_name(&left.file))
    }
}

/// Renews the credentials of an upload that was left unfinished, whose place they still open (`jamf-pro-api.md §7.3`).
/// `None` if the server will not; then there are new ones to be had.
async fn renew(session: &Session, left: &StoredUpload, cx: &Context) -> Option<UploadGrant> {
    let first = UploadGrant::of_place(&left.place.region, &left.place.bucket, &left.place.prefix);
    match session.jcds_renew(cx, &first).await {
        // The upload goes on where it began, whatever the answer says about the place.
        Ok(grant) => {
            Some(UploadGrant { region: first.region, bucket: first.bucket, path: first.path, ..grant })
        }
        // Nothing is lost that could be had.
        Err(jamf::Error::Superseded) => None,
        Err(error) => {
            let why = causes(&error).collect::<Vec<_>>().join(": ");
            cx.warn(format!("what an earlier run left of {} cannot be gone on with ({why})", left.file));
            None
        }
    }
}

impl Processor for JcdsCredentials {
    type Work = Arc<Session>;

    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn plan(&self, env: &Env, _cx: &Context) -> Result<Plan<Self::Work>, Failure> {
        if let Some(reason) = keys::other_route(env, Route::Jcds)? {
            return Ok(Plan::skipped(reason));
        }
        if env.get(keys::VERDICT)? == Some(Verdict::Same) {
            let reason = env.get(keys::VERDICT_REASON)?;
            return Ok(Plan::skipped(reason.unwrap_or_else(|| "the server holds the same file".to_owned())));
        }
        let session = self.sessions.open(env)?;
        let change = Change::new(Verb::Obtain, Subject::Credentials, purpose(env)?);
        Ok(Plan::change(change, session))
    }

    async fn apply(&self, session: Self::Work, env: &Env, cx: &Context) -> Result<Applied, Failure> {
        let renewed = match self.left_over(&session, env) {
            Some(left) => renew(&session, &left, cx).await,
            None => None,
        };
        let for_what = if renewed.is_some() { " for the upload that an earlier run began" } else { "" };
        let grant = match renewed {
            Some(grant) => grant,
            None => session.jcds_initiate(cx).await.map_err(|error| refused(error, env))?,
        };
        check(&grant, cx.clock().now())?;
        Ok(Applied::done(format!("upload credentials{for_what}, good until {}", grant.expiration))
            .with(keys::JCDS_ACCESS_KEY_ID, grant.access_key_id)
            .with(keys::JCDS_SECRET_ACCESS_KEY, grant.secret_access_key)
            .with(keys::JCDS_SESSION_TOKEN, grant.session_token)
            .with(keys::JCDS_EXPIRATION, grant.expiration)
            .with(keys::JCDS_REGION, grant.region)
            .with(keys::JCDS_BUCKET, grant.bucket)
            .with(keys::JCDS_PATH, grant.path))
    }
}

/// Nothing has been sent as yet, so the other route may be taken where the server gives no credentials.
fn refused(error: jamf::Error, env: &Env) -> Failure {
    let is_refusal = error.is_refusal();
    let failure = Failure::from(error);
    if is_refusal { failure.or_fallback(env) } else { failure }
}

/// What the credentials are for. The request itself names no file (`jamf-pro-api.md §7.2`), so the name may be missing.
fn purpose(env: &Env) -> Result<String, EnvError> {
    match keys::file_name(env) {
        Ok(name) => Ok(name.to_string()),
        Err(EnvError::Missing(_)) => Ok("an upload".to_owned()),
        Err(error) => Err(error),
    }
}

fn check(grant: &UploadGrant, now: Timestamp) -> Result<(), Error> {
    if grant.expiration.duration_since(now) < TOO_SHORT {
        return Err(Error::Ended { expiration: grant.expiration, now });
    }
    Ok(())
}

/// What it reads besides the [connection](jamf::CONNECTION).
const OWN: [Input; 6] = [
    Input::optional(
        keys::CHOSEN_ROUTE,
        "The route that choose-route chose. On another than `jcds` nothing is asked for.",
    ),
    Input::optional(keys::FALLBACK_ROUTE, "The route to take when the server gives no credentials."),
    Input::optional(keys::VERDICT, "What compare-hash found. If it is `same`, no credentials are asked for."),
    Input::optional(keys::VERDICT_REASON, "Why, for the plan."),
    Input::optional(keys::PKG_NAME, "Name of the file that is going to be sent, for messages."),
    Input::optional(keys::PKG_PATH, "The local file, whose name is used where `pkg_name` is not set."),
];

static INPUTS: [Input; CONNECTION.len() + OWN.len()] = join(&CONNECTION, &OWN);

static SPEC: Spec = Spec {
    name: "jcds-credentials",
    summary: "obtains temporary credentials for one upload into the distribution service",
    docs: "Asks Jamf Pro for temporary Amazon S3 credentials. They open one folder of one bucket for a limited time, so \
           put this step right before s3-upload. A dry run asks for nothing. When an earlier compare-hash found the \
           server's file to be the same, nothing is asked for either. For an upload that an earlier run has left unfinished, its \
           credentials are renewed. Where the server refuses, and choose-route named another route, the recipe is planned again on \
           that one.\n\n\
           The API role or account needs the privilege Create Jamf Cloud Distribution Service Files.",
    writes: true,
    inputs: &INPUTS,
    outputs: &[
        Output::applied(keys::JCDS_ACCESS_KEY_ID, "Temporary access key id."),
        Output::applied(keys::JCDS_SECRET_ACCESS_KEY, "Temporary secret key. Never printed."),
        Output::applied(keys::JCDS_SESSION_TOKEN, "Session token that goes with the key. Never printed."),
        Output::applied(keys::JCDS_EXPIRATION, "When the three end."),
        Output::applied(keys::JCDS_REGION, "AWS region of the bucket."),
        Output::applied(keys::JCDS_BUCKET, "The bucket."),
        Output::applied(
            keys::JCDS_PATH,
            "Folder in the bucket that the credentials open, with a slash at the end.",
        ),
    ],
};
