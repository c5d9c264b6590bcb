//! The token of one account (`jamf-pro-api.md §2`).

use crate::account::Account;
use crate::answer::Answer;
use crate::call::{Call, Format};
use crate::transport::{Authorization, Server};
use crate::{Error, ServerKind, SignInError, encode, wire};
use jiff::{SignedDuration, Timestamp};
use pipeline::{Context, ExposeSecret as _, Secret};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

const USER_TOKEN: &str = "/api/v1/auth/token";
const KEEP_ALIVE: &str = "/api/v1/auth/keep-alive";
const INVALIDATE: &str = "/api/v1/auth/invalidate-token";
const CLIENT_TOKEN: &str = "/api/v1/oauth/token";
const OLD_CLIENT_TOKEN: &str = "/api/oauth/token";
/// Where gateways give tokens: clients and the published schema disagree (§14, §19.15).
const GATEWAY_TOKEN: &str = "/auth/token";
const OTHER_GATEWAY_TOKEN: &str = "/oauth2/token";

/// Life of a user's token (§2.1), for when the clocks here and there disagree.
const USER_TOKEN_LIFE: SignedDuration = SignedDuration::from_mins(30);
/// Jamf's default for API clients (§2.5).
const CLIENT_TOKEN_LIFE: SignedDuration = SignedDuration::from_secs(60);
/// As Jamf documents it for the gateway (`user-pains.md` section 3).
const GATEWAY_TOKEN_LIFE: SignedDuration = SignedDuration::from_secs(900);
/// The work is done: nobody waits longer for a goodbye.
const GOODBYE: Duration = Duration::from_secs(10);

/// A token and its times.
#[derive(Debug)]
pub(crate) struct Token {
    secret: Secret,
    asked: Timestamp,
    /// From here on it is renewed before it is used.
    due: Timestamp,
    end: Timestamp,
}

impl Token {
    /// The margin shrinks with the life: Jamf's default for API clients is a minute (§2.5).
    fn new(secret: Secret, asked: Timestamp, life: SignedDuration) -> Self {
        let margin = SignedDuration::from_secs(30).min(life / 4);
        let at = |after| asked.saturating_add(after).unwrap_or(Timestamp::MAX);
        Self { secret, asked, due: at(life - margin), end: at(life) }
    }

    /// From its asking to its end.
    pub(crate) fn life(&self) -> Duration {
        Duration::try_from(self.end.duration_since(self.asked)).unwrap_or_default()
    }

    /// Whether no more than a tenth of its life has passed.
    fn is_young(&self, now: Timestamp) -> bool {
        Duration::try_from(now.duration_since(self.asked)).is_ok_and(|age| age <= self.life() / 10)
    }

    pub(crate) fn authorization(&self) -> Authorization<'_> {
        Authorization::Bearer(&self.secret)
    }
}

#[derive(Debug)]
enum State {
    SignedOut,
    SignedIn(Arc<Token>),
    /// Asking again would only lock the account.
    Refused(Box<SignInError>),
}

/// Signs an account in, keeps its token fresh, and signs it out. All callers share one renewal: it happens under the
/// lock.
#[derive(Debug)]
pub(crate) struct Tokens {
    server: Arc<Server>,
    account: Account,
    state: Mutex<State>,
}

impl Tokens {
    pub(crate) fn new(server: Arc<Server>, account: Account) -> Self {
        server.redactor().learn_account(&account);
        Self { server, account, state: Mutex::new(State::SignedOut) }
    }

    /// A token that is good for now.
    pub(crate) async fn current(&self, cx: &Context) -> Result<Arc<Token>, Error> {
        self.unless(cx, |token, now| now < token.due).await
    }

    /// A token with nearly all of its life before it, for a request that takes long: nobody knows when a server looks at the
    /// token of one (`jamf-pro-api.md §2.5`).
    pub(crate) async fn fresh(&self, cx: &Context) -> Result<Arc<Token>, Error> {
        self.unless(cx, |token, now| now < token.due && token.is_young(now)).await
    }

