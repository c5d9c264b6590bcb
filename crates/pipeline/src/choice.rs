//! Values that are one of a few words.

use std::fmt;
use std::str::FromStr;

/// Text is none of the words that there are to choose from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is none of {words}")]
pub struct InvalidChoice {
    text: String,
    words: String,
}

macro_rules! choice {
    ($(
        $(#[$doc:meta])*
        $type:ident { $( $(#[$variant_doc:meta])* $variant:ident = $word:literal $(| $also:literal)*, )* }
    )*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $type { $( $(#[$variant_doc])* $variant, )* }

        impl $type {
            /// The word, as recipes write it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $word, )* }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $type {
            type Err = InvalidChoice;
            fn from_str(text: &str) -> Result<Self, InvalidChoice> {
                match text {
                    $( $word $(| $also)* => Ok(Self::$variant), )*
                    _ => Err(InvalidChoice { text: text.to_owned(), words: [$($word),*].join(", ") }),
                }
            }
        }
    )*};
}

choice! {
    /// What comparing the local file with the server's file came to.
    Verdict {
        /// The server has no file of this name.
        Absent = "absent",
        /// The server's file is the local file, byte for byte: size, MD5 and SHA3-512 agree.
        Same = "same",
        /// The server has another file of this name, or one that cannot be shown to be the same.
        Different = "different",
    }

    /// What checking a delivery came to.
    Delivery {
        /// The server has shown that it holds the right bytes.
        Proven = "proven",
        /// It has not.
        Unverified = "unverified",
    }

    /// Which API is to serve package records.
    PackageApiChoice {
        /// The Pro API where the server has it, else the Classic API. Empty text says so too: it is how a variable
        /// of the process environment is unset.
        Auto = "auto" | "",
        /// The Pro API.
        Pro = "pro",
        /// The Classic API.
        Classic = "classic",
    }

    /// How a file gets into the cloud.
    Route {
        /// Straight into the storage of the distribution service, with temporary credentials (`jamf-pro-api.md §7.2`).
        Jcds = "jcds",
        /// Through Jamf Pro, onto the package record (`jamf-pro-api.md §5.4`).
        PackagesApi = "packages-api",
    }

    /// Which route is wanted.
    RouteChoice {
        /// The one that the server offers. Empty text says so too: it is how a variable of the process environment is
        /// unset.
        Auto = "auto" | "",
        /// [`Route::Jcds`].
        Jcds = "jcds",
        /// [`Route::PackagesApi`].
        PackagesApi = "packages-api",
    }

    /// Who tells what the server holds.
    Witness {
        /// The list of the distribution service (`jamf-pro-api.md §7.1`).
        List = "list",
        /// The package record (`jamf-pro-api.md §5.1`).
        Record = "record",
    }

    /// The processor that a package record requires, in the words of the Classic API (`jamf-pro-api.md §6.3`).
    RequiredProcessor {
        /// Any.
        None = "None",
        /// PowerPC.
        Ppc = "ppc",
        /// Intel.
        X86 = "x86",
    }
}

impl Route {
    /// The processor that sends a file on this route. Its name is what tells whether a recipe can take the route.
    #[must_use]
    pub const fn sender(self) -> &'static str {
        match self {
            Self::Jcds => "s3-upload",
            Self::PackagesApi => "package-upload",
        }
    }

    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Jcds => Self::PackagesApi,
            Self::PackagesApi => Self::Jcds,
        }
    }
}

/// This route and no other.
impl From<Route> for RouteChoice {
    fn from(route: Route) -> Self {
        match route {
            Route::Jcds => Self::Jcds,
            Route::PackagesApi => Self::PackagesApi,
        }
    }
}
