//! What the jobs of workflows and pipelines do: their scripts are run by the shell that runs them there.

use crate::ci::{
    from_source, github, gitlab, in_repository, read, script, script_of, sharded, step, step_of,
};
use crate::support::{Recorder, holds, odd_words, path, text, with_arguments};
use batch::{Scheduler, detect_shard};
use proptest::prelude::*;
use schedule::{Error, Request, Target, write};

/// Each job of the matrix finds its own shard in what the workflow hands to it.
#[test]
fn jobs_of_a_matrix_find_their_shards() {
    let workflow = read(&text(&sharded(), &github()));
    let matrix = workflow["jobs"]["run"]["strategy"]["matrix"]["shard"].as_array().unwrap();
    let variables = step(&workflow)["env"].as_object().unwrap();
    let shards: Vec<_> = matrix
        .iter()
        .map(|number| {
            let value = |name: &str| {
                let text = variables.get(name)?.as_str()?;
                let text = text.replace("${{ matrix.shard }}", &number.to_string());
                Some(text.replace("${{ strategy.job-total }}", &matrix.len().to_string()))
            };
            let found = detect_shard(value).unwrap().unwrap();
            assert_eq!(found.scheduler, Scheduler::Variable);
            found.shard.to_string()
        })
        .collect();
    assert_eq!(shards, ["1/3", "2/3", "3/3"]);
    assert!(step(&workflow)["run"].as_str().unwrap().contains(" --shard auto "));
    assert!(step(&read(&text(&in_repository(), &github()))).get("env").is_none());
}

/// Each shard writes where the job that merges looks for it.
#[test]
fn reports_of_shards_come_together() {
    let folder = Recorder::new("site one/pkgferry");
    let request = Request { program: path("./pkgferry"), secrets: Vec::new(), ..sharded() };
    let site = folder.program("site one");
    let inside = |script: &str| format!("cd 'site one' && {script}");
    let workflow = read(&text(&request, &github()));
    let run = inside(step(&workflow)["run"].as_str().unwrap());
    let merge = step_of(&workflow, "report", "Merge the reports")["run"].as_str().unwrap();
    let pipeline = read(&text(&request, &gitlab()));
    let merge_there = script_of(&pipeline, "pkgferry-nightly-report");
    for (run, merge, shards) in
        [(run, inside(merge), "pkgferry-shards"), (script(&pipeline), merge_there, "pkgferry-reports")]
    {
        for index in ["1", "3"] {
            let shard = format!("{index}/3");
            let output = folder.run("bash", &run, &[("PKGFERRY_SHARD", &shard), ("CI_NODE_INDEX", index)]);
            assert!(output.status.success(), "{output:?}");
            let report = format!("pkgferry-reports/shard-{index}/report.json");
            assert!(holds(&folder.words().unwrap(), &["--report".to_owned(), report.clone()]));
            // The folder was made; now the run leaves its report.
            std::fs::write(site.join(report), "{}").unwrap();
        }
        // What the server does in between.
        if shards != "pkgferry-reports" {
            std::fs::rename(site.join("pkgferry-reports"), site.join(shards)).unwrap();
        }
        let output = folder.run("bash", &merge, &[]);
        assert!(output.status.success(), "{output:?}");
        let words = folder.words().unwrap();
        let inputs = ["1", "3"].map(|index| format!("{shards}/shard-{index}/report.json"));
        assert_eq!(words[..4], [&["report".to_owned(), "merge".to_owned()], &inputs[..]].concat());
        assert!(holds(&words, &["--output".to_owned(), "pkgferry-reports/report.html".to_owned()]));
        assert!(site.join("pkgferry-reports").is_dir());
    }
    assert_eq!(workflow["jobs"]["report"]["if"], "always()");
    assert_eq!(pipeline["pkgferry-nightly-report"]["rules"][0]["when"], "always");
    // The one job of a run that is not divided tells all.
    assert!(read(&text(&in_repository(), &github()))["jobs"].get("report").is_none());
    assert_eq!(read(&text(&in_repository(), &gitlab())).as_object().unwrap().len(), 1);
}