    /// The token if it is good, else a new one.
    async fn unless(
        &self,
        cx: &Context,
        is_good: impl Fn(&Token, Timestamp) -> bool,
    ) -> Result<Arc<Token>, Error> {
        let mut state = self.state.lock().await;
        let outcome = match &*state {
            State::Refused(error) => return Err(error.clone().into()),
            State::SignedIn(token) if is_good(token, cx.clock().now()) => return Ok(Arc::clone(token)),
            State::SignedIn(token) => self.renew(cx, token).await,
            State::SignedOut => self.sign_in(cx).await,
        };
        self.settle(cx, &mut state, outcome)
    }

    /// Whether its tokens are renewed rather than asked for anew.
    pub(crate) fn is_renewable(&self) -> bool {
        matches!(self.account, Account::User { .. })
    }

    /// A token in place of one that the server has just refused: the one that somebody else got meanwhile, else a new
    /// one.
    pub(crate) async fn replace(&self, cx: &Context, refused: &Arc<Token>) -> Result<Arc<Token>, Error> {
        let mut state = self.state.lock().await;
        match &*state {
            State::Refused(error) => return Err(error.clone().into()),
            State::SignedIn(token) if !Arc::ptr_eq(token, refused) => return Ok(Arc::clone(token)),
            _ => {}
        }
        let outcome = self.sign_in(cx).await;
        self.settle(cx, &mut state, outcome)
    }

    /// Invalidates the token, if there is one. A token that is invalid already is no failure (§2.3).
    pub(crate) async fn close(&self, cx: &Context) {
        let mut state = self.state.lock().await;
        let State::SignedIn(token) = std::mem::replace(&mut *state, State::SignedOut) else { return };
        // A gateway has no call for it (§14).
        if cx.clock().now() >= token.end || self.server.gateway().is_some() {
            return;
        }
        let call = Call::post(INVALIDATE).signs_in();
        // Signing out also happens after Ctrl-C.
        let goodbye = self.server.exchange_to_the_end(cx, &call, token.authorization());
        let trouble = match tokio::time::timeout(GOODBYE, goodbye).await {
            Ok(Ok(answer)) if answer.status.is_success() || answer.status == 401 => return,
            Ok(Ok(answer)) => crate::error::chain(&answer.into_error()),
            Ok(Err(error)) => crate::error::chain(&error),
            Err(_) => format!("{}: no answer for {} s", call.request(), GOODBYE.as_secs()),
        };
        cx.warn(format!("the token of {} stays valid until it ends by itself: {trouble}", self.account));
    }

    /// Users renew theirs; for API clients that is not safe, and they ask for a new one (§2.2).
    async fn renew(&self, cx: &Context, token: &Token) -> Result<Token, Error> {
        let asked = cx.clock().now();
        if self.is_renewable() && asked < token.end {
            let call = Call::post(KEEP_ALIVE).signs_in();
            match self.server.send(cx, &call, token.authorization()).await {
                Ok(answer) => return user_token(cx, &answer, asked),
                Err(Error::Interrupted) => return Err(Error::Interrupted),
                Err(error) => tracing::debug!("keep-alive failed, signing in again: {error}"),
            }
        }
        self.sign_in(cx).await
    }

    async fn sign_in(&self, cx: &Context) -> Result<Token, Error> {
        let outcome = match &self.account {
            Account::User { name, password } => self.user_sign_in(cx, name, password).await,
            Account::Client { id, secret } => self.client_sign_in(cx, id, secret).await,
        };
        outcome.map_err(|error| match error {
            Error::Status(rejection) if matches!(rejection.status(), 400 | 401 | 403 | 404) => Error::from(
                Box::new(SignInError::new(self.server.address().as_str(), &self.account, *rejection)),
            ),
            other => other,
        })
    }

    async fn user_sign_in(&self, cx: &Context, name: &str, password: &Secret) -> Result<Token, Error> {
        let asked = cx.clock().now();
        let call = Call::post(USER_TOKEN).signs_in();
        let answer = self.server.send(cx, &call, Authorization::Basic(name, password)).await?;
        user_token(cx, &answer, asked)
    }

