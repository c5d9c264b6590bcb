use super::entry::{card, change, skip};
use super::markup::Markup;
use super::timeline;
use crate::words::{Verdict, at_least, count, duration, headline, moment, span, stopped};
use crate::{PackageReport, RunReport, Status, Totals, Warning};
use jiff::Timestamp;
use pipeline::size;

pub(super) fn title(report: &RunReport) -> String {
    format!("{} · {}", headline(report), report.program.name)
}

/// A section of packages.
struct Section {
    id: &'static str,
    title: &'static str,
    statuses: &'static [Status],
}

const FAILED: Section = Section { id: "failed", title: "Failed", statuses: &[Status::Failed] };
const NOT_DONE: Section = Section {
    id: "not-done",
    title: "Not done",
    statuses: &[Status::Interrupted, Status::Running, Status::NotBegun],
};
const UNVERIFIED: Section =
    Section { id: "unverified", title: "Not verified", statuses: &[Status::Unverified] };
const CHANGED: Section = Section {
    id: "changed",
    title: "Changed",
    statuses: &[Status::Replaced, Status::Created, Status::MetadataOnly, Status::Downloaded],
};
const SKIPPED: Section = Section { id: "skipped", title: "Skipped", statuses: &[Status::Skipped] };

impl Section {
    /// The packages, each with its number in the report, by status and then in the order of the report.
    fn packages<'a>(&self, report: &'a RunReport) -> Vec<(usize, &'a PackageReport)> {
        let of = |status: Status| {
            report.packages.iter().enumerate().filter(move |(_, package)| package.status == status)
        };
        self.statuses.iter().flat_map(|status| of(*status)).collect()
    }
}

pub(super) fn write(page: &mut Markup, report: &RunReport) {
    header(page, report);
    page.put("<main>\n");
    page.put(
        "<form class=\"filter\" role=\"search\" hidden><label for=\"filter\">Filter</label>\
         <input id=\"filter\" type=\"search\" autocomplete=\"off\" spellcheck=\"false\" placeholder=\"package, recipe, server, status\">\
         <output id=\"shown\" for=\"filter\"></output></form>\n",
    );
    cards(page, report, &FAILED);
    cards(page, report, &NOT_DONE);
    cards(page, report, &UNVERIFIED);
    timeline::write(page, report);
    warnings(page, report);
    changed(page, report);
    skipped(page, report);
    page.put("</main>\n<footer><p>");
    page.text(&report.program.name)
        .put(" ")
        .text(&report.program.version)
        .put(", run <bdi>")
        .text(&report.id);
    page.put("</bdi>. Written ");
    time(page, report.updated);
    page.put(".</p></footer>\n");
}

fn header(page: &mut Markup, report: &RunReport) {
    let (class, sign) = match Verdict::of(report) {
        Verdict::Failed | Verdict::BrokenOff => ("failed", "!"),
        Verdict::Unfinished => ("not-done", "…"),
        Verdict::Unverified => ("unverified", "?"),
        Verdict::Good => ("good", "✓"),
    };
    page.put("<header>\n<h1><span class=\"sign ")
        .put(class)
        .put("\" aria-hidden=\"true\">")
        .put(sign)
        .put("</span> ");
    page.text(&headline(report)).put("</h1>\n<p class=\"about\">");
    about(page, report);
    page.put("</p>\n");
    if report.dry_run {
        page.put("<p class=\"note\"><b>Dry run.</b> Nothing was changed; the statuses say what a real run would come to.</p>\n");
    }
    if report.finished.is_none() {
        page.put("<p class=\"note\"><b>This run did not end</b>, or had not when this was written, ");
        time(page, report.updated);
        page.put(". What follows is what was known then.</p>\n");
    }
    tiles(page, report);
    bytes(page, report);
    page.put("</header>\n");
}

