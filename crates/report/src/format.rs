use crate::{Error, RunReport, Totals, autopkg, html, junit, markdown};
use serde::Serialize;
use std::path::Path;

/// What a report looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The model itself, and its totals.
    Json,
    /// What `autopkg run --report-plist` writes (`autopkg-recipes.md §5.5`), for tools that read that.
    AutoPkg,
    /// JUnit's XML, as CI servers read it.
    Junit,
    /// A summary for `$GITHUB_STEP_SUMMARY`, and under its limit of 1 MiB whatever the run.
    Markdown,
    /// A page for people that needs nothing beside itself.
    Html,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Json, Self::AutoPkg, Self::Junit, Self::Markdown, Self::Html];

    /// The shape that the extension of a file means, in either case of letters.
    ///
    /// # Errors
    /// When it means none.
    pub fn of(path: &Path) -> Result<Self, Error> {
        let extension = path.extension().and_then(std::ffi::OsStr::to_str).unwrap_or_default();
        match extension.to_ascii_lowercase().as_str() {
            "json" => Ok(Self::Json),
            "plist" => Ok(Self::AutoPkg),
            "xml" => Ok(Self::Junit),
            "md" | "markdown" => Ok(Self::Markdown),
            "html" | "htm" => Ok(Self::Html),
            _ => Err(Error::UnknownExtension { path: path.to_owned() }),
        }
    }
}

/// The bytes of a report in a shape. The same report always gives the same bytes.
///
/// # Errors
/// When a writer of a library refuses; no report is known that makes one.
pub fn write(report: &RunReport, format: Format) -> Result<Vec<u8>, Error> {
    match format {
        Format::Json => json(report),
        Format::AutoPkg => autopkg::write(report),
        Format::Junit => junit::write(report),
        Format::Markdown => Ok(markdown::write(report).into_bytes()),
        Format::Html => Ok(html::write(report).into_bytes()),
    }
}

/// The report with its totals, which are there to be looked at: they are counted anew when a report is read.
fn json(report: &RunReport) -> Result<Vec<u8>, Error> {
    #[derive(Serialize)]
    struct Document<'a> {
        #[serde(flatten)]
        report: &'a RunReport,
        totals: Totals,
    }
    let document = Document { report, totals: report.totals() };
    let mut bytes = serde_json::to_vec_pretty(&document)
        .map_err(|source| Error::Unwritable { shape: "JSON", source: source.into() })?;
    bytes.push(b'\n');
    Ok(bytes)
}
