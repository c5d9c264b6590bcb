use crate::place::{CredentialName, KeychainItem, Place, VariableName};
use crate::text::LONGEST;
use pipeline::{Diagnose, FailureKind};
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// What a setting begins with, up to the colon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// The secret itself.
    Plain,
    /// An environment variable.
    Variable,
    /// A file.
    File,
    /// A credential of a systemd service.
    Credential,
    /// A program's output.
    Command,
    /// The system's keychain.
    Keychain,
}

impl Scheme {
    pub(crate) const ALL: [Self; 6] =
        [Self::Plain, Self::Variable, Self::File, Self::Credential, Self::Command, Self::Keychain];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Variable => "env",
            Self::File => "file",
            Self::Credential => "credential",
            Self::Command => "command",
            Self::Keychain => "keychain",
        }
    }

    fn example(self) -> &'static str {
        match self {
            Self::Plain => "plain:the secret itself",
            Self::Variable => "env:JAMF_SECRET",
            Self::File => "file:/etc/pkgferry/jamf-secret or file:~/.config/pkgferry/jamf-secret",
            Self::Credential => "credential:jamf-secret",
            Self::Command => {
                "command:op read op://vault/item/field, or the words in a list; what needs a shell gets one by \
                 command:sh -c '…'"
            }
            Self::Keychain => "keychain:pkgferry/client-secret",
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why what was found is no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Nothing, or nothing but blanks.
    #[error("it is empty")]
    Empty,
    /// More than one line.
    #[error("it has several lines, and a secret is one")]
    SeveralLines,
    /// Bytes that are no text.
    #[error("it is not UTF-8")]
    NotUtf8,
    /// A NUL, which no header and no form can carry.
    #[error("it has a NUL in it")]
    Nul,
    /// More than any secret needs.
    #[error("it is longer than {} KiB", LONGEST >> 10)]
    TooLong,
}

/// There is no secret to be had. No message holds the secret, or what may be a part of it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// A setting names a place that there cannot be.
    #[error("a secret is to come from `{scheme}:`, but {reason}")]
    Invalid {
        /// Which kind of place.
        scheme: Scheme,
        /// What is wrong.
        reason: &'static str,
    },
    /// A setting begins with what people write for one of the places.
    #[error("a secret begins with `{written}:`, which names no place that secrets come from")]
    UnknownScheme {
        /// What is written.
        written: &'static str,
        /// What was probably meant.
        meant: Scheme,
    },
    /// A setting has the wrong type.
    #[error("a secret is text, or a list with the words of a command, and this is {found}")]
    NotText {
        /// What it is.
        found: &'static str,
    },
    /// The environment variable is not there.
    #[error("the environment variable {0} is not set")]
    Unset(VariableName),
    /// Nobody handed credentials to this process.
    #[error("there is no credential {0}: CREDENTIALS_DIRECTORY is not set")]
    NoCredentials(CredentialName),
    /// The home folder is not known.
    #[error("{place} lies in the home folder, and HOME is not set")]
    NoHome {
        /// Where the secret is kept.
        place: Place,
    },
    /// The file cannot be read.
    #[error("cannot read {place}")]
    Read {
        /// Where the secret is kept.
        place: Place,
        /// Why.
        source: Arc<io::Error>,
    },
    /// A folder, a pipe, a device.
    #[error("{place} is not a file")]
    NotAFile {
        /// Where the secret is kept.
        place: Place,
    },
    /// Others can read the file.
    #[error("{place} can be read or changed by others (mode {mode:04o})")]
    Exposed {
        /// Where the secret is kept.
        place: Place,
        /// The permissions.
        mode: u32,
    },
    /// The file is somebody else's.
    #[error("{place} belongs to user {owner}, who is neither the one that runs this nor root")]
    Foreign {
        /// Where the secret is kept.
        place: Place,
        /// Its owner.
        owner: u32,
    },
    /// What was found is no secret.
    #[error("{place} gives no secret: {fault}{}", heard(.said.as_deref()))]
    Unusable {
        /// Where the secret is kept.
        place: Place,
        /// Why not.
        fault: Fault,
        /// What a program said about it, without what may be secret.
        said: Option<String>,
    },
    /// The program cannot be started.
    #[error("{}", not_started(.place, .program))]
    NotStarted {
        /// Where the secret is kept.
        place: Place,
        /// The program.
        program: String,
        /// Why.
        source: Arc<io::Error>,
    },
    /// The program did not end.
    #[error("{place} took longer than {} s and was stopped", .limit.as_secs_f64())]
    Late {
        /// Where the secret is kept.
        place: Place,
        /// The time it had.
        limit: Duration,
    },
    /// The program failed.
    #[error("{place} ended with {ending}{}", heard(.said.as_deref()))]
    Ended {
        /// Where the secret is kept.
        place: Place,
        /// How: `exit status 1`, `signal 9`.
        ending: String,
        /// What it said, without what may be secret.
        said: Option<String>,
    },
    /// The keychain is locked, and nobody is there to be asked.
    #[error("keychain:{item} cannot be read: the keychain is locked, or would have to ask somebody")]
    Locked {
        /// What was looked for.
        item: KeychainItem,
    },
    /// The keychain has no such item.
    #[error("there is no keychain:{item} to be found")]
    NotInKeychain {
        /// What was looked for.
        item: KeychainItem,
    },
    /// There is no keychain here.
    #[error("keychain:{item} cannot be read: there is no keychain here{}", heard(.said.as_deref()))]
    NoKeychain {
        /// What was looked for.
        item: KeychainItem,
        /// What the system's tool said about it.
        said: Option<String>,
    },
    /// Somebody pressed Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

