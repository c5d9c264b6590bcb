use crate::command::{Extra, arguments};
use crate::error::Error;
use crate::quote::{shell, shell_line};
use crate::request::{Request, below};
use crate::target::{Kind, UnitFile, Written};
use crate::text::{FilePath, Image, RunnerLabel, Script};
use crate::yaml;
use serde_json::{Value, json};

/// What only GitLab CI wants to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gitlab {
    /// The container image of the job, where the runner has containers.
    pub image: Option<Image>,
    /// Tags of the runner.
    pub tags: Vec<RunnerLabel>,
    /// Commands that put pkgferry into the job. Without it the image or the runner has it already.
    pub install: Option<Script>,
}

/// Where reports are kept, from the root of the repository.
const REPORTS: &str = "pkgferry-reports";

/// A pipeline with one job, parallel if there are shards (<https://docs.gitlab.com/ci/yaml/>). The schedule itself is no
/// part of a pipeline's file; how it is made is told with it.
pub(crate) fn write(request: &Request, options: &Gitlab) -> Result<Written, Error> {
    request.refuse_user(Kind::Gitlab, "the runner has one")?;
    let count = request.shards.get();
    let reports = report_folder(request, Kind::Gitlab)?;
    let report = |suffix: &str| below(reports, &format!("report.{suffix}"));
    let extra = Extra {
        shard: (count > 1).then(|| "auto".to_owned()),
        reports: ["xml", "json", "html"].map(report).into(),
        state: None,
    };
    let words = std::iter::once(request.program.to_string()).chain(arguments(request, &extra));
    let folder = request.folder.as_ref().map(FilePath::as_str);
    let mut script: Vec<_> = options.install.iter().map(ToString::to_string).collect();
    // A variable that is protected or misspelt is simply not there; say so before anything is asked of a server.
    script.extend(request.secrets.iter().map(|name| {
        format!(": \"${{{name}:?is not set: add it in Settings, CI/CD, Variables, masked and hidden}}\"")
    }));
    script.extend(folder.map(|folder| format!("cd {}", shell(folder))));
    script.push(shell_line(["mkdir", "-p", reports]));
    script.push(shell_line(words));

    let kept = folder.map_or_else(|| reports.to_owned(), |folder| below(folder, reports));
    let unit = request.unit();
    let mut job = json!({
        "rules": [
            {"if": "$CI_PIPELINE_SOURCE == \"schedule\""},
            {"if": "$CI_PIPELINE_SOURCE == \"web\""}
        ],
        "interruptible": false,
        // The usual hour is too short for large packages.
        "timeout": "6 hours"
    });
    if let Some(image) = &options.image {
        job["image"] = json!(image.as_str());
    }
    if !options.tags.is_empty() {
        job["tags"] = options.tags.iter().map(RunnerLabel::as_str).collect();
    }
    if count > 1 {
        job["parallel"] = json!(count);
    } else {
        // One run at a time; a group around shards would let them run one after the other.
        job["resource_group"] = json!(unit);
    }
    job["script"] = json!(script);
    job["artifacts"] = json!({
        "when": "always",
        "expire_in": "30 days",
        "paths": [format!("{kept}/")],
        "reports": {"junit": below(&kept, "report.xml")}
    });
    let mut document = serde_json::Map::new();
    document.insert(unit.clone(), job);

    let comment = format!(
        "Written by `pkgferry schedule gitlab`: packages into Jamf Cloud ({}).\n\
         Its schedule is kept by GitLab: {}.",
        request.name,
        request.recurrence.cron()
    );
    let name = format!("{unit}.gitlab-ci.yml");
    let text = yaml::write(Kind::Gitlab, &comment, &Value::Object(document))?;
    let install = install(request, &name);
    Ok(Written { files: vec![UnitFile { name, text }], install })
}

/// The folder of reports. Its path becomes part of a pattern and, on GitHub, of a list in lines, so it is a plain one.
pub(crate) fn report_folder(request: &Request, kind: Kind) -> Result<&str, Error> {
    let plain = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '_' | '-' | '.' | '/' | ' ');
    let logs = request.logs.as_ref().map_or(REPORTS, FilePath::as_str).trim_end_matches('/');
    let folder = request.folder.as_ref().map_or("", FilePath::as_str);
    let is_plain = |path: &str| path.chars().all(plain) && path.trim() == path;
    let is_inside = |path: &str| !path.starts_with('/') && path.split('/').all(|part| part != "..");
    if !logs.is_empty() && is_plain(logs) && is_plain(folder) && is_inside(logs) && is_inside(folder) {
        Ok(logs)
    } else {
        Err(Error::CannotSay {
            kind,
            what: "the log folder or the working folder",
            why: "reports are kept from a folder inside of the repository, with letters, digits, blanks and _-. in its path",
        })
    }
}

fn install(request: &Request, name: &str) -> String {
    let zone = request.time_zone.as_ref().map_or("UTC", |zone| zone.as_str());
    let mut text = format!(
        "git add {name}      # and in .gitlab-ci.yml:\n\n\
         include:\n  \
           - local: {name}\n\n\
         Then the schedule, in Build, Pipeline schedules, or by:\n  \
           glab schedule create --description {} --ref main --cron {} --cronTimeZone {}\n",
        request.unit(),
        shell(&request.recurrence.cron()),
        shell(zone)
    );
    if !request.secrets.is_empty() {
        text.push_str("\nThe secrets, in Settings, CI/CD, Variables, masked and hidden:");
        for secret in &request.secrets {
            text.push_str(&format!(" {secret}"));
        }
        text.push('\n');
    }
    text
}
