use crate::ci::{Install, Jobs, SOURCE};
use crate::error::Error;
use crate::quote::shell;
use crate::request::{Request, below};
use crate::target::{Kind, UnitFile, Written};
use crate::text::RunnerLabel;
use crate::yaml;
use serde_json::{Value, json};

/// What only GitHub Actions wants to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GithubActions {
    /// Labels of the runner. Default: `ubuntu-latest`.
    pub runs_on: Vec<RunnerLabel>,
    /// How pkgferry gets onto the runner; commands for that see no secrets.
    pub install: Install,
}

/// Actions by the hash of their commit, since a tag can be moved to another one, and the release that it is: the newest of
/// each in November 2026.
const CHECKOUT: (&str, &str) = ("actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1", "v7.0.1");
const CACHE_RESTORE: (&str, &str) =
    ("actions/cache/restore@27d5ce7f107fe9357f9df03efb73ab90386fccae", "v5.0.5");
const CACHE_SAVE: (&str, &str) = ("actions/cache/save@27d5ce7f107fe9357f9df03efb73ab90386fccae", "v5.0.5");
const UPLOAD_ARTIFACT: (&str, &str) =
    ("actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f", "v7.0.0");
const DOWNLOAD_ARTIFACT: (&str, &str) =
    ("actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c", "v8.0.1");

/// GitHub's own limit for a job on its runners is 360 minutes, after which nothing of it is kept.
const TIMEOUT_MINUTES: u32 = 350;
/// When a run begins nothing more: time is left for building pkgferry before, and for packages that are on their way then.
const DEADLINE: &str = "4h30m";
/// Merging takes seconds; most of this is for the installing.
const MERGE_MINUTES: u32 = 60;
/// Where the reports of all shards are put together.
const SHARDS: &str = "pkgferry-shards";
/// The only folder that GitHub reads workflows from, from the root of the repository.
const WORKFLOWS: &str = ".github/workflows";
/// What `cargo install` leaves, by which it knows the next time whether there is anything to build.
const BUILT: [&str; 3] = ["~/.cargo/bin/pkgferry", "~/.cargo/.crates.toml", "~/.cargo/.crates2.json"];

/// A workflow with a matrix of shards, and a job behind it that merges their reports
/// (<https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax>).
pub(crate) fn write(request: &Request, options: &GithubActions) -> Result<Written, Error> {
    if request.secrets.iter().any(|name| name.as_str().starts_with("GITHUB_")) {
        let why = "GitHub keeps names that begin with GITHUB_ for itself";
        return Err(Error::Unsupported { kind: Kind::GithubActions, what: "secret of that name", why });
    }
    let workflow = Workflow { jobs: Jobs::new(request, &options.install, Kind::GithubActions)?, options };
    workflow.refuse_expressions()?;
    let comment = format!(
        "Written by `pkgferry schedule github-actions`: packages into Jamf Cloud ({}).\n\
         Times are {}.",
        request.name,
        request.time_zone.as_ref().map_or("UTC".to_owned(), |zone| format!("those of {zone}"))
    );
    let name = format!("{}.yml", request.unit());
    let text = name_releases(&yaml::write(Kind::GithubActions, &comment, &workflow.document())?);
    let install = install(request, options, &name);
    Ok(Written { files: vec![UnitFile { name, text }], words: workflow.jobs.words(DEADLINE), install })
}

struct Workflow<'r> {
    jobs: Jobs<'r>,
    options: &'r GithubActions,
}