fn about(page: &mut Markup, report: &RunReport) {
    time(page, report.started);
    if let Some(finished) = report.finished {
        page.put(", ").text(&duration(span(report.started, finished)));
    }
    if let Some(word) = stopped(report) {
        page.put(", ").put(word);
    }
    for server in &report.servers {
        page.put(" · <bdi>").text(server).put("</bdi>");
    }
    if let Some(shard) = report.shard {
        page.put(" · shard ").text(&shard.to_string());
    }
    if !report.parts.is_empty() {
        let parts = u64::try_from(report.parts.len()).unwrap_or(u64::MAX);
        page.put(" · merged from ").text(&count(parts, "run"));
    }
}

fn time(page: &mut Markup, time: Timestamp) {
    page.put("<time datetime=\"").text(&time.to_string()).put("\">").text(&moment(time)).put("</time>");
}

fn tiles(page: &mut Markup, report: &RunReport) {
    let totals = report.totals();
    let mut tiles = vec![(&FAILED, totals.failed, "failed")];
    if totals.not_done() > 0 {
        tiles.push((&NOT_DONE, totals.not_done(), "not done"));
    }
    tiles.push((&UNVERIFIED, totals.unverified, "not verified"));
    tiles.push((&CHANGED, totals.changed(), if report.dry_run { "would change" } else { "changed" }));
    tiles.push((&SKIPPED, totals.skipped, "skipped"));
    page.put("<nav aria-label=\"Results\"><ul class=\"tiles\">\n");
    for (section, number, word) in tiles {
        page.put("<li class=\"").put(section.id);
        page.put(if number == 0 { " none\"><span>" } else { "\"><a href=\"#" });
        if number > 0 {
            page.put(section.id).put("\">");
        }
        page.put("<b>").number(number).put("</b> ").put(word);
        page.put(if number == 0 { "</span></li>\n" } else { "</a></li>\n" });
    }
    page.put("</ul></nav>\n");
}

/// Bytes sent against bytes saved, and requests.
fn bytes(page: &mut Markup, report: &RunReport) {
    let totals = report.totals();
    let (sent, saved) = (totals.bytes_sent, totals.bytes_saved);
    page.put("<div class=\"bytes\">\n");
    if sent > 0 || saved > 0 {
        let share = 100.0 * sent as f64 / (sent as f64 + saved as f64);
        page.put("<svg width=\"100%\" height=\"8\" aria-hidden=\"true\"><rect class=\"saved\" width=\"100%\" height=\"8\"/>");
        page.put("<rect class=\"sent\" width=\"").percent(share).put("\" height=\"8\"/></svg>\n");
    }
    let (words, fetched) = match report.dry_run {
        true => ([" to send", " already there"], " to fetch"),
        false => ([" sent", " already there, not sent"], " fetched"),
    };
    page.put("<p>")
        .put(at_least(report))
        .put("<b class=\"sent\">")
        .text(&size(sent))
        .put("</b>")
        .put(words[0]);
    if totals.bytes_resumed > 0 {
        page.put(" · <b>").text(&size(totals.bytes_resumed)).put("</b> resumed");
    }
    page.put(" · <b>").text(&size(saved)).put("</b>").put(words[1]);
    if totals.bytes_fetched > 0 {
        page.put(" · <b>").text(&size(totals.bytes_fetched)).put("</b>").put(fetched);
    }
    page.put(" · ").text(&count(report.requests.sent(), "request"));
    page.put(" <span class=\"soft\">(")
        .number(report.requests.writes)
        .put(" that write)</span></p>\n</div>\n");
}

fn begin(page: &mut Markup, section: &Section, number: usize) {
    page.put("<section id=\"").put(section.id).put("\" data-section aria-labelledby=\"").put(section.id);
    page.put("-title\">\n<h2 id=\"").put(section.id).put("-title\">").put(section.title);
    page.put(" <span class=\"count\">").number(number).put("</span></h2>\n");
}

fn cards(page: &mut Markup, report: &RunReport, section: &Section) {
    let packages = section.packages(report);
    if packages.is_empty() {
        return;
    }
    begin(page, section, packages.len());
    for (index, package) in packages {
        card(page, report, index, package);
    }
    page.put("</section>\n");
}

