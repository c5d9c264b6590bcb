//! The processor `jcds-credentials`: temporary S3 credentials for one upload (`jamf-pro-api.md §7.2`).
//!
//! Planning asks for nothing: credentials are obtained only when a file is going to be sent, right before the step
//! that sends it. It does not renew them; `s3-upload` does that while it works.
//!
//! ```
//! use jcds_credentials::JcdsCredentials;
//! use pipeline::Processor as _;
//! use std::sync::Arc;
//!
//! let sessions = Arc::new(jamf::Sessions::new(jamf::Config::default())?);
//! let step = JcdsCredentials::new(sessions);
//! assert_eq!(step.spec().name, "jcds-credentials");
//! # Ok::<(), jamf::Error>(())
//! ```

mod error;

pub use error::Error;

use jamf::{CONNECTION, Session, Sessions, UploadGrant};
use jiff::{SignedDuration, Timestamp};
use pipeline::{
    Applied, Change, Context, Env, EnvError, Failure, Input, Output, Plan, Processor, Spec, Subject, Verb,
    Verdict, join, keys,
};
use std::sync::Arc;

/// Credentials that end sooner than this are of no use: not even the request that begins an upload would fit in.
const TOO_SHORT: SignedDuration = SignedDuration::from_secs(5);

/// Obtains temporary credentials and hands them to the step that sends the file.
#[derive(Debug)]
pub struct JcdsCredentials {
    sessions: Arc<Sessions>,
}

impl JcdsCredentials {
    /// A step that talks through these sessions.
    #[must_use]
    pub fn new(sessions: Arc<Sessions>) -> Self {
        Self { sessions }
    }
}

impl Processor for JcdsCredentials {
    type Work = Arc<Session>;

    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn plan(&self, env: &Env, _cx: &Context) -> Result<Plan<Self::Work>, Failure> {
        if env.get(keys::VERDICT)? == Some(Verdict::Same) {
            let reason = env.get(keys::VERDICT_REASON)?;
            return Ok(Plan::skipped(reason.unwrap_or_else(|| "the server holds the same file".to_owned())));
        }
        let session = self.sessions.open(env)?;
        let change = Change::new(Verb::Obtain, Subject::Credentials, purpose(env)?);
        Ok(Plan::change(change, session))
    }

    async fn apply(&self, session: Self::Work, _env: &Env, cx: &Context) -> Result<Applied, Failure> {
        let grant = session.jcds_initiate(cx).await?;
        check(&grant, cx.clock().now())?;
        Ok(Applied::done(format!("upload credentials, good until {}", grant.expiration))
            .with(keys::JCDS_ACCESS_KEY_ID, grant.access_key_id)
            .with(keys::JCDS_SECRET_ACCESS_KEY, grant.secret_access_key)
            .with(keys::JCDS_SESSION_TOKEN, grant.session_token)
            .with(keys::JCDS_EXPIRATION, grant.expiration)
            .with(keys::JCDS_REGION, grant.region)
            .with(keys::JCDS_BUCKET, grant.bucket)
            .with(keys::JCDS_PATH, grant.path))
    }
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
const OWN: [Input; 4] = [
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
           server's file to be the same, nothing is asked for either.\n\n\
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
