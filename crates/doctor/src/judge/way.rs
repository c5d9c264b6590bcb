use crate::Observations;
use choose_route::{Decision, Error, Facts, Steps, Wish, decide};
use jamf::Privilege;
use pipeline::Route;

/// Which way files would take, by the same decision that a run makes.
pub(super) struct Way {
    /// `None`: too little is known to decide.
    pub decision: Option<Result<Decision, Error>>,
    open: Vec<Route>,
    lacking: Vec<Privilege>,
}

impl Way {
    pub(super) fn of(seen: &Observations) -> Self {
        let facts = Facts {
            version: seen.version.told().copied(),
            point: seen.point.told().cloned(),
            capability: seen.capability.told().copied(),
            jcds_calls: seen.calls.told().and_then(|calls| calls.jcds),
            classic_forced: seen.classic_forced,
            jcds_refused: false,
        };
        let decide = |wish| decide(wish, Steps::all(), &facts);
        let routes = [Route::Jcds, Route::PackagesApi].into_iter();
        Self {
            decision: seen.token.told().map(|_| decide(Wish::of(seen.choice))),
            open: routes.filter(|route| decide(Wish::Only(*route)).is_ok()).collect(),
            lacking: seen.lacking.told().cloned().unwrap_or_default(),
        }
    }

    /// The route that is taken.
    pub(super) fn chosen(&self) -> Option<Route> {
        Some(self.decision.as_ref()?.as_ref().ok()?.route)
    }

    /// The route that is taken when that one is refused.
    pub(super) fn fallback(&self) -> Option<Route> {
        self.decision.as_ref()?.as_ref().ok()?.fallback
    }

    /// Whether the server's own word leaves a route open.
    pub(super) fn is_open(&self, route: Route) -> bool {
        self.open.contains(&route)
    }

    /// Whether something that keeps files from the chosen route leaves them another one.
    pub(super) fn has_detour(&self) -> bool {
        self.fallback().is_some_and(|route| self.lacking_for(route).is_empty())
    }

    /// Privileges that the account lacks and without which nothing new arrives on a route.
    pub(super) fn lacking_for(&self, route: Route) -> Vec<Privilege> {
        let lacking = self.lacking.iter().copied();
        lacking.filter(|privilege| is_essential(*privilege, route)).collect()
    }
}

/// Whether no new package arrives on a route without the privilege. The others are for replacing files, changing records, and
/// categories.
fn is_essential(privilege: Privilege, route: Route) -> bool {
    match privilege {
        Privilege::ReadPackages | Privilege::CreatePackages => true,
        Privilege::ReadFiles | Privilege::CreateFiles => route == Route::Jcds,
        // Sending a file through Jamf Pro is an update of its record (`jamf-pro-api.md §5.4`).
        Privilege::UpdatePackages => route == Route::PackagesApi,
        _ => false,
    }
}
