//! Exit codes. They are part of the interface: scripts and schedulers branch on them.

use pipeline::FailureKind;
use std::process::ExitCode;

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done, also when nothing was to do.
    Done,
    /// 1: pkgferry itself could not go on (no settings, no terminal to write to, …).
    Internal,
    /// 2: a dry run with `--detailed-exit-code` found changes pending.
    ChangesPending,
    /// 3: a recipe or the settings are wrong.
    Recipe,
    /// 4: sign-in failed or a privilege is missing.
    Access,
    /// 5: server, storage or network failed.
    Remote,
    /// 6: a local file is missing, unreadable or changed.
    Local,
    /// 7: delivered, but the server has not shown that it holds the right bytes.
    Unverified,
    /// 8: `doctor` found something that keeps every package from arriving.
    Blocked,
    /// 9: the deadline came before every recipe had its turn.
    Deadline,
    /// 10: another run works on the server.
    Busy,
    /// 64: the command line is wrong.
    Usage,
    /// 130: interrupted.
    Interrupted,
}

/// For `--help`, and checked against README by a test.
pub const HELP: &str = "\
Exit codes:
  0    done, also when nothing was to do
  1    pkgferry itself could not go on
  2    --dry-run --detailed-exit-code: changes are pending
  3    a recipe or the settings are wrong
  4    sign-in failed or a privilege is missing
  5    server, storage or network failed
  6    a local file is missing, unreadable or changed
  7    delivered, but not verified
  8    doctor: something keeps packages from arriving
  9    the deadline came before every recipe had its turn
  10   another run works on the server
  64   the command line is wrong
  130  interrupted";

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Internal => 1,
            Self::ChangesPending => 2,
            Self::Recipe => 3,
            Self::Access => 4,
            Self::Remote => 5,
            Self::Local => 6,
            Self::Unverified => 7,
            Self::Blocked => 8,
            Self::Deadline => 9,
            Self::Busy => 10,
            Self::Usage => 64,
            Self::Interrupted => 130,
        }
    }

    /// The one with this number.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        let all = [
            Self::Done,
            Self::Internal,
            Self::ChangesPending,
            Self::Recipe,
            Self::Access,
            Self::Remote,
            Self::Local,
            Self::Unverified,
            Self::Blocked,
            Self::Deadline,
            Self::Busy,
            Self::Usage,
            Self::Interrupted,
        ];
        all.into_iter().find(|exit| exit.code() == code)
    }

    /// The worse of two: an interruption, then a failure, then what had no turn, then what is unverified, then what is pending. Of
    /// two failures it is the first.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        if other.weight() > self.weight() { other } else { self }
    }

    fn weight(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::ChangesPending => 1,
            Self::Unverified => 2,
            Self::Deadline => 3,
            Self::Internal
            | Self::Recipe
            | Self::Access
            | Self::Remote
            | Self::Local
            | Self::Blocked
            | Self::Busy
            | Self::Usage => 4,
            Self::Interrupted => 5,
        }
    }

    /// The code for a failed step.
    pub fn of(kind: FailureKind) -> Self {
        match kind {
            FailureKind::Recipe => Self::Recipe,
            FailureKind::Access => Self::Access,
            FailureKind::Remote => Self::Remote,
            FailureKind::Local => Self::Local,
            FailureKind::Interrupted => Self::Interrupted,
            FailureKind::Deadline => Self::Deadline,
            FailureKind::Busy => Self::Busy,
            FailureKind::Internal => Self::Internal,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Prints what clap has to say. Help and version are no errors; a wrong command line ends with 64 and not with clap's
/// own 2, which means pending changes here.
pub fn of_usage(error: &clap::Error) -> ExitCode {
    // A closed pipe while printing help is nobody's fault.
    let _ = error.print();
    if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() }
}
