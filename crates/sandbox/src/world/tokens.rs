use super::later;
use jiff::Timestamp;
use std::collections::HashMap;
use std::time::Duration;

/// Bearer tokens that are alive. They end with the process.
#[derive(Debug, Default)]
pub(crate) struct Tokens(HashMap<String, Life>);

#[derive(Debug)]
struct Life {
    account: usize,
    expires: Timestamp,
}

/// A new token.
pub(crate) struct Issued {
    pub token: String,
    pub expires: Timestamp,
}

impl Tokens {
    /// Signs the account with this number in.
    pub(crate) fn issue(&mut self, account: usize, life: Duration, now: Timestamp) -> Issued {
        self.0.retain(|_, life| life.expires > now);
        let token = format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
        let expires = later(now, life);
        self.0.insert(token.clone(), Life { account, expires });
        Issued { token, expires }
    }

    /// The account that the token belongs to, unless it has expired.
    pub(crate) fn account(&self, token: &str, now: Timestamp) -> Option<usize> {
        self.0.get(token).filter(|life| life.expires > now).map(|life| life.account)
    }

    /// Ends a token.
    pub(crate) fn end(&mut self, token: &str) {
        self.0.remove(token);
    }
}
