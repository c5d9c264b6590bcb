//! What of the history is kept.

use super::History;
use crate::Error;
use crate::times::stored;
use jiff::Timestamp;
use rusqlite::{Connection, TransactionBehavior, params};

/// Which runs are kept: those that fulfil every condition that is set. Runs that go on are kept in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HistoryKeep {
    /// Those that began then or later.
    pub since: Option<Timestamp>,
    /// The newest, so many.
    pub runs: Option<u32>,
}

/// What went, or would go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HistoryPruned {
    /// Runs.
    pub runs: u64,
    /// Packages of them.
    pub packages: u64,
}

impl History {
    /// How much [`prune`](History::prune) would remove.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn prunable(&self, keep: HistoryKeep) -> Result<HistoryPruned, Error> {
        let database = self.state.database();
        count(&database, &self.outdated(&database, keep)?)
    }

    /// Removes the runs that are not kept, and all that is known of them.
    ///
    /// # Errors
    /// When it cannot be written; then nothing is removed.
    pub fn prune(&self, keep: HistoryKeep) -> Result<HistoryPruned, Error> {
        let mut database = self.state.database();
        let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let outdated = self.outdated(&transaction, keep)?;
        let pruned = count(&transaction, &outdated)?;
        for run in outdated {
            transaction.prepare_cached("DELETE FROM runs WHERE number = ?1")?.execute([run])?;
        }
        transaction.commit()?;
        Ok(pruned)
    }

    fn outdated(&self, database: &Connection, keep: HistoryKeep) -> Result<Vec<i64>, Error> {
        let mut select = database.prepare_cached(
            "SELECT number, life, ended FROM runs WHERE begun < ?1 OR \
             (?2 IS NOT NULL AND number NOT IN (SELECT number FROM runs ORDER BY number DESC LIMIT ?2))",
        )?;
        let mut rows = select.query(params![keep.since.map(stored), keep.runs])?;
        let mut outdated = Vec::new();
        while let Some(row) = rows.next()? {
            let (number, life, ended): (i64, String, Option<i64>) = (row.get(0)?, row.get(1)?, row.get(2)?);
            if ended.is_some() || !self.goes_on(number, &life) {
                outdated.push(number);
            }
        }
        Ok(outdated)
    }
}

fn count(database: &Connection, runs: &[i64]) -> Result<HistoryPruned, Error> {
    let mut count = database.prepare_cached("SELECT count(*) FROM packages WHERE run = ?1")?;
    let mut pruned = HistoryPruned::default();
    for run in runs {
        let packages: i64 = count.query_row([run], |row| row.get(0))?;
        pruned.runs += 1;
        pruned.packages += packages.cast_unsigned();
    }
    Ok(pruned)
}
