use crate::{Config, Error, Session};
use pipeline::{Context, Env};
use std::sync::Arc;

/// All servers and accounts of a run: one [`Session`] each, shared by every step of every recipe.
#[derive(Debug)]
pub struct Sessions {}

impl Sessions {
    /// Nothing is opened yet.
    ///
    /// # Errors
    /// When the HTTP client cannot be built.
    pub fn new(_config: Config) -> Result<Self, Error> {
        todo!()
    }

    /// The session for the server and account that `env` names (`JSS_URL`, `CLIENT_ID` and `CLIENT_SECRET`, or
    /// `API_USERNAME` and `API_PASSWORD`; `package_api`). Sends nothing: signing in waits for the first request.
    ///
    /// # Errors
    /// When the settings are incomplete or wrong.
    pub fn open(&self, _env: &Env) -> Result<Arc<Session>, Error> {
        todo!()
    }

    /// Invalidates the tokens. What fails is told as a notice: the work is done by then.
    pub async fn close(&self, _cx: &Context) {
        todo!()
    }
}
