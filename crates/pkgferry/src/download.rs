use crate::args::DownloadArgs;
use crate::error::Error;
use crate::exit::Exit;
use crate::run::{Job, execute};
use crate::settings::Settings;
use crate::shipped;
use jcds_download::{DOWNLOAD_PATH, OVERWRITE};
use pipeline::{Env, Origin, Value, keys};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// `pkgferry download`: the shipped recipe, its values from the command line.
pub async fn download(
    args: DownloadArgs,
    settings: Settings,
    cancel: CancellationToken,
) -> Result<Exit, Error> {
    let target = args.target.to_str().ok_or_else(|| Error::PathNotText(args.target.clone()))?;
    let mut values = Env::new();
    let given = [
        (keys::PKG_NAME.name(), "NAME", Some(Value::String(args.name.clone()))),
        (DOWNLOAD_PATH.name(), "TARGET", Some(Value::String(target.to_owned()))),
        (OVERWRITE.name(), "--overwrite", args.overwrite.then_some(Value::Bool(true))),
    ];
    for (name, flag, value) in given {
        if let Some(value) = value {
            values.insert(name, value, Origin::Flag(flag), false);
        }
    }
    let chain = recipe::Library::default().load_source(&shipped::download_package()).map(|mut chain| {
        chain.identifier.clone_from(&args.name);
        chain
    });
    let targets = settings.targets(&args.variables.key, args.mode.rehearsal.sandbox)?;
    let [target] = &targets[..] else { return Err(Error::OneServerOnly { command: "download" }) };
    let job = Job::new(args.name, Arc::new(chain), target, &values);
    execute(vec![job], &settings, &args.mode, cancel).await
}