fn changed(page: &mut Markup, report: &RunReport) {
    let packages = CHANGED.packages(report);
    if packages.is_empty() {
        return;
    }
    begin(page, &CHANGED, packages.len());
    page.put("<p class=\"soft\">")
        .text(&Totals::of(packages.iter().map(|(_, package)| *package)).to_string())
        .put("</p>\n");
    head(page, &["Package", "Result", "Why", "Transferred", "Took"]);
    for (index, package) in packages {
        page.put("<tbody role=\"rowgroup\" id=\"p").number(index).put("\" data-item>");
        change(page, report, package);
        page.put("</tbody>\n");
    }
    page.put("</table>\n</section>\n");
}

fn skipped(page: &mut Markup, report: &RunReport) {
    let packages = SKIPPED.packages(report);
    if packages.is_empty() {
        return;
    }
    begin(page, &SKIPPED, packages.len());
    page.put("<details class=\"fold\"><summary>")
        .text(&count(u64::try_from(packages.len()).unwrap_or(u64::MAX), "package"));
    page.put(" with nothing to do, ")
        .text(&size(report.totals().bytes_saved))
        .put(" already there</summary>\n");
    head(page, &["Package", "Why", "Saved"]);
    page.put("<tbody role=\"rowgroup\">\n");
    for (index, package) in packages {
        page.put("<tr role=\"row\" id=\"p").number(index).put("\" data-item>");
        skip(page, report, package);
        page.put("</tr>\n");
    }
    page.put("</tbody></table>\n</details>\n</section>\n");
}

// Style makes blocks of rows on a phone, and some browsers then forget that they are rows; the roles say so again.
fn head(page: &mut Markup, columns: &[&'static str]) {
    page.put("<table role=\"table\"><thead role=\"rowgroup\"><tr role=\"row\">");
    for column in columns {
        page.put("<th role=\"columnheader\" scope=\"col\">").put(column).put("</th>");
    }
    page.put("</tr></thead>\n");
}

/// Warnings of the run and of packages that went well, each text once; those of other packages stand with them.
fn warnings(page: &mut Markup, report: &RunReport) {
    let mut all: Vec<(&Warning, Vec<&str>)> = Vec::new();
    let of_run = report.run_warnings().map(|warning| (warning, None));
    let calm = |status: Status| status.is_change() || status == Status::Skipped;
    let packages = report.packages.iter().filter(|package| calm(package.status));
    let of_packages = packages
        .flat_map(|package| package.warnings.iter().map(move |warning| (warning, Some(package.name()))));
    for (warning, name) in of_run.chain(of_packages) {
        match all.iter_mut().find(|(other, _)| is_same(other, warning)) {
            Some((_, names)) => names.extend(name),
            None => all.push((warning, name.into_iter().collect())),
        }
    }
    if all.is_empty() {
        return;
    }
    page.put("<section id=\"warnings\" data-calm aria-labelledby=\"warnings-title\">\n<h2 id=\"warnings-title\">Warnings <span class=\"count\">");
    page.number(all.len()).put("</span></h2>\n");
    head(page, &["Warning", "Next step", "Packages"]);
    page.put("<tbody role=\"rowgroup\">\n");
    for (warning, names) in all {
        page.put("<tr role=\"row\"><td role=\"cell\" class=\"wide\" dir=\"auto\">").text(&warning.message);
        page.put(if warning.hint.is_some() {
            "</td><td role=\"cell\" class=\"wide next\" dir=\"auto\">"
        } else {
            "</td><td role=\"cell\" class=\"none\">"
        });
        page.text(warning.hint.as_deref().unwrap_or("–"));
        page.put("</td><td role=\"cell\" class=\"wide\">");
        named(page, &names);
        page.put("</td></tr>\n");
    }
    page.put("</tbody></table>\n</section>\n");
}

fn is_same(one: &Warning, other: &Warning) -> bool {
    one.message == other.message && one.hint == other.hint
}

fn named(page: &mut Markup, names: &[&str]) {
    match names {
        [] => {
            page.put("the run");
        }
        [name] => {
            page.put("<bdi>").text(name).put("</bdi>");
        }
        names => {
            page.put("<details><summary>").number(names.len()).put(" packages</summary><ul>");
            for name in names {
                page.put("<li><bdi>").text(name).put("</bdi></li>");
            }
            page.put("</ul></details>");
        }
    }
}
