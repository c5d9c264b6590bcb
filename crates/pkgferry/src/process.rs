use state::CommandLine;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

/// What the operating system hands to the process, read once. Everything else works on this.
#[derive(Clone, Debug)]
pub struct Process {
    /// The command line, the program's name first.
    pub arguments: Vec<OsString>,
    /// Variables whose names and values are UTF-8 and not empty.
    pub variables: BTreeMap<String, String>,
    /// The file that runs; `None` if the system does not tell.
    pub program: Option<PathBuf>,
}

impl Process {
    /// Reads them.
    pub fn snapshot() -> Self {
        let text =
            |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        let variables = std::env::vars_os().filter_map(text).filter(|(_, value)| !value.is_empty()).collect();
        Self { arguments: std::env::args_os().collect(), variables, program: std::env::current_exe().ok() }
    }

    /// A variable, if it is set and not empty.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// The user's home folder.
    pub fn home(&self) -> Option<PathBuf> {
        self.variable("HOME").or_else(|| self.variable("USERPROFILE")).map(PathBuf::from)
    }

    /// The name of this machine, for people.
    pub fn host(&self) -> String {
        #[cfg(unix)]
        let told = rustix::system::uname().nodename().to_string_lossy().into_owned();
        #[cfg(not(unix))]
        let told = self.variable("COMPUTERNAME").unwrap_or_default().to_owned();
        if told.is_empty() { "this machine".to_owned() } else { told }
    }

    /// The command line without the program's name and without secrets, as it may be kept.
    pub fn command(&self) -> CommandLine {
        CommandLine::from_words(self.arguments.iter().skip(1).map(|word| word.to_string_lossy()))
    }
}
