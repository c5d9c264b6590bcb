//! The decision, without asking anything: facts in, a route with its reason out.

use crate::obstacle::listed;
use crate::{Error, Facts, Obstacle};
use jamf::CdnType;
use pipeline::{Route, RouteChoice, Witness};
use std::fmt;

/// Which route is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// The best one that is open.
    Auto,
    /// This one and no other: a setting says so.
    Only(Route),
    /// This one, because the other was refused a moment ago.
    Instead(Route),
}

impl Wish {
    /// What a setting says.
    #[must_use]
    pub fn of(choice: RouteChoice) -> Self {
        match choice {
            RouteChoice::Auto => Self::Auto,
            RouteChoice::Jcds => Self::Only(Route::Jcds),
            RouteChoice::PackagesApi => Self::Only(Route::PackagesApi),
        }
    }

    /// The only route that will do, if only one will.
    #[must_use]
    pub fn only(self) -> Option<Route> {
        match self {
            Self::Auto => None,
            Self::Only(route) | Self::Instead(route) => Some(route),
        }
    }
}

/// On which routes the recipe can send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Steps {
    /// It has `s3-upload`.
    pub jcds: bool,
    /// It has `package-upload`.
    pub packages_api: bool,
}

impl Steps {
    /// A recipe with these processors. One that sends on no route, because it only looks, is tied to none.
    #[must_use]
    pub fn of(processors: &[String]) -> Self {
        let has = |route: Route| processors.iter().any(|processor| processor == route.sender());
        match (has(Route::Jcds), has(Route::PackagesApi)) {
            (false, false) => Self::all(),
            (jcds, packages_api) => Self { jcds, packages_api },
        }
    }

    /// A recipe that nothing is known about.
    #[must_use]
    pub fn all() -> Self {
        Self { jcds: true, packages_api: true }
    }

    fn have(self, route: Route) -> bool {
        match route {
            Route::Jcds => self.jcds,
            Route::PackagesApi => self.packages_api,
        }
    }
}

/// What was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The route.
    pub route: Route,
    /// The route to take when that is refused; only where nobody asked for one.
    pub fallback: Option<Route>,
    /// Who tells what the server holds.
    pub witness: Witness,
    /// Why the one, and why not the other.
    pub reason: String,
}

/// `jcds: the files of this server are in Jamf Cloud's own distribution service; packages-api if it is refused`.
impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.route, self.reason)
    }
}

/// Chooses a route. `jcds` is preferred where both are open: it sends parts side by side, goes on with what an interrupted run
/// left, and does not pass the file through a gateway's edge (`user-pains.md` section 3). A server that refused it once in a run is
/// not asked for every file again.
///
/// # Errors
/// When the route that is asked for cannot be taken, or none can.
pub fn decide(wish: Wish, steps: Steps, facts: &Facts) -> Result<Decision, Error> {
    let obstacles = |route: Route| {
        let in_recipe = (!steps.have(route)).then_some(Obstacle::NoStep(route));
        in_recipe.into_iter().chain(on_server(route, facts)).collect::<Vec<_>>()
    };
    let decision =
        |route, fallback, reason| Decision { route, fallback, witness: witness(route, facts), reason };

    if let Some(route) = wish.only() {
        let found = obstacles(route);
        if !found.is_empty() {
            let other_is_open = obstacles(route.other()).is_empty();
            return Err(Error::Closed { route, obstacles: found, other_is_open });
        }
        let reason = match wish {
            Wish::Instead(_) => format!("{} was refused", route.other()),
            Wish::Auto | Wish::Only(_) => "the setting route asks for it".to_owned(),
        };
        return Ok(decision(route, None, reason));
    }
    let (jcds, packages_api) = (obstacles(Route::Jcds), obstacles(Route::PackagesApi));
    let merit = |route| merit(route, facts);
    match (jcds.is_empty(), packages_api.is_empty()) {
        (true, true) if facts.jcds_refused => {
            Ok(decision(Route::PackagesApi, None, "jcds was refused before in this run".to_owned()))
        }
        (true, true) => {
            let reason = format!("{}; packages-api if it is refused", merit(Route::Jcds));
            Ok(decision(Route::Jcds, Some(Route::PackagesApi), reason))
        }
        (true, false) => {
            let reason = format!("{}; not packages-api: {}", merit(Route::Jcds), listed(&packages_api));
            Ok(decision(Route::Jcds, None, reason))
        }
        (false, true) => {
            let reason = format!("{}; not jcds: {}", merit(Route::PackagesApi), listed(&jcds));
            Ok(decision(Route::PackagesApi, None, reason))
        }
        (false, false) => Err(Error::NoRoute { jcds, packages_api }),
    }
}

/// What the server tells that rules a route out. What it does not tell rules out nothing.
fn on_server(route: Route, facts: &Facts) -> Vec<Obstacle> {
    let cdn = facts.point.as_ref().map(|point| &point.cdn);
    let mut found = Vec::new();
    match route {
        Route::Jcds => {
            match cdn {
                Some(CdnType::None) => found.push(Obstacle::NoDistributionPoint),
                Some(CdnType::Other(kind)) => found.push(Obstacle::OtherStorage(kind.clone())),
                Some(CdnType::JamfCloud) | None => {}
            }
            if facts.jcds_calls == Some(false) {
                found.push(Obstacle::NoCalls(facts.version));
            }
        }
        Route::PackagesApi => {
            if facts.classic_forced {
                found.push(Obstacle::ClassicForced);
            }
            if let Some(version) = facts.version.filter(|version| !version.has_pro_packages()) {
                found.push(Obstacle::TooOld(version));
            }
            match facts.capability {
                Some(capability) if !capability.principal => found.push(Obstacle::NotPrincipal),
                Some(capability) if !capability.direct => found.push(Obstacle::NoDirectUpload),
                // Jamf Pro passes the file on to a distribution point, and there is none.
                None if cdn == Some(&CdnType::None) => found.push(Obstacle::NoDistributionPoint),
                Some(_) | None => {}
            }
        }
    }
    found
}

/// Records before 11.25 tell a SHA3-512 that cannot be relied on (`jamf-pro-api.md §11.3`); the list is the better witness as
/// long as it is there.
fn witness(route: Route, facts: &Facts) -> Witness {
    let records_are_reliable = facts.version.is_some_and(jamf::Version::has_reliable_records);
    match route {
        Route::PackagesApi if records_are_reliable || !on_server(Route::Jcds, facts).is_empty() => {
            Witness::Record
        }
        Route::PackagesApi | Route::Jcds => Witness::List,
    }
}

/// What speaks for a route that is open.
fn merit(route: Route, facts: &Facts) -> &'static str {
    match (route, &facts.point) {
        (Route::Jcds, Some(_)) => "the files of this server are in Jamf Cloud's own distribution service",
        (Route::Jcds, None) => "nothing that this server tells speaks against it",
        (Route::PackagesApi, _) => "Jamf Pro takes the file itself",
    }
}