    /// The path with a version replaces the older one; servers that lack it answer 404 (§2.5). Gateways have two too.
    async fn client_sign_in(&self, cx: &Context, id: &str, secret: &Secret) -> Result<Token, Error> {
        let form = encode::pairs(&[
            ("grant_type", "client_credentials"),
            ("client_id", id),
            ("client_secret", secret.expose_secret()),
        ]);
        let at = |path| Call::post(path).signs_in().body(Format::Form, form.clone());
        let asked = cx.clock().now();
        let (first, second, life) = match self.server.kind() {
            ServerKind::Instance => (CLIENT_TOKEN, OLD_CLIENT_TOKEN, CLIENT_TOKEN_LIFE),
            ServerKind::Gateway => (GATEWAY_TOKEN, OTHER_GATEWAY_TOKEN, GATEWAY_TOKEN_LIFE),
        };
        let answer = match self.server.send(cx, &at(first), Authorization::Nobody).await {
            Err(error) if error.is_absence() => {
                self.server.send(cx, &at(second), Authorization::Nobody).await?
            }
            other => other?,
        };
        client_token(&answer, asked, life)
    }

    /// Remembers what signing in came to. After trouble on the way the state stays: the next caller tries again.
    fn settle(
        &self,
        cx: &Context,
        state: &mut State,
        outcome: Result<Token, Error>,
    ) -> Result<Arc<Token>, Error> {
        match outcome {
            Ok(token) => {
                self.server.redactor().learn_token(&token.secret);
                let token = Arc::new(token);
                *state = State::SignedIn(Arc::clone(&token));
                Ok(token)
            }
            Err(error) => {
                if let Error::SignIn(refusal) = &error {
                    *state = State::Refused(refusal.clone());
                }
                self.server.life().no_sign_in(cx, &error);
                Err(error)
            }
        }
    }
}

fn user_token(cx: &Context, answer: &Answer, asked: Timestamp) -> Result<Token, Error> {
    let expected = "a token";
    let json = answer.json(expected)?;
    let secret = token_text(answer, &json, "token")?;
    let expires: Option<Timestamp> = wire::text(&json, "expires").and_then(|time| time.parse().ok());
    let life = expires.map_or(USER_TOKEN_LIFE, |expires| expires.duration_since(asked));
    if life > SignedDuration::ZERO {
        return Ok(Token::new(secret, asked, life));
    }
    // A 401 renews the token in any case, so a guess does no harm.
    cx.warn(
        "the server gave a token that has ended by the clock of this machine: one of the two clocks is wrong",
    );
    Ok(Token::new(secret, asked, USER_TOKEN_LIFE))
}

/// `usual`: its life where the answer does not tell it.
fn client_token(answer: &Answer, asked: Timestamp, usual: SignedDuration) -> Result<Token, Error> {
    let json = answer.json("a token")?;
    let secret = token_text(answer, &json, "access_token")?;
    let life = wire::number(&json, "expires_in")
        .and_then(|seconds| i64::try_from(seconds).ok())
        .map_or(usual, SignedDuration::from_secs);
    Ok(Token::new(secret, asked, life))
}

/// A token goes into a header, so it is visible ASCII.
fn token_text(answer: &Answer, json: &serde_json::Value, key: &str) -> Result<Secret, Error> {
    let text = wire::filled(json, key).filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic()));
    text.map(Secret::from).ok_or_else(|| answer.lacks("a token", &format!("usable {key}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_margin_is_30_seconds_or_a_quarter_of_the_life() {
        let asked: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let due = |life| {
            let token = Token::new(Secret::from("t"), asked, SignedDuration::from_secs(life));
            (token.due.duration_since(asked).as_secs_f64(), token.end.duration_since(asked).as_secs())
        };
        assert_eq!(due(1800), (1770.0, 1800));
        assert_eq!(due(59), (44.25, 59));
        assert_eq!(due(0), (0.0, 0));
        assert!(due(i64::MAX).1 > 0);
    }

    #[test]
    fn times_are_read_with_any_number_of_digits() {
        for digits in 0..=9 {
            let fraction = if digits == 0 { String::new() } else { format!(".{}", &"481000000"[..digits]) };
            let time: Timestamp = format!("2026-11-20T12:30:00{fraction}Z").parse().unwrap();
            assert_eq!(time.as_second(), 1_795_177_800, "{digits}");
        }
    }
}
