//! Who signs in.

use crate::SettingsError;
use pipeline::{Env, ExposeSecret as _, Secret, keys};
use std::fmt;

/// A user account or an API client.
#[derive(Clone, Debug)]
pub(crate) enum Account {
    User { name: String, password: Secret },
    Client { id: String, secret: Secret },
}

impl Account {
    /// An API client is preferred: a user account may be refused where single sign-on is enforced
    /// (`jamf-pro-api.md §2.1`).
    pub(crate) fn from_env(env: &Env) -> Result<Self, SettingsError> {
        let client = pair(
            (keys::CLIENT_ID.name(), env.get(keys::CLIENT_ID)?),
            (keys::CLIENT_SECRET.name(), env.get(keys::CLIENT_SECRET)?),
        )?;
        let user = pair(
            (keys::API_USERNAME.name(), env.get(keys::API_USERNAME)?),
            (keys::API_PASSWORD.name(), env.get(keys::API_PASSWORD)?),
        )?;
        match (client, user) {
            (Some((id, secret)), _) => Ok(Self::Client { id, secret }),
            (None, Some((name, password))) => Ok(Self::User { name, password }),
            (None, None) => Err(SettingsError::NoAccount),
        }
    }

    /// Its name, which is no secret.
    pub(crate) fn id(&self) -> &str {
        self.parts().1
    }

    fn parts(&self) -> (bool, &str, &str) {
        match self {
            Self::User { name, password } => (false, name, password.expose_secret()),
            Self::Client { id, secret } => (true, id, secret.expose_secret()),
        }
    }
}

impl PartialEq for Account {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User { name, .. } => write!(f, "user {name}"),
            Self::Client { id, .. } => write!(f, "API client {id}"),
        }
    }
}

/// Both, or neither; an empty entry is one that is not set.
fn pair(
    (id_key, id): (&'static str, Option<String>),
    (secret_key, secret): (&'static str, Option<Secret>),
) -> Result<Option<(String, Secret)>, SettingsError> {
    let id = id.filter(|id| !id.is_empty());
    let secret = secret.filter(|secret| !secret.expose_secret().is_empty());
    match (id, secret) {
        (Some(id), Some(secret)) => Ok(Some((id, secret))),
        (None, None) => Ok(None),
        (Some(_), None) => Err(SettingsError::HalfAnAccount { set: id_key, missing: secret_key }),
        (None, Some(_)) => Err(SettingsError::HalfAnAccount { set: secret_key, missing: id_key }),
    }
}
