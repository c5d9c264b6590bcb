use crate::settings::Settings;
use crate::transport::Server;
use crate::{Config, Error, Session};
use futures_util::future::join_all;
use pipeline::{Context, Env};
use reqwest::header::HeaderValue;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// All servers and accounts of a run: one [`Session`] each, shared by every step of every recipe.
#[derive(Debug)]
pub struct Sessions {
    config: Config,
    /// A run talks to a handful at most.
    open: Mutex<Vec<Arc<Session>>>,
}

impl Sessions {
    /// Nothing is opened yet.
    ///
    /// # Errors
    /// When `user_agent` cannot stand in a header.
    pub fn new(config: Config) -> Result<Self, Error> {
        HeaderValue::from_str(&config.user_agent).map_err(|error| Error::Client(error.into()))?;
        Ok(Self { config, open: Mutex::default() })
    }

    /// The session for the server and account that `env` names (`JSS_URL`, `CLIENT_ID` and `CLIENT_SECRET`, or
    /// `API_USERNAME` and `API_PASSWORD`; `package_api`). Sends nothing: signing in waits for the first request.
    ///
    /// # Errors
    /// When the settings are incomplete or wrong, or the HTTP client cannot be built.
    pub fn open(&self, env: &Env) -> Result<Arc<Session>, Error> {
        let settings = Settings::from_env(env)?;
        let mut open = self.sessions();
        if let Some(session) = open.iter().find(|session| session.is_for(&settings)) {
            return Ok(Arc::clone(session));
        }
        let known = open.iter().map(|session| session.shared_server());
        let server = match known.into_iter().find(|server| *server.address() == settings.address) {
            Some(server) => Arc::clone(server),
            None => Arc::new(Server::new(settings.address.clone(), &self.config)?),
        };
        let session = Arc::new(Session::new(settings, server));
        open.push(Arc::clone(&session));
        Ok(session)
    }

    /// Invalidates the tokens. What fails is told as a notice: the work is done by then.
    pub async fn close(&self, cx: &Context) {
        let open = self.sessions().clone();
        join_all(open.iter().map(|session| session.close(cx))).await;
    }

    fn sessions(&self) -> MutexGuard<'_, Vec<Arc<Session>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
