use crate::args::CheckArgs;
use crate::display::{self, count, on};
use crate::error::Error;
use crate::exit::Exit;
use crate::registry;
use crate::run::{Carried, Chosen, Job, Wanted, contested, missing_file};
use crate::settings::Settings;
use crate::slips::Given;
use pipeline::{Diagnose as _, causes};
use recipe::{Checked, Slip};
use std::io::{self, Write};
use std::sync::Arc;

/// `pkgferry check`: all faults of all recipes that a run would take; no network.
pub fn check(args: &CheckArgs, settings: &Settings) -> Result<Exit, Error> {
    let registry = registry::declared()?;
    let specs = registry.specs();
    let targets = settings.targets(&args.variables.key, false)?;
    let (mut chosen, errors) = Chosen::read_partly(&args.recipes.named, &args.recipes.recipe_list);
    // Here and not at the first fault: what is wrong with a list is no reason to keep its recipes' faults back.
    errors.iter().for_each(display::error::print);
    let mut exit = errors.first().map_or(Exit::Done, Error::exit);
    let recipes = chosen.load(&settings.library());

    let mut out = std::io::stdout().lock();
    let readable: Vec<_> = recipes.iter().filter_map(|wanted| (*wanted.chain).as_ref().ok()).collect();
    let slips = Given::new(settings, &args.variables).and_lists(&chosen).slips(&readable, &specs);
    let mut checks: Vec<Check> = Vec::new();
    for Wanted { name, variables, chain } in &recipes {
        let own = (**chain).as_ref().ok().and_then(|chain| chain.files.first().cloned());
        let has_slip =
            |slip: &Slip| own.is_some() && slip.place.as_ref().map(|place| &place.file) == own.as_ref();
        let has_slips = slips.iter().any(has_slip);
        for target in &targets {
            let mut job = Job::of_list(name, Arc::clone(chain), target, variables);
            job.target = Settings::veil(job.target)?;
            let name = on(name, target.name.as_deref());
            checks.push(Check { name, has_slips, checked: job.checked(&specs, ToString::to_string) });
        }
    }
    for target in 0..targets.len() {
        let of_target = checks.iter().skip(target).step_by(targets.len());
        let carried: Vec<_> =
            of_target.map(|check| check.checked.as_ref().ok().and_then(Carried::by)).collect();
        for (place, why) in contested(&carried) {
            let hint = why.hint().map(|hint| format!("\n  hint: {hint}")).unwrap_or_default();
            checks[place * targets.len() + target].checked = Err(format!("{why}{hint}"));
        }
    }
    let mut tally = Tally::default();
    for check in &checks {
        tally.take(check, &mut out)?;
    }
    if tally.faulty > 0 && exit == Exit::Done {
        exit = Exit::Recipe;
    }
    let notes = chosen.notes().iter().map(ToString::to_string);
    for warning in notes.chain(slips.iter().map(ToString::to_string)) {
        writeln!(out, "warning: {warning}")?;
    }
    let servers = targets.iter().filter(|target| target.name.is_some()).count();
    if let Some(summary) = tally.summary(servers) {
        writeln!(out, "{summary}")?;
    }
    Ok(exit)
}

/// What came of the recipes, each on each server.
#[derive(Default)]
struct Tally {
    ok: usize,
    faulty: usize,
    /// Those of either kind that somebody was warned of.
    warned: usize,
}

/// A recipe on a server: what it is if it can run, else all that is wrong with it.
struct Check {
    name: String,
    has_slips: bool,
    checked: Result<Checked, String>,
}

impl Tally {
    /// Tells and counts.
    fn take(&mut self, check: &Check, out: &mut impl Write) -> io::Result<()> {
        let Check { name, has_slips, checked } = check;
        let mut warned = *has_slips;
        match checked {
            Ok(checked) => {
                self.ok += 1;
                writeln!(out, "{name}: ok, {}", count(checked.steps.len(), "step"))?;
                // It may be made before the run: no fault of the recipe.
                if let Some((_, error)) = missing_file(checked) {
                    warned = true;
                    writeln!(out, "  warning: {}", causes(&error).collect::<Vec<_>>().join(": "))?;
                }
            }
            Err(faults) => {
                self.faulty += 1;
                writeln!(out, "{name}: faulty")?;
                for line in faults.lines() {
                    writeln!(out, "  {line}")?;
                }
            }
        }
        self.warned += usize::from(warned);
        Ok(())
    }

    /// `20 recipes: 18 ok, 2 faulty, 1 with warnings`; with named servers, `6 checks on 2 servers: …`. Nothing where one line has
    /// said it all.
    fn summary(&self, servers: usize) -> Option<String> {
        let all = self.ok + self.faulty;
        let counts = [(self.ok, "ok"), (self.faulty, "faulty"), (self.warned, "with warnings")];
        let counts = counts.iter().filter(|(number, _)| *number > 0);
        let counts: Vec<_> = counts.map(|(number, word)| format!("{number} {word}")).collect();
        let what = match servers {
            0 => count(all, "recipe"),
            _ => format!("{} on {}", count(all, "check"), count(servers, "server")),
        };
        (all > 1).then(|| format!("{what}: {}", counts.join(", ")))
    }
}
