use crate::ci::{Install, Jobs, SOURCE};
use crate::error::Error;
use crate::quote::shell;
use crate::request::{Request, below};
use crate::target::{Kind, UnitFile, Written};
use crate::text::{Image, RunnerLabel};
use crate::yaml;
use serde_json::{Value, json};

/// What only GitLab CI wants to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gitlab {
    /// The container image of the job, where the runner has containers. Default: one with Rust, if pkgferry is built from its
    /// source.
    pub image: Option<Image>,
    /// Tags of the runner.
    pub tags: Vec<RunnerLabel>,
    /// How pkgferry gets into the job.
    pub install: Install,
}

/// How long a job may take, and when its run begins nothing more: time is left for building pkgferry before, and for packages
/// that are on their way then.
struct Limits {
    timeout: &'static str,
    deadline: &'static str,
}

/// The usual hour is too short for large packages.
const OWN_RUNNER: Limits = Limits { timeout: "6 hours", deadline: "4h30m" };
/// Runners of gitlab.com end every job after three hours (<https://docs.gitlab.com/ci/runners/hosted_runners/>).
const HOSTED_RUNNER: Limits = Limits { timeout: "3 hours", deadline: "2h15m" };
/// Merging takes seconds; most of this is for the installing.
const MERGE_TIMEOUT: &str = "1 hour";
const RUST_IMAGE: &str = "rust:1";
/// Where a program that was built is, from the root of the repository: caches hold nothing from elsewhere.
const PROGRAM: &str = "pkgferry-program";

/// A pipeline with one job, parallel if there are shards, and then one behind it that merges their reports
/// (<https://docs.gitlab.com/ci/yaml/>). The schedule itself is no part of a pipeline's file; how it is made is told with it.
pub(crate) fn write(request: &Request, options: &Gitlab) -> Result<Written, Error> {
    let pipeline = Pipeline { jobs: Jobs::new(request, &options.install, Kind::Gitlab)?, options };
    let unit = request.unit();
    let mut document = serde_json::Map::new();
    document.insert(unit.clone(), pipeline.run_job());
    if pipeline.jobs.is_sharded() {
        document.insert(format!("{unit}-report"), pipeline.report_job());
    }
    let comment = format!(
        "Written by `pkgferry schedule gitlab`: packages into Jamf Cloud ({}).\n\
         Its schedule is kept by GitLab: {}.",
        request.name,
        request.recurrence.cron()
    );
    let name = format!("{unit}.gitlab-ci.yml");
    let text = yaml::write(Kind::Gitlab, &comment, &Value::Object(document))?;
    let install = install(request, options, &name);
    let words = pipeline.jobs.words(pipeline.limits().deadline);
    Ok(Written { files: vec![UnitFile { name, text }], words, install })
}

struct Pipeline<'r> {
    jobs: Jobs<'r>,
    options: &'r Gitlab,
}

