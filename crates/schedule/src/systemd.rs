use crate::command::{Extra, arguments, tells_pending_changes};
use crate::error::Error;
use crate::exit;
use crate::quote::{shell, shell_line, systemd, systemd_path, systemd_rest};
use crate::request::{Request, below, need_absolute};
use crate::target::{Kind, UnitFile, Written};
use crate::text::FilePath;
use std::fmt::Write as _;

/// What only systemd wants to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Systemd {
    /// Folders that recipes write to, besides the state folder: everything else is read-only to the run.
    pub writable: Vec<FilePath>,
    /// The folder with a file for each secret, named like it, readable by root only. Default: `/etc/pkgferry/credentials`.
    pub credentials: Option<FilePath>,
}

/// Below these systemd makes folders by itself, and owns them to the run's user.
const STATES: &str = "/var/lib/";
const LOGS: &str = "/var/log/";
const STATE: &str = "/var/lib/pkgferry";
const LOG: &str = "/var/log/pkgferry";
const CREDENTIALS: &str = "/etc/pkgferry/credentials";
/// That of the system's manager (`systemd.exec(5)`). The last two are links to others, or belong to it.
pub(crate) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A service with its timer; templates of them if there are shards (`systemd.service(5)`, `systemd.timer(5)`).
pub(crate) fn write(request: &Request, options: &Systemd) -> Result<Written, Error> {
    request.need_absolute(Kind::Systemd)?;
    for path in options.writable.iter().chain(&options.credentials) {
        need_absolute(Kind::Systemd, "a folder", path)?;
    }
    let unit = if request.shards.get() > 1 { format!("{}@", request.unit()) } else { request.unit() };
    let files = vec![
        UnitFile { name: format!("{unit}.service"), text: service(request, options)? },
        UnitFile { name: format!("{unit}.timer"), text: timer(request) },
    ];
    let mut words = plain_words(request);
    words.splice(1..1, shard(request, "1"));
    Ok(Written { files, words, install: install(request, options) })
}

fn description(request: &Request) -> String {
    // In a template %i is the instance, which is the number of the shard.
    let shard = match request.shards.get() {
        1 => String::new(),
        count => format!(", shard %i of {count}"),
    };
    format!("pkgferry: packages into Jamf Cloud ({}{shard})", request.name)
}

fn service(request: &Request, options: &Systemd) -> Result<String, Error> {
    let mut text = format!(
        "[Unit]\n\
         Description={}\n\
         Documentation=https://github.com/pkgferry/pkgferry\n\
         Wants=network-online.target\n\
         After=network-online.target\n\n\
         [Service]\n\
         Type=oneshot\n",
        description(request)
    );
    let mut line = |name: &str, value: &str| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{name}={value}");
    };
    line("ExecStart", &command(request)?);
    if let Some(folder) = &request.folder {
        line("WorkingDirectory", &systemd_rest("the working folder", folder.as_str())?);
    }
    match &request.user {
        Some(user) => line("User", user.as_str()),
        None => line("DynamicUser", "yes"),
    }
    for name in &request.secrets {
        let path = below(options.credentials.as_ref().map_or(CREDENTIALS, FilePath::as_str), name.as_str());
        line("LoadCredential", &format!("{name}:{}", systemd_rest("the folder of credentials", &path)?));
    }
    folders(request, options, &mut line)?;
    // A stop that was asked for is no failure, and pending changes are what such a dry run is there to tell.
    let pending =
        if tells_pending_changes(request) { format!("{} ", exit::CHANGES_PENDING) } else { String::new() };
    line("SuccessExitStatus", &format!("{pending}{}", exit::INTERRUPTED));
    text.push_str(LIMITS);
    Ok(text)
}

/// `:` in front switches off the replacing of `$VARIABLE`.
fn command(request: &Request) -> Result<String, Error> {
    let program = request.program.as_str();
    if program.contains(|ch: char| ch.is_control() || matches!(ch, '"' | '\'' | '\\')) {
        let why = "systemd starts no program with quotes or backslashes in its path";
        return Err(Error::CannotSay { kind: Kind::Systemd, what: "the program", why });
    }
    let mut words: Vec<_> = plain_words(request).iter().map(|word| systemd(word)).collect();
    // The specifier must not be quoted.
    let shard = shard(request, "%i");
    words.splice(1..1, shard);
    Ok(format!(":{} {}", systemd(program), words.join(" ")))
}

/// The words after the program, without those that name the shard.
fn plain_words(request: &Request) -> Vec<String> {
    arguments(
        request,
        &Extra { state: Some(STATE), reports: request.reports(logs(request)), ..Extra::default() },
    )
}

/// The words that name the shard, if there are any.
fn shard(request: &Request, index: &str) -> Vec<String> {
    match request.shards.get() {
        1 => Vec::new(),
        count => vec!["--shard".to_owned(), format!("{index}/{count}")],
    }
}

/// Where the report is. What is printed goes to the journal.
fn logs(request: &Request) -> &str {
    request.logs.as_ref().map_or(LOG, FilePath::as_str)
}

