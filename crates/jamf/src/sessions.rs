use crate::settings::Settings;
use crate::transport::Server;
use crate::watch::Warned;
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
    /// Warnings that the run has had.
    warned: Arc<Warned>,
}

impl Sessions {
    /// Nothing is opened yet.
    ///
    /// # Errors
    /// When `user_agent` cannot stand in a header.
    pub fn new(config: Config) -> Result<Self, Error> {
        HeaderValue::from_str(&config.user_agent).map_err(|error| Error::Client(error.into()))?;
        Ok(Self { config, open: Mutex::default(), warned: Arc::default() })
    }

    /// The session for the server and account that `env` names (see [`CONNECTION`](crate::CONNECTION)). Sends nothing: signing in waits for the first request.
    ///
    /// # Errors
    /// When the settings are incomplete or wrong, or the HTTP client cannot be built.
    pub fn open(&self, env: &Env) -> Result<Arc<Session>, Error> {
        let settings = Settings::from_env(env)?;
        let mut open = self.sessions();
        if let Some(session) = open.iter().find(|session| session.is_for(&settings)) {
            return Ok(Arc::clone(session));
        }
        let mut known = open.iter().map(|session| session.shared_server());
        let is_same = |server: &&Arc<Server>| {
            *server.address() == settings.address && server.gateway() == settings.gateway.as_ref()
        };
        let server = match known.find(is_same) {
            Some(server) => Arc::clone(server),
            None => {
                let gateway = settings.gateway.clone();
                Arc::new(Server::new(settings.address.clone(), gateway, &self.config)?)
            }
        };
        let pace =
            open.iter().find_map(|session| session.pace_of(&settings)).map(Arc::clone).unwrap_or_default();
        let session = Arc::new(Session::new(settings, server, pace, Arc::clone(&self.warned)));
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
