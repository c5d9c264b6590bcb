use crate::{Error, Facts, Steps, Wish, decide};
use jamf::{CONNECTION, Sessions};
use pipeline::{
    Applied, Context, Default, Env, EnvError, Failure, Input, Origin, Output, PackageApiChoice, Plan,
    Processor, Route, Spec, join, keys,
};
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

/// The processor.
#[derive(Debug)]
pub struct ChooseRoute {
    sessions: Arc<Sessions>,
    /// The servers that refused JCDS while this was in use.
    refused: Mutex<BTreeSet<String>>,
}

/// What it reads besides the [connection](jamf::CONNECTION).
const OWN: [Input; 2] = [
    Input::with_default(
        keys::ROUTE,
        Default::Text("auto"),
        "Which route to take: auto, jcds or packages-api.",
    ),
    Input::optional(
        keys::RECIPE_STEPS,
        "The steps of the recipe, which pkgferry sets: a route takes the step that sends.",
    ),
];

static INPUTS: [Input; CONNECTION.len() + OWN.len()] = join(&CONNECTION, &OWN);

static SPEC: Spec = Spec {
    name: "choose-route",
    summary: "chooses the route by which the file gets into the cloud, and says why",
    docs: "\
Two routes lead into the cloud. `jcds` sends the file straight into the storage of Jamf Cloud's distribution service: in parts \
side by side, which an interrupted run goes on with; its calls are marked deprecated from Jamf Pro 11.24 on. `packages-api` \
sends it through Jamf Pro, in one piece; it takes Jamf Pro 11.5 and a cloud distribution point that is the principal one.

With `route: auto` the server is asked what it offers: its version, its cloud distribution point, whether it takes uploads, and \
whether its own schema has the JCDS calls. What it does not tell speaks against nothing. Where both routes are open jcds is \
taken, and packages-api when jcds is refused before any byte of the file was accepted: the recipe is then planned again, once, and \
what follows in the run goes to that server on packages-api at once.

A route can be taken only if the recipe has the step that sends on it: s3-upload for jcds, package-upload for packages-api. The \
steps of the other route skip.

It also settles who tells what the server holds: on the packages-api route the package record, from 11.25 on or where there is \
no JCDS; otherwise the list of the distribution service.",
    writes: false,
    inputs: &INPUTS,
    outputs: &[
        Output::planned(keys::CHOSEN_ROUTE, "`jcds` or `packages-api`."),
        Output::planned(keys::FALLBACK_ROUTE, "The route to take when that one is refused, if there is one."),
        Output::planned(keys::WITNESS, "Who tells what the server holds: `list` or `record`."),
    ],
};

impl ChooseRoute {
    /// The processor over these sessions.
    #[must_use]
    pub fn new(sessions: Arc<Sessions>) -> Self {
        Self { sessions, refused: Mutex::default() }
    }

    /// Whether this server has refused JCDS so far. That a recipe is planned on the other route instead tells it.
    fn jcds_refused(&self, server: &str, wish: Wish) -> bool {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if wish == Wish::Instead(Route::Jcds.other()) {
            refused.insert(server.to_owned());
        }
        refused.contains(server)
    }
}

/// The runner itself lays the other route over all settings when the first one was refused.
fn wish(env: &Env) -> Result<Wish, EnvError> {
    let wish = env.get(keys::ROUTE)?.map_or(Wish::Auto, Wish::of);
    let by_runner = env.entry(keys::ROUTE.name()).is_some_and(|entry| *entry.origin() == Origin::Runner);
    Ok(match wish {
        Wish::Only(route) if by_runner => Wish::Instead(route),
        wish => wish,
    })
}

impl Processor for ChooseRoute {
    type Work = Infallible;

    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn plan(&self, env: &Env, cx: &Context) -> Result<Plan<Infallible>, Failure> {
        let wish = wish(env)?;
        let steps = env.get(keys::RECIPE_STEPS)?.map_or_else(Steps::all, |steps| Steps::of(&steps));
        let classic_forced = env.get(keys::PACKAGE_API)? == Some(PackageApiChoice::Classic);
        let session = self.sessions.open(env)?;
        let facts = Facts::ask(&session, wish, steps, classic_forced, cx).await.map_err(Error::from)?;
        let facts = Facts { jcds_refused: self.jcds_refused(session.server(), wish), ..facts };
        let decision = decide(wish, steps, &facts)?;
        Ok(Plan::done(decision.to_string())
            .with(keys::CHOSEN_ROUTE, decision.route)
            .with_some(keys::FALLBACK_ROUTE, decision.fallback)
            .with(keys::WITNESS, decision.witness))
    }

    async fn apply(&self, work: Infallible, _env: &Env, _cx: &Context) -> Result<Applied, Failure> {
        match work {}
    }
}
