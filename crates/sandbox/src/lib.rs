//! The rehearsal server: Jamf Pro's endpoints and S3, in one process.

mod config;
mod core;
mod grant;
mod jamf;
mod journal;
mod rsql;
mod s3;
mod server;
mod version;
mod world;

pub use config::{Account, Config, Error, Privilege};
pub use journal::{Request, Side};
pub use server::{Connection, ListedFile, Sandbox};
