//! The server that a package comes from.

use super::proof::{Listed, Proven, Recorded, prove};
use crate::error::Error;
use jamf::{Package, Session};
use pipeline::{Context, Diagnose as _, FailureKind, FileName, Found};

/// A package as it is proven on a server.
pub struct Source {
    /// What it is known by.
    pub proven: Proven,
    /// Its record.
    pub record: Package,
    /// The name of its category.
    pub category: Option<String>,
    /// Whether it can be fetched: the distribution service lists it.
    pub is_listed: bool,
}

impl Source {
    /// Looks whether the package is proven there.
    pub async fn look(session: &Session, name: &FileName, server: &str, cx: &Context) -> Result<Self, Error> {
        let look = |error| Error::Look { server: server.to_owned(), source: Box::new(error) };
        let record = session.only_package_named(cx, name).await.map_err(look)?;
        let record =
            record.ok_or_else(|| Error::NoPackage { file: name.clone(), server: server.to_owned() })?;
        let listed = listed(session, name, cx).await.map_err(look)?;
        let reliable = has_reliable_records(session, cx).await.map_err(look)?;
        let proven = prove(&Recorded::from(&record), &listed, reliable)
            .map_err(|doubt| Error::NotProven { file: name.clone(), server: server.to_owned(), doubt })?;
        let category = session.category_of(cx, &record).await.map_err(look)?.map(|category| category.name);
        Ok(Self { proven, record, category, is_listed: matches!(listed, Listed::File(_)) })
    }
}

/// What the list has under a name. A list that is not there, or not for this account, is no error: records tell too.
pub async fn listed(session: &Session, name: &FileName, cx: &Context) -> Result<Listed, jamf::Error> {
    let files = match session.jcds_files(cx).await {
        Ok(files) => files,
        Err(error) if matches!(error.status(), Some(403..=405 | 410)) => return Ok(Listed::NoList),
        Err(error) => return Err(error),
    };
    Ok(match name.find(files.iter(), |file| &file.name) {
        Found::None => Listed::Absent,
        Found::One(file) => Listed::File(file.clone()),
        // Which of the spellings is meant, only a person knows; the steps of the recipe say so.
        Found::Several(_) => Listed::Absent,
    })
}

/// Whether the server's records can be relied on. A server that does not tell its version is not.
pub async fn has_reliable_records(session: &Session, cx: &Context) -> Result<bool, jamf::Error> {
    match session.version(cx).await {
        Ok(version) => Ok(version.has_reliable_records()),
        Err(error) if matches!(error.kind(), FailureKind::Access | FailureKind::Interrupted) => Err(error),
        Err(_) => Ok(false),
    }
}
