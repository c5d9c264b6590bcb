//! Who is told of a run: webhooks, and whoever waits for the heartbeat.

use super::in_full;
use crate::error::Error;
use crate::exit::Exit;
use notify::{
    Changed, Config, Ending, FullReport, Heartbeat, HeartbeatStyle, How, InDryRun, Mode, Notifier, NotifyOn,
    Service, Signal, Summary, Trouble, Volume, Webhook,
};
use pipeline::{Access, Boundary, Context, Dict, Secret, Shard, StepRef, Value};
use report::{Format, PackageReport, RunReport, Status};
use secrets::{SecretSource, Secrets};
use state::RunId;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

const SERVICES: [(Service, &str, &str); 3] = [
    (Service::Slack, "slack", "PKGFERRY_NOTIFY_SLACK"),
    (Service::Teams, "teams", "PKGFERRY_NOTIFY_TEAMS"),
    (Service::Json, "webhook", "PKGFERRY_NOTIFY_WEBHOOK"),
];
const HEARTBEAT: (&str, &str) = ("heartbeat", "PKGFERRY_HEARTBEAT");

/// All names of the `[notify]` table.
const NAMES: [&str; 8] =
    ["slack", "teams", "webhook", "on", "title", "dry_run", "heartbeat", "heartbeat_style"];

/// What the settings say about who is told: the `[notify]` table, and variables of the environment.
#[derive(Clone, Debug, Default)]
pub struct Notices {
    webhooks: Vec<(Service, String, SecretSource)>,
    heartbeat: Option<(String, SecretSource)>,
    style: HeartbeatStyle,
    on: Option<NotifyOn>,
    title: Option<String>,
    in_dry_run: InDryRun,
}

impl Notices {
    /// Reads the table of a settings file.
    pub fn read(file: &Path, value: Value) -> Result<Self, Error> {
        let wrong =
            |name: &str, why: String| Error::Notify { path: file.to_owned(), name: name.to_owned(), why };
        let Value::Dict(table) = value else {
            return Err(Error::ServerTable { path: file.to_owned(), name: "notify".to_owned() });
        };
        let mut notices = Self::default();
        for (name, value) in &table as &Dict {
            let label = format!("notify.{name}");
            let source =
                |value: &Value| SecretSource::from_value(value).map_err(|error| wrong(name, in_full(&error)));
            let text = |value: &Value| match value {
                Value::String(text) => Ok(text.clone()),
                _ => Err(wrong(name, "it is no text".to_owned())),
            };
            match name.as_str() {
                "heartbeat" => notices.heartbeat = Some((label, source(value)?)),
                "heartbeat_style" => {
                    notices.style = match text(value)?.as_str() {
                        "signals" => HeartbeatStyle::Signals,
                        "success-only" => HeartbeatStyle::SuccessOnly,
                        _ => return Err(wrong(name, "it is neither signals nor success-only".to_owned())),
                    }
                }
                "on" => {
                    notices.on = Some(text(value)?.parse().map_err(|error| wrong(name, in_full(&error)))?);
                }
                "title" => notices.title = Some(text(value)?),
                "dry_run" => match value {
                    Value::Bool(true) => notices.in_dry_run = InDryRun::Tell,
                    Value::Bool(false) => notices.in_dry_run = InDryRun::Silent,
                    _ => return Err(wrong(name, "it is neither true nor false".to_owned())),
                },
                _ => match SERVICES.iter().find(|(_, known, _)| known == name) {
                    Some((service, ..)) => notices.webhooks.push((*service, label, source(value)?)),
                    None => {
                        let meant =
                            recipe::nearest(name, NAMES).map(|meant| format!("did you mean {meant}?"));
                        let there_are = || format!("there are {}", NAMES.join(", "));
                        let why = format!("there is no such setting; {}", meant.unwrap_or_else(there_are));
                        return Err(wrong(name, why));
                    }
                },
            }
        }
        Ok(notices)
    }

