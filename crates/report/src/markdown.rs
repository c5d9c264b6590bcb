//! A summary for `$GITHUB_STEP_SUMMARY`. What is worst comes first, so that what does not fit is what matters least.

use crate::words::{at_least, clip, count, duration, headline, moment, span, stopped, writable};
use crate::{PackageReport, RunReport, Status, Warning};
use pipeline::size;

/// GitHub refuses a step's summary above 1 MiB as a whole. Other commands of the step may have written some of it.
const LIMIT: usize = 1_000_000;

/// Bytes of one cell. A message longer than this is read in the full report.
const CELL: usize = 4_000;

/// Bytes that are kept back for the end of a table and for what comes after all tables.
const RESERVE: usize = 4_000;

pub(crate) fn write(report: &RunReport) -> String {
    let mut text = Text(String::new());
    text.0.push_str(&format!("## {}\n\n{}\n", escape(&headline(report)), escape(&about(report))));
    if report.dry_run {
        text.0.push_str("\nA dry run: nothing was changed, and the statuses say what would be.\n");
    }

    let with = |statuses: &'static [Status]| {
        report.packages.iter().filter(|package| statuses.contains(&package.status))
    };
    let problem = ["Package", "What happened", "Next step"];
    text.table("Failed", problem, with(&[Status::Failed]).map(failed));
    text.table(
        "Not done",
        problem,
        with(&[Status::Interrupted, Status::Running, Status::NotBegun]).map(failed),
    );
    text.table("Not verified", problem, with(&[Status::Unverified]).map(failed));
    let title = if report.dry_run { "Would change" } else { "Changed" };
    const CHANGES: [Status; 4] =
        [Status::Replaced, Status::Created, Status::MetadataOnly, Status::Downloaded];
    let changed = CHANGES.into_iter().flat_map(|status| {
        report.packages.iter().filter(move |package| package.status == status).map(changed)
    });
    text.table(title, ["Package", "Result", "Why", "Transferred"], changed);
    let of_run = report.run_warnings().map(|warning| warned(None, warning));
    let of_packages = report
        .packages
        .iter()
        // A doubt itself stands above.
        .flat_map(|package| package.other_warnings().map(move |warning| (package, warning)))
        .map(|(package, warning)| warned(Some(package), warning));
    text.table("Warnings", ["Package", "Warning", "Next step"], of_run.chain(of_packages));
    text.0.push_str(&totals(report));
    text.0
}

struct Text(String);

impl Text {
    /// A section with a table, if there are rows, and as many of them as fit.
    fn table<const N: usize>(
        &mut self,
        title: &str,
        header: [&str; N],
        rows: impl Iterator<Item = [String; N]>,
    ) {
        let mut rows = rows.peekable();
        if rows.peek().is_none() {
            return;
        }
        let mut begun = false;
        while let Some(cells) = rows.next() {
            let row = format!("| {} |\n", cells.join(" | "));
            let head = if begun {
                String::new()
            } else {
                format!("\n### {title}\n\n| {} |\n|{}\n", header.join(" | "), "---|".repeat(N))
            };
            if self.0.len() + head.len() + row.len() + RESERVE > LIMIT {
                let left = 1 + u64::try_from(rows.count()).unwrap_or(u64::MAX - 1);
                let title = title.to_lowercase();
                self.0.push_str(&format!("\nSection “{title}”: {left} more, in the full report.\n"));
                return;
            }
            self.0.push_str(&head);
            self.0.push_str(&row);
            begun = true;
        }
    }
}

fn about(report: &RunReport) -> String {
    let mut about = vec![moment(report.started)];
    about.push(match report.finished {
        Some(finished) => duration(span(report.started, finished)),
        None => format!("last heard of at {}", moment(report.updated)),
    });
    about.extend(stopped(report).map(ToOwned::to_owned));
    about.extend(report.shard.map(|shard| format!("shard {shard}")));
    if !report.parts.is_empty() {
        about
            .push(format!("merged from {}", count(report.parts.len().try_into().unwrap_or(u64::MAX), "run")));
    }
    about.extend(
        (!report.servers.is_empty()).then(|| clip(&report.servers.join(", "), CELL / 4).into_owned()),
    );
    about.push(format!("{} {}", report.program.name, report.program.version));
    clip(&about.join(" · "), CELL).into_owned()
}

