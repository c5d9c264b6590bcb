use crate::{PackageReport, Status};
use serde::Serialize;
use std::fmt;

/// Counts and sums over the packages of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// All packages.
    pub packages: u64,
    /// Those that failed.
    pub failed: u64,
    /// Those that were interrupted.
    pub interrupted: u64,
    /// Those that were being worked on.
    pub running: u64,
    /// Those whose turn did not come.
    pub not_begun: u64,
    /// Those that are not shown to have arrived.
    pub unverified: u64,
    /// Those whose file took the place of another.
    pub replaced: u64,
    /// Those whose file is new.
    pub created: u64,
    /// Those of which only the record changed.
    pub metadata_only: u64,
    /// Those that were fetched.
    pub downloaded: u64,
    /// Those that were there already.
    pub skipped: u64,
    /// Warnings of all packages.
    pub warnings: u64,
    /// Bytes that were sent.
    pub bytes_sent: u64,
    /// Bytes that earlier runs had sent.
    pub bytes_resumed: u64,
    /// Bytes that were fetched.
    pub bytes_fetched: u64,
    /// Bytes that were there already.
    pub bytes_saved: u64,
}

impl Totals {
    /// Counts these packages.
    #[must_use]
    pub fn of<'a>(packages: impl IntoIterator<Item = &'a PackageReport>) -> Self {
        let mut totals = Self::default();
        for package in packages {
            totals.packages += 1;
            *totals.count_of(package.status) += 1;
            totals.warnings += u64::try_from(package.warnings.len()).unwrap_or(u64::MAX);
            // Reports are read from files too, and a file may say anything.
            let add = |sum: &mut u64, bytes: u64| *sum = sum.saturating_add(bytes);
            add(&mut totals.bytes_sent, package.bytes_sent);
            add(&mut totals.bytes_resumed, package.bytes_resumed);
            add(&mut totals.bytes_fetched, package.bytes_fetched);
            add(&mut totals.bytes_saved, package.bytes_saved);
        }
        totals
    }

    /// How many packages have this status.
    #[must_use]
    pub fn with(mut self, status: Status) -> u64 {
        *self.count_of(status)
    }

    /// How many packages were changed and are known to be right.
    #[must_use]
    pub fn changed(self) -> u64 {
        Status::ALL.into_iter().filter(|status| status.is_change()).map(|status| self.with(status)).sum()
    }

    /// How many packages were interrupted, were being worked on, or had no turn.
    #[must_use]
    pub fn not_done(self) -> u64 {
        self.interrupted + self.running + self.not_begun
    }

    fn count_of(&mut self, status: Status) -> &mut u64 {
        match status {
            Status::Failed => &mut self.failed,
            Status::Interrupted => &mut self.interrupted,
            Status::Running => &mut self.running,
            Status::NotBegun => &mut self.not_begun,
            Status::Unverified => &mut self.unverified,
            Status::Replaced => &mut self.replaced,
            Status::Created => &mut self.created,
            Status::MetadataOnly => &mut self.metadata_only,
            Status::Downloaded => &mut self.downloaded,
            Status::Skipped => &mut self.skipped,
        }
    }
}

/// `1 failed, 2 unverified, 283 skipped`, without the statuses that no package has.
impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = Status::ALL.into_iter().map(|status| (self.with(status), status.final_word()));
        for (place, (count, word)) in counts.filter(|(count, _)| *count > 0).enumerate() {
            let comma = if place > 0 { ", " } else { "" };
            write!(f, "{comma}{count} {word}")?;
        }
        Ok(())
    }
}
