use crate::command::{Extra, arguments};
use crate::error::Error;
use crate::gitlab::report_folder;
use crate::quote::shell_line;
use crate::request::{Request, below};
use crate::target::{Kind, UnitFile, Written};
use crate::text::{RunnerLabel, Script};
use crate::yaml;
use serde_json::{Value, json};

/// What only GitHub Actions wants to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GithubActions {
    /// Labels of the runner. Default: `ubuntu-latest`.
    pub runs_on: Vec<RunnerLabel>,
    /// Commands that put pkgferry onto the runner; they see no secrets. Without it the runner has it already.
    pub install: Option<Script>,
}

/// Actions by the hash of their commit, since a tag can be moved to another one, and the release that it is: the first of
/// each that runs on Node 24.
const CHECKOUT: (&str, &str) = ("actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8", "v5.0.0");
const UPLOAD_ARTIFACT: (&str, &str) =
    ("actions/upload-artifact@b7c566a772e6b6bfb58ed0dc250532a479d7789f", "v6.0.0");

/// GitHub's own limit for a job on its runners is 360 minutes, after which not even a report is kept.
const TIMEOUT_MINUTES: u32 = 350;

/// A workflow with a matrix of shards
/// (<https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax>).
pub(crate) fn write(request: &Request, options: &GithubActions) -> Result<Written, Error> {
    request.refuse_user(Kind::GithubActions, "the runner has one")?;
    if request.secrets.iter().any(|name| name.as_str().starts_with("GITHUB_")) {
        let why = "GitHub keeps names that begin with GITHUB_ for itself";
        return Err(Error::Unsupported { kind: Kind::GithubActions, what: "secret of that name", why });
    }
    let workflow = workflow(request, options)?;
    refuse_expressions(&workflow.user_text)?;
    let comment = format!(
        "Written by `pkgferry schedule github-actions`: packages into Jamf Cloud ({}).\n\
         Times are {}.",
        request.name,
        request.time_zone.as_ref().map_or("UTC".to_owned(), |zone| format!("those of {zone}"))
    );
    let name = format!("{}.yml", request.unit());
    let text = name_releases(&yaml::write(Kind::GithubActions, &comment, &workflow.document)?);
    let install = install(request, &name);
    Ok(Written { files: vec![UnitFile { name, text }], install })
}

struct Workflow {
    document: Value,
    /// What came from the request, before anything was put around it.
    user_text: Vec<String>,
}