fn package_cell(package: &PackageReport) -> String {
    let mut under = Vec::new();
    if package.file.is_some() {
        under.push(escape(&clip(&package.recipe, CELL / 4)));
    }
    under.extend(package.server.as_ref().map(|server| escape(&clip(server, CELL / 4))));
    if !package.also_in.is_empty() {
        under.push("also in another run".to_owned());
    }
    let name = escape(&clip(package.name(), CELL / 4));
    if under.is_empty() {
        format!("<b>{name}</b>")
    } else {
        format!("<b>{name}</b><br>{}", under.join(" · "))
    }
}

fn failed(package: &PackageReport) -> [String; 3] {
    let step = package.step().map(|step| format!("step {step}: ")).unwrap_or_default();
    let mut what = match package.status {
        // These two stand in one section.
        Status::Running | Status::NotBegun => package.sentence(),
        _ => format!("{step}{}", package.reason),
    };
    for cause in package.failure.iter().flat_map(|failure| &failure.causes) {
        what.push_str(&format!("\ncaused by: {cause}"));
    }
    [
        package_cell(package),
        escape(&clip(&what, CELL)),
        escape(&clip(package.next_step().unwrap_or("–"), CELL)),
    ]
}

fn changed(package: &PackageReport) -> [String; 4] {
    let moved = match (package.bytes_sent, package.bytes_fetched) {
        (0, 0) => "–".to_owned(),
        (0, fetched) => size(fetched),
        (sent, _) => size(sent),
    };
    [package_cell(package), package.status.word().to_owned(), escape(&clip(&package.reason, CELL)), moved]
}

fn warned(package: Option<&PackageReport>, warning: &Warning) -> [String; 3] {
    [
        package.map_or_else(|| "the run".to_owned(), package_cell),
        escape(&clip(&warning.message, CELL)),
        escape(&clip(warning.hint.as_deref().unwrap_or("–"), CELL)),
    ]
}

fn totals(report: &RunReport) -> String {
    let totals = report.totals();
    let (sent, saved) = if report.dry_run { ("to send", "there already") } else { ("sent", "saved") };
    let mut text = format!("\n### Totals\n\n{}", count(totals.packages, "package"));
    if totals.packages > 0 {
        text.push_str(&format!(": {totals}"));
    }
    let least = at_least(report);
    text.push_str(&format!(
        ".<br>{least}{} {sent}, {} {saved}",
        size(totals.bytes_sent),
        size(totals.bytes_saved)
    ));
    if totals.bytes_resumed > 0 {
        text.push_str(&format!(", {} resumed", size(totals.bytes_resumed)));
    }
    if totals.bytes_fetched > 0 {
        let fetched = if report.dry_run { "to fetch" } else { "fetched" };
        text.push_str(&format!(", {} {fetched}", size(totals.bytes_fetched)));
    }
    text.push_str(&format!("; {}.\n", count(report.requests.sent(), "request")));
    text
}

/// Text that stays text: no cell, mark-up, element, link or mention comes of it. Lines become line breaks.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let text = writable(text);
    let mut signs = text.chars().peekable();
    while let Some(sign) = signs.next() {
        match sign {
            '\n' => escaped.push_str("<br>"),
            '\r' => {}
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            // GitHub makes links of bare addresses, and a backslash would not keep it from that.
            ':' if signs.peek().is_some_and(|next| !next.is_ascii_digit() && !next.is_whitespace()) => {
                escaped.push_str("&#58;");
            }
            '.' if escaped.ends_with("www") => escaped.push_str("&#46;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' => {
                escaped.push('\\');
                escaped.push(sign);
            }
            _ => escaped.push(sign),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn text_stays_text_and_stays_readable() {
        let texts = [
            "S3 refused part 3: SlowDown (02:00:13)",
            "see https://example.com/a_b or www.example.com, mailto:a@b.example",
            "<b>a</b> & `b` | *c* ~d~ [e](f) \\ $g$",
            "one\r\ntwo",
        ];
        insta::assert_snapshot!(texts.map(escape).join("\n"), @r"
        S3 refused part 3: SlowDown (02:00:13)
        see https&#58;//example.com/a\_b or www&#46;example.com, mailto&#58;a@b.example
        &lt;b&gt;a&lt;/b&gt; &amp; \`b\` \| \*c\* \~d\~ \[e\](f) \\ \$g\$
        one<br>two
        ");
    }
}
