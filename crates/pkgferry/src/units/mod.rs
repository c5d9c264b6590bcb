//! `pkgferry schedule`: the unit that lets a scheduler run recipes.

mod kept;
mod missing;

use crate::args::{
    Cli, Command, Deadline, Global, InstallArgs, PackageApi, Route, ScheduleArgs, Scheduler, UnitArgs, When,
};
use crate::error::{Error, RunArguments};
use crate::exit::Exit;
use crate::files::{self, Existing};
use crate::process::Process;
use clap::Parser as _;
use report::Format;
use schedule::{
    Argument, Cron, FilePath, GithubActions, Gitlab, Install, Kind, Kubernetes, Recurrence, Request, Systemd,
    Target, UnitFile, Written,
};
use std::io::{self, Write as _};
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

/// What every runner is labelled with that is not GitHub's own.
const SELF_HOSTED: &str = "self-hosted";
/// In the place of a command: there is nothing to install.
const NO_INSTALL: &str = "none";

/// Prints the files, or writes them, and tells how they are installed.
pub fn schedule(args: ScheduleArgs, global: &Global, process: &Process) -> Result<Exit, Error> {
    let (unit, target) = target(args.scheduler)?;
    let request = request(&unit, target.kind(), global, process)?;
    let written = schedule::write(&request, &target)?;
    try_run(&written.words)?;
    let told = match &unit.output {
        Some(folder) => {
            let existing = if unit.force { Existing::Replace } else { Existing::Keep };
            let paths = write(&written.files, folder, existing)?;
            let mut out = io::stdout().lock();
            for path in paths {
                writeln!(out, "{}", path.display())?;
            }
            match is_of_repository(target.kind()) {
                true => format!("How to install it, from the root of the repository:\n\n{}", written.install),
                false => format!("How to install, from within {}:\n\n{}", folder.display(), written.install),
            }
        }
        None => {
            io::stdout().lock().write_all(printed(&written.files).as_bytes())?;
            advice(&written)
        }
    };
    let told = told + &missing::told(&request, &target, global, process);
    // There is nobody left to tell when standard error is gone.
    let _ = io::stderr().lock().write_all(told.as_bytes());
    Ok(Exit::Done)
}

/// That the run of the unit would start. Whatever else the unit says was read before, so it is for what stands behind `--`.
fn try_run(words: &[String]) -> Result<(), Error> {
    let words = std::iter::once("pkgferry").chain(words.iter().map(String::as_str));
    let run = match Cli::try_parse_from(words) {
        Ok(Cli { command: Command::Run(run), .. }) => run,
        Ok(_) => return Ok(()),
        Err(error) => return Err(Error::RunArguments(RunArguments::of(&error))),
    };
    let shapes = run.mode.side.reports.iter().map(|path| Format::of(path).map_err(Error::ReportShape));
    shapes.collect::<Result<Vec<_>, _>>()?;
    match run.mode.side.deadline {
        Some(Deadline::At(_)) => Err(Error::RunArguments(RunArguments {
            message: "--deadline is a moment, which comes once, and the unit runs again and again".to_owned(),
            tip: Some("give a time from the start, such as --deadline 2h30m".to_owned()),
        })),
        _ => Ok(()),
    }
}

/// One file as it is; several each under its name, as `head` shows them.
fn printed(files: &[UnitFile]) -> String {
    match files {
        [file] => file.text.clone(),
        files => {
            let files = files.iter().map(|file| format!("==> {} <==\n{}", file.name, file.text));
            files.collect::<Vec<_>>().join("\n")
        }
    }
}

fn advice(written: &Written) -> String {
    let install = &written.install;
    match written.files.as_slice() {
        [file] => format!("How to install it as {}:\n\n{install}", file.name),
        _ => format!("With --output DIR the files are written there. How to install them:\n\n{install}"),
    }
}

