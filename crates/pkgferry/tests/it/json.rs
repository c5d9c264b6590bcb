use crate::stage::{Stage, noise};
use serde_json::Value;

#[test]
fn every_line_is_an_event_and_the_last_is_the_result() {
    let (stage, _server) = Stage::with_server();
    let file = stage.write("App.pkg", noise(1, 10_000));
    let ran = stage.run(&["upload", &file, "--json"]).succeeded();
    assert_eq!(ran.stderr, "");
    let lines: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (result, events) = lines.split_last().unwrap();
    assert!(
        events
            .iter()
            .all(|line| line["type"] == "event" && line["time"].is_string() && line["recipe"].is_string())
    );
    let mut names: Vec<&str> = events.iter().map(|line| line["event"].as_str().unwrap()).collect();
    names.retain(|name| *name != "progress" && *name != "notice");
    names.dedup();
    assert_eq!(names.first(), Some(&"recipe-started"));
    assert!(
        names.contains(&"plan-ready") && names.ends_with(&["step-finished", "recipe-finished"]),
        "{names:?}"
    );

    assert_eq!(
        (&result["type"], &result["version"], &result["exit_code"]),
        (&"result".into(), &1.into(), &0.into())
    );
    assert_eq!(result["recipes"][0]["status"], "created");
    assert_eq!(result["recipes"][0]["bytes_sent"], 10_000);
    assert!(result["requests"]["writes"].as_u64().unwrap() > 0);
}

#[test]
fn failures_are_in_the_result_with_step_kind_and_hint() {
    let (stage, _server) = Stage::with_server();
    let ran = stage.run(&["upload", "/no/such/App.pkg", "--json"]);
    assert_eq!(ran.code, 6);
    let result: Value = serde_json::from_str(ran.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(result["exit_code"], 6);
    let failure = &result["recipes"][0]["failure"];
    assert_eq!((&failure["kind"], &failure["step"]["processor"]), (&"local".into(), &"compare-hash".into()));
    assert!(failure["message"].as_str().unwrap().contains("/no/such/App.pkg"));
}
