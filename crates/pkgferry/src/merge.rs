//! `pkgferry report merge`: one report of several, in the shapes that are asked for.

use crate::args::MergeArgs;
use crate::display::count;
use crate::error::Error;
use crate::exit::Exit;
use crate::files::{self, Existing};
use report::{Format, PackageReport, Part, RunReport, Status};
use std::io::Write as _;
use std::path::Path;

/// Nothing is written before everything is read, merged and known to have a shape.
pub fn merge(args: &MergeArgs) -> Result<Exit, Error> {
    let shapes = args.outputs.iter().map(|path| Format::of(path)).collect::<Result<Vec<_>, _>>();
    let shapes = shapes.map_err(Error::ReportShape)?;
    let reports = args.reports.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
    let merged = report::merge(reports).map_err(Error::MergeReports)?;
    let texts = shapes.iter().map(|shape| report::write(&merged, *shape)).collect::<Result<Vec<_>, _>>();
    let texts = texts.map_err(Error::MergeReports)?;
    for (path, text) in args.outputs.iter().zip(texts) {
        files::write(path, &text, Existing::Replace)
            .map_err(|source| Error::WriteFile { path: path.clone(), source })?;
    }
    writeln!(std::io::stdout().lock(), "{}", summary(&merged))?;
    warn(&merged);
    Ok(if args.exit_zero { Exit::Done } else { exit_of(&merged) })
}

fn read(path: &Path) -> Result<RunReport, Error> {
    let bytes = std::fs::read(path).map_err(|source| Error::OpenReport { path: path.to_owned(), source })?;
    RunReport::from_json(&bytes).map_err(|source| Error::ReadReport { path: path.to_owned(), source })
}

/// `3 runs, 300 packages: 1 failed, 2 unverified, 297 skipped`.
fn summary(merged: &RunReport) -> String {
    let runs = count(merged.parts.len(), if merged.dry_run { "dry run" } else { "run" });
    let packages = count(merged.packages.len(), "package");
    let counts = merged.totals().to_string();
    let colon = if counts.is_empty() { "" } else { ": " };
    format!("{runs}, {packages}{colon}{counts}")
}

/// Tells what merging found. What the runs found is in the report.
fn warn(merged: &RunReport) {
    let mut text = String::new();
    for warning in &merged.warnings {
        text.push_str(&format!("warning: {}\n", warning.message));
        if let Some(hint) = &warning.hint {
            text.push_str(&format!("  hint: {hint}\n"));
        }
    }
    // There is nobody left to tell when standard error is gone.
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// The worst of what the merged runs have ended with. A run that was killed, and one whose report is not there, are no better than
/// one that was interrupted.
fn exit_of(merged: &RunReport) -> Exit {
    let missing = if merged.lacks_shards() { Exit::Interrupted } else { Exit::Done };
    merged.parts.iter().map(|part| exit_of_part(part, &merged.packages)).fold(missing, Exit::worse)
}

fn exit_of_part(part: &Part, packages: &[PackageReport]) -> Exit {
    match (part.finished, part.exit_code) {
        (None, _) => Exit::Interrupted,
        (Some(_), Some(code)) => Exit::from_code(code).unwrap_or(Exit::Internal),
        // Older reports do not say: by the rules of one run ([`crate::run::exit_of`]), and what had no turn as if somebody had
        // interrupted it, since nothing says that it was the clock.
        (Some(_), None) => {
            let own = packages.iter().filter(|package| package.run.as_ref() == Some(&part.id));
            own.map(exit_of_package).fold(Exit::Done, Exit::worse)
        }
    }
}

fn exit_of_package(package: &PackageReport) -> Exit {
    match package.status {
        Status::Failed => failure(package),
        Status::Interrupted | Status::Running | Status::NotBegun => Exit::Interrupted,
        Status::Unverified => Exit::Unverified,
        _ => Exit::Done,
    }
}

/// A file may call a package failed and not say why.
fn failure(package: &PackageReport) -> Exit {
    package.failure.as_ref().map_or(Exit::Internal, |failure| Exit::of(failure.kind))
}
