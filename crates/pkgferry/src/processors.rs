use crate::args::ProcessorsArgs;
use crate::error::Error;
use crate::exit::Exit;
use crate::registry;
use pipeline::{Need, Phase, Spec};
use std::io::{self, Write};

/// `pkgferry processors`: what the processors declare about themselves.
pub fn processors(args: &ProcessorsArgs) -> Result<Exit, Error> {
    let registry = registry::declared()?;
    let specs = registry.specs();
    let mut out = std::io::stdout().lock();
    match &args.name {
        None => {
            for spec in specs {
                writeln!(out, "{:<18} {}", spec.name, spec.summary)?;
            }
        }
        Some(name) => match specs.iter().find(|spec| spec.name == name) {
            Some(spec) => describe(spec, &mut out)?,
            None => {
                let nearest = recipe::nearest(name, specs.iter().map(|spec| spec.name));
                return Err(Error::UnknownProcessor { name: name.clone(), nearest });
            }
        },
    }
    Ok(Exit::Done)
}

fn describe(spec: &Spec, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{}: {}", spec.name, spec.summary)?;
    if !spec.docs.is_empty() {
        writeln!(out, "\n{}", spec.docs.trim())?;
    }
    writeln!(out, "\nChanges the server: {}", if spec.writes { "yes" } else { "no" })?;
    writeln!(out, "\nInputs")?;
    for input in spec.inputs {
        let need = match input.need {
            Need::Required => "required".to_owned(),
            Need::Optional => "optional".to_owned(),
            Need::Default(default) => format!("default {}", default.to_value()),
        };
        writeln!(out, "  {} ({}, {need})", input.name, input.kind)?;
        writeln!(out, "      {}", input.doc)?;
        if !input.aliases.is_empty() {
            writeln!(out, "      In Arguments also: {}", input.aliases.join(", "))?;
        }
    }
    writeln!(out, "\nOutputs")?;
    for output in spec.outputs {
        let when = match output.when {
            Phase::Plan => "known from the plan on",
            Phase::Apply => "known after it ran",
        };
        writeln!(out, "  {} ({}, {when})", output.name, output.kind)?;
        writeln!(out, "      {}", output.doc)?;
    }
    Ok(())
}
