use crate::args::CheckArgs;
use crate::display::{self, count, on};
use crate::error::Error;
use crate::exit::Exit;
use crate::registry;
use crate::run::{Chosen, Job, missing_file};
use crate::settings::Settings;
use crate::slips::Given;
use pipeline::causes;
use std::io::Write as _;
use std::sync::Arc;

/// `pkgferry check`: all faults of all recipes that a run would take; no network.
pub fn check(args: &CheckArgs, settings: &Settings) -> Result<Exit, Error> {
    let registry = registry::declared()?;
    let specs = registry.specs();
    let targets = settings.targets(&args.variables.key, false)?;
    let (chosen, errors) = Chosen::read_partly(&args.recipes.named, &args.recipes.recipe_list);
    // Here and not at the first fault: what is wrong with a list is no reason to keep its recipes' faults back.
    errors.iter().for_each(display::error::print);
    let mut exit = errors.first().map_or(Exit::Done, Error::exit);
    let chains = settings.library().load_all(chosen.recipes().map(|(name, _)| name));

    let mut out = std::io::stdout().lock();
    let readable: Vec<_> = chains.iter().filter_map(|chain| chain.as_ref().ok()).collect();
    let slips = Given::new(settings, &args.variables).and_lists(&chosen).slips(&readable, &specs);
    for ((name, variables), chain) in chosen.recipes().zip(chains) {
        let chain = Arc::new(chain);
        for target in &targets {
            let mut job = Job::of_list(name, Arc::clone(&chain), target, &variables);
            job.target = Settings::veil(job.target)?;
            let name = on(name, target.name.as_deref());
            match job.checked(&specs, ToString::to_string) {
                Ok(checked) => {
                    writeln!(out, "{name}: ok, {}", count(checked.steps.len(), "step"))?;
                    // It may be made before the run: no fault of the recipe.
                    if let Some((_, error)) = missing_file(&checked) {
                        writeln!(out, "  warning: {}", causes(&error).collect::<Vec<_>>().join(": "))?;
                    }
                }
                Err(faults) => {
                    exit = if exit == Exit::Done { Exit::Recipe } else { exit };
                    writeln!(out, "{name}: faulty")?;
                    for line in faults.lines() {
                        writeln!(out, "  {line}")?;
                    }
                }
            }
        }
    }
    let notes = chosen.notes().iter().map(ToString::to_string);
    for warning in notes.chain(slips.iter().map(ToString::to_string)) {
        writeln!(out, "warning: {warning}")?;
    }
    Ok(exit)
}