    /// Lays over it what variables of the environment say.
    pub fn with_variables<'a>(mut self, variable: impl Fn(&str) -> Option<&'a str>) -> Result<Self, Error> {
        let source = |name: &str| match variable(name) {
            None => Ok(None),
            Some(text) => match text.parse::<SecretSource>() {
                Ok(source) => Ok(Some((name.to_owned(), source))),
                Err(source) => Err(Error::Secret { name: name.to_owned(), source: Box::new(source) }),
            },
        };
        for (service, _, name) in SERVICES {
            if let Some((label, source)) = source(name)? {
                self.webhooks.retain(|(known, ..)| *known != service);
                self.webhooks.push((service, label, source));
            }
        }
        if let Some(heartbeat) = source(HEARTBEAT.1)? {
            self.heartbeat = Some(heartbeat);
        }
        Ok(self)
    }

    /// The addresses, each with its setting and the variable of the environment that says the same.
    pub fn sources(&self) -> impl Iterator<Item = (&str, &'static str, &SecretSource)> {
        let webhooks = self.webhooks.iter().filter_map(|(service, label, source)| {
            let (_, _, variable) = SERVICES.iter().find(|(known, ..)| known == service)?;
            Some((label.as_str(), *variable, source))
        });
        let heartbeat = self.heartbeat.iter().map(|(label, source)| (label.as_str(), HEARTBEAT.1, source));
        webhooks.chain(heartbeat)
    }

    /// The name of an address that stands in the settings itself, if there is one: who reads it can write to the channel.
    pub fn plain(&self) -> Option<&str> {
        self.sources().find(|(.., source)| source.is_plain()).map(|(label, ..)| label)
    }

    /// Gets the addresses from where they are kept. `on` wins over what the settings say; `heartbeat` is what the run tells
    /// the heartbeat of, if that is for this run. Who cannot be told is warned of, and keeps no package back; where nobody is to be told, nothing is asked for.
    pub async fn open(
        &self,
        on: Option<NotifyOn>,
        heartbeat: Option<Shard>,
        access: Access,
        secrets: &Secrets,
        cx: &Context,
    ) -> News {
        let config = config();
        let gate = notify::gate(access, self.in_dry_run);
        let is_shut = gate.access() == Access::ReadOnly;
        let mut news = News { gate: Arc::new(gate), title: self.title.clone(), ..News::nobody(&config) };
        if is_shut {
            return news;
        }
        let warn = |label: &str, error: &Error| {
            let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
            cx.warn(format!("{label} will not hear of this run: {}{hint}", in_full(error)));
        };
        if let Some(((label, source), shard)) = self.heartbeat.as_ref().zip(heartbeat) {
            let address = reveal(secrets, label, source, cx).await;
            let made = address.and_then(|address| {
                Heartbeat::new(label, &address, shard, self.style, &config).map_err(Error::News)
            });
            match made {
                Ok(heartbeat) => news.heartbeat = Some(Arc::new(heartbeat)),
                Err(error) => warn(label, &error),
            }
        }
        let mut webhooks = Vec::with_capacity(self.webhooks.len());
        for (label, webhook) in self.webhooks(secrets, cx).await {
            match webhook {
                Ok(webhook) => webhooks.push(webhook),
                Err(error) => warn(label, &error),
            }
        }
        news.notifier = Notifier::new(webhooks, on.or(self.on).unwrap_or_default(), &config);
        news
    }

    /// All webhooks, each with its setting.
    async fn webhooks(&self, secrets: &Secrets, cx: &Context) -> Vec<(&str, Result<Webhook, Error>)> {
        let mut webhooks = Vec::with_capacity(self.webhooks.len());
        for (service, label, source) in &self.webhooks {
            let address = reveal(secrets, label, source, cx).await;
            let webhook =
                address.and_then(|address| Webhook::new(*service, label, &address).map_err(Error::News));
            webhooks.push((label.as_str(), webhook));
        }
        webhooks
    }

    /// Sends a message to everybody who would be told of a run, and gives what became of it. The heartbeat's address is only got:
    /// a ping would count as a run.
    pub async fn try_out(&self, host: &str, secrets: &Secrets, cx: &Context) -> Vec<Tried> {
        let config = config();
        let title = self.title.clone().unwrap_or_else(|| format!("pkgferry on {host}"));
        let summary = test_message(&title, cx);
        let cx = cx.through(Arc::new(notify::gate(Access::ReadWrite, self.in_dry_run)));
        let mut tried = Vec::new();
        for (label, webhook) in self.webhooks(secrets, &cx).await {
            let outcome = match webhook {
                Ok(webhook) => {
                    let notifier = Notifier::new(vec![webhook], NotifyOn::Always, &config);
                    let announced = notifier.announce(&cx, &summary).await;
                    let failed = announced.into_iter().find_map(|announced| announced.outcome.err());
                    failed.map_or(Ok(Reached::Told), |error| Err(Error::News(error)))
                }
                Err(error) => Err(error),
            };
            tried.push(Tried { label: label.to_owned(), outcome });
        }
        if let Some((label, source)) = &self.heartbeat {
            let address = reveal(secrets, label, source, &cx).await;
            let made = address.and_then(|address| {
                Heartbeat::new(label, &address, Shard::WHOLE, self.style, &config).map_err(Error::News)
            });
            tried.push(Tried { label: label.clone(), outcome: made.map(|_| Reached::NotAsked) });
        }
        tried
    }
}

