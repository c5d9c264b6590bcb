//! Tells people what came of a run, where they look anyway, and lets silence be noticed.
//!
//! - [`Summary`] is what there is to tell: what failed, with package, step and next step; what is unverified; what changed.
//! - [`NotifyOn`] decides whether it is worth telling.
//! - [`payload`] makes the message of a [`Service`]: failures first, within the limits of the service, and nothing in it that
//!   the service would take for markup, whatever packages are called.
//! - [`Notifier`] sends it to every [`Webhook`]; a webhook that cannot be reached is a warning and fails no run.
//! - [`Heartbeat`] is pinged when a run starts and when it ends. Of a run that dies in between nobody else would tell. Where
//!   several runs divide the packages, each has an address of its own (`{shard}` in it).
//!
//! # Limits
//! Whatever is sent ends in [limited](Limits) time: a message is worth less than the run it tells of. A message may come
//! twice, where an answer got lost; the JSON one has the run's id to tell.
//!
//! # Addresses are secrets
//! Whoever knows the address of a webhook can write to the channel. So no error, log or `Debug` holds one, or a part of it:
//! messages name a webhook by the label that the caller gives. `http` is for this machine only, and redirections are not
//! followed.
//!
//! # Dry runs
//! What is sent passes a [`Boundary`](pipeline::Boundary), as everything does, but one of its own, made by [`gate`]. So a dry
//! run tells nobody unless it is asked to, a step's writes stay refused all the same, and the run's
//! [`Traffic`](pipeline::Traffic) counts what went to Jamf and S3 and nothing else.
//!
//! ```
//! use notify::{Ending, Mode, NotifyOn, Service, Summary, Volume, payload};
//! use std::time::Duration;
//!
//! let summary = Summary {
//!     title: "nightly on build-mac".into(),
//!     run: "4f3c".into(),
//!     program: "pkgferry 0.1.0".into(),
//!     mode: Mode::Real,
//!     started: "2026-11-21T02:00:00Z".parse()?,
//!     duration: Duration::from_secs(4),
//!     volume: Volume::default(),
//!     ending: Ending::Complete,
//!     failed: Vec::new(),
//!     unverified: Vec::new(),
//!     changed: Vec::new(),
//!     skipped: 300,
//!     not_begun: 0,
//!     report: None,
//! };
//! assert!(!NotifyOn::Change.wants(&summary));
//! assert_eq!(payload(Service::Slack, &summary)["text"], "✅ nightly on build-mac: 300 skipped");
//! # Ok::<(), jiff::Error>(())
//! ```

mod address;
mod card;
mod client;
mod error;
mod gate;
mod heartbeat;
mod json;
mod note;
mod notifier;
mod policy;
mod sender;
mod slack;
mod summary;
mod teams;
mod text;
mod webhook;

pub use error::{Cause, Error};
pub use gate::{InDryRun, gate};
pub use heartbeat::{Heartbeat, HeartbeatStyle, Signal};
pub use note::note;
pub use notifier::{Announced, Notifier};
pub use policy::{InvalidNotifyOn, NotifyOn};
pub use sender::{Config, Delivery, Limits};
pub use summary::{Changed, Ending, FullReport, How, Mode, Standing, Summary, Trouble, Volume};
pub use webhook::{InvalidService, Service, Webhook, payload};
