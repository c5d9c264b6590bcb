//! Deliveries: what was sent, and how far it was shown to have arrived.

use crate::digests::fingerprint;
use crate::history::record;
use crate::times::{stored, told};
use crate::{Error, State};
use fingerprint::Fingerprint;
use jiff::{SignedDuration, Timestamp};
use pipeline::{FileName, PackageId, Route, Witness};
use rusqlite::{Connection, Row, TransactionBehavior, params};
use std::time::Duration;

/// A file that was sent, or that somebody is about to prove.
#[derive(Clone, Debug)]
pub struct NewDelivery<'a> {
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
    /// How far it was shown to have arrived.
    pub arrival: Arrival,
}

/// A delivery that is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
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
    /// How far it was shown to have arrived.
    pub arrival: Arrival,
}

/// How far a delivery was shown to have arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// The list has not shown it. It is to be proven.
    Awaited,
    /// The list has shown the file. It is still to be proven.
    Listed,
    /// It came without its bytes, or its file is to be deleted, or it is there for long, or nobody here has sent it: nothing of it is on
    /// its way, and the list is believed. It is still to be proven.
    Unawaited,
    /// It was read back. It is remembered as long as a node may not know it.
    Proven,
}

impl Arrival {
    fn word(self) -> &'static str {
        match self {
            Self::Awaited => "awaited",
            Self::Listed => "listed",
            Self::Unawaited => "unawaited",
            Self::Proven => "proven",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Awaited, Self::Listed, Self::Unawaited, Self::Proven]
            .into_iter()
            .find(|known| known.word() == word)
    }
}

/// How long a delivery that the list does not show is taken to be on its way into the list. Nobody knows how long that can take
/// (`jamf-pro-api.md §19.5`); whoever deleted the file by hand waits no longer than this until it is sent again.
pub(crate) const LISTED_LATE: SignedDuration = SignedDuration::from_hours(1);
/// How long one node's list may lack what another one's has shown: they exchange changes about once a minute (`jamf-pro-api.md §13.1`).
const LISTED_EVERYWHERE: SignedDuration = SignedDuration::from_secs(75);
/// How long a delivery that was seen in the list is kept to be proven, where no step does it.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

impl Delivery {
    /// How long from now on the list of the distribution service may show what was there before, since not every node of the server has
    /// heard of it. Zero where the list is believed.
    #[must_use]
    pub fn spreads_for(&self, now: Timestamp) -> Duration {
        match self.arrival {
            Arrival::Unawaited => Duration::ZERO,
            Arrival::Awaited | Arrival::Listed | Arrival::Proven => self.left_of(LISTED_EVERYWHERE, now),
        }
    }

    /// Whether the list of the distribution service may lack it.
    #[must_use]
    pub fn may_be_unlisted(&self, now: Timestamp) -> bool {
        let is_awaited = self.arrival == Arrival::Awaited && !self.left_of(LISTED_LATE, now).is_zero();
        is_awaited || !self.spreads_for(now).is_zero()
    }

    fn left_of(&self, window: SignedDuration, now: Timestamp) -> Duration {
        // What went through Jamf Pro is told by the record.
        let window = if self.route == Route::Jcds { window } else { SignedDuration::ZERO };
        // By a clock that was set back it was sent in the time to come.
        Duration::try_from(window - now.duration_since(self.since).abs()).unwrap_or_default()
    }
}

const COLUMNS: &str = "number, server, file, record, size, md5, sha3_512, route, witness, since, arrival";

