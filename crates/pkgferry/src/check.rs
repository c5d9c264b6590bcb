use crate::args::CheckArgs;
use crate::error::Error;
use crate::exit::Exit;
use crate::registry;
use crate::settings::Settings;
use std::io::Write as _;

/// `pkgferry check`: all faults of all recipes; no network.
pub fn check(args: &CheckArgs, settings: &Settings) -> Result<Exit, Error> {
    let registry = registry::declared()?;
    let library = settings.library();
    let overrides = settings.overrides_with(&args.variables.key);
    let mut out = std::io::stdout().lock();
    let mut exit = Exit::Done;
    for name in &args.recipes {
        let checked = library
            .load(name)
            .and_then(|chain| recipe::check(&chain, &registry.specs(), &settings.preferences, &overrides));
        match checked {
            Ok(checked) => {
                writeln!(out, "{name}: ok, {}", crate::display::count(checked.steps.len(), "step"))?;
            }
            Err(faults) => {
                exit = Exit::Recipe;
                writeln!(out, "{name}: faulty")?;
                for line in faults.to_string().lines() {
                    writeln!(out, "  {line}")?;
                }
            }
        }
    }
    Ok(exit)
}
