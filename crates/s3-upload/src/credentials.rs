//! The upload's credentials, as the SDK asks for them: before every try of every request.

use crate::s3_error::{RenewalFailed, in_full};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use jamf::{Session, UploadGrant};
use jiff::{SignedDuration, Timestamp};
use pipeline::{Context, ExposeSecret as _, Secret};
use std::cmp::Reverse;
use std::fmt;
use std::sync::Arc;
use tokio::sync::Mutex;

/// JamfSync renews when less than this remains (`jamf-pro-api.md §7.2`).
const AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// Credentials that are renewed before they end. Clones share them.
///
/// Only the keys are replaced: the upload goes on in the first bucket and under the first path, whatever the renewal
/// says about them (`jamf-pro-api.md §7.3`).
#[derive(Clone)]
pub(crate) struct LiveCredentials {
    /// Who renews them; `None`: nobody.
    session: Option<Arc<Session>>,
    /// Deaf to Ctrl-C: who waits for credentials decides whether to go on waiting.
    cx: Context,
    state: Arc<Mutex<State>>,
    secrets: Arc<Secrets>,
}

struct State {
    grant: UploadGrant,
    /// What was left of them when they came.
    life: SignedDuration,
    renew_at: Timestamp,
}

impl State {
    fn new(grant: UploadGrant, now: Timestamp) -> Self {
        let life = grant.expiration.duration_since(now);
        Self { life, renew_at: renewal_time(now, grant.expiration), grant }
    }

    /// Whether they surely last that long. Of short-lived ones no more than half of their life is asked, or they would
    /// never do.
    fn last(&self, needed: SignedDuration, now: Timestamp) -> bool {
        let known = self.grant.expiration != Timestamp::MAX;
        let remaining = self.grant.expiration.duration_since(now);
        known && remaining > SignedDuration::ZERO && remaining >= needed.min(self.life / 2)
    }
}

impl LiveCredentials {
    pub(crate) fn new(grant: UploadGrant, session: Arc<Session>, cx: &Context) -> Self {
        Self::renewed_by(Some(session), grant, cx)
    }

    /// Credentials that nobody renews.
    pub(crate) fn fixed(grant: UploadGrant, cx: &Context) -> Self {
        Self::renewed_by(None, grant, cx)
    }

    fn renewed_by(session: Option<Arc<Session>>, grant: UploadGrant, cx: &Context) -> Self {
        let cx = cx.shielded();
        let state = State::new(grant, cx.clock().now());
        let secrets = Secrets::default();
        secrets.add(&state.grant);
        Self { session, cx, state: Arc::new(Mutex::new(state)), secrets: Arc::new(secrets) }
    }

    /// A text without any secret that these credentials have ever held: a server may repeat what it was sent.
    pub(crate) fn hide(&self, text: &str) -> String {
        self.secrets.hide(text)
    }

    /// S3 says that the credentials have ended, whatever our clock says: the next request gets new ones.
    pub(crate) async fn distrust(&self) {
        let mut state = self.state.lock().await;
        state.renew_at = Timestamp::MIN;
        state.grant.expiration = Timestamp::MIN;
    }

    /// Sees to it that they last that long, and renews them if they may not.
    ///
    /// # Errors
    /// They may not, and could not be renewed: why; or the new ones have ended as well, by our clock: nothing.
    pub(crate) async fn outlast(&self, needed: SignedDuration) -> Result<(), Option<jamf::Error>> {
        let mut state = self.state.lock().await;
        if state.last(needed, self.now()) {
            return Ok(());
        }
        self.renew(&mut state).await?;
        if state.last(needed, self.now()) { Ok(()) } else { Err(None) }
    }

    async fn renew(&self, state: &mut State) -> Result<(), jamf::Error> {
        let Some(session) = &self.session else { return Ok(()) };
        let grant = session.jcds_renew(&self.cx, &state.grant).await?;
        self.cx.info(format!("upload credentials renewed, good until {}", grant.expiration));
        self.secrets.add(&grant);
        *state = State::new(grant, self.now());
        Ok(())
    }