impl Workflow<'_> {
    /// GitHub replaces `${{ … }}` wherever it stands, before the shell sees anything, and knows no way to write it as text.
    fn refuse_expressions(&self) -> Result<(), Error> {
        let script = match &self.options.install {
            Install::Script(script) => script.as_str(),
            Install::Present | Install::FromSource => "",
        };
        let [_, run] = self.jobs.run("", &[], DEADLINE);
        if run.contains("${{") || script.contains("${{") {
            return Err(Error::CannotSay {
                kind: Kind::GithubActions,
                what: "a path, a recipe, an argument or the script",
                why: "GitHub replaces ${{ before anything runs",
            });
        }
        Ok(())
    }

    fn document(&self) -> Value {
        let request = self.jobs.request;
        let mut schedule = json!({"cron": request.recurrence.cron()});
        if let Some(zone) = &request.time_zone {
            schedule["timezone"] = json!(zone.as_str());
        }
        let unit = request.unit();
        let mut document = json!({
            "name": unit,
            "on": {"schedule": [schedule], "workflow_dispatch": {}},
            "permissions": {"contents": "read"},
            // A run that takes longer than the pause between two is not joined by the next, and not cut off by it.
            "concurrency": {"group": unit, "cancel-in-progress": false},
            "jobs": {"run": self.run_job()}
        });
        if self.jobs.is_sharded() {
            document["jobs"]["report"] = self.report_job();
        }
        document
    }

    fn run_job(&self) -> Value {
        let count = self.jobs.count;
        let mut job = json!({
            "name": if count > 1 { format!("shard ${{{{ matrix.shard }}}} of {count}") } else { "pkgferry".to_owned() },
            "runs-on": self.runs_on(),
            "timeout-minutes": TIMEOUT_MINUTES
        });
        if count > 1 {
            // One shard's failure says nothing about the packages of another.
            let shards: Vec<_> = (1..=count).collect();
            job["strategy"] = json!({"fail-fast": false, "matrix": {"shard": shards}});
        }
        let mut steps = vec![get_recipes()];
        let shard = "${{ matrix.shard }}";
        steps.extend(self.restore(shard));
        steps.extend(self.install());
        steps.push(self.run());
        if count == 1 {
            steps.push(self.summary());
        }
        let name = if count > 1 { "pkgferry-reports-${{ matrix.shard }}" } else { "pkgferry-reports" };
        steps.push(self.keep_reports(name));
        steps.extend(self.save(shard));
        job["steps"] = Value::Array(steps);
        job
    }

    /// It runs whatever became of the shards, and fails when the night did.
    fn report_job(&self) -> Value {
        let mut steps = vec![get_recipes()];
        if *self.jobs.install == Install::FromSource {
            steps.extend(self.restore("1"));
        }
        steps.extend(self.install());
        let mut merge = json!({
            "name": "Merge the reports",
            "shell": "bash",
            "run": self.jobs.merge(SHARDS, &["md", "json", "html", "xml"]).join("\n")
        });
        self.set_folder(&mut merge);
        steps.extend([
            json!({
                "name": "Get the reports of all shards",
                "uses": DOWNLOAD_ARTIFACT.0,
                // Together, since one alone would not get a folder of its own.
                "with": {
                    "pattern": "pkgferry-reports-*",
                    "path": self.jobs.rooted(SHARDS),
                    "merge-multiple": true
                }
            }),
            merge,
            self.summary(),
            self.keep_reports("pkgferry-reports"),
        ]);
        json!({
            "name": "report of all shards",
            "needs": "run",
            "if": "always()",
            "runs-on": self.runs_on(),
            "timeout-minutes": MERGE_MINUTES,
            "steps": steps
        })
    }

    fn runs_on(&self) -> Value {
        match self.options.runs_on.as_slice() {
            [] => json!("ubuntu-latest"),
            [label] => json!(label.as_str()),
            labels => labels.iter().map(RunnerLabel::as_str).collect(),
        }
    }

    fn install(&self) -> Option<Value> {
        let script = match &self.options.install {
            Install::Present => return None,
            Install::FromSource => SOURCE,
            Install::Script(script) => script.as_str(),
        };
        Some(json!({"name": "Install pkgferry", "shell": "bash", "run": script}))
    }

    fn run(&self) -> Value {
        let lines = self.jobs.run("${PKGFERRY_SHARD%/*}", &["md", "json", "html", "xml"], DEADLINE);
        let mut run = json!({"name": "Run the recipes", "shell": "bash", "run": lines.join("\n")});
        let mut variables = serde_json::Map::new();
        if self.jobs.is_sharded() {
            // The number of this job of the matrix and of all: GitHub puts neither into the environment.
            let shard = "${{ matrix.shard }}/${{ strategy.job-total }}";
            variables.insert("PKGFERRY_SHARD".to_owned(), json!(shard));
        }
        for name in &self.jobs.request.secrets {
            variables.insert(name.to_string(), json!(format!("${{{{ secrets.{name} }}}}")));
        }
        if !variables.is_empty() {
            run["env"] = Value::Object(variables);
        }
        self.set_folder(&mut run);
        run
    }

    fn set_folder(&self, step: &mut Value) {
        if let Some(folder) = &self.jobs.request.folder {
            step["working-directory"] = json!(folder.as_str());
        }
    }

    fn summary(&self) -> Value {
        let summary = shell(&below(&self.jobs.kept_reports(), "report.md"));
        json!({
            "name": "Show the summary",
            "if": "always()",
            "shell": "bash",
            "run": format!("if [ -f {summary} ]; then cat {summary} >> \"$GITHUB_STEP_SUMMARY\"; fi")
        })
    }

    fn keep_reports(&self, name: &str) -> Value {
        json!({
            "name": "Keep the reports",
            "if": "always()",
            "uses": UPLOAD_ARTIFACT.0,
            "with": {
                "name": name,
                "path": self.jobs.kept_reports(),
                "if-no-files-found": "warn",
                "retention-days": 30
            }
        })
    }

    fn restore(&self, shard: &str) -> Option<Value> {
        let (paths, prefix) = (self.remembered()?, self.cache_prefix(shard));
        Some(json!({
            "name": "Get what is remembered",
            "uses": CACHE_RESTORE.0,
            "with": {"path": paths, "key": this_night(&prefix), "restore-keys": prefix}
        }))
    }

    /// After a failure most of all: it is then that uploads wait for being gone on with, and deliveries for their proof.
    fn save(&self, shard: &str) -> Option<Value> {
        let (paths, prefix) = (self.remembered()?, self.cache_prefix(shard));
        Some(json!({
            "name": "Keep what is remembered",
            "if": "always()",
            "uses": CACHE_SAVE.0,
            "with": {"path": paths, "key": this_night(&prefix)}
        }))
    }

    /// What is kept for the next night, if anything: a path in each line.
    fn remembered(&self) -> Option<String> {
        let state = self.jobs.kept_state()?;
        Some(match self.options.install {
            Install::FromSource => [&[state.as_str()], BUILT.as_slice()].concat().join("\n"),
            Install::Present | Install::Script(_) => state,
        })
    }

    /// `_` is in no name of a unit, so that no name is the beginning of another.
    fn cache_prefix(&self, shard: &str) -> String {
        let unit = self.jobs.request.unit();
        match self.jobs.count {
            1 => format!("{unit}_all_"),
            count => format!("{unit}_{shard}-of-{count}_"),
        }
    }
}

