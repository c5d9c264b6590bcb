//! What the server says of itself, as far as the choice needs it.

use crate::{Steps, Wish};
use jamf::{DistributionPoint, Error, Served, Session, UploadCapability, Version};
use pipeline::{Context, Failure, Route};

/// What is known of a server. `None`: it does not tell, or not to this account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Its version.
    pub version: Option<Version>,
    /// Its cloud distribution point.
    pub point: Option<DistributionPoint>,
    /// Whether it takes uploads.
    pub capability: Option<UploadCapability>,
    /// Whether its own schema has the calls of the distribution service.
    pub jcds_calls: Option<bool>,
    /// Whether `package_api` is `classic`, which is a setting and no word of the server's.
    pub classic_forced: bool,
    /// Whether this server refused JCDS to an earlier recipe of this run.
    pub jcds_refused: bool,
}

impl Facts {
    /// Asks for what matters to the wish, one after the other: the session remembers the answers for all recipes of the run.
    ///
    /// # Errors
    /// When the account is refused or the server cannot be reached. A question that it does not answer is no error.
    pub(crate) async fn ask(
        session: &Session,
        wish: Wish,
        steps: Steps,
        classic_forced: bool,
        cx: &Context,
    ) -> Result<Self, Error> {
        let mut facts = Self { classic_forced, ..Self::default() };
        facts.version = told(session.version(cx).await, "its version", cx)?;
        // A reliable record tells all that the other route needs.
        let record_is_witness = wish.only() == Some(Route::PackagesApi)
            && facts.version.is_some_and(Version::has_reliable_records);
        if !record_is_witness {
            let point = told(session.distribution_point(cx).await, "its distribution point", cx)?;
            facts.point = point.and_then(|fact| fact.told().cloned());
            let served = told(session.served(cx).await, "which calls it has", cx)?;
            facts.jcds_calls = served.and_then(|fact| fact.told().map(|served| has_jcds(served)));
        }
        if steps.packages_api && wish.only() != Some(Route::Jcds) {
            let capability = told(session.upload_capability(cx).await, "whether it takes uploads", cx)?;
            facts.capability = capability.and_then(|fact| fact.told().copied());
        }
        Ok(facts)
    }
}

/// Whether the calls are there that an upload cannot do without (`jamf-pro-api.md §7`).
fn has_jcds(served: &Served) -> bool {
    ["GET", "POST"].iter().all(|method| served.has(method, "/v1/jcds/files"))
}

/// A question that the server answered with an error has no answer. Without a connection, or without being let in, there is
/// nothing to be asked at all.
fn told<T>(answer: Result<T, Error>, what: &str, cx: &Context) -> Result<Option<T>, Error> {
    match answer {
        Ok(fact) => Ok(Some(fact)),
        Err(error @ Error::SignIn(_)) => Err(error),
        Err(error)
            if matches!(error, Error::Decode { .. })
                || error.status().is_some_and(|status| status != 401) =>
        {
            cx.info(format!("the server does not tell {what}: {}", Failure::from(error)));
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