    fn now(&self) -> Timestamp {
        self.cx.clock().now()
    }

    /// One request renews, and all others wait for it at the lock.
    async fn current(&self) -> Result<Credentials, CredentialsError> {
        let mut state = self.state.lock().await;
        let now = self.now();
        if now >= state.renew_at {
            match self.renew(&mut state).await {
                Ok(()) => {}
                Err(error) if now < state.grant.expiration => {
                    let end = state.grant.expiration;
                    self.cx.warn(format!(
                        "upload credentials could not be renewed ({}); the old ones are good until {end}",
                        in_full(&error)
                    ));
                    state.renew_at = end;
                }
                Err(error) => return Err(CredentialsError::provider_error(RenewalFailed(Arc::new(error)))),
            }
        }
        let grant = &state.grant;
        Ok(Credentials::new(
            &grant.access_key_id,
            grant.secret_access_key.expose_secret(),
            Some(grant.session_token.expose_secret().to_owned()),
            None,
            "jcds",
        ))
    }
}

/// The secrets of all credentials so far: a request may have been signed with the ones before.
#[derive(Default)]
struct Secrets(std::sync::Mutex<Vec<Secret>>);

impl Secrets {
    fn add(&self, grant: &UploadGrant) {
        let both = [grant.secret_access_key.clone(), grant.session_token.clone()];
        let mut all = self.all();
        all.extend(both.into_iter().filter(|secret| !secret.expose_secret().is_empty()));
        // Longer ones are hidden first, because a shorter one may be a piece of them.
        all.sort_by_key(|secret| Reverse(secret.expose_secret().len()));
    }

    fn hide(&self, text: &str) -> String {
        self.all().iter().fold(text.to_owned(), |text, secret| text.replace(secret.expose_secret(), "***"))
    }

    fn all(&self) -> std::sync::MutexGuard<'_, Vec<Secret>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Well before the end, but never so early that short-lived credentials would be renewed for every request.
fn renewal_time(now: Timestamp, expiration: Timestamp) -> Timestamp {
    let remaining = expiration.duration_since(now).max(SignedDuration::ZERO);
    expiration - AHEAD.min(remaining / 2)
}

impl ProvideCredentials for LiveCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.current())
    }
}

impl fmt::Debug for LiveCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveCredentials").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_last_if_enough_of_them_is_left() {
        let grant = |end: &str| UploadGrant {
            access_key_id: String::new(),
            secret_access_key: String::new().into(),
            session_token: String::new().into(),
            expiration: end.parse().unwrap(),
            region: String::new(),
            bucket: String::new(),
            path: String::new(),
        };
        let needed = SignedDuration::from_mins(10);
        let last = |end: &str, now: &str| {
            State::new(grant(end), "2026-11-20T12:00:00Z".parse().unwrap()).last(needed, now.parse().unwrap())
        };
        assert!(last("2026-11-20T13:00:00Z", "2026-11-20T12:50:00Z"));
        assert!(!last("2026-11-20T13:00:00Z", "2026-11-20T12:50:01Z"));
        assert!(last("2026-11-20T12:04:00Z", "2026-11-20T12:02:00Z"), "half of a short life");
        assert!(!last("2026-11-20T12:04:00Z", "2026-11-20T12:02:01Z"));
        assert!(!last("2026-11-20T11:00:00Z", "2026-11-20T12:00:00Z"), "ended when it came");
        assert!(!last(&Timestamp::MAX.to_string(), "2026-11-20T12:00:00Z"), "an end that is not known");
    }

    #[test]
    fn renewal_comes_five_minutes_before_the_end_or_halfway() {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let at = |end: &str| renewal_time(now, end.parse().unwrap()).to_string();
        assert_eq!(at("2026-11-20T13:00:00Z"), "2026-11-20T12:55:00Z");
        assert_eq!(at("2026-11-20T12:04:00Z"), "2026-11-20T12:02:00Z");
        assert_eq!(at("2026-11-20T11:00:00Z"), "2026-11-20T11:00:00Z");
        assert!(renewal_time(now, Timestamp::MAX) > now);
    }
}
