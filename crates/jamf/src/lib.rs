//! Typed client of Jamf Pro's APIs: sign-in, packages, categories, JCDS.

mod config;
mod error;
mod jcds;
mod package;
mod session;
mod sessions;

pub use config::{Config, Retry, Timeouts};
pub use error::Error;
pub use jcds::{Deletion, JcdsFile, UploadGrant};
pub use package::{Category, Field, FieldValue, Package, PackageApi, Setting};
pub use session::Session;
pub use sessions::Sessions;
