//! What must not be shown although a server says it: some echo the credentials that they refuse.

use crate::account::Account;
use crate::encode;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use pipeline::{ExposeSecret as _, Secret};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

const IN_PLACE: &str = "***";
/// Shorter ones are parts of words, and no secrets.
const SHORTEST: usize = 4;
/// Older tokens have ended long since.
const TOKENS: usize = 16;

/// The secrets that were ever sent to a server, or came from it.
#[derive(Debug, Default)]
pub(crate) struct Redactor(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// Secrets of accounts, in every form in which they travel.
    accounts: Vec<Secret>,
    /// The newest at the end.
    tokens: VecDeque<Secret>,
}

impl Redactor {
    /// Learns the secret of an account.
    pub(crate) fn learn_account(&self, account: &Account) {
        let (Account::User { name, password: secret } | Account::Client { id: name, secret }) = account;
        let mut known = self.known();
        known.accounts.extend(forms(name, secret.expose_secret()).into_iter().filter_map(usable));
    }

    /// Learns a token.
    pub(crate) fn learn_token(&self, token: &Secret) {
        let mut known = self.known();
        known.tokens.extend(usable(token.expose_secret().to_owned()));
        if known.tokens.len() > TOKENS {
            known.tokens.pop_front();
        }
    }

    /// The text with `***` in the place of each secret.
    pub(crate) fn redact(&self, mut text: String) -> String {
        let known = self.known();
        let mut secrets: Vec<&str> =
            known.accounts.iter().chain(&known.tokens).map(Secret::expose_secret).collect();
        // One may be a part of another, whose rest would show.
        secrets.sort_unstable_by_key(|secret| std::cmp::Reverse(secret.len()));
        for secret in secrets {
            if text.contains(secret) {
                text = text.replace(secret, IN_PLACE);
            }
        }
        text
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn usable(secret: String) -> Option<Secret> {
    (secret.len() >= SHORTEST).then(|| Secret::from(secret))
}

/// A secret as it is, in a form or an address (the three ways of writing one), in a `Basic` header, and in JSON or HTML
/// that is too broken to be read.
fn forms(name: &str, secret: &str) -> [String; 7] {
    let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let in_json = serde_json::Value::from(secret).to_string();
    [
        secret.to_owned(),
        encode::encoded(secret),
        encode::encoded_in_lower_case(secret),
        form,
        BASE64_STANDARD.encode(format!("{name}:{secret}")),
        in_json.trim_matches('"').to_owned(),
        quick_xml::escape::escape(secret).into_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_hidden_however_it_is_written() {
        let redactor = Redactor::default();
        let password = Secret::from("a pä55+w<o\"rd");
        redactor.learn_account(&Account::User { name: "jane".into(), password });
        for form in [
            "a pä55+w<o\"rd",
            "a%20p%C3%A455%2Bw%3Co%22rd",
            "a%20p%c3%a455%2bw%3co%22rd",
            "a+p%C3%A455%2Bw%3Co%22rd",
            "amFuZTphIHDDpDU1K3c8byJyZA==",
            "a pä55+w<o\\\"rd",
            "a pä55+w&lt;o&quot;rd",
        ] {
            assert_eq!(redactor.redact(format!("say {form}!")), "say ***!");
        }
    }

    #[test]
    fn the_rest_of_a_longer_secret_does_not_show_and_short_ones_are_words() {
        let redactor = Redactor::default();
        for token in ["token", "token-and-more", "an"] {
            redactor.learn_token(&Secret::from(token));
        }
        assert_eq!(redactor.redact("token-and-more and token".into()), "*** and ***");
    }
}
