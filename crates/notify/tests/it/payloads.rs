use crate::samples::{bad, changed, huge, quiet, trouble};
use notify::{Ending, FullReport, How, Mode, Service, Summary, Trouble, note, payload};
use serde_json::Value;

/// Everything that a person reads, line by line.
fn read(value: &Value) -> String {
    let mut lines = Vec::new();
    walk(value, &mut lines);
    lines.join("\n")
}

fn walk(value: &Value, lines: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, lines)),
        Value::Object(entries) => {
            let runs = ["elements", "inlines"].iter().find_map(|name| entries.get(*name)?.as_array());
            match runs.filter(|runs| runs.iter().all(|run| run["text"].is_string())) {
                Some(runs) => {
                    lines.push(runs.iter().filter_map(|run| run["text"].as_str()).collect::<String>());
                }
                None => entries.values().for_each(|entry| walk(entry, lines)),
            }
            lines.extend(entries.get("text").and_then(Value::as_str).map(str::to_owned));
        }
        _ => {}
    }
}

#[test]
fn a_ping_takes_a_few_lines_along() {
    insta::assert_snapshot!(note(&bad()), @"
    ❌ nightly on build-mac: 3 failed, 1 unverified, 2 changed of 300
    1 created · 1 replaced · 294 skipped · 1.1 GiB sent · 78.7 GiB saved · 12 min 4 s · example.jamfcloud.com
    failed: Firefox-131.0.pkg, Chrome.pkg in step 4 s3-upload: part 7 was refused: AccessDenied
      next: run the same again: what has arrived is not sent again
    failed: Broken.pkgferry: Broken.pkgferry.yaml:3: unknown key Proces
    unverified: Zoom & Co <5>.pkg in step 6 verify-delivery: the server shows no digest after 10 min
      next: run `pkgferry verify` later
    full report: /var/log/pkgferry/report.html · started 2026-11-21 02:00 UTC · pkgferry 0.1.0 · run 4f3c2a10
    ");
}

#[test]
fn the_first_line_says_the_worst_first() {
    let server_down = |number: usize| trouble(&format!("App-{number}.pkg"), "no working connection");
    let runs = [
        quiet(),
        Summary { skipped: 0, ..quiet() },
        bad(),
        Summary { mode: Mode::DryRun, ..bad() },
        Summary { changed: vec![changed("a.pkg", How::Created)], ..quiet() },
        Summary { unverified: vec![trouble("a.pkg", "no digest")], ..quiet() },
        Summary { ending: Ending::Interrupted, not_begun: 120, ..quiet() },
        Summary { ending: Ending::DeadlineReached, not_begun: 12, failed: vec![server_down(1)], ..quiet() },
        Summary {
            ending: Ending::BrokenOff { message: "no settings".into(), next_step: None },
            skipped: 0,
            ..quiet()
        },
        Summary { title: " \n".into(), ..quiet() },
        Summary { title: "long ".repeat(99), ..quiet() },
    ];
    let lines = runs.map(|run| payload(Service::Json, &run)["text"].as_str().unwrap().to_owned());
    insta::assert_snapshot!(lines.join("\n"), @"
    ✅ nightly on build-mac: 300 skipped
    ✅ nightly on build-mac: no packages
    ❌ nightly on build-mac: 3 failed, 1 unverified, 2 changed of 300
    ❌ nightly on build-mac (dry run): 3 failed, 1 unverified, 2 would change of 300
    ✅ nightly on build-mac: 1 changed of 301
    ⚠️ nightly on build-mac: 1 unverified of 301
    ⚠️ nightly on build-mac: interrupted, 120 not begun of 420
    ❌ nightly on build-mac: 1 failed, deadline reached, 12 not begun of 313
    ❌ nightly on build-mac: broken off
    ✅ (nothing): 300 skipped
    ✅ long long long long long long long long long long long long long long long long…: 300 skipped
    ");
}

#[test]
fn what_befell_many_is_told_once() {
    let failed: Vec<Trouble> = (1..=37)
        .map(|number| trouble(&format!("App-{number}.pkg"), "no working connection to example.jamfcloud.com"))
        .collect();
    let slack = read(&payload(Service::Slack, &Summary { failed, ..quiet() })["blocks"]);
    insta::assert_snapshot!(slack, @"
    ❌ nightly on build-mac: 37 failed of 337
    300 skipped · 80.0 GiB saved · 1 s · example.jamfcloud.com
    ❌ App-1.pkg, App-2.pkg, App-3.pkg, App-4.pkg, App-5.pkg and 32 more failed · step 4 s3-upload
    no working connection to example.jamfcloud.com
    Next: run the same again: what has arrived is not sent again
    started 2026-11-21 02:00 UTC · pkgferry 0.1.0 · run 4f3c2a10
    ");
}

#[test]
fn several_servers_are_told_apart() {
    let mut other = trouble("Firefox.pkg", "disk full");
    other.server = Some("school.jamfcloud.com".into());
    let run = Summary { failed: vec![trouble("Firefox.pkg", "disk full"), other], ..quiet() };
    let teams = read(&payload(Service::Teams, &run)["attachments"][0]["content"]["body"]);
    insta::assert_snapshot!(teams, @"
    ❌ nightly on build-mac: 2 failed of 302
    300 skipped · 80.0 GiB saved · 1 s
    ❌ Firefox.pkg failed · step 4 s3-upload, example.jamfcloud.com
    disk full
    Next: run the same again: what has arrived is not sent again
    ❌ Firefox.pkg failed · step 4 s3-upload, school.jamfcloud.com
    disk full
    Next: run the same again: what has arrived is not sent again
    started 2026-11-21 02:00 UTC · pkgferry 0.1.0 · run 4f3c2a10
    ");
}

#[test]
fn a_run_that_ended_early_says_why_and_what_to_do() {
    let broken = Ending::BrokenOff {
        message: "the state folder\n/var/lib/pkgferry cannot be written".into(),
        next_step: Some("mend its rights".into()),
    };
    let endings = [Ending::Interrupted, Ending::DeadlineReached, broken];
    let told = endings.map(|ending| note(&Summary { ending, not_begun: 7, ..quiet() }));
    insta::assert_snapshot!(told.join("\n\n"), @"
    ⚠️ nightly on build-mac: interrupted, 7 not begun of 307
    300 skipped · 80.0 GiB saved · 1 s
    The run was interrupted.
      next: run it again; what is there already is not sent again
    started 2026-11-21 02:00 UTC · pkgferry 0.1.0 · run 4f3c2a10

    ⚠️ nightly on build-mac: deadline reached, 7 not begun of 307
    300 skipped · 80.0 GiB saved · 1 s
    The run stopped at its deadline before every package had its turn.
      next: let it begin earlier, give it more time, or split the list into shards
    started 2026-11-21 02:00 UTC · pkgferry 0.1.0 · run 4f3c2a10

    ❌ nightly on build-mac: broken off, 7 not begun of 307
    300 skipped · 80.0 GiB saved · 1 s
    the state folder /var/lib/pkgferry cannot be written
      next: mend its rights
    started 2026-11-21 02:00 UTC · pkgferry 0.1.0 · run 4f3c2a10
    ");
}

#[test]
fn a_page_is_linked_and_a_file_is_named() {
    let page = FullReport::Page("https://ci.example.com/runs/7?tab=report".parse().unwrap());
    let run = Summary { report: Some(page), ..bad() };
    let slack = payload(Service::Slack, &run)["blocks"].to_string();
    assert!(slack.contains(
        r#"{"type":"link","url":"https://ci.example.com/runs/7?tab=report","text":"Full report"}"#
    ));
    let teams = payload(Service::Teams, &run)["attachments"][0]["content"]["actions"].to_string();
    assert_eq!(
        teams,
        r#"[{"type":"Action.OpenUrl","title":"Full report","url":"https://ci.example.com/runs/7?tab=report"}]"#
    );
    assert_eq!(payload(Service::Json, &run)["report"]["url"], "https://ci.example.com/runs/7?tab=report");
    let script = FullReport::Page("javascript:alert(1)".parse().unwrap());
    for run in [bad(), Summary { report: Some(script), ..bad() }] {
        assert!(payload(Service::Teams, &run)["attachments"][0]["content"].get("actions").is_none());
        assert!(!payload(Service::Slack, &run)["blocks"].to_string().contains(r#""type":"link""#));
    }
}

#[test]
fn what_has_no_room_is_counted() {
    let slack = read(&payload(Service::Slack, &huge())["blocks"]);
    let teams = read(&payload(Service::Teams, &huge())["attachments"][0]["content"]["body"]);
    for (told, service) in [(slack, "slack"), (teams, "teams")] {
        let shown = told.lines().filter(|line| line.contains(" failed · step 4 s3-upload")).count();
        assert!(shown >= 10, "{service}: {told}");
        assert!(
            told.contains(&format!("… and {} more failed, 200 more unverified", 200 - shown)),
            "{service}: {told}"
        );
    }
    let json = payload(Service::Json, &huge());
    assert_eq!(
        (json["failed"].as_array().unwrap().len(), json["changed"].as_array().unwrap().len()),
        (200, 600)
    );
}

#[test]
fn no_text_of_others_is_read_as_markup() {
    let nasty =
        "<!channel> <https://evil.example|click> *b* _i_ `c` [l](https://evil.example) &amp; @here :x:";
    let mut run = Summary { failed: vec![trouble(nasty, nasty)], ..bad() };
    run.title = nasty.into();
    run.changed[0].package = nasty.into();
    let slack = payload(Service::Slack, &run);
    // Blocks say it as it is, in elements that know no markup.
    assert!(slack["blocks"].to_string().contains("<!channel>"));
    assert!(!slack["blocks"].to_string().contains("mrkdwn"));
    assert!(!slack["text"].as_str().unwrap().contains(['<', '>']));
    assert!(slack["text"].as_str().unwrap().contains("&lt;!channel&gt;"));
    let teams = payload(Service::Teams, &run).to_string();
    assert!(!teams.contains("TextBlock\",\"text") && !teams.contains("FactSet"));
}
