use crate::args::UploadArgs;
use crate::error::Error;
use crate::exit::Exit;
use crate::run::{Job, execute};
use crate::settings::Settings;
use crate::shipped;
use pipeline::{Env, Origin, Value, keys};
use recipe::Chain;
use std::path::Path;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// `pkgferry upload`: the shipped recipe, its values from flags.
pub async fn upload(args: UploadArgs, settings: Settings, cancel: CancellationToken) -> Result<Exit, Error> {
    if args.files.len() > 1
        && let Some(flag) = [("--name", &args.name), ("--display-name", &args.display_name)]
            .into_iter()
            .find_map(|(flag, value)| value.as_ref().map(|_| flag))
    {
        return Err(Error::OneFileOnly { flag });
    }
    let targets = settings.targets(&args.variables.key, args.mode.rehearsal.sandbox)?;
    let chain = recipe::Library::default().load_source(&shipped::upload_package())?;
    let mut jobs = Vec::with_capacity(args.files.len() * targets.len());
    for file in &args.files {
        let (path, values) = values(file, &args)?;
        let chain = Arc::new(Ok(named(&chain, file)));
        jobs.extend(targets.iter().map(|target| Job::new(path, Arc::clone(&chain), target, &values)));
    }
    execute(jobs, &settings, &args.mode, cancel).await
}

/// The path as text, and what the flags say about the package.
fn values<'a>(file: &'a Path, args: &UploadArgs) -> Result<(&'a str, Env), Error> {
    let path = file.to_str().ok_or_else(|| Error::PathNotText(file.to_owned()))?;
    let text = |text: &Option<String>| text.clone().map(Value::String);
    let given = [
        (keys::PKG_PATH.name(), "FILE", Some(Value::String(path.to_owned()))),
        (keys::PKG_NAME.name(), "--name", text(&args.name)),
        (keys::PKG_DISPLAY_NAME.name(), "--display-name", text(&args.display_name)),
        (keys::PKG_CATEGORY.name(), "--category", text(&args.category)),
        (
            keys::CREATE_CATEGORY.name(),
            "--create-category",
            args.create_category.then_some(Value::Bool(true)),
        ),
        (keys::PKG_INFO.name(), "--info", text(&args.info)),
        (keys::PKG_NOTES.name(), "--notes", text(&args.notes)),
        (keys::PKG_PRIORITY.name(), "--priority", args.priority.map(|number| Value::Integer(number.into()))),
        (keys::REBOOT_REQUIRED.name(), "--reboot-required", args.reboot_required.map(Value::Bool)),
        (keys::OS_REQUIREMENTS.name(), "--os-requirements", text(&args.os_requirements)),
        (keys::FORCE.name(), "--force", args.force.then_some(Value::Bool(true))),
    ];
    let mut values = Env::new();
    for (name, flag, value) in given {
        if let Some(value) = value {
            values.insert(name, value, Origin::Flag(flag), false);
        }
    }
    Ok((path, values))
}

/// All files go by one recipe; what tells them apart in the output is their name.
fn named(chain: &Chain, file: &Path) -> Chain {
    let name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
    let mut chain = chain.clone();
    chain.identifier = name;
    chain
}
