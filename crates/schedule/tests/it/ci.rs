//! Workflows and pipelines: read as YAML, and their scripts run by the shell that runs them there.

use crate::support::{Recorder, holds, nightly, odd_words, path, shown, text, with_arguments};
use batch::{Scheduler, Shard};
use proptest::prelude::*;
use schedule::{Error, GithubActions, Gitlab, Request, Target, write};
use serde_json::Value;

fn github() -> Target {
    Target::GithubActions(GithubActions::default())
}

fn gitlab() -> Target {
    Target::Gitlab(Gitlab::default())
}

/// In a repository, by a program of the path.
fn in_repository() -> Request {
    Request { program: path("pkgferry"), list: Some(path("recipes/nightly.txt")), ..nightly() }
}

fn sharded() -> Request {
    Request {
        shards: "3".parse().unwrap(),
        recurrence: "weekdays 03:10".parse().unwrap(),
        time_zone: Some("Europe/Berlin".parse().unwrap()),
        folder: Some(path("site one")),
        secrets: vec!["JSS_URL".parse().unwrap(), "CLIENT_SECRET".parse().unwrap()],
        ..in_repository()
    }
}

fn read(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap()
}

/// The step of a workflow that runs the recipes.
fn step(workflow: &Value) -> &Value {
    let steps = workflow["jobs"]["run"]["steps"].as_array().unwrap();
    steps.iter().find(|step| step["name"] == "Run the recipes").unwrap()
}

