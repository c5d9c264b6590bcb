//! Workflows and pipelines as they are written, read as YAML. What their jobs do is tested beside.

use crate::support::{nightly, path, shown, with_arguments};
use schedule::{Error, GithubActions, Gitlab, Install, Request, Target, Written, write};
use serde_json::Value;

pub fn github() -> Target {
    Target::GithubActions(GithubActions::default())
}

pub fn gitlab() -> Target {
    Target::Gitlab(Gitlab::default())
}

/// With a runner that is new each night.
pub fn from_source() -> [Target; 2] {
    [
        Target::GithubActions(GithubActions { install: Install::FromSource, ..GithubActions::default() }),
        Target::Gitlab(Gitlab { install: Install::FromSource, ..Gitlab::default() }),
    ]
}

/// In a repository, by a program of the path.
pub fn in_repository() -> Request {
    Request { program: path("pkgferry"), list: Some(path("recipes/nightly.txt")), ..nightly() }
}

pub fn sharded() -> Request {
    Request {
        shards: "3".parse().unwrap(),
        recurrence: "weekdays 03:10".parse().unwrap(),
        time_zone: Some("Europe/Berlin".parse().unwrap()),
        folder: Some(path("site one")),
        secrets: vec!["JSS_URL".parse().unwrap(), "CLIENT_SECRET".parse().unwrap()],
        ..in_repository()
    }
}

pub fn read(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap()
}

/// A step of a workflow's job.
pub fn step_of<'w>(workflow: &'w Value, job: &str, name: &str) -> &'w Value {
    let steps = workflow["jobs"][job]["steps"].as_array().unwrap();
    steps.iter().find(|step| step["name"] == name).unwrap()
}

/// The step that runs the recipes.
pub fn step(workflow: &Value) -> &Value {
    step_of(workflow, "run", "Run the recipes")
}

/// The script of a pipeline's job, as the runner puts it together.
pub fn script_of(pipeline: &Value, job: &str) -> String {
    let lines = pipeline[job]["script"].as_array().unwrap().iter().map(|line| line.as_str().unwrap());
    lines.collect::<Vec<_>>().join("\n")
}

/// That of the job that runs the recipes.
pub fn script(pipeline: &Value) -> String {
    script_of(pipeline, "pkgferry-nightly")
}

/// The files but for what stands before the jobs, and how they are installed.
fn jobs(written: &Written, first: &str) -> String {
    let shown = shown(written);
    shown[shown.find(first).unwrap()..].to_owned()
}

