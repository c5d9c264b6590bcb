//! The rehearsal server: Jamf Pro's endpoints and S3, in one process.
//!
//! A [`Sandbox`] listens on two loopback ports. The Jamf Pro side speaks the Pro API, the Classic API and the signed
//! download addresses as `jamf-pro-api.md` has them; the S3 side takes uploads for exactly the credentials that the
//! other one hands out. A file goes the way that it goes in Jamf Cloud: credentials, object, listed file, record that
//! is pending, record that is ready, with delays that the [`Config`] sets. Time comes from its clock alone, so that a
//! test with a [`SimulatedClock`](pipeline::SimulatedClock) sees tokens expire without waiting for it.
//!
//! What it holds lives in one folder and is found again by the next start; tokens and credentials are not. The
//! [journal](Sandbox::journal) counts every request, which is how a test proves that a dry run wrote nothing.
//!
//! It behaves well unless it is asked for a [`Fault`]: by its configuration, while it runs, or through the backstage door
//! `/__sandbox/faults`.
//!
//! It is not a Jamf Pro: of its hundreds of calls it has those that carry a package, and where nobody knows what the
//! real one does (`jamf-pro-api.md §19`) it does the dullest thing that the contract allows. Not here on purpose, until
//! somebody in this house calls them: history, manifests and export. With a [`Gateway`] in its configuration it is reached
//! as the Platform API has it (`§14`).
//!
//! ```
//! use sandbox::{Config, Sandbox};
//! # use std::sync::Arc;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! let clock = Arc::new(pipeline::SimulatedClock::at("2026-11-20T12:00:00Z".parse()?));
//! let sandbox = Sandbox::start(Config::new(folder.path().to_owned(), clock)).await?;
//! sandbox.put_file("ExampleApp-1.2.3.pkg", b"bytes");
//!
//! assert!(sandbox.connection().jss_url.starts_with("http://127.0.0.1:"));
//! assert_eq!(sandbox.files()[0].md5, "4b3a6218bb3e3a7303e8a171a60fcf92");
//! assert!(sandbox.journal().is_empty());
//! # Ok(())
//! # }
//! ```

mod account;
mod config;
mod core;
mod distribution_point;
mod faults;
mod gateway;
mod grant;
mod jamf;
mod journal;
mod noise;
mod observer;
mod received;
mod rsql;
mod s3;
mod schema;
mod server;
mod version;
mod world;

pub use account::{Account, Privilege, PrivilegeSet};
pub use config::{Config, Error};
pub use distribution_point::{CdnType, DistributionPoint, JcdsGone};
pub use faults::{Fault, FaultInfo, FaultNumber, ParseFaultError};
pub use gateway::{Addressing, Gateway, GatewayConnection, TokenPath};
pub use journal::{Request, Side};
pub use noise::noise;
pub use observer::{Exchange, Observer};
pub use server::{Connection, ListedFile, Sandbox};