/// The script of a pipeline's only job, as the runner puts it together.
fn script(pipeline: &Value) -> String {
    let job = pipeline.as_object().unwrap().values().next().unwrap();
    let lines = job["script"].as_array().unwrap().iter().map(|line| line.as_str().unwrap());
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_workflow() {
    insta::assert_snapshot!(shown(&write(&in_repository(), &github()).unwrap()), @r#"
    ==> pkgferry-nightly.yml <==
    # Written by `pkgferry schedule github-actions`: packages into Jamf Cloud (nightly).
    # Times are UTC.
    name: pkgferry-nightly
    on:
      schedule:
      - cron: 10 3 * * *
      workflow_dispatch: {}
    permissions:
      contents: read
    concurrency:
      group: pkgferry-nightly
      cancel-in-progress: false
    jobs:
      run:
        name: pkgferry
        runs-on: ubuntu-latest
        timeout-minutes: 350
        steps:
        - name: Get the recipes
          uses: actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0
          with:
            persist-credentials: false
        - name: Run the recipes
          shell: bash
          run: |-
            mkdir -p pkgferry-reports
            pkgferry run --recipe-list recipes/nightly.txt --report pkgferry-reports/report.md --report pkgferry-reports/report.json --report pkgferry-reports/report.html --report pkgferry-reports/report.xml
        - name: Show the summary
          if: always()
          shell: bash
          run: if [ -f pkgferry-reports/report.md ]; then cat pkgferry-reports/report.md >> "$GITHUB_STEP_SUMMARY"; fi
        - name: Keep the reports
          if: always()
          uses: actions/upload-artifact@b7c566a772e6b6bfb58ed0dc250532a479d7789f # v6.0.0
          with:
            name: pkgferry-reports
            path: pkgferry-reports
            if-no-files-found: warn
            retention-days: 30

    ==> install <==
    mkdir -p .github/workflows && mv pkgferry-nightly.yml .github/workflows/
    git add .github/workflows/pkgferry-nightly.yml       # then commit it to the default branch: schedules run from there only

    Run it now:      gh workflow run pkgferry-nightly.yml

    GitHub starts scheduled runs late when many are due, most of all at the full hour, and stops schedules of public
    repositories in which nothing happens for 60 days.
    "#);
}

#[test]
fn a_workflow_with_shards() {
    let options = GithubActions {
        runs_on: vec!["self-hosted".parse().unwrap(), "macOS".parse().unwrap()],
        install: Some("brew install \\\n  pkgferry".parse().unwrap()),
    };
    insta::assert_snapshot!(shown(&write(&sharded(), &Target::GithubActions(options)).unwrap()), @r#"
    ==> pkgferry-nightly.yml <==
    # Written by `pkgferry schedule github-actions`: packages into Jamf Cloud (nightly).
    # Times are those of Europe/Berlin.
    name: pkgferry-nightly
    on:
      schedule:
      - cron: 10 3 * * 1-5
        timezone: Europe/Berlin
      workflow_dispatch: {}
    permissions:
      contents: read
    concurrency:
      group: pkgferry-nightly
      cancel-in-progress: false
    jobs:
      run:
        name: shard ${{ matrix.shard }} of 3
        runs-on:
        - self-hosted
        - macOS
        timeout-minutes: 350
        strategy:
          fail-fast: false
          matrix:
            shard:
            - 1
            - 2
            - 3
        steps:
        - name: Get the recipes
          uses: actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0
          with:
            persist-credentials: false
        - name: Install pkgferry
          shell: bash
          run: |-
            brew install \
              pkgferry
        - name: Run the recipes
          shell: bash
          run: |-
            mkdir -p pkgferry-reports
            pkgferry run --recipe-list recipes/nightly.txt --shard auto --report pkgferry-reports/report.md --report pkgferry-reports/report.json --report pkgferry-reports/report.html --report pkgferry-reports/report.xml
          env:
            PKGFERRY_SHARD: ${{ matrix.shard }}/${{ strategy.job-total }}
            JSS_URL: ${{ secrets.JSS_URL }}
            CLIENT_SECRET: ${{ secrets.CLIENT_SECRET }}
          working-directory: site one
        - name: Show the summary
          if: always()
          shell: bash
          run: if [ -f 'site one/pkgferry-reports/report.md' ]; then cat 'site one/pkgferry-reports/report.md' >> "$GITHUB_STEP_SUMMARY"; fi
        - name: Keep the reports
          if: always()
          uses: actions/upload-artifact@b7c566a772e6b6bfb58ed0dc250532a479d7789f # v6.0.0
          with:
            name: pkgferry-reports-${{ matrix.shard }}
            path: site one/pkgferry-reports
            if-no-files-found: warn
            retention-days: 30

    ==> install <==
    mkdir -p .github/workflows && mv pkgferry-nightly.yml .github/workflows/
    git add .github/workflows/pkgferry-nightly.yml       # then commit it to the default branch: schedules run from there only

    The secrets, each typed when it is asked for:
      gh secret set JSS_URL
      gh secret set CLIENT_SECRET

    Run it now:      gh workflow run pkgferry-nightly.yml

    GitHub starts scheduled runs late when many are due, most of all at the full hour, and stops schedules of public
    repositories in which nothing happens for 60 days.
    "#);
}

#[test]
fn a_pipeline() {
    insta::assert_snapshot!(shown(&write(&in_repository(), &gitlab()).unwrap()), @r#"
    ==> pkgferry-nightly.gitlab-ci.yml <==
    # Written by `pkgferry schedule gitlab`: packages into Jamf Cloud (nightly).
    # Its schedule is kept by GitLab: 10 3 * * *.
    pkgferry-nightly:
      rules:
      - if: $CI_PIPELINE_SOURCE == "schedule"
      - if: $CI_PIPELINE_SOURCE == "web"
      interruptible: false
      timeout: 6 hours
      resource_group: pkgferry-nightly
      script:
      - mkdir -p pkgferry-reports
      - pkgferry run --recipe-list recipes/nightly.txt --report pkgferry-reports/report.xml --report pkgferry-reports/report.json --report pkgferry-reports/report.html
      artifacts:
        when: always
        expire_in: 30 days
        paths:
        - pkgferry-reports/
        reports:
          junit: pkgferry-reports/report.xml

    ==> install <==
    git add pkgferry-nightly.gitlab-ci.yml      # and in .gitlab-ci.yml:

    include:
      - local: pkgferry-nightly.gitlab-ci.yml

    Then the schedule, in Build, Pipeline schedules, or by:
      glab schedule create --description pkgferry-nightly --ref main --cron '10 3 * * *' --cronTimeZone UTC
    "#);
}

#[test]
fn a_pipeline_with_shards() {
    let options = Gitlab {
        image: Some("registry.example.com/pkgferry:1.2".parse().unwrap()),
        tags: vec!["mac mini".parse().unwrap()],
        install: None,
    };
    insta::assert_snapshot!(shown(&write(&sharded(), &Target::Gitlab(options)).unwrap()), @r#"
    ==> pkgferry-nightly.gitlab-ci.yml <==
    # Written by `pkgferry schedule gitlab`: packages into Jamf Cloud (nightly).
    # Its schedule is kept by GitLab: 10 3 * * 1-5.
    pkgferry-nightly:
      rules:
      - if: $CI_PIPELINE_SOURCE == "schedule"
      - if: $CI_PIPELINE_SOURCE == "web"
      interruptible: false
      timeout: 6 hours
      image: registry.example.com/pkgferry:1.2
      tags:
      - mac mini
      parallel: 3
      script:
      - ': "${JSS_URL:?is not set: add it in Settings, CI/CD, Variables, masked and hidden}"'
      - ': "${CLIENT_SECRET:?is not set: add it in Settings, CI/CD, Variables, masked and hidden}"'
      - cd 'site one'
      - mkdir -p pkgferry-reports
      - pkgferry run --recipe-list recipes/nightly.txt --shard auto --report pkgferry-reports/report.xml --report pkgferry-reports/report.json --report pkgferry-reports/report.html
      artifacts:
        when: always
        expire_in: 30 days
        paths:
        - site one/pkgferry-reports/
        reports:
          junit: site one/pkgferry-reports/report.xml

    ==> install <==
    git add pkgferry-nightly.gitlab-ci.yml      # and in .gitlab-ci.yml:

    include:
      - local: pkgferry-nightly.gitlab-ci.yml

    Then the schedule, in Build, Pipeline schedules, or by:
      glab schedule create --description pkgferry-nightly --ref main --cron '10 3 * * 1-5' --cronTimeZone Europe/Berlin

    The secrets, in Settings, CI/CD, Variables, masked and hidden: JSS_URL CLIENT_SECRET
    "#);
}

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
            let found = Shard::auto(value).unwrap().unwrap();
            assert_eq!(found.scheduler, Scheduler::Variable);
            found.shard.to_string()
        })
        .collect();
    assert_eq!(shards, ["1/3", "2/3", "3/3"]);
    assert!(step(&workflow)["run"].as_str().unwrap().contains(" --shard auto "));
    assert!(step(&read(&text(&in_repository(), &github()))).get("env").is_none());
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

#[test]
fn what_they_cannot_say() {
    let refused = |request: Request, target: &Target| write(&request, target).unwrap_err().to_string();
    let expression = with_arguments(in_repository(), &["${{ secrets.OTHER }}".to_owned()]);
    insta::assert_snapshot!(refused(expression, &github()), @"a path, a recipe, an argument or the script cannot be written for github-actions: GitHub replaces ${{ before anything runs");
    let secret = Request { secrets: vec!["GITHUB_TOKEN".parse().unwrap()], ..in_repository() };
    insta::assert_snapshot!(refused(secret, &github()), @"github-actions takes no secret of that name: GitHub keeps names that begin with GITHUB_ for itself");
    let script = GithubActions {
        install: Some("echo ${{ github.token }}".parse().unwrap()),
        ..GithubActions::default()
    };
    assert!(matches!(write(&in_repository(), &Target::GithubActions(script)), Err(Error::CannotSay { .. })));
    for target in [github(), gitlab()] {
        for logs in ["/var/log/pkgferry", "../out", "a*", "out\n!x", "out/../../x", " out"] {
            let request = Request { logs: Some(path(logs)), ..in_repository() };
            assert!(matches!(write(&request, &target), Err(Error::CannotSay { .. })), "{logs}");
        }
        assert!(write(&Request { logs: Some(path("out/night 1")), ..in_repository() }, &target).is_ok());
    }
    insta::assert_snapshot!(refused(Request { logs: Some(path("/var/log")), ..in_repository() }, &gitlab()), @"the log folder or the working folder cannot be written for gitlab: reports are kept from a folder inside of the repository, with letters, digits, blanks and _-. in its path");
    insta::assert_snapshot!(refused(Request { user: Some("root".parse().unwrap()), ..in_repository() }, &gitlab()), @"gitlab takes no user: the runner has one");
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
