use crate::args::CheckArgs;
use crate::display::{count, on};
use crate::error::Error;
use crate::exit::Exit;
use crate::registry;
use crate::settings::Settings;
use std::io::Write as _;

/// `pkgferry check`: all faults of all recipes; no network.
pub fn check(args: &CheckArgs, settings: &Settings) -> Result<Exit, Error> {
    let registry = registry::declared()?;
    let specs = registry.specs();
    let library = settings.library();
    let targets = settings.targets(&args.variables.key, false)?;
    let mut out = std::io::stdout().lock();
    let mut exit = Exit::Done;
    for name in &args.recipes {
        let chain = library.load(name);
        for target in &targets {
            let checked = match &chain {
                Ok(chain) => recipe::check(chain, &specs, &target.preferences, &target.overrides)
                    .map_err(|faults| faults.to_string()),
                Err(faults) => Err(faults.to_string()),
            };
            let name = on(name, target.name.as_deref());
            match checked {
                Ok(checked) => writeln!(out, "{name}: ok, {}", count(checked.steps.len(), "step"))?,
                Err(faults) => {
                    exit = Exit::Recipe;
                    writeln!(out, "{name}: faulty")?;
                    for line in faults.lines() {
                        writeln!(out, "  {line}")?;
                    }
                }
            }
        }
    }
    Ok(exit)
}