/// Writes all files, or none if one is there that has to stay.
fn write(files: &[UnitFile], folder: &Path, existing: Existing) -> Result<Vec<PathBuf>, Error> {
    let paths: Vec<_> = files.iter().map(|file| folder.join(&file.name)).collect();
    if let (Existing::Keep, Some(path)) = (existing, paths.iter().find(|path| path.exists())) {
        return Err(Error::FileExists { path: path.clone() });
    }
    std::fs::create_dir_all(folder).map_err(|source| Error::WriteFile { path: folder.to_owned(), source })?;
    for (file, path) in files.iter().zip(&paths) {
        files::write(path, file.text.as_bytes(), existing).map_err(|source| {
            let path = path.clone();
            match source.kind() {
                // Somebody was faster.
                io::ErrorKind::AlreadyExists => Error::FileExists { path },
                _ => Error::WriteFile { path, source },
            }
        })?;
    }
    Ok(paths)
}

/// The scheduler with what only that one wants to know, and what all of them are told.
fn target(scheduler: Scheduler) -> Result<(UnitArgs, Target), schedule::Error> {
    Ok(match scheduler {
        Scheduler::Launchd { unit } => (unit, Target::Launchd),
        Scheduler::Systemd { unit, writable, credentials } => {
            let options = Systemd { writable: all(&writable)?, credentials: perhaps(credentials)? };
            (unit, Target::Systemd(options))
        }
        Scheduler::Cron { unit, mail_to } => (unit, Target::Cron(Cron { mail_to: perhaps(mail_to)? })),
        Scheduler::GithubActions { unit, runs_on, install } => {
            let stays = unit.program.is_some() || runs_on.iter().any(|label| label == SELF_HOSTED);
            let options = GithubActions { runs_on: all(&runs_on)?, install: how(&install, stays)? };
            (unit, Target::GithubActions(options))
        }
        Scheduler::Gitlab { unit, image, tags, install } => {
            let install = how(&install, unit.program.is_some() || image.is_some())?;
            let options = Gitlab { image: perhaps(image)?, tags: all(&tags)?, install };
            (unit, Target::Gitlab(options))
        }
        Scheduler::Kubernetes {
            unit,
            image,
            namespace,
            secrets_from,
            config_map,
            packages_claim,
            state_claim,
        } => {
            let options = Kubernetes {
                image: image.parse()?,
                namespace: perhaps(namespace)?,
                secret: perhaps(secrets_from)?,
                config: perhaps(config_map)?,
                packages: perhaps(packages_claim)?,
                state: perhaps(state_claim)?,
            };
            (unit, Target::Kubernetes(options))
        }
    })
}

fn request(unit: &UnitArgs, kind: Kind, global: &Global, process: &Process) -> Result<Request, Error> {
    let name = unit.name.parse()?;
    let program = program(unit.program.as_deref(), kind, process)?;
    let recurrence = recurrence(unit.days.as_deref(), &unit.when)?;
    let mut arguments = general(global)?;
    arguments.extend(all::<Argument>(&unit.arguments)?);
    let output = unit.output.as_deref().filter(|_| is_of_repository(kind));
    let request = Request {
        output: output.map(from_root).transpose()?.flatten(),
        time_zone: perhaps(unit.time_zone.clone())?,
        recipes: all(&unit.recipes)?,
        list: perhaps(unit.recipe_list.clone())?,
        folder: perhaps(unit.working_dir.clone())?,
        settings: global.settings.as_deref().map(file_path).transpose()?,
        servers: all(&global.servers)?,
        state: global.state.as_deref().map(file_path).transpose()?,
        logs: perhaps(unit.logs.clone())?,
        shards: unit.shards.parse()?,
        user: perhaps(unit.user.clone())?,
        secrets: all(&unit.secrets)?,
        arguments,
        ..Request::new(name, program, recurrence)
    };
    if is_of_machine(kind) && request.folder.is_none() {
        need_absolute(kind, &unit.recipes, global)?;
    }
    Ok(request)
}

/// launchd, systemd and cron run on a machine, most often this one; the others bring a machine of their own.
fn is_of_machine(kind: Kind) -> bool {
    matches!(kind, Kind::Launchd | Kind::Systemd | Kind::Cron)
}

/// CI servers read the unit from a repository.
fn is_of_repository(kind: Kind) -> bool {
    matches!(kind, Kind::GithubActions | Kind::Gitlab)
}

