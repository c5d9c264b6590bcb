//! What can go wrong with the bench itself; a contender that fails is a row of its table.

use std::error::Error as StdError;
use std::fmt::Display;
use std::io;

/// Why the bench cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file, a process or a connection.
    #[error("{what}")]
    Io {
        /// What could not be done.
        what: String,
        /// Why.
        source: io::Error,
    },
    /// The sink's certificate.
    #[error("the sink cannot speak TLS")]
    Tls(#[source] Box<dyn StdError + Send + Sync>),
    /// The sink and the bench do not understand each other.
    #[error("what the sink and the bench say to each other cannot be read")]
    Json(#[source] serde_json::Error),
    /// The sink did not do what the bench asked.
    #[error("the sink answered {0:?}")]
    Sink(String),
    /// A file could not be hashed.
    #[error("a source cannot be hashed")]
    Hash(#[from] fingerprint::Error),
    /// One of pkgferry's transfers failed.
    #[error("the transfer failed")]
    Engine(#[source] Box<dyn StdError + Send + Sync>),
    /// The state of a contender could not be changed.
    #[error("the state cannot be prepared")]
    State(#[from] rusqlite::Error),
    /// There is no room for the sources.
    #[error(
        "{folder} has {free} MiB free, and the sources take {needed} MiB: name another folder with --dir, or a smaller --size"
    )]
    Room {
        /// Where they should go.
        folder: String,
        /// What is there.
        free: u64,
        /// What is needed.
        needed: u64,
    },
    /// pkgferry could not be built.
    #[error("pkgferry cannot be built: {0}")]
    Build(String),
    /// Contenders failed; the tables say which.
    #[error("{0} of the contenders failed")]
    Failed(usize),
}

impl Error {
    /// A transfer's error.
    pub fn engine(source: impl StdError + Send + Sync + 'static) -> Self {
        Self::Engine(Box::new(source))
    }

    /// For `map_err`: what could not be done.
    pub fn io(what: impl Display) -> impl FnOnce(io::Error) -> Self {
        let what = what.to_string();
        move |source| Self::Io { what, source }
    }

    /// For `map_err`.
    pub fn tls(source: impl StdError + Send + Sync + 'static) -> Self {
        Self::Tls(source.into())
    }

    /// For `map_err`.
    pub fn json(source: serde_json::Error) -> Self {
        Self::Json(source)
    }
}
