use crate::command::{Extra, arguments};
use crate::error::Error;
use crate::quote::{shell, shell_line};
use crate::request::{Request, below};
use crate::target::{Kind, UnitFile, Written};
use crate::text::SecretName;
use pipeline::{Dict, Value};

/// A LaunchDaemon has no home folder, so what would be found there is named.
const STATE: &str = "/Library/Application Support/pkgferry";
const LOGS: &str = "/Library/Logs/pkgferry";
/// What programs of launchd find others by (`_PATH_STDPATH` of `paths.h`).
pub(crate) const PATH: &str = "/usr/bin:/bin:/usr/sbin:/sbin";
/// Seconds from SIGTERM to SIGKILL; a run ends in order when it gets the first. launchd's own value is 20.
const EXIT_TIMEOUT: i64 = 120;

/// A LaunchDaemon for each shard (`launchd.plist(5)`).
pub(crate) fn write(request: &Request) -> Result<Written, Error> {
    request.need_absolute(Kind::Launchd)?;
    request.refuse_time_zone(Kind::Launchd)?;
    let count = request.shards.get();
    let files = (1..=count).map(|index| daemon(request, index, count)).collect::<Result<Vec<_>, _>>()?;
    let install = install(request, &files);
    Ok(Written { files, words: words(request, 1, count), install })
}

/// The words after the program.
fn words(request: &Request, index: u8, count: u8) -> Vec<String> {
    let logs = request.logs.as_ref().map_or(LOGS, |logs| logs.as_str());
    let shard = (count > 1).then(|| format!("{index}/{count}"));
    let extra = Extra { state: Some(STATE), shard, reports: request.reports(logs), ..Extra::default() };
    arguments(request, &extra)
}

fn daemon(request: &Request, index: u8, count: u8) -> Result<UnitFile, Error> {
    let logs = request.logs.as_ref().map_or(LOGS, |logs| logs.as_str());
    let unit = request.unit();
    let label = match count {
        1 => format!("com.github.pkgferry.{}", request.name),
        _ => format!("com.github.pkgferry.{}.{index}-of-{count}", request.name),
    };
    let words = std::iter::once(request.program.to_string()).chain(words(request, index, count));
    let log = Value::String(below(logs, &format!("{unit}.log")));

    let mut dict = Dict::new();
    let mut set = |name: &str, value: Value| dict.insert(name.to_owned(), value);
    set("Label", Value::String(label.clone()));
    set("ProgramArguments", Value::Array(words.map(Value::String).collect()));
    if let Some(folder) = &request.folder {
        set("WorkingDirectory", Value::String(folder.to_string()));
    }
    if let Some(user) = &request.user {
        set("UserName", Value::String(user.to_string()));
    }
    set("StartCalendarInterval", calendar(request));
    // Let the machine's user work: what is in the foreground comes first.
    set("ProcessType", Value::String("Background".to_owned()));
    set("LowPriorityIO", Value::Bool(true));
    set("LowPriorityBackgroundIO", Value::Bool(true));
    set("Nice", Value::Integer(10));
    set("ExitTimeOut", Value::Integer(EXIT_TIMEOUT));
    set("StandardOutPath", log.clone());
    set("StandardErrorPath", log);
    set("Umask", Value::Integer(0o077));

    let what = "a path, a recipe or an argument";
    let bytes = recipe::to_plist_xml(&Value::Dict(dict)).map_err(|_| Error::CannotSay {
        kind: Kind::Launchd,
        what,
        why: "XML cannot hold one of its characters",
    })?;
    // The writer gives UTF-8.
    Ok(UnitFile { name: format!("{label}.plist"), text: String::from_utf8_lossy(&bytes).into_owned() })
}

/// One interval as a dict, several as an array of them.
fn calendar(request: &Request) -> Value {
    let intervals = request.recurrence.intervals().into_iter().map(|(minute, hour, weekday)| {
        let parts = [("Weekday", weekday), ("Hour", hour), ("Minute", Some(minute))];
        let parts = parts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), i64::from(value?))));
        Value::Dict(parts.map(|(name, value)| (name, Value::Integer(value))).collect())
    });
    let mut intervals: Vec<_> = intervals.collect();
    match (intervals.pop(), intervals.is_empty()) {
        (Some(only), true) => only,
        (last, _) => Value::Array(intervals.into_iter().chain(last).collect()),
    }
}

fn install(request: &Request, files: &[UnitFile]) -> String {
    let state = request.state.as_ref().map_or(STATE, |state| state.as_str());
    let logs = request.logs.as_ref().map_or(LOGS, |logs| logs.as_str());
    let user = request.user.as_ref().map_or("root", |user| user.as_str());
    let file = files.first().map_or("", |file| file.name.as_str());
    let label = file.trim_end_matches(".plist");
    let folders = shell_line(["sudo", "install", "-d", "-m", "700", "-o", user, state, logs]);
    let mut text = String::new();
    if files.len() > 1 {
        text.push_str("Each file is for a Mac of its own; the lines below are for the first.\n\n");
    }
    text.push_str(&format!(
        "{folders}\n\
         sudo install -m 644 -o root -g wheel {file} /Library/LaunchDaemons/\n\
         sudo launchctl bootstrap system /Library/LaunchDaemons/{file}\n\n\
         Run it now:      sudo launchctl kickstart system/{label}\n\
         Take it away:    sudo launchctl bootout system/{label}\n\n\
         A time that passes while the Mac sleeps is made up for when it wakes; one that passes while it is off is not.\n"
    ));
    text.push_str(&secrets(request, user));
    text.push_str(&request.merging(&shell(logs.trim_end_matches('/'))));
    text
}

fn secrets(request: &Request, user: &str) -> String {
    let names: Vec<_> = request.secrets.iter().map(SecretName::as_str).collect();
    let names = if names.is_empty() { "CLIENT_SECRET".to_owned() } else { names.join(", ") };
    let file =
        request.settings.as_ref().map_or_else(|| "a settings file".to_owned(), |path| shell(path.as_str()));
    format!(
        "Secrets ({names}) are not in it: let the settings name them,\n\
         as file:PATH or keychain:SERVICE/ACCOUNT of the system keychain, or hold them in\n\
         {file} with mode 600 and {user} as its owner.\n",
    )
}
