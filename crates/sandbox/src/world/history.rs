use super::Packages;
use jiff::Timestamp;

/// The package records as they were after each write, for nodes that have not heard of the latest ones yet
/// (`jamf-pro-api.md §13.1`). Begins with the process.
#[derive(Debug, Default)]
pub(crate) struct History(Vec<(Timestamp, Packages)>);

impl History {
    /// Keeps the records as they are now, and forgets what was superseded when `heard` was now: nobody reads that again.
    pub(super) fn keep(&mut self, packages: &Packages, now: Timestamp, heard: Timestamp) {
        let superseded = self.up_to(heard).saturating_sub(1);
        self.0.drain(..superseded);
        self.0.push((now, packages.clone()));
    }

    /// The records as they were at `moment`: those at the beginning, if that was later.
    pub(super) fn at(&self, moment: Timestamp) -> Option<&Packages> {
        let (_, packages) = self.0.get(self.up_to(moment).saturating_sub(1))?;
        Some(packages)
    }

    /// How many were kept until `moment`.
    fn up_to(&self, moment: Timestamp) -> usize {
        self.0.partition_point(|(kept, _)| *kept <= moment)
    }
}