/// An address, and what became of a test message to it.
pub struct Tried {
    /// Its setting.
    pub label: String,
    /// What became of it.
    pub outcome: Result<Reached, Error>,
}

/// What became of a test message that met no error.
#[derive(Clone, Copy)]
pub enum Reached {
    /// It was taken.
    Told,
    /// The address can be used, and was not asked.
    NotAsked,
}

fn config() -> Config {
    Config {
        user_agent: concat!("pkgferry/", env!("CARGO_PKG_VERSION")).to_owned(),
        seed: std::process::id().into(),
        ..Config::default()
    }
}

/// It looks like the message of a run that had nothing to do.
fn test_message(title: &str, cx: &Context) -> Summary {
    Summary {
        title: format!("{title} (test message)"),
        run: "test".to_owned(),
        program: concat!("pkgferry ", env!("CARGO_PKG_VERSION")).to_owned(),
        mode: Mode::Real,
        started: cx.clock().now(),
        duration: Duration::ZERO,
        volume: Volume::default(),
        ending: Ending::Complete,
        failed: Vec::new(),
        unverified: Vec::new(),
        changed: Vec::new(),
        skipped: 0,
        not_begun: 0,
        report: None,
    }
}

async fn reveal(
    secrets: &Secrets,
    label: &str,
    source: &SecretSource,
    cx: &Context,
) -> Result<Secret, Error> {
    let failed = |source| Error::Secret { name: label.to_owned(), source: Box::new(source) };
    secrets.resolve(cx, source).await.map_err(failed)
}

/// Who is told of this run.
pub struct News {
    notifier: Notifier,
    heartbeat: Option<Arc<Heartbeat>>,
    /// Messages pass a gate of their own, so that they are told of in no count of requests.
    gate: Arc<Boundary>,
    title: Option<String>,
    facts: Option<Facts>,
    start: Option<JoinHandle<()>>,
}

/// What messages say of the run besides its report.
struct Facts {
    title: String,
    page: Option<FullReport>,
}

impl News {
    fn nobody(config: &Config) -> Self {
        Self {
            notifier: Notifier::new(Vec::new(), NotifyOn::default(), config),
            heartbeat: None,
            gate: Arc::new(notify::gate(Access::ReadOnly, InDryRun::Silent)),
            title: None,
            facts: None,
            start: None,
        }
    }

    /// The heartbeat is told that the run begins, beside the work.
    pub fn begin(&mut self, id: &RunId, host: &str, reports: &[PathBuf], cx: &Context) {
        let title = self.title.take().unwrap_or_else(|| format!("pkgferry on {host}"));
        let is_page = |path: &&PathBuf| matches!(Format::of(path), Ok(Format::Html));
        let page = reports.iter().find(is_page).or(reports.first());
        let page = page.map(|path| FullReport::File(path.display().to_string()));
        if let Some(heartbeat) = self.heartbeat.clone() {
            let (cx, note) = (self.context(cx), format!("{title}: run {id} begins"));
            self.start = Some(tokio::spawn(async move {
                heartbeat.ping(&cx, Signal::Start, &note).await;
            }));
        }
        self.facts = Some(Facts { title, page });
    }