impl State {
    /// Remembers a delivery. It takes the place of an earlier one of the same file on the same server, in whatever
    /// spelling: what was sent then is not there any more.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_delivery(&self, new: &NewDelivery<'_>) -> Result<(), Error> {
        let mut database = self.database();
        let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        strike(&transaction, new.server, new.file)?;
        let before = |age| stored(new.since.saturating_sub(age).unwrap_or(Timestamp::MIN));
        transaction.execute(
            "DELETE FROM unproven \
             WHERE server = ?1 AND (arrival = ?2 AND since < ?3 OR arrival = ?4 AND since < ?5)",
            params![
                new.server,
                Arrival::Listed.word(),
                before(KEPT),
                Arrival::Proven.word(),
                before(LISTED_EVERYWHERE)
            ],
        )?;
        transaction.execute(
            "INSERT INTO unproven (server, file, record, size, md5, sha3_512, route, witness, since, arrival) \
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
                new.arrival.word(),
            ],
        )?;
        Ok(transaction.commit()?)
    }

    /// So far was this delivery shown to have arrived. One that another process has kept in its place meanwhile stays as it is.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn arrived(&self, delivery: &Delivery, arrival: Arrival) -> Result<(), Error> {
        let update = "UPDATE unproven SET arrival = ?1 WHERE number = ?2";
        self.database().execute(update, params![arrival.word(), delivery.number])?;
        Ok(())
    }

    /// Forgets this delivery. One that another process has kept in its place meanwhile stays. Tells whether it was still kept.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn forget_delivery(&self, delivery: &Delivery) -> Result<bool, Error> {
        let delete = "DELETE FROM unproven WHERE number = ?1";
        Ok(self.database().execute(delete, [delivery.number])? > 0)
    }

    /// What was sent last of this file to this server, in whatever spelling, as far as it is remembered.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn delivery(&self, server: &str, file: &FileName) -> Result<Option<Delivery>, Error> {
        let database = self.database();
        let Some(number) = numbers(&database, server, file)?.pop() else { return Ok(None) };
        let select = format!("SELECT {COLUMNS} FROM unproven WHERE number = ?1");
        let mut select = database.prepare_cached(&select)?;
        let mut rows = select.query([number])?;
        rows.next()?.map(read).transpose()
    }

    /// What is not proven yet, on one server or all, the oldest first.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn unproven(&self, server: Option<&str>) -> Result<Vec<Delivery>, Error> {
        let database = self.database();
        let select = format!(
            "SELECT {COLUMNS} FROM unproven WHERE (?1 IS NULL OR server = ?1) AND arrival <> ?2 ORDER BY number"
        );
        let mut select = database.prepare_cached(&select)?;
        let mut rows = select.query(params![server, Arrival::Proven.word()])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(read(row)?);
        }
        Ok(found)
    }
}

/// Of what is remembered of this file.
fn numbers(database: &Connection, server: &str, file: &FileName) -> Result<Vec<i64>, Error> {
    // ASCII has one spelling only, and is found by the index.
    let select = match file.as_str().is_ascii() {
        true => "SELECT number, file FROM unproven WHERE server = ?1 AND file = ?2 ORDER BY number",
        false => "SELECT number, file FROM unproven WHERE server = ?1 AND ?2 <> '' ORDER BY number",
    };
    let mut select = database.prepare_cached(select)?;
    let rows = select.query_map([server, file.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let rows: Vec<(i64, String)> = rows.collect::<Result<_, _>>()?;
    Ok(rows.into_iter().filter(|(_, name)| file.same_name(name)).map(|(number, _)| number).collect())
}

fn strike(database: &Connection, server: &str, file: &FileName) -> Result<(), Error> {
    let mut delete = database.prepare_cached("DELETE FROM unproven WHERE number = ?1")?;
    for number in numbers(database, server, file)? {
        delete.execute([number])?;
    }
    Ok(())
}

fn read(row: &Row<'_>) -> Result<Delivery, Error> {
    let word = |column| row.get::<_, String>(column);
    let size: i64 = row.get("size")?;
    Ok(Delivery {
        number: row.get("number")?,
        server: row.get("server")?,
        file: word("file")?.parse().map_err(|_| Error::Entry { what: "a file name" })?,
        record: record(row.get("record")?)?,
        sent: fingerprint(size.cast_unsigned(), row.get("md5")?, row.get("sha3_512")?),
        route: word("route")?.parse().map_err(|_| Error::Entry { what: "a route" })?,
        witness: word("witness")?.parse().map_err(|_| Error::Entry { what: "a witness" })?,
        since: told(row.get("since")?)?,
        arrival: Arrival::parse(&word("arrival")?).ok_or(Error::Entry { what: "an arrival" })?,
    })
}
