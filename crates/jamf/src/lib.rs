//! Typed client of Jamf Pro's APIs: sign-in, packages and their files, categories, the files of the distribution service
//! (JCDS), and what a server and an account say of themselves.
//!
//! - [`Sessions`] are the servers and accounts of a run; a [`Session`] is one of them, shared by everybody. A server is Jamf
//!   Pro itself or the Platform API gateway in front of it ([`ServerKind`]); the calls are the same.
//! - A session signs in at its first request, keeps the token fresh, sends at most five requests at a time, repeats what
//!   is safe to repeat, and remembers what it has read until it writes.
//! - A question that every recipe of a batch begins with, and that failed after all its tries, is told to have failed to
//!   those who ask it within a minute, until the server answers anything.
//! - Records come from the Pro API where the server has it, else from the Classic API; [`Package`] is what both tell.
//! - A file goes onto its record with [`Session::upload_package`], in little memory, whatever its size.
//! - Before a call is made it is held against what the server says of it; one that will go gives one warning a run.
//! - An [`Error`] says which request failed and what Jamf said; its [hint](pipeline::Diagnose::hint) says what to do.
//!
//! It sends nothing to S3 and downloads no files: it gets the [credentials](UploadGrant) and the addresses for that. What
//! it must not write in a dry run, the [boundary](pipeline::Boundary) refuses right before each sending.
//!
//! ```no_run
//! # async fn example(env: &pipeline::Env, cx: &pipeline::Context) -> Result<(), Box<dyn std::error::Error>> {
//! use jamf::{Config, Field, FieldValue, Sessions, Setting};
//!
//! let sessions = Sessions::new(Config::default())?;
//! let session = sessions.open(env)?;
//! for package in session.packages_named(cx, &"Firefox 145.pkg".parse()?).await? {
//!     let notes = Setting { field: Field::Notes, value: FieldValue::Text("monthly".into()) };
//!     session.update_package(cx, &package, &[notes]).await?;
//! }
//! sessions.close(cx).await;
//! # Ok(())
//! # }
//! ```

mod account;
mod answer;
mod book;
mod call;
mod category;
mod config;
mod connection;
mod creation;
mod encode;
mod error;
mod facts;
mod form;
mod gateway;
mod jcds;
mod known;
mod lapse;
mod latest;
mod memory;
mod pace;
mod package;
mod packages;
mod page;
mod privilege;
mod redact;
mod rejection;
mod retry;
mod rights;
mod rsql;
mod said;
mod served;
mod session;
mod sessions;
mod settings;
mod sign_in;
mod tokens;
mod trace;
mod transport;
mod upload;
mod watch;
mod wire;

pub use config::{Config, Listing, Notes, Retry, Timeouts};
pub use connection::CONNECTION;
pub use error::{Error, Phase, Request};
pub use facts::{CdnType, DistributionPoint, Fact, InvalidVersion, UploadCapability, Version};
pub use gateway::{AddressingChoice, GATEWAY_ADDRESSING, ServerKind};
pub use jcds::{Deletion, JcdsFile, UploadGrant};
pub use lapse::Lapsed;
pub use package::{Category, Field, FieldValue, Package, PackageApi, Setting};
pub use privilege::Privilege;
pub use rejection::Rejection;
pub use rights::{Rights, TokenFacts};
pub use served::{Deprecation, Served};
pub use session::Session;
pub use sessions::Sessions;
pub use settings::SettingsError;
pub use sign_in::SignInError;
pub use upload::PackageFile;
