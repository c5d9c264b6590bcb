use crate::args::DownloadArgs;
use crate::error::Error;
use crate::exit::Exit;
use crate::run::{Job, execute};
use crate::settings::Settings;
use crate::shipped;
use jcds_download::{DOWNLOAD_PATH, OVERWRITE};
use pipeline::{Origin, Value, keys};
use tokio_util::sync::CancellationToken;

/// `pkgferry download`: the shipped recipe, its values from the command line.
pub async fn download(
    args: DownloadArgs,
    settings: Settings,
    cancel: CancellationToken,
) -> Result<Exit, Error> {
    let target = args.target.to_str().ok_or_else(|| Error::PathNotText(args.target.clone()))?;
    let mut overrides = settings.overrides_with(&args.variables.key);
    let values = [
        (keys::PKG_NAME.name(), "NAME", Some(Value::String(args.name.clone()))),
        (DOWNLOAD_PATH.name(), "TARGET", Some(Value::String(target.to_owned()))),
        (OVERWRITE.name(), "--overwrite", args.overwrite.then_some(Value::Bool(true))),
    ];
    for (name, flag, value) in values {
        if let Some(value) = value {
            overrides.insert(name, value, Origin::Flag(flag), false);
        }
    }
    let chain = recipe::Library::default().load_source(&shipped::download_package()).map(|mut chain| {
        chain.identifier.clone_from(&args.name);
        chain
    });
    execute(vec![Job { name: args.name, chain, overrides }], &settings, &args.mode, cancel).await
}
