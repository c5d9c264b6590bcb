use crate::args::UploadArgs;
use crate::error::Error;
use crate::exit::Exit;
use crate::run::{Job, execute};
use crate::settings::Settings;
use crate::shipped;
use pipeline::{Env, Origin, Value, keys};
use recipe::Chain;
use std::path::{Path, PathBuf};
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
    let overrides = settings.overrides_with(&args.variables.key);
    let chain = recipe::Library::default().load_source(&shipped::upload_package())?;
    let job = |file: &PathBuf| job(file, &args, overrides.clone(), chain.clone());
    let jobs = args.files.iter().map(job).collect::<Result<_, _>>()?;
    execute(jobs, &settings, &args.mode, cancel).await
}

fn job(file: &Path, args: &UploadArgs, mut overrides: Env, mut chain: Chain) -> Result<Job, Error> {
    let path = file.to_str().ok_or_else(|| Error::PathNotText(file.to_owned()))?;
    let text = |text: &Option<String>| text.clone().map(Value::String);
    let values = [
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
    for (name, flag, value) in values {
        if let Some(value) = value {
            overrides.insert(name, value, Origin::Flag(flag), false);
        }
    }
    // All files go by one recipe; what tells them apart in the output is their name.
    chain.identifier = file.file_name().map_or(path.into(), |name| name.to_string_lossy().into_owned());
    Ok(Job { name: path.to_owned(), chain: Ok(chain), overrides })
}