/// Folders that the run writes to. systemd makes those below its own folders, and owns them to the run's user.
fn folders(request: &Request, options: &Systemd, line: &mut impl FnMut(&str, &str)) -> Result<(), Error> {
    let state = request.state.as_ref().map_or(STATE, FilePath::as_str);
    let of_request = [
        ("the state folder", "StateDirectory", STATES, state),
        ("the log folder", "LogsDirectory", LOGS, logs(request)),
    ];
    let mut writable = Vec::new();
    for (what, setting, parent, path) in of_request {
        match managed(path, parent) {
            Some(name) => {
                line(setting, name);
                line(&format!("{setting}Mode"), "0700");
            }
            // Nobody could own a folder to a user that exists only while the service runs.
            None if request.user.is_none() => {
                let why = "without a user it is one folder right below /var/lib or /var/log";
                return Err(Error::CannotSay { kind: Kind::Systemd, what, why });
            }
            None => writable.push(systemd_path(what, path)?),
        }
    }
    for path in &options.writable {
        writable.push(systemd_path("a folder", path.as_str())?);
    }
    if !writable.is_empty() {
        line("ReadWritePaths", &writable.join(" "));
    }
    Ok(())
}

/// The name of a folder that systemd makes and keeps by itself: one right below `parent`, with a plain name.
fn managed<'p>(path: &'p str, parent: &str) -> Option<&'p str> {
    let name = path.strip_prefix(parent)?.trim_end_matches('/');
    let part = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '_' | '-' | '.');
    (!name.is_empty() && name != "." && name != ".." && name.chars().all(part)).then_some(name)
}

/// For a run without a named user.
const OWN_USER: &str = "
The run has a user of its own, who reads what all can read: let recipes, packages and a settings file without secrets be so.
Where the settings hold a secret, or keep one as file:PATH, name the user who can read it (--user NAME), or hand the secret
over (--secret CLIENT_SECRET, and CLIENT_SECRET = \"credential:CLIENT_SECRET\" in the settings).
";

/// What holds for every run: it may take as long as it needs, ends in order, gets out of the way of others, and can do
/// nothing but read, write its own folders and talk to servers.
const LIMITS: &str = "\
TimeoutStartSec=infinity
TimeoutStopSec=2min
Nice=10
IOSchedulingClass=best-effort
IOSchedulingPriority=7
CPUSchedulingPolicy=batch
UMask=0077
CapabilityBoundingSet=
AmbientCapabilities=
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProcSubset=pid
LockPersonality=yes
MemoryDenyWriteExecute=yes
RemoveIPC=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
";

fn timer(request: &Request) -> String {
    let zone = request.time_zone.as_ref().map(|zone| format!(" {zone}")).unwrap_or_default();
    // A machine that was off makes up for the run when it starts, and not all machines of a site ask at the same second.
    format!(
        "[Unit]\n\
         Description={}\n\n\
         [Timer]\n\
         OnCalendar={}{zone}\n\
         Persistent=true\n\
         RandomizedDelaySec=10min\n\
         AccuracySec=1min\n\n\
         [Install]\n\
         WantedBy=timers.target\n",
        description(request),
        request.recurrence.on_calendar()
    )
}

/// How folders are made that systemd does not make: a run whose writable folder is not there does not start.
fn own_folders(request: &Request, options: &Systemd) -> String {
    let of_request = [(&request.state, STATES), (&request.logs, LOGS)];
    let of_request = of_request
        .into_iter()
        .filter_map(|(path, parent)| path.as_ref().filter(|path| managed(path.as_str(), parent).is_none()));
    let folders: Vec<_> = of_request.chain(&options.writable).map(FilePath::as_str).collect();
    match (&request.user, folders.as_slice()) {
        (_, []) => String::new(),
        (Some(user), folders) => {
            let words = ["sudo", "install", "-d", "-m", "700", "-o", user.as_str()];
            format!("{}\n", shell_line(words.iter().chain(folders)))
        }
        (None, folders) => format!("{}\n", shell_line(["sudo", "mkdir", "-p"].iter().chain(folders))),
    }
}

fn install(request: &Request, options: &Systemd) -> String {
    let unit = request.unit();
    let (files, instance, first) = match request.shards.get() {
        1 => (unit.clone(), unit.clone(), String::new()),
        count => (
            format!("{unit}@"),
            format!("{unit}@1"),
            format!("Install both files on {count} machines; on the second, write @2 for @1, and so on.\n\n"),
        ),
    };
    let report = shell(&below(logs(request), &format!("{}.html", request.unit())));
    let mut text = first;
    text.push_str(&own_folders(request, options));
    let _ = write!(
        text,
        "sudo install -m 644 {files}.service {files}.timer /etc/systemd/system/\n\
         sudo systemctl daemon-reload\n\
         sudo systemctl enable --now {instance}.timer\n\n\
         Run it now:      sudo systemctl start {instance}.service\n\
         See what it did: journalctl -u {instance}.service\n\
         Its report:      {report}\n\
         Next run:        systemctl list-timers {instance}.timer\n\
         Take it away:    sudo systemctl disable --now {instance}.timer\n"
    );
    if !request.secrets.is_empty() {
        let folder = options.credentials.as_ref().map_or(CREDENTIALS, FilePath::as_str);
        let _ = write!(
            text,
            "\nThe secrets, each in a file of root's:\n  sudo install -d -m 700 {}\n",
            shell(folder)
        );
        for name in &request.secrets {
            let path = shell(&below(folder, name.as_str()));
            let _ = writeln!(text, "  sudo install -m 600 /dev/stdin {path}   # then type it, and Ctrl-D");
        }
        text.push_str("and in the settings file, which then holds no secret:\n");
        for name in &request.secrets {
            let _ = writeln!(text, "  {name} = \"credential:{name}\"");
        }
    }
    if request.user.is_none() {
        text.push_str(OWN_USER);
    }
    text.push_str(&request.merging(&shell(logs(request).trim_end_matches('/'))));
    text
}
