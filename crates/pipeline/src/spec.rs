use crate::{Key, Kind, Typed, Value, WrongType};

/// The half of a run in which a value is needed or becomes known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// While planning: no writes, also in a dry run.
    Plan,
    /// While applying what was planned.
    Apply,
}

/// A default as a constant can hold it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Default {
    /// Text.
    Text(&'static str),
    /// True or false.
    Flag(bool),
    /// A whole number.
    Number(i64),
}

impl Default {
    /// The default as a value.
    #[must_use]
    pub fn to_value(self) -> Value {
        match self {
            Self::Text(text) => Value::String(text.to_owned()),
            Self::Flag(flag) => Value::Bool(flag),
            Self::Number(number) => Value::Integer(number),
        }
    }
}

/// Whether an input has to be there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Need {
    /// The chain is faulty without it.
    Required,
    /// The step does without.
    Optional,
    /// The runner sets this when nothing else did.
    Default(Default),
}

/// Something a processor reads from the environment.
#[derive(Clone, Copy, Debug)]
pub struct Input {
    /// The name in recipes and in the environment.
    pub name: &'static str,
    /// Other names that `Arguments` may use for it.
    pub aliases: &'static [&'static str],
    /// Its type.
    pub kind: Kind,
    /// Whether it has to be there.
    pub need: Need,
    /// The half of the run that reads it first.
    pub when: Phase,
    /// Whether it names a file that has to be there.
    pub must_exist: bool,
    /// Whether it says where secrets are sent.
    pub is_destination: bool,
    /// One or two sentences for `pkgferry processors`.
    pub doc: &'static str,
    check: fn(&Value) -> Result<(), WrongType>,
}

impl Input {
    const fn new<T: Typed>(key: Key<T>, need: Need, doc: &'static str) -> Self {
        fn check<T: Typed>(value: &Value) -> Result<(), WrongType> {
            T::read(value).map(|_| ())
        }
        Self {
            name: key.name(),
            aliases: &[],
            kind: T::KIND,
            need,
            when: Phase::Plan,
            must_exist: false,
            is_destination: false,
            doc,
            check: check::<T>,
        }
    }

    /// An input without which the chain is faulty.
    #[must_use]
    pub const fn required<T: Typed>(key: Key<T>, doc: &'static str) -> Self {
        Self::new(key, Need::Required, doc)
    }

    /// An input that may be missing.
    #[must_use]
    pub const fn optional<T: Typed>(key: Key<T>, doc: &'static str) -> Self {
        Self::new(key, Need::Optional, doc)
    }

    /// An input that the runner fills in when nothing else did.
    #[must_use]
    pub const fn with_default<T: Typed>(key: Key<T>, default: Default, doc: &'static str) -> Self {
        Self::new(key, Need::Default(default), doc)
    }

    /// Read only while applying, so an earlier step's apply may provide it.
    #[must_use]
    pub const fn at_apply(mut self) -> Self {
        self.when = Phase::Apply;
        self
    }

    /// It names a file without which the step fails whatever else it finds, so that a recipe need not begin where it is missing.
    #[must_use]
    pub const fn existing(mut self) -> Self {
        self.must_exist = true;
        self
    }

    /// It says where secrets are sent, so that a recipe may not lead those of the settings elsewhere.
    #[must_use]
    pub const fn destination(mut self) -> Self {
        self.is_destination = true;
        self
    }

    /// Other names that `Arguments` may use.
    #[must_use]
    pub const fn also(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    /// Whether a value can be read as this input's type.
    ///
    /// # Errors
    /// What would have been right and what was found.
    pub fn check(&self, value: &Value) -> Result<(), WrongType> {
        (self.check)(value)
    }
}

/// Two lists of inputs as one, for [`Spec`]s that share some.
///
/// ```
/// use pipeline::{Input, join, keys};
/// const SHARED: [Input; 1] = [Input::optional(keys::JSS_URL, "the server")];
/// const OWN: [Input; 1] = [Input::required(keys::PKG_PATH, "the file")];
/// static INPUTS: [Input; SHARED.len() + OWN.len()] = join(&SHARED, &OWN);
/// assert_eq!(INPUTS.map(|input| input.name), ["JSS_URL", "pkg_path"]);
/// ```
///
/// # Panics
/// While compiling, when `N` is not the sum of the two lengths.
#[must_use]
pub const fn join<const A: usize, const B: usize, const N: usize>(
    first: &[Input; A],
    second: &[Input; B],
) -> [Input; N] {
    assert!(A + B == N && N > 0, "the length is the sum of both");
    let mut all = [if A > 0 { first[0] } else { second[0] }; N];
    let mut index = 0;
    while index < N {
        all[index] = if index < A { first[index] } else { second[index - A] };
        index += 1;
    }
    all
}

/// Something a processor writes into the environment.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// From which half of the run on it is known.
    pub when: Phase,
    /// One or two sentences for `pkgferry processors`.
    pub doc: &'static str,
}

impl Output {
    /// An output that planning gives.
    #[must_use]
    pub const fn planned<T: Typed>(key: Key<T>, doc: &'static str) -> Self {
        Self { name: key.name(), kind: T::KIND, when: Phase::Plan, doc }
    }

    /// An output that only applying gives.
    #[must_use]
    pub const fn applied<T: Typed>(key: Key<T>, doc: &'static str) -> Self {
        Self { name: key.name(), kind: T::KIND, when: Phase::Apply, doc }
    }
}

/// What a processor declares about itself. It drives the check of the chain, the help and the documentation.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// The name in recipes: the crate's name.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// A few paragraphs in plain text.
    pub docs: &'static str,
    /// Whether applying can change the server.
    pub writes: bool,
    /// What it reads.
    pub inputs: &'static [Input],
    /// What it writes.
    pub outputs: &'static [Output],
}

impl Spec {
    /// The input of this name or alias.
    #[must_use]
    pub fn input(&self, name: &str) -> Option<&Input> {
        self.inputs.iter().find(|input| input.name == name || input.aliases.contains(&name))
    }
}
