use crate::command::{Extra, arguments, shell_command};
use crate::error::Error;
use crate::quote::{crontab, refuse_control, shell, shell_line};
use crate::request::{Request, below};
use crate::target::{Kind, UnitFile, Written};
use crate::text::{MailAddress, SecretName};

/// What only cron wants to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cron {
    /// Who gets what a run prints (`MAILTO`). Default: the owner of the crontab.
    pub mail_to: Option<MailAddress>,
}

/// Bytes of a command that Debian's and macOS' cron read (`MAX_COMMAND` of `cron.h`, with its end); cronie reads more.
const MAX_COMMAND: usize = 999;
/// The unit sets it: cron's own is shorter.
pub(crate) const PATH: &str = "/usr/local/bin:/usr/bin:/bin";
/// For a crontab of the system.
const LOGS: &str = "/var/log/pkgferry";
/// For somebody's own: where pkgferry keeps what it remembers. cron sets `HOME`.
const OWN_FOLDER: &str = "\"$HOME\"/.local/state/pkgferry";

/// A crontab for each shard: a file for `/etc/cron.d` if a user is named, else lines for somebody's own crontab.
pub(crate) fn write(request: &Request, options: &Cron) -> Result<Written, Error> {
    request.need_absolute(Kind::Cron)?;
    request.refuse_time_zone(Kind::Cron)?;
    let count = request.shards.get();
    let files = (1..=count).map(|index| file(request, options, index, count));
    let files = files.collect::<Result<Vec<_>, _>>()?;
    let install = install(request, &files);
    let words = arguments(request, &extra(1, count));
    Ok(Written { files, words, install })
}

fn file(request: &Request, options: &Cron, index: u8, count: u8) -> Result<UnitFile, Error> {
    let part = if count > 1 { format!("-{index}-of-{count}") } else { String::new() };
    let command = crontab(&command(request, &extra(index, count))?);
    if command.len() > MAX_COMMAND {
        return Err(Error::LongLine { length: command.len(), max: MAX_COMMAND });
    }
    let mail = options.mail_to.as_ref().map(|mail| format!("MAILTO={mail}\n")).unwrap_or_default();
    let user = request.user.as_ref().map(|user| format!("{user} ")).unwrap_or_default();
    // Files of /etc/cron.d have names without a dot, or are passed over.
    let name = format!("{}{part}", request.unit());
    let text = format!(
        "# pkgferry: packages into Jamf Cloud ({})\n\
         SHELL=/bin/sh\n\
         PATH={PATH}\n\
         {mail}{} {user}{command}\n",
        request.name,
        request.recurrence.cron()
    );
    Ok(UnitFile { name, text })
}

fn extra(index: u8, count: u8) -> Extra<'static> {
    Extra { shard: (count > 1).then(|| format!("{index}/{count}")), ..Extra::default() }
}

/// With a log folder what is printed goes there, and cron, which mails whatever is printed, mails one line after a failure.
/// No lock is needed here: pkgferry refuses to start twice for one server.
fn command(request: &Request, extra: &Extra<'_>) -> Result<String, Error> {
    let unit = request.unit();
    let log = request.logs.as_ref().map(|logs| below(logs.as_str(), &format!("{unit}.log")));
    // The folder is for the shell to read as it is.
    let reports = request.reports(&report_folder(request));
    let mut command = shell_command(request, extra, &reports);
    if let Some(folder) = &request.folder {
        command = format!("cd {} && {command}", shell(folder.as_str()));
    }
    if let Some(log) = log {
        let told = format!("{} ended with an error, see {log}", request.unit());
        // Braces, so that a folder that is not there is told too.
        command = format!("{{ {command}; }} >>{} 2>&1 || echo {}", shell(&log), shell(&told));
    }
    refuse_control(Kind::Cron, "a path, a recipe or an argument", &command)?;
    Ok(command)
}

/// Where the report is, as a shell is to read it: beside the log, else with what is remembered, else where nobody has to be
/// asked.
fn report_folder(request: &Request) -> String {
    let named = request.logs.as_ref().or(request.state.as_ref());
    match (named, &request.user) {
        (Some(folder), _) => shell(folder.as_str().trim_end_matches('/')),
        (None, Some(_)) => LOGS.to_owned(),
        (None, None) => OWN_FOLDER.to_owned(),
    }
}

fn install(request: &Request, files: &[UnitFile]) -> String {
    let name = files.first().map_or("", |file| file.name.as_str());
    let first = match files.len() {
        1 => "",
        _ => "Each file is for a machine of its own; the lines below are for the first.\n\n",
    };
    // A log or a report that cannot be written is a run that does not happen.
    let mut folders: Vec<_> =
        request.state.iter().chain(&request.logs).map(|folder| shell(folder.as_str())).collect();
    if folders.is_empty() {
        folders.push(report_folder(request));
    }
    let make = match &request.user {
        Some(user) => shell_line(["sudo", "install", "-d", "-m", "700", "-o", user.as_str()]),
        None => "mkdir -p -m 700".to_owned(),
    };
    let mut lines = format!("{make} {}\n", folders.join(" "));
    lines.push_str(&match &request.user {
        Some(_) => format!("sudo install -m 644 -o root {name} /etc/cron.d/{name}\n"),
        None => format!("{{ crontab -l 2>/dev/null; cat {name}; }} | crontab -\n"),
    });
    let names: Vec<_> = request.secrets.iter().map(SecretName::as_str).collect();
    let names = if names.is_empty() { "CLIENT_SECRET".to_owned() } else { names.join(", ") };
    let merging = request.merging(&report_folder(request));
    format!(
        "{first}{lines}\n\
         A time that passes while the machine is off is not made up for.\n\
         Secrets ({names}) are not in it: cron hands on none, so let the\n\
         settings file name them, as file:PATH or command:…, or hold them with mode 600.\n{merging}"
    )
}
