use super::markup::Markup;
use crate::words::{duration, span, time_of_day};
use crate::{Fault, PackageReport, Phase, PhaseResult, RunReport, Status};
use pipeline::size;

/// A package in full: for what needs somebody.
pub(super) fn card(page: &mut Markup, report: &RunReport, index: usize, package: &PackageReport) {
    page.put("<article class=\"card ")
        .put(class(package.status))
        .put("\" id=\"p")
        .number(index)
        .put("\" data-item>\n");
    page.put("<h3 data-key><bdi>").text(package.name()).put("</bdi></h3>");
    page.put(" <span class=\"status\" data-key>").put(package.status.final_word()).put("</span>\n");
    origin(page, report, package);
    page.put("<dl>\n");
    match &package.failure {
        // The message says the same as text.
        Some(failure) if !failure.faults.is_empty() => faults(page, &failure.faults),
        _ => {
            page.put("<dt>What</dt><dd class=\"what\" dir=\"auto\" data-key>")
                .text(&package.reason)
                .put("</dd>\n");
        }
    }
    if let Some(failure) = package.failure.as_ref().filter(|failure| !failure.causes.is_empty()) {
        page.put("<dt>Why</dt>");
        for cause in &failure.causes {
            page.put("<dd dir=\"auto\">").text(cause).put("</dd>\n");
        }
    }
    if let Some(step) = package.step() {
        page.put("<dt>Where</dt><dd>step ").number(step.number).put(" <b>").text(&step.processor).put("</b>");
        if let Some(failure) = &package.failure {
            page.put(" <span class=\"soft\">(").put(failure.kind.word()).put(")</span>");
        }
        page.put("</dd>\n");
    }
    let hint = match &package.failure {
        Some(failure) => failure.hint.as_deref(),
        None => package.next_step(),
    };
    if let Some(hint) = hint {
        page.put("<dt class=\"next\">Next</dt><dd class=\"next\" dir=\"auto\">").text(hint).put("</dd>\n");
    }
    warnings(page, package);
    page.put("</dl>\n");
    if !package.phases.is_empty() {
        page.put("<details><summary>Steps");
        if let Some(took) = took(package) {
            page.put(", ").text(&took);
        }
        page.put("</summary>");
        steps(page, package);
        page.put("</details>\n");
    }
    page.put("</article>\n");
}

fn faults(page: &mut Markup, faults: &[Fault]) {
    for (number, fault) in faults.iter().enumerate() {
        page.put(if number == 0 {
            "<dt>What</dt><dd dir=\"auto\" data-key>"
        } else {
            "<dd dir=\"auto\" data-key>"
        });
        page.put("<span class=\"what\">").text(&fault.message).put("</span>");
        if let Some(hint) = &fault.hint {
            page.put(" <span class=\"next\">").text(hint).put("</span>");
        }
        let step = fault.step.as_ref().map(|step| format!("step {step}"));
        let place: Vec<String> = fault.place().into_iter().chain(step).collect();
        if !place.is_empty() {
            page.put(" <bdi class=\"soft\">").text(&place.join(", ")).put("</bdi>");
        }
        page.put("</dd>\n");
    }
}

fn warnings(page: &mut Markup, package: &PackageReport) {
    for warning in package.other_warnings() {
        page.put("<dt>Warning</dt><dd dir=\"auto\">").text(&warning.message);
        if let Some(hint) = &warning.hint {
            page.put(" <span class=\"next\">").text(hint).put("</span>");
        }
        page.put("</dd>\n");
    }
}

/// A package that was changed: a row of what came of it, and one of the steps to that, folded.
pub(super) fn change(page: &mut Markup, report: &RunReport, package: &PackageReport) {
    page.put("<tr role=\"row\">");
    name(page, report, package);
    page.put("<td role=\"cell\"><span class=\"status ").put(class(package.status)).put("\" data-key>");
    page.put(package.status.word()).put("</span></td>");
    page.put("<td role=\"cell\" class=\"wide\" dir=\"auto\" data-key>").text(&package.reason).put("</td>");
    let moved = package.bytes_sent.saturating_add(package.bytes_fetched);
    figure(page, (moved > 0).then(|| size(moved)));
    figure(page, took(package));
    page.put("</tr>");
    if !package.phases.is_empty() {
        page.put("\n<tr role=\"row\" class=\"more\"><td role=\"cell\" colspan=\"5\"><details><summary>Steps</summary>");
        steps(page, package);
        page.put("</details></td></tr>");
    }
}