fn workflow(request: &Request, options: &GithubActions) -> Result<Workflow, Error> {
    let count = request.shards.get();
    let reports = report_folder(request, Kind::GithubActions)?;
    let report = |suffix: &str| below(reports, &format!("report.{suffix}"));
    let extra = Extra {
        shard: (count > 1).then(|| "auto".to_owned()),
        reports: ["md", "json", "html", "xml"].map(report).into(),
        ..Extra::default()
    };
    let words: Vec<_> =
        std::iter::once(request.program.to_string()).chain(arguments(request, &extra)).collect();
    let mut user_text = words.clone();
    user_text.extend(options.install.iter().map(ToString::to_string));
    user_text.extend(request.folder.iter().map(ToString::to_string));

    let script = format!("{}\n{}", shell_line(["mkdir", "-p", reports]), shell_line(&words));
    let mut run = json!({"name": "Run the recipes", "shell": "bash", "run": script});
    let mut variables = serde_json::Map::new();
    if count > 1 {
        // The number of this job of the matrix and of all: GitHub puts neither into the environment.
        let shard = "${{ matrix.shard }}/${{ strategy.job-total }}";
        variables.insert("PKGFERRY_SHARD".to_owned(), json!(shard));
    }
    for name in &request.secrets {
        variables.insert(name.to_string(), json!(format!("${{{{ secrets.{name} }}}}")));
    }
    if !variables.is_empty() {
        run["env"] = Value::Object(variables);
    }
    if let Some(folder) = &request.folder {
        run["working-directory"] = json!(folder.as_str());
    }

    let mut steps = vec![json!({
        "name": "Get the recipes",
        "uses": CHECKOUT.0,
        "with": {"persist-credentials": false}
    })];
    if let Some(script) = &options.install {
        steps.push(json!({"name": "Install pkgferry", "shell": "bash", "run": script.as_str()}));
    }
    let folder = request.folder.as_ref().map_or("", |folder| folder.as_str());
    let kept = if folder.is_empty() { reports.to_owned() } else { below(folder, reports) };
    let summary = shell_line([below(&kept, "report.md")]);
    steps.extend([
        run,
        json!({
            "name": "Show the summary",
            "if": "always()",
            "shell": "bash",
            "run": format!("if [ -f {summary} ]; then cat {summary} >> \"$GITHUB_STEP_SUMMARY\"; fi")
        }),
        json!({
            "name": "Keep the reports",
            "if": "always()",
            "uses": UPLOAD_ARTIFACT.0,
            "with": {
                "name": if count > 1 { "pkgferry-reports-${{ matrix.shard }}" } else { "pkgferry-reports" },
                "path": kept,
                "if-no-files-found": "warn",
                "retention-days": 30
            }
        }),
    ]);

    let runs_on = match options.runs_on.as_slice() {
        [] => json!("ubuntu-latest"),
        [label] => json!(label.as_str()),
        labels => labels.iter().map(RunnerLabel::as_str).collect(),
    };
    let mut job = json!({
        "name": if count > 1 { format!("shard ${{{{ matrix.shard }}}} of {count}") } else { "pkgferry".to_owned() },
        "runs-on": runs_on,
        "timeout-minutes": TIMEOUT_MINUTES
    });
    if count > 1 {
        // One shard's failure says nothing about the packages of another.
        let shards: Vec<_> = (1..=count).collect();
        job["strategy"] = json!({"fail-fast": false, "matrix": {"shard": shards}});
    }
    job["steps"] = Value::Array(steps);

    let mut schedule = json!({"cron": request.recurrence.cron()});
    if let Some(zone) = &request.time_zone {
        schedule["timezone"] = json!(zone.as_str());
    }
    let unit = request.unit();
    let document = json!({
        "name": unit,
        "on": {"schedule": [schedule], "workflow_dispatch": {}},
        "permissions": {"contents": "read"},
        // A run that takes longer than the pause between two is not joined by the next, and not cut off by it.
        "concurrency": {"group": unit, "cancel-in-progress": false},
        "jobs": {"run": job}
    });
    Ok(Workflow { document, user_text })
}

/// Puts its release behind each pinned action, where people read it and tools that raise it look for it.
fn name_releases(yaml: &str) -> String {
    let line = |line: &str| {
        let uses = line.trim_start().strip_prefix("uses: ");
        match [CHECKOUT, UPLOAD_ARTIFACT].iter().find(|(action, _)| uses == Some(action)) {
            Some((_, release)) => format!("{line} # {release}\n"),
            None => format!("{line}\n"),
        }
    };
    yaml.split_terminator('\n').map(line).collect()
}

/// GitHub replaces `${{ … }}` wherever it stands, before the shell sees anything, and knows no way to write it as text.
fn refuse_expressions(texts: &[String]) -> Result<(), Error> {
    if texts.iter().any(|text| text.contains("${{")) {
        return Err(Error::CannotSay {
            kind: Kind::GithubActions,
            what: "a path, a recipe, an argument or the script",
            why: "GitHub replaces ${{ before anything runs",
        });
    }
    Ok(())
}

fn install(request: &Request, name: &str) -> String {
    let mut text = format!(
        "mkdir -p .github/workflows && mv {name} .github/workflows/\n\
         git add .github/workflows/{name}       # then commit it to the default branch: schedules run from there only\n"
    );
    if !request.secrets.is_empty() {
        text.push_str("\nThe secrets, each typed when it is asked for:\n");
        for secret in &request.secrets {
            text.push_str(&format!("  gh secret set {secret}\n"));
        }
    }
    text.push_str(&format!(
        "\nRun it now:      gh workflow run {name}\n\n\
         GitHub starts scheduled runs late when many are due, most of all at the full hour, and stops schedules of public\n\
         repositories in which nothing happens for 60 days.\n"
    ));
    text
}