/// Entries of GitHub's cache cannot be changed, so each night has one, and the newest is found by its beginning.
fn this_night(prefix: &str) -> String {
    format!("{prefix}${{{{ github.run_id }}}}-${{{{ github.run_attempt }}}}")
}

fn get_recipes() -> Value {
    json!({"name": "Get the recipes", "uses": CHECKOUT.0, "with": {"persist-credentials": false}})
}

/// Puts its release behind each pinned action, where people read it and tools that raise it look for it.
fn name_releases(yaml: &str) -> String {
    let actions = [CHECKOUT, CACHE_RESTORE, CACHE_SAVE, UPLOAD_ARTIFACT, DOWNLOAD_ARTIFACT];
    let line = |line: &str| {
        let uses = line.trim_start().strip_prefix("uses: ");
        match actions.iter().find(|(action, _)| uses == Some(action)) {
            Some((_, release)) => format!("{line} # {release}\n"),
            None => format!("{line}\n"),
        }
    };
    yaml.split_terminator('\n').map(line).collect()
}

fn install(request: &Request, options: &GithubActions, name: &str) -> String {
    let placed = request.placed(name);
    let place = below(WORKFLOWS, name);
    let mut text = match placed == place {
        true => String::new(),
        false => format!("mkdir -p {WORKFLOWS} && mv {} {WORKFLOWS}/\n", shell(&placed)),
    };
    text.push_str(&format!(
        "git add {place}       # then commit it to the default branch: schedules run from there only\n"
    ));
    if !request.secrets.is_empty() {
        text.push_str("\nThe secrets, each typed when it is asked for:\n");
        for secret in &request.secrets {
            text.push_str(&format!("  gh secret set {secret}\n"));
        }
    }
    text.push_str(&format!("\nRun it now:      gh workflow run {name}\n\n"));
    if options.install == Install::FromSource {
        text.push_str(
            "pkgferry is built from its source on the runner: the first time that takes minutes, later only when there is a newer one.\n\
             To get it in another way, change the step \"Install pkgferry\", or give --install.\n",
        );
    }
    text.push_str(
        "GitHub starts scheduled runs late when many are due, most of all at the full hour, and stops schedules of public\n\
         repositories in which nothing happens for 60 days.\n",
    );
    text
}