#[test]
fn a_workflow() {
    let [target, _] = from_source();
    insta::assert_snapshot!(shown(&write(&in_repository(), &target).unwrap()), @r#"
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
          uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
          with:
            persist-credentials: false
        - name: Get what is remembered
          uses: actions/cache/restore@27d5ce7f107fe9357f9df03efb73ab90386fccae # v5.0.5
          with:
            path: |-
              pkgferry-state
              ~/.cargo/bin/pkgferry
              ~/.cargo/.crates.toml
              ~/.cargo/.crates2.json
            key: pkgferry-nightly_all_${{ github.run_id }}-${{ github.run_attempt }}
            restore-keys: pkgferry-nightly_all_
        - name: Install pkgferry
          shell: bash
          run: cargo install --locked --git https://github.com/pkgferry/pkgferry pkgferry
        - name: Run the recipes
          shell: bash
          run: |-
            mkdir -p pkgferry-reports
            pkgferry run --state pkgferry-state --recipe-list recipes/nightly.txt --deadline 4h30m --report pkgferry-reports/report.md --report pkgferry-reports/report.json --report pkgferry-reports/report.html --report pkgferry-reports/report.xml
        - name: Show the summary
          if: always()
          shell: bash
          run: if [ -f pkgferry-reports/report.md ]; then cat pkgferry-reports/report.md >> "$GITHUB_STEP_SUMMARY"; fi
        - name: Keep the reports
          if: always()
          uses: actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f # v7.0.0
          with:
            name: pkgferry-reports
            path: pkgferry-reports
            if-no-files-found: warn
            retention-days: 30
        - name: Keep what is remembered
          if: always()
          uses: actions/cache/save@27d5ce7f107fe9357f9df03efb73ab90386fccae # v5.0.5
          with:
            path: |-
              pkgferry-state
              ~/.cargo/bin/pkgferry
              ~/.cargo/.crates.toml
              ~/.cargo/.crates2.json
            key: pkgferry-nightly_all_${{ github.run_id }}-${{ github.run_attempt }}

    ==> install <==
    mkdir -p .github/workflows && mv pkgferry-nightly.yml .github/workflows/
    git add .github/workflows/pkgferry-nightly.yml       # then commit it to the default branch: schedules run from there only

    Run it now:      gh workflow run pkgferry-nightly.yml

    pkgferry is built from its source on the runner: the first time that takes minutes, later only when there is a newer one.
    To get it in another way, change the step "Install pkgferry", or give --install.
    GitHub starts scheduled runs late when many are due, most of all at the full hour, and stops schedules of public
    repositories in which nothing happens for 60 days.
    "#);
}

#[test]
fn a_workflow_with_shards() {
    let options = GithubActions {
        runs_on: vec!["self-hosted".parse().unwrap(), "macOS".parse().unwrap()],
        install: Install::Script("brew install \\\n  pkgferry".parse().unwrap()),
    };
    insta::assert_snapshot!(jobs(&write(&sharded(), &Target::GithubActions(options)).unwrap(), "jobs:"), @r#"
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
          uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
          with:
            persist-credentials: false
        - name: Get what is remembered
          uses: actions/cache/restore@27d5ce7f107fe9357f9df03efb73ab90386fccae # v5.0.5
          with:
            path: site one/pkgferry-state
            key: pkgferry-nightly_${{ matrix.shard }}-of-3_${{ github.run_id }}-${{ github.run_attempt }}
            restore-keys: pkgferry-nightly_${{ matrix.shard }}-of-3_
        - name: Install pkgferry
          shell: bash
          run: |-
            brew install \
              pkgferry
        - name: Run the recipes
          shell: bash
          run: |-
            mkdir -p "pkgferry-reports/shard-${PKGFERRY_SHARD%/*}"
            pkgferry run --state pkgferry-state --recipe-list recipes/nightly.txt --shard auto --deadline 4h30m --report "pkgferry-reports/shard-${PKGFERRY_SHARD%/*}/report.md" --report "pkgferry-reports/shard-${PKGFERRY_SHARD%/*}/report.json" --report "pkgferry-reports/shard-${PKGFERRY_SHARD%/*}/report.html" --report "pkgferry-reports/shard-${PKGFERRY_SHARD%/*}/report.xml"
          env:
            PKGFERRY_SHARD: ${{ matrix.shard }}/${{ strategy.job-total }}
            JSS_URL: ${{ secrets.JSS_URL }}
            CLIENT_SECRET: ${{ secrets.CLIENT_SECRET }}
          working-directory: site one
        - name: Keep the reports
          if: always()
          uses: actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f # v7.0.0
          with:
            name: pkgferry-reports-${{ matrix.shard }}
            path: site one/pkgferry-reports
            if-no-files-found: warn
            retention-days: 30
        - name: Keep what is remembered
          if: always()
          uses: actions/cache/save@27d5ce7f107fe9357f9df03efb73ab90386fccae # v5.0.5
          with:
            path: site one/pkgferry-state
            key: pkgferry-nightly_${{ matrix.shard }}-of-3_${{ github.run_id }}-${{ github.run_attempt }}
      report:
        name: report of all shards
        needs: run
        if: always()
        runs-on:
        - self-hosted
        - macOS
        timeout-minutes: 60
        steps:
        - name: Get the recipes
          uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
          with:
            persist-credentials: false
        - name: Install pkgferry
          shell: bash
          run: |-
            brew install \
              pkgferry
        - name: Get the reports of all shards
          uses: actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c # v8.0.1
          with:
            pattern: pkgferry-reports-*
            path: site one/pkgferry-shards
            merge-multiple: true
        - name: Merge the reports
          shell: bash
          run: |-
            mkdir -p pkgferry-reports
            pkgferry report merge pkgferry-shards/shard-*/report.json --output pkgferry-reports/report.md --output pkgferry-reports/report.json --output pkgferry-reports/report.html --output pkgferry-reports/report.xml
          working-directory: site one
        - name: Show the summary
          if: always()
          shell: bash
          run: if [ -f 'site one/pkgferry-reports/report.md' ]; then cat 'site one/pkgferry-reports/report.md' >> "$GITHUB_STEP_SUMMARY"; fi
        - name: Keep the reports
          if: always()
          uses: actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f # v7.0.0
          with:
            name: pkgferry-reports
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

    If there is a heartbeat, write {shard} into its address, such as https://hc-ping.com/KEY/nightly-{shard}: with one address for
    all shards, nobody notices when one of them is silent.
    "#);
}

#[test]
fn a_pipeline() {
    let [_, target] = from_source();
    insta::assert_snapshot!(shown(&write(&in_repository(), &target).unwrap()), @r#"
    ==> pkgferry-nightly.gitlab-ci.yml <==
    # Written by `pkgferry schedule gitlab`: packages into Jamf Cloud (nightly).
    # Its schedule is kept by GitLab: 10 3 * * *.
    pkgferry-nightly:
      rules:
      - if: $CI_PIPELINE_SOURCE == "schedule"
      - if: $CI_PIPELINE_SOURCE == "web"
      interruptible: false
      timeout: 3 hours
      image: rust:1
      resource_group: pkgferry-nightly
      cache:
        key: pkgferry-nightly_all
        paths:
        - pkgferry-state/
        - pkgferry-program/
        when: always
        policy: pull-push
      script:
      - cargo install --locked --git https://github.com/pkgferry/pkgferry pkgferry --root pkgferry-program
      - export PATH="$PWD/pkgferry-program/bin:$PATH"
      - mkdir -p pkgferry-reports
      - pkgferry run --state pkgferry-state --recipe-list recipes/nightly.txt --deadline 2h15m --report pkgferry-reports/report.xml --report pkgferry-reports/report.json --report pkgferry-reports/report.html
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
      - local: "/pkgferry-nightly.gitlab-ci.yml"

    Then the schedule, in Build, Pipeline schedules, or by:
      glab schedule create --description pkgferry-nightly --ref main --cron '10 3 * * *' --cronTimeZone UTC

    pkgferry is built from its source in the job: the first time that takes minutes, later only when there is a newer one.
    To get it in another way, change the first line of the script, or give --install or --image.
    "#);
}

#[test]
fn a_pipeline_with_shards() {
    let options = Gitlab {
        image: Some("registry.example.com/pkgferry:1.2".parse().unwrap()),
        tags: vec!["mac mini".parse().unwrap()],
        install: Install::Present,
    };
    insta::assert_snapshot!(jobs(&write(&sharded(), &Target::Gitlab(options)).unwrap(), "pkgferry-nightly:"), @r#"
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
      - mkdir -p "pkgferry-reports/shard-$CI_NODE_INDEX"
      - pkgferry run --recipe-list recipes/nightly.txt --shard auto --deadline 4h30m --report "pkgferry-reports/shard-$CI_NODE_INDEX/report.xml" --report "pkgferry-reports/shard-$CI_NODE_INDEX/report.json" --report "pkgferry-reports/shard-$CI_NODE_INDEX/report.html"
      artifacts:
        when: always
        expire_in: 30 days
        paths:
        - site one/pkgferry-reports/
    pkgferry-nightly-report:
      rules:
      - if: $CI_PIPELINE_SOURCE == "schedule"
        when: always
      - if: $CI_PIPELINE_SOURCE == "web"
        when: always
      interruptible: false
      timeout: 1 hour
      image: registry.example.com/pkgferry:1.2
      tags:
      - mac mini
      needs:
      - job: pkgferry-nightly
        artifacts: true
      script:
      - cd 'site one'
      - mkdir -p pkgferry-reports
      - pkgferry report merge pkgferry-reports/shard-*/report.json --output pkgferry-reports/report.xml --output pkgferry-reports/report.json --output pkgferry-reports/report.html
      artifacts:
        when: always
        expire_in: 30 days
        paths:
        - site one/pkgferry-reports/report.*
        reports:
          junit: site one/pkgferry-reports/report.xml

    ==> install <==
    git add pkgferry-nightly.gitlab-ci.yml      # and in .gitlab-ci.yml:

    include:
      - local: "/pkgferry-nightly.gitlab-ci.yml"

    Then the schedule, in Build, Pipeline schedules, or by:
      glab schedule create --description pkgferry-nightly --ref main --cron '10 3 * * 1-5' --cronTimeZone Europe/Berlin

    The secrets, in Settings, CI/CD, Variables, masked and hidden, or each typed and ended with Ctrl-D:
      cat | glab variable set JSS_URL --masked --raw
      cat | glab variable set CLIENT_SECRET --masked --raw

    If there is a heartbeat, write {shard} into its address, such as https://hc-ping.com/KEY/nightly-{shard}: with one address for
    all shards, nobody notices when one of them is silent.
    "#);
}

#[test]
fn what_they_cannot_say() {
    let refused = |request: Request, target: &Target| write(&request, target).unwrap_err().to_string();
    let expression = with_arguments(in_repository(), &["${{ secrets.OTHER }}".to_owned()]);
    insta::assert_snapshot!(refused(expression, &github()), @"a path, a recipe, an argument or the script cannot be written for github-actions: GitHub replaces ${{ before anything runs");
    let secret = Request { secrets: vec!["GITHUB_TOKEN".parse().unwrap()], ..in_repository() };
    insta::assert_snapshot!(refused(secret, &github()), @"github-actions takes no secret of that name: GitHub keeps names that begin with GITHUB_ for itself");
    let script = GithubActions {
        install: Install::Script("echo ${{ github.token }}".parse().unwrap()),
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
