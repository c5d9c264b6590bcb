//! Calls are held against what the server says of them before they are made, so that people hear of their end before it
//! comes (`user-pains.md` row 50).

use crate::call::Call;
use crate::facts::Fact;
use crate::memory::Memory;
use crate::served::{Deprecation, Served, known_deprecation};
use crate::transport::Authorization;
use crate::{Error, ServerKind, Session};
use pipeline::Context;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

const SCHEMA: &str = "/api/schema/";
/// The note about a server that does not serve it.
const NOT_SERVED: &str = "none";

/// The families of calls that a run was warned about.
#[derive(Debug, Default)]
pub(crate) struct Warned(Mutex<HashSet<String>>);

impl Warned {
    fn is_first(&self, family: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(family.to_owned())
    }
}

/// What a session knows of its server's calls.
#[derive(Debug)]
pub(crate) struct Watch {
    warned: Arc<Warned>,
    served: Memory<(), Fact<Arc<Served>>>,
    /// Asked once, whatever came of it.
    asked: tokio::sync::OnceCell<()>,
}

impl Watch {
    pub(crate) fn new(warned: Arc<Warned>) -> Self {
        Self { warned, served: Memory::default(), asked: tokio::sync::OnceCell::new() }
    }
}

impl Session {
    /// What the server says of its own calls, in its schema. Remembered, also between runs where
    /// [`notes`](crate::Config::notes) are kept: per version, since the schema is megabytes. Not served by gateways. It takes
    /// no account, but the version does, under which it is kept.
    ///
    /// Nobody's work depends on it: a server that cannot be asked, or answers with something else, does not serve it.
    ///
    /// # Errors
    /// When the account is refused or the run is interrupted.
    pub async fn served(&self, cx: &Context) -> Result<Fact<Arc<Served>>, Error> {
        if self.kind() == ServerKind::Gateway {
            return Ok(Fact::NotServed);
        }
        self.watch().served.get((), || self.look_up_served(cx)).await
    }

    /// What was kept, else what the server says now. That it says nothing is kept too, but not that there was trouble.
    async fn look_up_served(&self, cx: &Context) -> Result<Fact<Arc<Served>>, Error> {
        let notes = self.shared_server().config().notes.as_ref();
        let key = match notes {
            Some(_) => self.note_key(cx).await?,
            None => None,
        };
        let notes = notes.zip(key.as_deref());
        if let Some(note) = notes.and_then(|(notes, key)| notes.get(key)) {
            if note == NOT_SERVED {
                return Ok(Fact::NotServed);
            }
            if let Some(served) = Served::from_note(&note) {
                return Ok(Fact::Told(Arc::new(served)));
            }
        }
        let call = Call::get(SCHEMA).once().unwatched();
        let served = match self.shared_server().send(cx, &call, Authorization::Nobody).await {
            Ok(answer) => Served::from_schema(&answer.body).ok().flatten(),
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            Err(error) => {
                tracing::debug!("the server does not tell of its calls: {error}");
                if !error.is_refusal() && error.status() != Some(401) {
                    return Ok(Fact::NotServed);
                }
                None
            }
        };
        if let Some((notes, key)) = notes {
            notes.put(key, &served.as_ref().map_or_else(|| NOT_SERVED.to_owned(), Served::to_note));
        }
        Ok(served.map_or(Fact::NotServed, |served| Fact::Told(Arc::new(served))))
    }

    /// Asks what is not known yet: the version for the list of known deprecations, and the schema. The version is asked for
    /// in any case, since [`served`](Session::served) keeps what it finds under it.
    async fn served_or_version(&self, cx: &Context) -> Result<(), Error> {
        match self.kind() {
            ServerKind::Instance => self.served(cx).await.map(drop),
            ServerKind::Gateway => self.note_key(cx).await.map(drop),
        }
    }

    /// Under what a server of this version is kept; nothing where the version is not to be had.
    async fn note_key(&self, cx: &Context) -> Result<Option<String>, Error> {
        match self.version_once(cx).await {
            Ok(version) => Ok(Some(format!("served {} {version}", self.server()))),
            Err(error @ (Error::Interrupted | Error::SignIn(_))) => Err(error),
            Err(error) => {
                tracing::debug!("the server does not tell its version: {error}");
                Ok(None)
            }
        }
    }

    /// Warns of a call that is about to be made and will not always be there; once per run and family of calls.
    ///
    /// Only where notes are kept is the server asked for this: once per version its schema, and its version where nobody has
    /// asked for that. Elsewhere what is known by then has to do.
    pub(crate) async fn hold_against_schema(&self, cx: &Context, call: &Call) -> Result<(), Error> {
        let (method, path) = (call.request().method.as_str(), &*call.request().path);
        if !call.is_watched() || !path.starts_with("/api/") {
            return Ok(());
        }
        if self.shared_server().config().notes.is_some() {
            self.watch().asked.get_or_try_init(|| async { self.served_or_version(cx).await }).await?;
        }
        let deprecation = match self.watch().served.known(&()) {
            Some(Fact::Told(served)) => served.deprecation(method, path),
            _ => self.version_known().and_then(|version| known_deprecation(version, path)),
        };
        if let Some(deprecation) = deprecation {
            let family = family(path);
            if self.watch().warned.is_first(&family) {
                // It is no fault of the package that came first.
                cx.for_run().warn(warning(&family, deprecation));
            }
        }
        Ok(())
    }
}

/// `/v1/jcds/*` for `/api/v1/jcds/files/App.pkg`.
fn family(path: &str) -> String {
    let mut parts = path.strip_prefix("/api").unwrap_or(path).split('/').skip(1);
    let (version, resource) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    format!("/{version}/{resource}/*")
}

fn warning(family: &str, deprecation: Deprecation) -> String {
    let since = deprecation.since.map(|date| format!(" on {date}")).unwrap_or_default();
    let instead = match family {
        "/v1/jcds/*" => "they are still served; `route: packages-api` does without them",
        _ => "they are still served; look for a newer pkgferry that does without them",
    };
    format!("Jamf marked {family} deprecated{since}; {instead}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_names_family_date_and_alternative() {
        let dated = Deprecation { since: Some(jiff::civil::Date::constant(2025, 8, 28)) };
        insta::assert_snapshot!(
            warning(&family("/api/v1/jcds/files/App.pkg"), dated),
            @"Jamf marked /v1/jcds/* deprecated on 2025-08-28; they are still served; `route: packages-api` does without them"
        );
        insta::assert_snapshot!(
            warning(&family("/api/v1/categories"), Deprecation { since: None }),
            @"Jamf marked /v1/categories/* deprecated; they are still served; look for a newer pkgferry that does without them"
        );
        assert_eq!(family("/api"), "///*");
    }
}