    /// Everybody is told how it ended, and where the report is, if it was written.
    pub async fn end(
        self,
        report: &RunReport,
        is_written: bool,
        exit: Exit,
        broke: Option<&Error>,
        cx: &Context,
    ) {
        let cx = self.context(cx);
        let Some(Facts { title, page }) = self.facts else { return };
        let summary = summary(report, broke, title, page.filter(|_| is_written));
        if let Some(start) = self.start {
            // A panic there is told where it happens.
            let _ = start.await;
        }
        let ping = async {
            // The run that has the servers says by itself how it ends, at the same address.
            if let Some(heartbeat) = self.heartbeat.as_ref().filter(|_| exit != Exit::Busy) {
                heartbeat.ping(&cx, Signal::Exit(alarm(exit)), &notify::note(&summary)).await;
            }
        };
        tokio::join!(ping, self.notifier.announce(&cx, &summary));
    }

    fn context(&self, cx: &Context) -> Context {
        cx.through(self.gate.clone())
    }
}

/// Pending changes are what a dry run is for, and alarm nobody.
fn alarm(exit: Exit) -> u8 {
    match exit {
        Exit::ChangesPending => 0,
        other => other.code(),
    }
}

fn summary(report: &RunReport, broke: Option<&Error>, title: String, page: Option<FullReport>) -> Summary {
    let totals = report.totals();
    let with = |wanted: Status| report.packages.iter().filter(move |package| package.status == wanted);
    let took = report.updated.duration_since(report.started);
    Summary {
        title,
        run: report.id.clone(),
        program: format!("{} {}", report.program.name, report.program.version),
        mode: if report.dry_run { Mode::DryRun } else { Mode::Real },
        started: report.started,
        duration: Duration::try_from(took).unwrap_or_default(),
        volume: Volume { sent: totals.bytes_sent, saved: totals.bytes_saved, fetched: totals.bytes_fetched },
        ending: match (report.ending, broke) {
            (Some(report::Ending::Interrupted), _) => Ending::Interrupted,
            (_, Some(error)) => Ending::BrokenOff { message: in_full(error), next_step: error.hint() },
            (Some(report::Ending::Deadline), _) => Ending::DeadlineReached,
            (_, None) => Ending::Complete,
        },
        failed: with(Status::Failed)
            .chain(with(Status::Interrupted))
            .chain(with(Status::Running))
            .map(trouble)
            .collect(),
        unverified: with(Status::Unverified).map(trouble).collect(),
        changed: report.packages.iter().filter_map(changed).collect(),
        skipped: totals.skipped,
        not_begun: totals.not_begun,
        report: page,
    }
}

fn trouble(package: &PackageReport) -> Trouble {
    let causes = package.failure.iter().flat_map(|failure| &failure.causes);
    Trouble {
        package: package.name().to_owned(),
        recipe: package.recipe.clone(),
        server: package.server.clone(),
        step: package.step().map(|step| StepRef { number: step.number, processor: step.processor.clone() }),
        message: [&package.reason]
            .into_iter()
            .chain(causes)
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(": "),
        next_step: package.next_step().map(str::to_owned),
    }
}

fn changed(package: &PackageReport) -> Option<Changed> {
    let how = match package.status {
        Status::Created => How::Created,
        Status::Replaced => How::Replaced,
        Status::MetadataOnly => How::MetadataOnly,
        Status::Downloaded => How::Downloaded,
        Status::Failed
        | Status::Interrupted
        | Status::Running
        | Status::NotBegun
        | Status::Unverified
        | Status::Skipped => return None,
    };
    Some(Changed {
        package: package.name().to_owned(),
        recipe: package.recipe.clone(),
        server: package.server.clone(),
        how,
        version: package.pkg_version.clone(),
        category: None,
        reason: Some(package.reason.clone()),
    })
}
