use crate::args::ExplainArgs;
use crate::error::Error;
use crate::exit::Exit;
use crate::registry;
use crate::settings::Settings;
use runner::Source;
use std::io::Write as _;

/// `pkgferry explain`: the resolved steps, and where each value comes from; no network.
pub fn explain(args: &ExplainArgs, settings: &Settings) -> Result<Exit, Error> {
    let registry = registry::declared()?;
    let chain = settings.library().load(&args.recipe)?;
    let target = Settings::veil(settings.only_target(&args.variables.key, "explain")?)?;
    let checked = recipe::check(&chain, &registry.specs(), &target.preferences, &target.overrides)?;

    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", checked.identifier)?;
    for (index, file) in checked.files.iter().enumerate() {
        let role = if index == 0 { "recipe" } else { "parent" };
        writeln!(out, "  {role} {}", file.display())?;
    }
    writeln!(out, "\nSettings")?;
    match &settings.file {
        Some(file) => writeln!(out, "  file {}", file.display())?,
        None => writeln!(out, "  no file")?,
    }
    for (folder, origin) in &settings.search_dirs {
        writeln!(out, "  recipes in {}  [{origin}]", folder.display())?;
    }
    writeln!(out, "\nEnvironment")?;
    for (name, entry) in checked.env.iter() {
        writeln!(out, "  {name} = {}  [{}]", entry.shown(), entry.origin())?;
    }
    for step in runner::explain(&checked) {
        writeln!(out, "\nStep {}: {}", step.number, step.processor)?;
        for input in step.inputs {
            let name = input.name;
            match input.source {
                Source::Known { shown, origin } => writeln!(out, "  {name} = {shown}  [{origin}]")?,
                Source::Template(template) => {
                    writeln!(out, "  {name} = {template}  [resolved while running]")?;
                }
                Source::Step(number) => writeln!(out, "  {name}  [output of step {number}]")?,
                Source::Unset => writeln!(out, "  {name}  [not set]")?,
            }
        }
    }
    Ok(Exit::Done)
}
