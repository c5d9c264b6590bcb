use crate::{Diagnose, FailureKind};
use std::error::Error;
use std::fmt::{self, Debug, Display};

/// How many faults a text shows.
const MAX_SHOWN: usize = 50;

/// Everything that is wrong with what somebody wrote, such as a recipe or a list of recipes, in one report. Never empty.
///
/// ```
/// use pipeline::Faults;
///
/// let faults = Faults::or(vec!["no recipe", "no server"], ()).unwrap_err();
/// assert_eq!(faults.to_string(), "no recipe\nno server\n2 faults");
/// assert_eq!(Faults::<String>::or(Vec::new(), 7).unwrap(), 7);
/// ```
#[derive(Debug)]
pub struct Faults<F>(Vec<F>);

impl<F> Faults<F> {
    /// The value, if there are no faults.
    ///
    /// # Errors
    /// The faults, if there are any.
    pub fn or<T>(faults: Vec<F>, value: T) -> Result<T, Self> {
        if faults.is_empty() { Ok(value) } else { Err(Self(faults)) }
    }

    /// The faults, in the order in which they were found.
    pub fn iter(&self) -> impl Iterator<Item = &F> {
        self.0.iter()
    }

    /// How many there are.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "never empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Takes in the faults of another report, so that one tells all.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The faults themselves.
    #[must_use]
    pub fn into_vec(self) -> Vec<F> {
        self.0
    }
}

impl<F> From<F> for Faults<F> {
    fn from(fault: F) -> Self {
        Self(vec![fault])
    }
}

/// The faults, one after the other, as many as somebody would read, and the number of all.
impl<F: Display> Display for Faults<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in self.0.iter().take(MAX_SHOWN) {
            writeln!(f, "{fault}")?;
        }
        if let Some(more) = self.0.len().checked_sub(MAX_SHOWN).filter(|more| *more > 0) {
            writeln!(f, "… and {more} more")?;
        }
        match self.0.len() {
            1 => f.write_str("1 fault"),
            count => write!(f, "{count} faults"),
        }
    }
}

impl<F: Debug + Display> Error for Faults<F> {}

impl<F: Debug + Display + Send + Sync + 'static> Diagnose for Faults<F> {
    fn kind(&self) -> FailureKind {
        FailureKind::Recipe
    }
}
