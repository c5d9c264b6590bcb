//! `pkgferry report merge`: one report of several, in the shapes that are asked for.

use crate::args::MergeArgs;
use crate::display::count;
use crate::error::Error;
use crate::exit::Exit;
use crate::files::{self, Existing};
use report::{Format, PackageReport, RunReport, Status};
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
    let totals = merged.totals();
    let counts = Status::ALL.into_iter().map(|status| (totals.with(status), status.word()));
    let counts: Vec<_> = counts
        .filter(|(packages, _)| *packages > 0)
        .map(|(packages, word)| format!("{packages} {word}"))
        .collect();
    let colon = if counts.is_empty() { "" } else { ": " };
    format!("{runs}, {packages}{colon}{}", counts.join(", "))
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

/// The exit code of the merged runs, by the rules of one ([`crate::run::exit_of`]): interruption first, then the first
/// failure, then what is unverified. What did not end, or is not there, is no better than what was interrupted.
fn exit_of(merged: &RunReport) -> Exit {
    let failures = || merged.packages.iter().filter(|package| package.status == Status::Failed).map(failure);
    let is_undone = |package: &PackageReport| matches!(package.status, Status::Running | Status::NotBegun);
    if merged.finished.is_none()
        || merged.lacks_shards()
        || merged.packages.iter().any(is_undone)
        || failures().any(|exit| exit == Exit::Interrupted)
    {
        return Exit::Interrupted;
    }
    let is_unverified = |package: &PackageReport| package.status == Status::Unverified;
    match failures().next() {
        Some(exit) => exit,
        None if merged.packages.iter().any(is_unverified) => Exit::Unverified,
        None => Exit::Done,
    }
}

/// A file may call a package failed and not say why.
fn failure(package: &PackageReport) -> Exit {
    package.failure.as_ref().map_or(Exit::Internal, |failure| Exit::of(failure.kind))
}
