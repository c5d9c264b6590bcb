use crate::file::Privacy;
use crate::keychain::{self, KeychainTool};
use crate::place::{CredentialName, Place, VariableName};
use crate::{Error, Fault, SecretSource, command, file};
use pipeline::{Context, Secret};
use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::OnceCell;

/// The folder with a service's credentials, which systemd names so.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";
/// Long enough for a vault far away, short enough to be noticed.
const LIMIT: Duration = Duration::from_secs(30);

type Lookup = Box<dyn Fn(&str) -> Option<OsString> + Send + Sync>;

/// What of the world secrets are taken from. Programs that are started have the environment of this process, whatever
/// `variable` says.
pub struct Surroundings {
    /// Looks up a variable of the process environment.
    pub variable: Lookup,
    /// The user's home folder, for `file:~/…`.
    pub home: Option<PathBuf>,
    /// Who knows the keychain.
    pub keychain: KeychainTool,
    /// How long a command, or the keychain, may take.
    pub limit: Duration,
}

impl Surroundings {
    /// Those of this system: the home folder by `HOME`, its own keychain, 30 seconds for a command.
    #[must_use]
    pub fn new(variable: impl Fn(&str) -> Option<OsString> + Send + Sync + 'static) -> Self {
        let home = variable("HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
        Self { variable: Box::new(variable), home, keychain: KeychainTool::of_this_system(), limit: LIMIT }
    }
}

impl fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surroundings")
            .field("home", &self.home)
            .field("keychain", &self.keychain)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

type Answer = Arc<OnceCell<Result<Secret, Error>>>;

/// The secrets of a run. Each place is asked when its secret is needed, and once, whoever needs it and whatever comes of it:
/// a command that hangs does so for one recipe, and not for a hundred.
#[derive(Debug)]
pub struct Secrets {
    surroundings: Surroundings,
    known: Mutex<HashMap<Place, Answer>>,
}

impl Secrets {
    /// Nothing is asked yet.
    #[must_use]
    pub fn new(surroundings: Surroundings) -> Self {
        Self { surroundings, known: Mutex::default() }
    }

    /// The secret.
    ///
    /// # Errors
    /// When the place has none, or none that may be used. The same again for the same place, but for an interruption.
    pub async fn resolve(&self, cx: &Context, source: &SecretSource) -> Result<Secret, Error> {
        let place = match source {
            SecretSource::Plain(secret) => return Ok(secret.clone()),
            SecretSource::At(place) => place,
        };
        let answer = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry(place.clone()).or_default())
        };
        let asked = answer.get_or_try_init(|| async {
            match self.ask(cx, place).await {
                // It says nothing about the place.
                Err(Error::Interrupted) => Err(Error::Interrupted),
                told => Ok(told),
            }
        });
        asked.await?.clone()
    }

    async fn ask(&self, cx: &Context, place: &Place) -> Result<Secret, Error> {
        let Surroundings { home, keychain, limit, .. } = &self.surroundings;
        match place {
            Place::Variable(name) => self.variable(place, name),
            Place::File(path) => {
                let path =
                    path.in_home(home.as_deref()).ok_or_else(|| Error::NoHome { place: place.clone() })?;
                file::secret(place, path, Privacy::Owner).await
            }
            Place::Credential(name) => file::secret(place, self.credential(name)?, Privacy::Group).await,
            Place::Command(line) => command::secret(place, line, *limit, cx).await,
            Place::Keychain(item) => keychain::secret(keychain, item, *limit, cx).await,
        }
    }

    fn variable(&self, place: &Place, name: &VariableName) -> Result<Secret, Error> {
        let value = (self.surroundings.variable)(name.as_str()).ok_or_else(|| Error::Unset(name.clone()))?;
        let unusable = |fault| Error::Unusable { place: place.clone(), fault, said: None };
        let value = value.into_string().map_err(|_| unusable(Fault::NotUtf8))?;
        crate::text::secret(value.as_bytes()).map_err(unusable)
    }

    fn credential(&self, name: &CredentialName) -> Result<PathBuf, Error> {
        let folder = (self.surroundings.variable)(CREDENTIALS).filter(|folder| !folder.is_empty());
        let folder = folder.ok_or_else(|| Error::NoCredentials(name.clone()))?;
        Ok(PathBuf::from(folder).join(name.as_str()))
    }
}
