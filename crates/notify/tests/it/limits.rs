//! Whatever a run has to tell, its messages keep the limits of their services.

use crate::samples::{bad, huge, quiet};
use notify::{Changed, Ending, FullReport, How, Mode, Service, Summary, Trouble, note, payload};
use pipeline::StepRef;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::Value;

/// Any characters, short and long, many of them such as JSON has to escape.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z .]{0,30}",
        "\\PC{0,60}",
        any::<String>(),
        ("[\"\\\\\n\u{0}😀ü漢<&>]", 1..900_usize).prop_map(|(text, times)| text.repeat(times)),
    ]
}

fn troubles(most: usize) -> impl Strategy<Value = Vec<Trouble>> {
    let step = option::of((1..9_usize, text()).prop_map(|(number, processor)| StepRef { number, processor }));
    let trouble = (text(), text(), option::of(text()), step, text(), option::of(text()));
    vec(
        trouble.prop_map(|(package, recipe, server, step, message, next_step)| Trouble {
            package,
            recipe,
            server,
            step,
            message,
            next_step,
        }),
        0..most,
    )
}

fn changes() -> impl Strategy<Value = Vec<Changed>> {
    let how =
        prop_oneof![Just(How::Created), Just(How::Replaced), Just(How::MetadataOnly), Just(How::Downloaded)];
    let changed = (text(), option::of(text()), how, option::of(text()), option::of(text()));
    vec(
        changed.prop_map(|(package, server, how, version, reason)| Changed {
            recipe: package.clone(),
            package,
            server,
            how,
            category: version.clone(),
            version,
            reason,
        }),
        0..30,
    )
}

fn ending() -> impl Strategy<Value = Ending> {
    prop_oneof![
        Just(Ending::Complete),
        Just(Ending::Interrupted),
        (text(), option::of(text()))
            .prop_map(|(message, next_step)| Ending::BrokenOff { message, next_step }),
    ]
}

fn report() -> impl Strategy<Value = Option<FullReport>> {
    let page = (0..2000_usize).prop_filter_map("an address", |length| {
        format!("https://ci.example.com/{}", "ü".repeat(length)).parse().ok().map(FullReport::Page)
    });
    option::of(prop_oneof![text().prop_map(FullReport::File), page])
}

fn summaries() -> impl Strategy<Value = Summary> {
    let texts = (text(), text(), text());
    (texts, troubles(24), troubles(12), changes(), ending(), report(), any::<(u64, u64, bool)>()).prop_map(
        |(
            (title, run, program),
            failed,
            unverified,
            changed,
            ending,
            report,
            (unchanged, not_begun, dry),
        )| Summary {
            title,
            run,
            program,
            mode: if dry { Mode::DryRun } else { Mode::Real },
            ending,
            failed,
            unverified,
            changed,
            skipped: unchanged,
            not_begun,
            report,
            ..quiet()
        },
    )
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// All objects in a value.
fn objects(value: &Value) -> Vec<&serde_json::Map<String, Value>> {
    match value {
        Value::Array(items) => items.iter().flat_map(objects).collect(),
        Value::Object(entries) => [entries].into_iter().chain(entries.values().flat_map(objects)).collect(),
        _ => Vec::new(),
    }
}

/// The limits of docs.slack.dev/reference/block-kit, and the one on all blocks that is not documented.
fn check_slack(message: &Value) {
    let blocks = message["blocks"].as_array().unwrap();
    assert!((2..=50).contains(&blocks.len()), "{} blocks", blocks.len());
    // As long as they get where everything but ASCII is written as `\u….`
    let text = message["blocks"].to_string();
    let other = units(&text) - text.bytes().filter(u8::is_ascii).count();
    let all = units(&text) + 5 * other;
    assert!(all <= 12_000, "{all} units");
    let fallback = message["text"].as_str().unwrap();
    assert!(!fallback.is_empty() && units(fallback) <= 4_000);
    assert!(!fallback.contains(['<', '>']), "{fallback}");
    for object in objects(&message["blocks"]) {
        let text = object.get("text").and_then(Value::as_str);
        match object.get("type").and_then(Value::as_str) {
            Some("header") => assert!(units(object["text"]["text"].as_str().unwrap()) <= 150),
            Some("plain_text") => assert!((1..=3_000).contains(&units(text.unwrap()))),
            Some("text") => assert!(!text.unwrap().is_empty()),
            Some("link") => assert!(object["url"].as_str().unwrap().len() <= 3_000),
            Some("context") => assert!(object["elements"].as_array().unwrap().len() <= 10),
            Some("rich_text" | "rich_text_section" | "rich_text_list") => {
                assert!(!object["elements"].as_array().unwrap().is_empty());
            }
            // A style of a text.
            None => assert!(object.values().all(Value::is_boolean)),
            Some(other) => assert_eq!(other, "", "text in it may be read as markup"),
        }
    }
}

/// 28 KB, whether characters count one byte or two.
fn check_teams(message: &Value) {
    let text = message.to_string();
    assert!(
        text.len() <= 28_000 && 2 * units(&text) <= 28_000,
        "{} bytes, {} units",
        text.len(),
        units(&text)
    );
    let card = &message["attachments"][0]["content"];
    for object in objects(&card["body"]) {
        match object["type"].as_str().unwrap() {
            "Container" => assert!(!object["items"].as_array().unwrap().is_empty()),
            "RichTextBlock" => assert!(!object["inlines"].as_array().unwrap().is_empty()),
            "TextRun" => assert!(!object["text"].as_str().unwrap().is_empty()),
            other => assert_eq!(other, "", "text in it may be read as markup"),
        }
    }
}

fn check(summary: &Summary) {
    check_slack(&payload(Service::Slack, summary));
    check_teams(&payload(Service::Teams, summary));
    assert!(units(&note(summary)) <= 8_000);
}

#[test]
fn samples_keep_the_limits() {
    for run in [quiet(), bad(), huge()] {
        check(&run);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_run_keeps_the_limits(run in summaries()) {
        check(&run);
        let json = payload(Service::Json, &run);
        prop_assert_eq!(json["failed"].as_array().unwrap().len(), run.failed.len());
        let first = run.failed.first().map_or(Value::Null, |first| first.message.clone().into());
        prop_assert_eq!(&json["failed"][0]["message"], &first);
    }

    #[test]
    fn a_failure_is_never_crowded_out(mut run in summaries(), name in "[A-Z][a-z]{3,8}\\.pkg") {
        run.failed.insert(0, crate::samples::trouble(&name, "the disk is full"));
        for service in [Service::Slack, Service::Teams] {
            let told = payload(service, &run).to_string();
            prop_assert!(told.contains(&name) && told.contains("the disk is full"), "{} {}", service, told);
        }
    }
}
