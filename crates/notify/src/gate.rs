use pipeline::{Access, Boundary};

/// What a dry run tells others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InDryRun {
    /// Nothing: nobody is woken by a rehearsal.
    #[default]
    Silent,
    /// All that a real run would, marked as a dry run. For who tries out a webhook.
    Tell,
}

/// The gate that messages and pings pass. It is not the run's own: that one stays shut for steps in a dry run whatever is
/// told to others, and its traffic is that with Jamf and S3.
#[must_use]
pub fn gate(run: Access, in_dry_run: InDryRun) -> Boundary {
    Boundary::new(match (run, in_dry_run) {
        (Access::ReadWrite, _) | (Access::ReadOnly, InDryRun::Tell) => Access::ReadWrite,
        (Access::ReadOnly, InDryRun::Silent) => Access::ReadOnly,
    })
}
