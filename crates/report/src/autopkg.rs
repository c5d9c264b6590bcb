//! What `autopkg run --report-plist` writes (`autopkg-recipes.md §5.5`).
//!
//! Tools that read it take every row of `jamfpackageuploader_summary_result` for an upload, every key with `pkg` in it for a
//! built package, and every entry of `failures` for something to tell people of. So only what has arrived stands in that
//! table; what is unverified, or had no turn, is among the failures; and what was there already is in neither, as in
//! AutoPkg's own reports.

use crate::words::writable;
use crate::{Error, PackageReport, RunReport, Status, Warning};
use plist::{Dictionary, Value};

/// A table of `summary_results`.
struct Table {
    key: &'static str,
    text: &'static str,
    header: &'static [&'static str],
    rows: Vec<Vec<String>>,
}

pub(crate) fn write(report: &RunReport) -> Result<Vec<u8>, Error> {
    let mut root = Dictionary::new();
    root.insert("failures".into(), Value::Array(failures(report)));
    let tables = [changed(report), fetched(report), planned(report), warnings(report)];
    let mut results = Dictionary::new();
    for table in tables.into_iter().filter(|table| !table.rows.is_empty()) {
        results.insert(table.key.into(), Value::Dictionary(table.into_dictionary()));
    }
    results.sort_keys();
    root.insert("summary_results".into(), Value::Dictionary(results));

    let unwritable =
        |source: Box<dyn std::error::Error + Send + Sync>| Error::Unwritable { shape: "plist", source };
    let mut bytes = Vec::new();
    Value::Dictionary(root).to_writer_xml(&mut bytes).map_err(|source| unwritable(source.into()))?;
    bytes.push(b'\n');
    Ok(bytes)
}

impl Table {
    fn into_dictionary(self) -> Dictionary {
        let Self { key: _, text: summary, header, rows } = self;
        let rows = rows.into_iter().map(|cells| {
            let mut row: Dictionary =
                header.iter().zip(cells).map(|(name, cell)| ((*name).to_owned(), text(&cell))).collect();
            row.sort_keys();
            Value::Dictionary(row)
        });
        let mut table = Dictionary::new();
        table.insert("data_rows".into(), Value::Array(rows.collect()));
        table.insert("header".into(), Value::Array(header.iter().map(|name| text(name)).collect()));
        table.insert("summary_text".into(), text(summary));
        table
    }
}

fn text(text: &str) -> Value {
    Value::String(writable(text).into_owned())
}

fn failures(report: &RunReport) -> Vec<Value> {
    let failed =
        report.packages.iter().filter_map(|package| failure(package).map(|message| (package, message)));
    let entries = failed.map(|(package, message)| {
        let mut entry = Dictionary::new();
        entry.insert("message".into(), text(&message));
        entry.insert("recipe".into(), text(&package.recipe));
        if let Some(identifier) = &package.identifier {
            entry.insert("recipe_id".into(), text(identifier));
        }
        // Readers of AutoPkg's reports expect the key.
        entry.insert("traceback".into(), text(""));
        Value::Dictionary(entry)
    });
    entries.collect()
}

/// In AutoPkg's form, `Error in RECIPE: Processor: NAME: Error: MESSAGE`, and then what AutoPkg does not have.
fn failure(package: &PackageReport) -> Option<String> {
    use Status::{Failed, Interrupted, NotBegun, Running, Unverified};
    if !matches!(package.status, Failed | Interrupted | Unverified | Running | NotBegun) {
        return None;
    }
    let recipe = package.identifier.as_ref().unwrap_or(&package.recipe);
    let mut message = format!("Error in {recipe}: ");
    if let Some(step) = package.step() {
        message.push_str(&format!("Processor: {}: ", step.processor));
    }
    message.push_str("Error: ");
    message.push_str(&package.sentence());
    for cause in package.failure.iter().flat_map(|failure| &failure.causes) {
        message.push_str(&format!("\ncaused by: {cause}"));
    }
    if let Some(server) = &package.server {
        message.push_str(&format!("\nserver: {server}"));
    }
    if let Some(hint) = package.next_step() {
        message.push_str(&format!("\nhint: {hint}"));
    }
    Some(message)
}

fn rows(
    report: &RunReport,
    is_meant: impl Fn(&PackageReport) -> bool,
    row: fn(&PackageReport) -> Vec<String>,
) -> Vec<Vec<String>> {
    report.packages.iter().filter(|package| is_meant(package)).map(row).collect()
}

fn changed(report: &RunReport) -> Table {
    let is_meant = |package: &PackageReport| {
        !report.dry_run && package.status.is_change() && package.status != Status::Downloaded
    };
    Table {
        key: "jamfpackageuploader_summary_result",
        text: "The following packages were uploaded to or updated in Jamf Pro:",
        // First those of JamfPackageUploader itself.
        header: &[
            "category",
            "name",
            "pkg_name",
            "pkg_display_name",
            "pkg_path",
            "version",
            "status",
            "server",
            "package_id",
            "reason",
        ],
        rows: rows(report, is_meant, |package| {
            let or_name = |known: &Option<String>| known.as_deref().unwrap_or(package.name()).to_owned();
            vec![
                package.category.clone().unwrap_or_default(),
                or_name(&package.product),
                package.name().to_owned(),
                or_name(&package.display_name),
                package.local_path.clone().unwrap_or_default(),
                package.pkg_version.clone().unwrap_or_default(),
                package.status.word().to_owned(),
                package.server.clone().unwrap_or_default(),
                package.package_id.map(|id| id.to_string()).unwrap_or_default(),
                package.reason.clone(),
            ]
        }),
    }
}

fn fetched(report: &RunReport) -> Table {
    let is_meant = |package: &PackageReport| !report.dry_run && package.status == Status::Downloaded;
    Table {
        key: "url_downloader_summary_result",
        text: "The following new items were downloaded:",
        header: &["download_path"],
        rows: rows(report, is_meant, |package| {
            vec![package.fetched_to.clone().unwrap_or_else(|| package.name().to_owned())]
        }),
    }
}

/// A dry run uploads nothing, and no reader may think that it did.
fn planned(report: &RunReport) -> Table {
    let is_meant = |package: &PackageReport| report.dry_run && package.status.is_change();
    Table {
        key: "dry_run_summary_result",
        text: "The following would change in Jamf Pro:",
        header: &["action", "type", "name"],
        rows: rows(report, is_meant, |package| {
            vec![package.status.word().to_owned(), "package".to_owned(), package.name().to_owned()]
        }),
    }
}

fn warnings(report: &RunReport) -> Table {
    let row = |name: &str, warning: &Warning| {
        vec![name.to_owned(), warning.message.clone(), warning.hint.clone().unwrap_or_default()]
    };
    let of_packages = report
        .packages
        .iter()
        .flat_map(|package| package.other_warnings().map(move |warning| row(package.name(), warning)));
    Table {
        key: "warnings_summary_result",
        text: "The following should be looked at:",
        header: &["name", "warning", "hint"],
        rows: report.run_warnings().map(|warning| row("", warning)).chain(of_packages).collect(),
    }
}
