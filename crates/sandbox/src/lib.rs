//! The rehearsal server: Jamf Pro's endpoints and S3, in one process.

mod config;
mod grant;
mod journal;
mod s3;
mod server;

pub use config::{Account, Config, Error, Privilege};
pub use journal::{Request, Side};
pub use server::{Connection, ListedFile, Sandbox};
