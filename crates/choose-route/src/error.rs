use crate::obstacle::{Obstacle, listed};
use pipeline::{Diagnose, EnvError, FailureKind, Route};

/// No route was chosen.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The route that is asked for cannot be taken.
    #[error("route {route} is asked for, but {}", listed(obstacles))]
    Closed {
        /// The route.
        route: Route,
        /// Why not; never empty.
        obstacles: Vec<Obstacle>,
        /// Whether the other one can.
        other_is_open: bool,
    },
    /// Neither route can be taken.
    #[error(
        "no route leads into the cloud of this server; not jcds: {}; not packages-api: {}",
        listed(jcds),
        listed(packages_api)
    )]
    NoRoute {
        /// Why not `jcds`; never empty.
        jcds: Vec<Obstacle>,
        /// Why not `packages-api`; never empty.
        packages_api: Vec<Obstacle>,
    },
    /// The environment could not be read.
    #[error(transparent)]
    Env(#[from] EnvError),
    /// Talking to Jamf Pro failed.
    #[error(transparent)]
    Jamf(#[from] jamf::Error),
}

/// The route with the fewest obstacles is the nearest to be opened, and its first obstacle the first to go. One in the recipe
/// or the settings is easier to remove than one in the server.
fn nearest<'a>(jcds: &'a [Obstacle], packages_api: &'a [Obstacle]) -> Option<&'a Obstacle> {
    let effort = |obstacles: &[Obstacle]| {
        (obstacles.iter().filter(|obstacle| !obstacle.is_ours()).count(), obstacles.len())
    };
    let nearer = if effort(packages_api) <= effort(jcds) { packages_api } else { jcds };
    nearer.first()
}

impl Diagnose for Error {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Closed { .. } => FailureKind::Recipe,
            Self::NoRoute { jcds, packages_api } => {
                let ours = |obstacles: &[Obstacle]| obstacles.iter().all(Obstacle::is_ours);
                if ours(jcds) || ours(packages_api) { FailureKind::Recipe } else { FailureKind::Remote }
            }
            Self::Env(error) => error.kind(),
            Self::Jamf(error) => error.kind(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Closed { route, other_is_open: true, .. } => {
                Some(format!("let route be auto: {} is open", route.other()))
            }
            Self::Closed { obstacles, .. } => obstacles.first().map(Obstacle::advice),
            Self::NoRoute { jcds, packages_api } => nearest(jcds, packages_api).map(Obstacle::advice),
            Self::Env(error) => error.hint(),
            Self::Jamf(error) => error.hint(),
        }
    }
}
