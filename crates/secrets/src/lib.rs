//! Where secrets come from when nobody watches.
//!
//! A [`SecretSource`] is what a setting says: the secret itself, or the [`Place`] where it is kept. [`Secrets`] asks that
//! place when the secret is needed, once in a run, and gives a [`pipeline::Secret`].
//!
//! | the setting says | the secret is |
//! |---|---|
//! | `env:NAME` | the value of an environment variable |
//! | `file:/path` or `file:~/path` | the one line in a file that nobody else can read |
//! | `credential:NAME` | a file in `$CREDENTIALS_DIRECTORY`, which systemd fills (`LoadCredential=`) |
//! | `command:op read op://vault/item/field`, or `["op", "read", "…"]` | the one line that a program prints |
//! | `keychain:SERVICE/ACCOUNT` | a password in the system's keychain |
//! | `plain:text`, or any other text | that text; [`SecretSource::is_plain`] lets the caller warn |
//!
//! What goes wrong names the place and never the value, and a [hint](pipeline::Diagnose::hint) says what to do. Nothing
//! here stores a secret: each place has tools of its own for that.
//!
//! Commands are started without a shell, with nothing on standard input, in the process group of the caller: whoever sits
//! before it can still be asked for a fingerprint, and Ctrl-C ends both. They have [limited](Surroundings::limit) time by
//! the real clock, since another program does not know of an injected one.
//!
//! The keychain is asked by the system's own tools (`/usr/bin/security`, `secret-tool`) and not by a library. On a Mac an
//! item lets in the programs on its list: `security` is on it if `security` made the item, whereas an unsigned program is
//! another one after each update, and a window asks whether it may. On Linux a library brings a client of D-Bus, some forty
//! crates, for one look-up.
//!
//! ```
//! use secrets::{SecretSource, Secrets, Surroundings};
//!
//! let source: SecretSource = "env:JAMF_SECRET".parse()?;
//! assert_eq!(source.to_string(), "env:JAMF_SECRET");
//! assert!(!source.is_plain());
//!
//! let surroundings = Surroundings::new(|name| std::env::var_os(name));
//! let secrets = Secrets::new(surroundings);
//! # let _ = secrets;
//! # Ok::<(), secrets::Error>(())
//! ```

mod command;
mod error;
mod file;
mod keychain;
mod place;
mod said;
mod secrets;
mod source;
mod text;
mod words;

pub use error::{Error, Fault, Scheme};
pub use keychain::KeychainTool;
pub use place::{CommandLine, CredentialName, KeychainItem, Place, SecretPath, VariableName};
pub use secrets::{Secrets, Surroundings};
pub use source::SecretSource;