fn not_started(place: &Place, program: &str) -> String {
    match place {
        Place::Command(_) => format!("cannot start {place}"),
        _ => format!("cannot start {program}, which {place} needs"),
    }
}

fn heard(said: Option<&str>) -> String {
    said.map(|said| format!("; it said: {said}")).unwrap_or_default()
}

impl Diagnose for Error {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Invalid { .. }
            | Self::UnknownScheme { .. }
            | Self::NotText { .. }
            | Self::Unset(_)
            | Self::NoCredentials(_)
            | Self::NoHome { .. } => FailureKind::Recipe,
            Self::Read { .. }
            | Self::NotAFile { .. }
            | Self::Exposed { .. }
            | Self::Foreign { .. }
            | Self::Unusable { .. }
            | Self::NotStarted { .. }
            | Self::Late { .. }
            | Self::Ended { .. }
            | Self::Locked { .. }
            | Self::NotInKeychain { .. }
            | Self::NoKeychain { .. } => FailureKind::Local,
            Self::Interrupted => FailureKind::Interrupted,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Invalid { scheme, .. } => format!("write it like {}", scheme.example()),
            Self::UnknownScheme { written: "op", .. } => {
                "let 1Password's own program read it: command:op read op://vault/item/field".into()
            }
            Self::UnknownScheme { meant, .. } => format!(
                "write it like {}; if the secret itself begins so, write plain: before it",
                meant.example()
            ),
            Self::NotText { .. } => "put the secret, or where it comes from, between quotes".into(),
            Self::Unset(name) => {
                format!(
                    "set {name} where this is started from; a scheduler does not read the profile of a shell"
                )
            }
            Self::NoCredentials(name) => format!(
                "let systemd hand it over, with LoadCredential={name}:/path in the service, or use file:"
            ),
            Self::NoHome { .. } => "write the whole path; a scheduler need not know a home folder".into(),
            Self::Read { source, .. } => match source.kind() {
                io::ErrorKind::NotFound => "look at the path, and make the file with mode 600".into(),
                io::ErrorKind::PermissionDenied => {
                    "make the file, and the folders above it, readable for the user that runs this".into()
                }
                _ => return None,
            },
            Self::NotAFile { .. } => "name a file with the secret in it".into(),
            Self::Exposed { place: Place::Credential(_), .. } => {
                "make it unreadable for others; for a mounted Kubernetes secret, set defaultMode: 0440".into()
            }
            Self::Exposed { place, .. } => {
                let path = place.to_string();
                format!(
                    "chmod 600 {}; then change the secret, which others may have read",
                    path.trim_start_matches("file:")
                )
            }
            Self::Foreign { .. } => "let it belong to the user that runs this, or to root".into(),
            Self::Unusable { place, fault, .. } => return Some(unusable(place, *fault)),
            Self::NotStarted { place, source, .. } => hint_to_start(place, source),
            Self::Late { place, .. } => hint_to_hurry(place),
            Self::Ended { .. } => "run the same command by hand, as the same user".into(),
            Self::Locked { .. } => format!(
                "unlock it before (on a Mac: security unlock-keychain), or keep the secret where nobody has to be \
                 logged in: in the System keychain of a Mac, or {ELSEWHERE}"
            ),
            Self::NotInKeychain { item } => format!(
                "store it, on a Mac with `security add-generic-password -s '{0}' -a '{1}' -w`, elsewhere with \
                 `secret-tool store --label=pkgferry service '{0}' account '{1}'`",
                item.service(),
                item.account()
            ),
            Self::NoKeychain { .. } => ELSEWHERE.into(),
            Self::Interrupted => return None,
        };
        Some(hint)
    }
}

const ELSEWHERE: &str = "take the secret from env:, file:, credential: or command: instead";

fn hint_to_start(place: &Place, source: &io::Error) -> String {
    match (place, source.kind()) {
        (Place::Keychain(_), _) => {
            format!("install it (on Debian and Ubuntu: libsecret-tools), or {ELSEWHERE}")
        }
        (_, io::ErrorKind::PermissionDenied) => {
            "name a program that the user that runs this may start".into()
        }
        _ => "write the whole path of the program: a scheduler looks into fewer folders than a shell does"
            .into(),
    }
}

fn hint_to_hurry(place: &Place) -> String {
    match place {
        Place::Keychain(_) => {
            format!("it probably asked somebody to unlock the keychain: unlock it before, or {ELSEWHERE}")
        }
        _ => "it probably waits for somebody: let it sign in without a person (op: OP_SERVICE_ACCOUNT_TOKEN)"
            .into(),
    }
}

fn unusable(place: &Place, fault: Fault) -> String {
    let hint = match (place, fault) {
        (Place::Command(_), Fault::Empty | Fault::SeveralLines) => {
            "let the command print the secret alone, on standard output"
        }
        (_, Fault::NotUtf8) => "write it as UTF-8, as plain text",
        (_, Fault::Empty) => "write the secret there",
        (_, Fault::SeveralLines | Fault::Nul | Fault::TooLong) => {
            "look whether that is the right place; it has to hold the secret and nothing else"
        }
    };
    hint.to_owned()
}
