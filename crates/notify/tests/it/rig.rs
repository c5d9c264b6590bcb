//! A run that tells others, with a clock that does not wait.

use notify::{Config, Error, InDryRun, Limits, Notifier, NotifyOn, Service, Webhook, gate};
use pipeline::{Access, Boundary, Context, Event, Listener, Occurrence, Secret, SimulatedClock};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Remembers notices.
#[derive(Default)]
struct Ear(Mutex<Vec<String>>);

impl Listener for Ear {
    fn on(&self, event: &Event) {
        if let Occurrence::Notice { level, message } = &event.what {
            self.0.lock().unwrap().push(format!("{level:?}: {message}"));
        }
    }
}

pub struct Rig {
    pub cx: Context,
    pub boundary: Arc<Boundary>,
    pub cancel: CancellationToken,
    ear: Arc<Ear>,
}

impl Rig {
    pub fn new() -> Self {
        Self::with(gate(Access::ReadWrite, InDryRun::Silent))
    }

    pub fn dry(in_dry_run: InDryRun) -> Self {
        Self::with(gate(Access::ReadOnly, in_dry_run))
    }

    fn with(gate: Boundary) -> Self {
        let (boundary, ear, cancel) = (Arc::new(gate), Arc::new(Ear::default()), CancellationToken::new());
        let clock = Arc::new(SimulatedClock::at(start()));
        let cx = Context::new(clock, Arc::clone(&boundary), Arc::clone(&ear) as _, cancel.clone());
        Self { cx, boundary, cancel, ear }
    }

    pub fn notices(&self) -> String {
        self.ear.0.lock().unwrap().join("\n")
    }

    /// Seconds since the start by the clock of the run.
    pub fn elapsed(&self) -> f64 {
        self.cx.clock().now().duration_since(start()).as_secs_f64()
    }
}

fn start() -> jiff::Timestamp {
    "2026-11-21T02:00:00Z".parse().unwrap()
}

/// Where a secret part of an address would show.
pub const PATH: &str = "/services/T000/B000/s3cr3t-hook";

pub fn webhook(service: Service, url: &str) -> Result<Webhook, Error> {
    Webhook::new(service, format!("the {service} webhook"), &Secret::from(format!("{url}{PATH}")))
}

pub fn notifier(service: Service, url: &str) -> Notifier {
    notifier_with(service, url, Config::default().limits)
}

pub fn notifier_with(service: Service, url: &str, limits: Limits) -> Notifier {
    let config = Config { limits, ..Config::default() };
    Notifier::new(vec![webhook(service, url).unwrap()], NotifyOn::Change, &config)
}

/// Tries that do not wait for a server that says nothing.
pub fn impatient() -> Limits {
    Limits { tries: 2, each: Duration::from_millis(200), ..Config::default().limits }
}
