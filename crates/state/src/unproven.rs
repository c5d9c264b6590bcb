//! Deliveries that were sent and not shown to have arrived.

use crate::digests::fingerprint;
use crate::history::record;
use crate::times::{stored, told};
use crate::{Error, State};
use fingerprint::Fingerprint;
use jiff::{SignedDuration, Timestamp};
use pipeline::{FileName, PackageId, Route, Witness};
use rusqlite::{Connection, Row, TransactionBehavior, params};

/// A delivery that was not proven in time.
#[derive(Clone, Debug)]
pub struct NewUnproven<'a> {
    /// Address of the server.
    pub server: &'a str,
    /// The name that the file has there.
    pub file: &'a FileName,
    /// The id of its record, if there is one.
    pub record: Option<PackageId>,
    /// What was sent.
    pub sent: Fingerprint,
    /// How it went there.
    pub route: Route,
    /// Who was asked about it.
    pub witness: Witness,
    /// When it was sent.
    pub since: Timestamp,
    /// Whether the list may still be behind it. Not where it has shown the file since.
    pub may_be_late: bool,
}

/// A delivery that nobody has proven yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unproven {
    number: i64,
    /// Address of the server.
    pub server: String,
    /// The name that the file has there.
    pub file: FileName,
    /// The id of its record, if there is one.
    pub record: Option<PackageId>,
    /// What was sent.
    pub sent: Fingerprint,
    /// How it went there.
    pub route: Route,
    /// Who was asked about it.
    pub witness: Witness,
    /// When it was sent.
    pub since: Timestamp,
    /// Whether the list may still be behind it. Not where it has shown the file since.
    pub may_be_late: bool,
}

/// How long a delivery that the list does not show is taken to be on its way into the list. Nobody knows how long that can take
/// (`jamf-pro-api.md §19.5`); whoever deleted the file by hand waits no longer than this until it is sent again.
pub(crate) const LISTED_LATE: SignedDuration = SignedDuration::from_hours(1);
/// How long the list may still lack what it has shown once: its nodes exchange changes about once a minute (`jamf-pro-api.md §13.1`).
const LISTED_EVERYWHERE: SignedDuration = SignedDuration::from_mins(5);
/// How long a delivery that was seen in the list is kept to be proven, where no step does it.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

const COLUMNS: &str = "number, server, file, record, size, md5, sha3_512, route, witness, since, may_be_late";

impl State {
    /// Keeps a delivery until it is proven. It takes the place of an earlier one of the same file on the same server, in whatever
    /// spelling: what was sent then is not there any more.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_unproven(&self, new: &NewUnproven<'_>) -> Result<(), Error> {
        let mut database = self.database();
        let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        strike(&transaction, new.server, new.file)?;
        transaction.execute(
            "DELETE FROM unproven WHERE may_be_late = 0 AND since < ?1",
            [stored(new.since.saturating_sub(KEPT).unwrap_or(Timestamp::MIN))],
        )?;
        transaction.execute(
            "INSERT INTO unproven (server, file, record, size, md5, sha3_512, route, witness, since, may_be_late) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            params![
                new.server,
                new.file.as_str(),
                new.record.map(|id| id.get().cast_signed()),
                new.sent.size.cast_signed(),
                new.sent.md5.as_bytes(),
                new.sent.sha3_512.as_bytes(),
                new.route.as_str(),
                new.witness.as_str(),
                stored(new.since),
                new.may_be_late,
            ],
        )?;
        Ok(transaction.commit()?)
    }

    /// This delivery is settled. One that another process has kept in its place meanwhile stays. Tells whether it was still kept.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn settle_this(&self, unproven: &Unproven) -> Result<bool, Error> {
        let delete = "DELETE FROM unproven WHERE number = ?1";
        Ok(self.database().execute(delete, [unproven.number])? > 0)
    }

    /// The list is not behind any more with what is kept of this file on this server: it has shown the file, or the file is to be deleted.
    /// It is still to be proven.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn no_longer_late(&self, server: &str, file: &FileName) -> Result<(), Error> {
        let database = self.database();
        let mut update =
            database.prepare_cached("UPDATE unproven SET may_be_late = 0 WHERE server = ?1 AND file = ?2")?;
        for spelling in file.spellings() {
            update.execute([server, &spelling])?;
        }
        Ok(())
    }

    /// What was sent into the distribution service of this server under this name, so lately that the list need not show it yet.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn sent_lately(
        &self,
        server: &str,
        file: &FileName,
        now: Timestamp,
    ) -> Result<Option<Unproven>, Error> {
        // In both directions: a clock that was set back makes nothing old.
        let is_late = |kept: &Unproven| {
            let window = if kept.may_be_late { LISTED_LATE } else { LISTED_EVERYWHERE };
            now.duration_since(kept.since).abs() < window
        };
        let kept = self.unproven(Some(server))?.into_iter();
        Ok(kept.filter(|kept| kept.route == Route::Jcds && file.same_name(kept.file.as_str())).find(is_late))
    }

    /// What is not proven yet, on one server or all, the oldest first.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn unproven(&self, server: Option<&str>) -> Result<Vec<Unproven>, Error> {
        let database = self.database();
        let select =
            format!("SELECT {COLUMNS} FROM unproven WHERE ?1 IS NULL OR server = ?1 ORDER BY number");
        let mut select = database.prepare_cached(&select)?;
        let mut rows = select.query([server])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(read(row)?);
        }
        Ok(found)
    }
}

fn strike(database: &Connection, server: &str, file: &FileName) -> Result<(), Error> {
    let mut delete = database.prepare_cached("DELETE FROM unproven WHERE server = ?1 AND file = ?2")?;
    for spelling in file.spellings() {
        delete.execute([server, &spelling])?;
    }
    Ok(())
}

fn read(row: &Row<'_>) -> Result<Unproven, Error> {
    let (file, route, witness): (String, String, String) =
        (row.get("file")?, row.get("route")?, row.get("witness")?);
    let size: i64 = row.get("size")?;
    Ok(Unproven {
        number: row.get("number")?,
        server: row.get("server")?,
        file: file.parse().map_err(|_| Error::Entry { what: "a file name" })?,
        record: record(row.get("record")?)?,
        sent: fingerprint(size.cast_unsigned(), row.get("md5")?, row.get("sha3_512")?),
        route: route.parse().map_err(|_| Error::Entry { what: "a route" })?,
        witness: witness.parse().map_err(|_| Error::Entry { what: "a witness" })?,
        since: told(row.get("since")?)?,
        may_be_late: row.get("may_be_late")?,
    })
}