/// The cells of a package that was there already.
pub(super) fn skip(page: &mut Markup, report: &RunReport, package: &PackageReport) {
    name(page, report, package);
    page.put("<td role=\"cell\" class=\"wide\" dir=\"auto\" data-key>").text(&package.reason).put("</td>");
    figure(page, (package.bytes_saved > 0).then(|| size(package.bytes_saved)));
}

fn name(page: &mut Markup, report: &RunReport, package: &PackageReport) {
    page.put("<th role=\"rowheader\" scope=\"row\"><bdi data-key>").text(package.name()).put("</bdi>");
    origin(page, report, package);
    page.put("</th>");
}

fn figure(page: &mut Markup, figure: Option<String>) {
    match figure {
        Some(figure) => page.put("<td role=\"cell\" class=\"figure\">").text(&figure).put("</td>"),
        None => page.put("<td role=\"cell\" class=\"figure none\">–</td>"),
    };
}

/// Recipe, server, version: what tells two packages of one name apart.
fn origin(page: &mut Markup, report: &RunReport, package: &PackageReport) {
    page.put("<div class=\"origin\" data-key>");
    let mut parts: Vec<&str> = Vec::new();
    if package.file.is_some() {
        parts.push(&package.recipe);
    }
    parts.extend(package.server.as_deref());
    parts.extend(package.pkg_version.as_deref());
    for (number, part) in parts.iter().enumerate() {
        page.put(if number > 0 { " · <bdi>" } else { "<bdi>" }).text(part).put("</bdi>");
    }
    if let Some(id) = package.package_id {
        page.put(if parts.is_empty() { "record " } else { " · record " }).number(id.get());
    }
    if !package.also_in.is_empty() {
        page.put(" <b class=\"twice\">also in ");
        for (number, run) in package.also_in.iter().enumerate() {
            page.put(if number > 0 { ", <bdi>" } else { "<bdi>" });
            page.text(&shard_or_id(report, run)).put("</bdi>");
        }
        page.put("</b>");
    }
    page.put("</div>\n");
}

fn shard_or_id(report: &RunReport, run: &str) -> String {
    let shard = report.parts.iter().find(|part| part.id == run).and_then(|part| part.shard);
    shard.map_or_else(|| format!("run {run}"), |shard| format!("shard {shard}"))
}

fn took(package: &PackageReport) -> Option<String> {
    Some(duration(span(package.started?, package.finished?)))
}

/// What happened, step by step.
fn steps(page: &mut Markup, package: &PackageReport) {
    page.put("<ol class=\"steps\">\n");
    for phase in &package.phases {
        step(page, phase);
    }
    page.put("</ol>");
}

fn step(page: &mut Markup, phase: &Phase) {
    let (class, word) = match phase.result {
        Some(PhaseResult::Failed) => ("failed", "failed: "),
        Some(PhaseResult::Unverified) => ("unverified", "unverified: "),
        Some(PhaseResult::Warned) => ("unverified", "warning: "),
        Some(PhaseResult::Skipped) => ("skipped", "skipped: "),
        Some(PhaseResult::Planned) => ("skipped", "plans to "),
        Some(PhaseResult::Done) => ("done", ""),
        None => ("not-done", "did not end"),
    };
    page.put("<li class=\"").put(class).put("\"><span class=\"soft\">").text(&time_of_day(phase.from));
    if let Some(to) = phase.to {
        page.put(", ").text(&duration(span(phase.from, to)));
    }
    page.put("</span> <b>").number(phase.step.number).put(" ").text(&phase.step.processor).put("</b> ");
    page.put(word)
        .put("<span dir=\"auto\">")
        .text(phase.outcome.as_deref().unwrap_or_default())
        .put("</span></li>\n");
}

fn class(status: Status) -> &'static str {
    match status {
        Status::Failed => "failed",
        Status::Interrupted | Status::Running | Status::NotBegun => "not-done",
        Status::Unverified => "unverified",
        Status::Replaced | Status::Created => "changed",
        Status::MetadataOnly => "record",
        Status::Downloaded => "fetched",
        Status::Skipped => "skipped",
    }
}