impl Pipeline<'_> {
    fn limits(&self) -> Limits {
        match self.options.install {
            Install::Present => OWN_RUNNER,
            Install::FromSource | Install::Script(_) => HOSTED_RUNNER,
        }
    }

    fn run_job(&self) -> Value {
        let count = self.jobs.count;
        let mut job = self.job(self.limits().timeout);
        if count > 1 {
            job["parallel"] = json!(count);
        } else {
            // One run at a time; a group around shards would let them run one after the other.
            job["resource_group"] = json!(self.jobs.request.unit());
        }
        if let Some(cache) = self.cache("pull-push", "$CI_NODE_INDEX") {
            job["cache"] = cache;
        }
        let mut script = self.install();
        // A variable that is protected or misspelt is simply not there; say so before anything is asked of a server.
        script.extend(self.jobs.request.secrets.iter().map(|name| {
            format!(": \"${{{name}:?is not set: add it in Settings, CI/CD, Variables, masked and hidden}}\"")
        }));
        script.extend(self.enter());
        script.extend(self.jobs.run("$CI_NODE_INDEX", &["xml", "json", "html"], self.limits().deadline));
        job["script"] = json!(script);
        // What shards tell stands in the report of all.
        let (kept, junit) = (format!("{}/", self.jobs.kept_reports()), count == 1);
        job["artifacts"] = self.artifacts(&kept, junit);
        job
    }

    /// It runs whatever became of the shards, and fails when the night did.
    fn report_job(&self) -> Value {
        let mut job = self.job(MERGE_TIMEOUT);
        for rule in job["rules"].as_array_mut().into_iter().flatten() {
            rule["when"] = json!("always");
        }
        job["needs"] = json!([{"job": self.jobs.request.unit(), "artifacts": true}]);
        if let (Install::FromSource, Some(cache)) = (&self.options.install, self.cache("pull", "1")) {
            job["cache"] = cache;
        }
        let mut script = self.install();
        script.extend(self.enter());
        script.extend(self.jobs.merge(self.jobs.reports, &["xml", "json", "html"]));
        job["script"] = json!(script);
        job["artifacts"] = self.artifacts(&below(&self.jobs.kept_reports(), "report.*"), true);
        job
    }

    /// What both have in common. In a pipeline that somebody pushed to, nothing runs.
    fn job(&self, timeout: &str) -> Value {
        let mut job = json!({
            "rules": [
                {"if": "$CI_PIPELINE_SOURCE == \"schedule\""},
                {"if": "$CI_PIPELINE_SOURCE == \"web\""}
            ],
            "interruptible": false,
            "timeout": timeout
        });
        match (&self.options.image, &self.options.install) {
            (Some(image), _) => job["image"] = json!(image.as_str()),
            (None, Install::FromSource) => job["image"] = json!(RUST_IMAGE),
            (None, Install::Present | Install::Script(_)) => {}
        }
        if !self.options.tags.is_empty() {
            job["tags"] = self.options.tags.iter().map(RunnerLabel::as_str).collect();
        }
        job
    }

    fn install(&self) -> Vec<String> {
        match &self.options.install {
            Install::Present => Vec::new(),
            Install::FromSource => vec![
                format!("{SOURCE} --root {PROGRAM}"),
                format!("export PATH=\"$PWD/{PROGRAM}/bin:$PATH\""),
            ],
            Install::Script(script) => vec![script.to_string()],
        }
    }

    fn enter(&self) -> Option<String> {
        self.jobs.request.folder.as_ref().map(|folder| format!("cd {}", shell(folder.as_str())))
    }

    /// What is remembered between nights, also after a failure: it is then that uploads wait for being gone on with, and
    /// deliveries for their proof. `_` is in no name of a unit.
    fn cache(&self, policy: &str, shard: &str) -> Option<Value> {
        let unit = self.jobs.request.unit();
        let key = match self.jobs.count {
            1 => format!("{unit}_all"),
            count => format!("{unit}_{shard}-of-{count}"),
        };
        let mut paths = vec![format!("{}/", self.jobs.kept_state()?)];
        if self.options.install == Install::FromSource {
            paths.push(format!("{PROGRAM}/"));
        }
        Some(json!({"key": key, "paths": paths, "when": "always", "policy": policy}))
    }

    fn artifacts(&self, paths: &str, junit: bool) -> Value {
        let mut artifacts = json!({"when": "always", "expire_in": "30 days", "paths": [paths]});
        if junit {
            artifacts["reports"] = json!({"junit": below(&self.jobs.kept_reports(), "report.xml")});
        }
        artifacts
    }
}

fn install(request: &Request, options: &Gitlab, name: &str) -> String {
    let zone = request.time_zone.as_ref().map_or("UTC", |zone| zone.as_str());
    // Only what the repository holds can be included; its root is that of the path.
    let placed = request.placed(name);
    let (moved, place) = match placed.starts_with('/') {
        true => (format!("mv {} .\n", shell(&placed)), name.to_owned()),
        false => (String::new(), placed),
    };
    let mut text = format!(
        "{moved}git add {}      # and in .gitlab-ci.yml:\n\n\
         include:\n  \
           - local: {}\n\n\
         Then the schedule, in Build, Pipeline schedules, or by:\n  \
           glab schedule create --description {} --ref main --cron {} --cronTimeZone {}\n",
        shell(&place),
        serde_json::Value::from(format!("/{place}")),
        request.unit(),
        shell(&request.recurrence.cron()),
        shell(zone)
    );
    if !request.secrets.is_empty() {
        text.push_str(
            "\nThe secrets, in Settings, CI/CD, Variables, masked and hidden, or each typed and ended with Ctrl-D:\n",
        );
        for secret in &request.secrets {
            text.push_str(&format!("  cat | glab variable set {secret} --masked --raw\n"));
        }
    }
    if options.install == Install::FromSource {
        text.push_str(
            "\npkgferry is built from its source in the job: the first time that takes minutes, later only when there is a newer one.\n\
             To get it in another way, change the first line of the script, or give --install or --image.\n",
        );
    }
    text
}
