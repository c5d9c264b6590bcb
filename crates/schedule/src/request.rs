use crate::command::check_arguments;
use crate::error::Error;
use crate::recurrence::Recurrence;
use crate::target::Kind;
use crate::text::{
    Argument, FilePath, Name, RecipeName, SecretName, ServerName, ShardCount, TimeZone, UserName,
};

/// What runs, when and how: the same for every scheduler. Paths are those of the machine or container where the run happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What the units are called.
    pub name: Name,
    /// The program. In CI and in containers a bare name is found by the `PATH` there; elsewhere the path is absolute.
    pub program: FilePath,
    /// When runs start.
    pub recurrence: Recurrence,
    /// The clock that times are on. Without it: the machine's own for launchd, systemd and cron, and UTC elsewhere.
    pub time_zone: Option<TimeZone>,
    /// Recipes to run.
    pub recipes: Vec<RecipeName>,
    /// A recipe list to run (`--recipe-list`).
    pub list: Option<FilePath>,
    /// The folder that relative paths start from, in recipe lists too.
    pub folder: Option<FilePath>,
    /// The settings file (`--settings`).
    pub settings: Option<FilePath>,
    /// Servers of the settings file (`--server`).
    pub servers: Vec<ServerName>,
    /// Where pkgferry keeps what it remembers (`--state`).
    pub state: Option<FilePath>,
    /// Where output and reports go. Without it reports have a folder that is usual for the scheduler.
    pub logs: Option<FilePath>,
    /// How many runs divide the packages among them.
    pub shards: ShardCount,
    /// Whose account runs it.
    pub user: Option<UserName>,
    /// The folder that the files of the unit are put into, for CI servers: from the root of the repository, or absolute and outside
    /// of it. Without it they are in that root.
    pub output: Option<FilePath>,
    /// Secrets that the run needs, by name; their values stay with the scheduler.
    pub secrets: Vec<SecretName>,
    /// Further arguments of `pkgferry run`.
    pub arguments: Vec<Argument>,
}

impl Request {
    /// A request with what every one needs. It has nothing to run yet.
    #[must_use]
    pub fn new(name: Name, program: FilePath, recurrence: Recurrence) -> Self {
        Self {
            name,
            program,
            recurrence,
            time_zone: None,
            recipes: Vec::new(),
            list: None,
            folder: None,
            settings: None,
            servers: Vec::new(),
            state: None,
            logs: None,
            shards: ShardCount::ONE,
            user: None,
            output: None,
            secrets: Vec::new(),
            arguments: Vec::new(),
        }
    }

    /// What holds for every scheduler.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.recipes.is_empty() && self.list.is_none() {
            return Err(Error::NothingToRun);
        }
        check_arguments(&self.arguments)
    }

    /// The paths of the request with what they are.
    fn paths(&self) -> impl Iterator<Item = (&'static str, &FilePath)> {
        let optional = [
            ("the recipe list", self.list.as_ref()),
            ("the working folder", self.folder.as_ref()),
            ("the settings file", self.settings.as_ref()),
            ("the state folder", self.state.as_ref()),
            ("the log folder", self.logs.as_ref()),
        ];
        let optional = optional.into_iter().filter_map(|(what, path)| Some((what, path?)));
        [("the program", &self.program)].into_iter().chain(optional)
    }

    /// That all paths are absolute: these schedulers start in no folder that anybody has chosen.
    pub(crate) fn need_absolute(&self, kind: Kind) -> Result<(), Error> {
        self.paths().try_for_each(|(what, path)| need_absolute(kind, what, path))
    }

    /// That nobody asked for a time zone.
    pub(crate) fn refuse_time_zone(&self, kind: Kind) -> Result<(), Error> {
        let why = "it runs on the machine's own clock";
        refuse(self.time_zone.is_some(), kind, "time zone", why)
    }

    /// That nobody asked for a user account.
    pub(crate) fn refuse_user(&self, kind: Kind, why: &'static str) -> Result<(), Error> {
        refuse(self.user.is_some(), kind, "user", why)
    }

    /// The reports of a run in this folder: a page, and of a shard what `report merge` takes, too.
    pub(crate) fn reports(&self, folder: &str) -> Vec<String> {
        let shapes: &[&str] = if self.shards.get() > 1 { &["html", "json"] } else { &["html"] };
        shapes.iter().map(|shape| below(folder, &format!("{}.{shape}", self.unit()))).collect()
    }

    /// How the reports of machines that each have a shard become one; nothing if there are no shards. `folder` is where each has
    /// its report, as a shell reads it.
    pub(crate) fn merging(&self, folder: &str) -> String {
        let unit = self.unit();
        match self.shards.get() {
            1 => String::new(),
            count => format!(
                "\nOne report of all {count} shards: collect {folder}/{unit}.json of each machine as shard-1.json and so on, then\n  \
                 pkgferry report merge shard-*.json --output {unit}.html\n"
            ),
        }
    }

    /// Where a file of the unit is, from the root of the repository.
    pub(crate) fn placed(&self, name: &str) -> String {
        self.output.as_ref().map_or_else(|| name.to_owned(), |folder| below(folder.as_str(), name))
    }

    /// `pkgferry-nightly`.
    pub(crate) fn unit(&self) -> String {
        format!("pkgferry-{}", self.name)
    }
}

pub(crate) fn need_absolute(kind: Kind, what: &'static str, path: &FilePath) -> Result<(), Error> {
    if path.as_str().starts_with('/') {
        Ok(())
    } else {
        Err(Error::Relative { kind, what, path: path.to_string() })
    }
}

fn refuse(asked: bool, kind: Kind, what: &'static str, why: &'static str) -> Result<(), Error> {
    if asked { Err(Error::Unsupported { kind, what, why }) } else { Ok(()) }
}

/// A path below a folder.
pub(crate) fn below(folder: &str, name: &str) -> String {
    format!("{}/{name}", folder.trim_end_matches('/'))
}