/// A folder from the root of the repository that it is in. Where there is none, this folder becomes the root of one.
fn from_root(folder: &Path) -> Result<Option<FilePath>, Error> {
    let whole = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let root = whole.ancestors().find(|root| root.join(".git").exists());
    let below = root.and_then(|root| whole.strip_prefix(root).ok()).unwrap_or(folder);
    let plain: PathBuf = below.components().filter(|part| *part != Component::CurDir).collect();
    if plain.as_os_str().is_empty() { Ok(None) } else { file_path(&plain).map(Some) }
}

/// That recipes and folders of recipes are found wherever the scheduler starts. What has no `/` in it is the name of a recipe
/// and no path.
fn need_absolute(kind: Kind, recipes: &[String], global: &Global) -> Result<(), schedule::Error> {
    let recipes =
        recipes.iter().filter(|recipe| recipe.contains('/')).map(|recipe| ("a recipe", Path::new(recipe)));
    let folders = global.search_dirs.iter().map(|folder| ("a search folder", folder.as_path()));
    match recipes.chain(folders).find(|(_, path)| !path.has_root()) {
        Some((what, path)) => Err(schedule::Error::Relative { kind, what, path: path.display().to_string() }),
        None => Ok(()),
    }
}

/// The program as it was named; else this one, or where the run has a machine of its own, that of the `PATH` there.
fn program(named: Option<&str>, kind: Kind, process: &Process) -> Result<FilePath, Error> {
    match (named, &process.program) {
        (Some(named), _) => Ok(named.parse()?),
        (None, _) if !is_of_machine(kind) => Ok("pkgferry".parse()?),
        (None, Some(this)) => file_path(this),
        (None, None) => Err(Error::UnknownProgram),
    }
}

fn recurrence(days: Option<&str>, when: &When) -> Result<Recurrence, schedule::Error> {
    let time = match (&when.at, &when.every) {
        (Some(at), _) => at.clone(),
        (None, every) => format!("every {}", every.as_deref().unwrap_or_default()),
    };
    let text = days.map_or_else(|| time.clone(), |days| format!("{days} {time}"));
    Ok(text.parse::<Recurrence>()?)
}

/// General options that a request has no place for: they are the run's all the same.
fn general(global: &Global) -> Result<Vec<Argument>, Error> {
    // By name, so that an option that is new cannot be forgotten here.
    let Global {
        settings: _,
        search_dirs,
        servers: _,
        url,
        client_id,
        username,
        state: _,
        package_api,
        route,
        verbose,
    } = global;
    let mut words = Vec::new();
    let mut flag = |name: &str, value: &str| words.extend([name.to_owned(), value.to_owned()]);
    for folder in search_dirs {
        flag("--search-dir", file_path(folder)?.as_str());
    }
    let texts = [
        ("--url", url.as_deref()),
        ("--client-id", client_id.as_deref()),
        ("--username", username.as_deref()),
        ("--package-api", package_api.map(PackageApi::as_str)),
        ("--route", route.map(Route::as_str)),
    ];
    for (name, value) in texts {
        if let Some(value) = value {
            flag(name, value);
        }
    }
    if *verbose > 0 {
        words.push(format!("-{}", "v".repeat(usize::from(*verbose))));
    }
    Ok(all(&words)?)
}

fn file_path(path: &Path) -> Result<FilePath, Error> {
    let text = path.to_str().ok_or_else(|| Error::PathNotText(path.to_owned()))?;
    Ok(text.parse()?)
}

/// How pkgferry gets to where a job runs: as it was said, else not at all if it seems to be there.
fn how(install: &InstallArgs, is_there: bool) -> Result<Install, schedule::Error> {
    Ok(match install.commands.as_slice() {
        [] if is_there => Install::Present,
        [] => Install::FromSource,
        [nothing] if nothing == NO_INSTALL => Install::Present,
        commands => Install::Script(commands.join("\n").parse()?),
    })
}

fn perhaps<T: FromStr<Err = schedule::Error>>(text: Option<String>) -> Result<Option<T>, schedule::Error> {
    text.map(|text| text.parse()).transpose()
}

fn all<T: FromStr<Err = schedule::Error>>(texts: &[String]) -> Result<Vec<T>, schedule::Error> {
    texts.iter().map(|text| text.parse()).collect()
}