/// A job that its server ends leaves work half done, so a run stops beginning before that; who names a deadline knows better.
#[test]
fn runs_begin_nothing_when_their_job_is_about_to_end() {
    let minutes = |text: &str| text.parse::<jiff::Span>().unwrap().total(jiff::Unit::Minute).unwrap();
    let deadline =
        |script: &str| minutes(script.split(" --deadline ").nth(1).unwrap().split(' ').next().unwrap());
    for target in from_source().into_iter().chain([github(), gitlab()]) {
        let unit = read(&text(&in_repository(), &target));
        let (limit, script) = match target {
            Target::GithubActions(_) => {
                let limit = unit["jobs"]["run"]["timeout-minutes"].as_f64().unwrap();
                (limit, step(&unit)["run"].as_str().unwrap().to_owned())
            }
            _ => (minutes(unit["pkgferry-nightly"]["timeout"].as_str().unwrap()), script(&unit)),
        };
        let left = limit - deadline(&script);
        assert!((30.0..=90.0).contains(&left), "{left} minutes for what is on its way: {script}");
        for own in [vec!["--deadline".to_owned(), "1h".to_owned()], vec!["--deadline=1h".to_owned()]] {
            let text = text(&with_arguments(in_repository(), &own), &target);
            assert_eq!(text.matches("--deadline").count(), 1, "{text}");
        }
    }
}

/// A machine that is new each night gets its memory from the server; one that stays has its own.
#[test]
fn what_is_remembered_is_kept_where_the_machine_is_new() {
    let state = |path_of_state: &str| Request { state: Some(path(path_of_state)), ..in_repository() };
    let is_kept = |request: &Request, target: &Target| {
        let text = text(request, target);
        let cached = text.contains("actions/cache/save@") || text.contains("\n  cache:\n");
        assert_eq!(cached, text.contains("pkgferry-state") || text.contains("memory"), "{text}");
        cached
    };
    for (new, stays) in from_source().iter().zip([github(), gitlab()]) {
        assert!(is_kept(&in_repository(), new) && !is_kept(&in_repository(), &stays));
        assert!(is_kept(&state("memory"), new) && is_kept(&state("memory"), &stays));
        assert!(!is_kept(&state("/var/lib/pkgferry"), new) && !is_kept(&state("/var/lib/pkgferry"), &stays));
        for outside in ["../memory", "a*", "a\nb"] {
            assert!(matches!(write(&state(outside), new), Err(Error::CannotSay { .. })), "{outside}");
        }
    }
    // No name is the beginning of another one, and shards do not take each other's.
    let keys = |request: &Request, target: &Target| -> Vec<String> {
        let text = text(request, target);
        let lines = text.lines().filter_map(|line| line.trim().strip_prefix("key: ").map(str::to_owned));
        lines.collect()
    };
    let [github, gitlab] = from_source();
    assert!(
        keys(&sharded(), &github)
            .iter()
            .any(|key| key.starts_with("pkgferry-nightly_${{ matrix.shard }}-of-3_"))
    );
    assert_eq!(
        keys(&sharded(), &gitlab),
        ["pkgferry-nightly_$CI_NODE_INDEX-of-3", "pkgferry-nightly_1-of-3"]
    );
}

/// A secret that nobody has set ends the job before anything else does.
#[test]
fn a_pipeline_misses_its_secrets() {
    let folder = Recorder::new("pkgferry");
    let request = Request {
        program: path(folder.program("pkgferry").to_str().unwrap()),
        secrets: vec!["CLIENT_SECRET".parse().unwrap()],
        ..in_repository()
    };
    let script = script(&read(&text(&request, &gitlab())));
    let output = folder.run("sh", &script, &[]);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("CLIENT_SECRET: is not set"));
    assert_eq!(folder.words(), None);
    let output = folder.run("sh", &script, &[("CLIENT_SECRET", "`touch hit` $(touch hit)")]);
    assert!(output.status.success() && !folder.program("hit").exists());
    assert!(holds(
        &folder.words().unwrap(),
        &["--report".to_owned(), "pkgferry-reports/report.xml".to_owned()]
    ));
    assert!(folder.program("pkgferry-reports").is_dir());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_words(words in odd_words(false)) {
        prop_assume!(!words.iter().any(|word| word.contains("${{")));
        let folder = Recorder::new("pkgferry");
        let program = path(folder.program("pkgferry").to_str().unwrap());
        let request = with_arguments(Request { program, ..in_repository() }, &words);
        let workflow = read(&text(&request, &github()));
        let pipeline = read(&text(&request, &gitlab()));
        for script in [step(&workflow)["run"].as_str().unwrap(), &script(&pipeline)] {
            let output = folder.run("bash", script, &[]);
            prop_assert!(output.status.success(), "{:?}", output);
            let read = folder.words().unwrap();
            prop_assert_eq!(&read[read.len() - words.len()..], words.as_slice());
        }
    }
}
