use std::fmt;

/// A number is not the priority of a package record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a priority: it takes a whole number from 1 to 20")]
pub struct InvalidPriority(u8);

/// The priority of a package record: 1 to 20, which is what Jamf Pro takes (`jamf-pro-api.md §5.1`).
///
/// ```
/// use pipeline::Priority;
/// assert_eq!(Priority::try_from(20)?.get(), 20);
/// assert!(Priority::try_from(0).is_err() && Priority::try_from(21).is_err());
/// # Ok::<(), pipeline::InvalidPriority>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Priority(u8);

impl Priority {
    /// The number.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Priority {
    type Error = InvalidPriority;
    fn try_from(number: u8) -> Result<Self, InvalidPriority> {
        if (1..=20).contains(&number) { Ok(Self(number)) } else { Err(InvalidPriority(number)) }
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
