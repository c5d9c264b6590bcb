//! The command that runs, as words, before any format quotes them.

use crate::error::Error;
use crate::quote::{shell, shell_line};
use crate::request::Request;
use crate::secret::looks_secret;
use crate::text::Argument;
use pipeline::keys::names_secret;

/// What a target adds to a request.
#[derive(Default)]
pub(crate) struct Extra<'e> {
    /// The state folder, if the request names none.
    pub(crate) state: Option<&'e str>,
    /// What `--shard` takes.
    pub(crate) shard: Option<String>,
    /// When to begin nothing more.
    pub(crate) deadline: Option<&'e str>,
    /// Reports to write.
    pub(crate) reports: Vec<String>,
}

/// The words of `pkgferry run …` after the program: flags first, recipes last.
pub(crate) fn arguments(request: &Request, extra: &Extra<'_>) -> Vec<String> {
    let mut words = flags(request, extra);
    words.extend(last(request));
    words
}

/// The whole command for a shell. `reports` are paths of further reports as the shell is to read them: in some of them it puts
/// in what only it knows.
pub(crate) fn shell_command(request: &Request, extra: &Extra<'_>, reports: &[String]) -> String {
    let mut parts = vec![shell(request.program.as_str()), shell_line(flags(request, extra))];
    parts.extend(reports.iter().map(|path| format!("--report {path}")));
    parts.push(shell_line(last(request)));
    parts.retain(|part| !part.is_empty());
    parts.join(" ")
}

/// What pkgferry itself puts in.
fn flags(request: &Request, extra: &Extra<'_>) -> Vec<String> {
    let mut words = vec!["run".to_owned()];
    let mut flag = |name: &str, value: &str| words.extend([name.to_owned(), value.to_owned()]);
    if let Some(settings) = &request.settings {
        flag("--settings", settings.as_str());
    }
    if let Some(state) = request.state.as_ref().map(crate::FilePath::as_str).or(extra.state) {
        flag("--state", state);
    }
    for server in &request.servers {
        flag("--server", server.as_str());
    }
    if let Some(list) = &request.list {
        flag("--recipe-list", list.as_str());
    }
    if let Some(shard) = &extra.shard {
        flag("--shard", shard);
    }
    if let Some(deadline) = extra.deadline {
        flag("--deadline", deadline);
    }
    for report in &extra.reports {
        flag("--report", report);
    }
    words
}

/// What somebody has typed, as it was typed.
fn last(request: &Request) -> Vec<String> {
    let arguments = request.arguments.iter().map(ToString::to_string);
    arguments.chain(request.recipes.iter().map(ToString::to_string)).collect()
}

/// Whether the run says by its exit code that changes are pending.
pub(crate) fn tells_pending_changes(request: &Request) -> bool {
    request.arguments.iter().any(|argument| argument.as_str() == "--detailed-exit-code")
}

/// That no argument carries a secret: neither by its own name, nor as a variable of recipes.
pub(crate) fn check_arguments(arguments: &[Argument]) -> Result<(), Error> {
    let mut is_variable = false;
    for argument in arguments {
        let text = argument.as_str();
        let variable = if is_variable { Some(text) } else { variable(text) };
        is_variable = matches!(text, "-k" | "--key") && !is_variable;
        if let Some(variable) = variable
            && let Some((name, value)) = variable.split_once('=')
            && (names_secret(name) || looks_secret(value))
        {
            return Err(Error::SecretArgument { flag: format!("--key {name}") });
        }
        let flag = text.split('=').next().unwrap_or_default();
        if flag.starts_with('-') && names_secret(flag) {
            return Err(Error::SecretArgument { flag: flag.to_owned() });
        }
    }
    Ok(())
}

/// What follows `--key=` or `-k` in the same word.
fn variable(text: &str) -> Option<&str> {
    let short = || text.strip_prefix("-k").filter(|rest| !rest.is_empty());
    text.strip_prefix("--key=").or_else(short)
}
