use jiff::Timestamp;
use pipeline::{FailureKind, Outcome, PackageId, Status, StepRef};
use serde::{Deserialize, Deserializer, Serialize, de};

/// A step of a recipe: [`StepRef`], written and read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Its number in the chain, counted from 1.
    pub number: usize,
    /// The processor's name.
    pub processor: String,
}

impl From<&StepRef> for Step {
    fn from(step: &StepRef) -> Self {
        Self { number: step.number, processor: step.processor.clone() }
    }
}

/// `4 s3-upload`.
impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.number, self.processor)
    }
}

/// Which half of a run a phase belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// The step looked at the world and planned.
    Plan,
    /// The step made its changes.
    Apply,
}

/// What a phase was spent on, told by what the step planned to change and not by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PhaseKind {
    /// Asking the server, and thinking.
    Look,
    /// Reading the local file and digesting it.
    Hash,
    /// Getting credentials for an upload.
    Obtain,
    /// Sending a file.
    Send,
    /// Fetching a file.
    Fetch,
    /// Writing a record or a category.
    Record,
    /// Waiting until the server shows the right bytes.
    Prove,
    /// Anything else.
    Other,
}

/// How a phase ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PhaseResult {
    /// It did what it is for.
    Done,
    /// It planned changes.
    Planned,
    /// It did what it is for, and something is odd.
    Warned,
    /// Its work is not shown to have arrived.
    Unverified,
    /// There was nothing to do.
    Skipped,
    /// It failed.
    Failed,
}

impl PhaseResult {
    pub(crate) fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Done { .. } => Self::Done,
            Outcome::Warned { warning: pipeline::Warning::Unverified, .. } => Self::Unverified,
            Outcome::Warned { .. } => Self::Warned,
            Outcome::Skipped { .. } => Self::Skipped,
        }
    }
}

/// A stretch of time that one step took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    /// The step.
    pub step: Step,
    /// In which half of the run.
    pub stage: Stage,
    /// What the time was spent on.
    pub kind: PhaseKind,
    /// When it began.
    pub from: Timestamp,
    /// When it ended; `None` if it did not.
    #[serde(default)]
    pub to: Option<Timestamp>,
    /// How it ended; `None` if it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<PhaseResult>,
    /// What the step said in the end: its outcome, or what it plans to change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
}

/// Something that a person should look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// The step that said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Step>,
    /// What is odd.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// Why a package failed: [`runner::FailureReport`], written and read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The step that failed; none if the recipe did not get as far as steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Step>,
    /// What a caller does about it.
    pub kind: FailureKind,
    /// What failed.
    pub message: String,
    /// Why, from the nearest cause to the farthest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Everything that is wrong with the recipe, if that is why; `message` then says the same in one line, without hints.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
}

impl From<&runner::FailureReport> for Failure {
    fn from(failure: &runner::FailureReport) -> Self {
        Self {
            step: failure.step.as_ref().map(Step::from),
            kind: failure.kind,
            message: match failure.faults.as_slice() {
                [] => failure.message.clone(),
                faults => in_one_line(faults),
            },
            causes: failure.causes.clone(),
            hint: failure.hint.clone(),
            faults: failure.faults.iter().map(Fault::from).collect(),
        }
    }
}

/// `App.recipe:7:14: step 9: unknown processor; and 2 more faults`.
fn in_one_line(faults: &[runner::FaultReport]) -> String {
    const SHOWN: usize = 3;
    let mut parts: Vec<String> =
        faults.iter().take(SHOWN).map(|fault| Fault::from(fault).sentence()).collect();
    match faults.len().saturating_sub(SHOWN) {
        0 => {}
        1 => parts.push("and 1 more fault".to_owned()),
        more => parts.push(format!("and {more} more faults")),
    }
    parts.join("; ")
}

/// One thing that is wrong with a recipe, and where: [`runner::FaultReport`], written and read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The file; none for what comes from settings or the command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line, counted from 1, where the format has lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The column, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u64>,
    /// The step that it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Step>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Fault {
    /// `file:line:column`, as far as known.
    #[must_use]
    pub fn place(&self) -> Option<String> {
        let mut place = self.file.clone()?;
        for number in [self.line, self.column].into_iter().map_while(|number| number) {
            place.push_str(&format!(":{number}"));
        }
        Some(place)
    }

    /// What is wrong, and where, without the hint.
    fn sentence(&self) -> String {
        let place = self.place().map(|place| format!("{place}: ")).unwrap_or_default();
        let step = self.step.as_ref().map(|step| format!("step {}: ", step.number)).unwrap_or_default();
        format!("{place}{step}{}", self.message)
    }
}

impl From<&runner::FaultReport> for Fault {
    fn from(fault: &runner::FaultReport) -> Self {
        Self {
            file: fault.file.as_ref().map(|file| file.display().to_string()),
            line: fault.line,
            column: fault.column,
            step: fault.step.as_ref().map(Step::from),
            message: fault.message.clone(),
            hint: fault.hint.clone(),
        }
    }
}

/// What came of one package on one server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageReport {
    /// The recipe, as it was asked for.
    pub recipe: String,
    /// The recipe's identifier, if it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identifier: Option<String>,
    /// The server, by its name in the settings, or by address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// The name of the file, in the server's spelling if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The version of what is in the package, if the recipe says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pkg_version: Option<String>,
    /// What is in the package, by the recipe's `NAME`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// The category of its record, if the recipe says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// The display name of its record, if the recipe says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The local file, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_path: Option<String>,
    /// The id of its record, if known.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "package_id")]
    pub package_id: Option<PackageId>,
    /// In one word.
    pub status: Status,
    /// Why, in words.
    pub reason: String,
    /// Bytes of the file that this run sent. In reports of version 1, those that earlier runs had sent are among them.
    #[serde(default)]
    pub bytes_sent: u64,
    /// Bytes of the file that an earlier run had sent, and that this run went on with.
    #[serde(default)]
    pub bytes_resumed: u64,
    /// Bytes of the file that were fetched.
    #[serde(default)]
    pub bytes_fetched: u64,
    /// Bytes that the server had already, and that were not sent for that reason.
    #[serde(default)]
    pub bytes_saved: u64,
    /// Where on this machine a fetched file went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fetched_to: Option<String>,
    /// When its turn came.
    #[serde(default)]
    pub started: Option<Timestamp>,
    /// When it was over.
    #[serde(default)]
    pub finished: Option<Timestamp>,
    /// What took how long, in the order of time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phases: Vec<Phase>,
    /// What a person should look at, also where all went well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// The run that this comes from; in merged reports only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Other runs of a merged report that worked on the same package, which shards of one list never do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also_in: Vec<String>,
}

impl PackageReport {
    /// What version 1 called failed and this one does not.
    pub(crate) fn of_version_1(&mut self) {
        let kind = self.failure.as_ref().map(|failure| failure.kind);
        if self.status == Status::Failed && kind == Some(FailureKind::Interrupted) {
            self.status = Status::Interrupted;
        }
    }

    /// What a person calls it: the file, or where none is known, the recipe.
    #[must_use]
    pub fn name(&self) -> &str {
        self.file.as_deref().unwrap_or(&self.recipe)
    }

    /// What to do next, if something has to be done: about the failure, or about the doubt.
    #[must_use]
    pub fn next_step(&self) -> Option<&str> {
        match (&self.failure, self.status) {
            (Some(failure), _) => failure
                .hint
                .as_deref()
                .or_else(|| failure.faults.iter().find_map(|fault| fault.hint.as_deref())),
            (None, Status::Unverified) => {
                // The reason is the message of the doubt; its hint is the one that mends it.
                let doubt = self.warnings.iter().rev().find(|warning| warning.message == self.reason);
                doubt.and_then(|warning| warning.hint.as_deref())
            }
            (None, _) => None,
        }
    }

    /// Its warnings without the one that is the reason already.
    pub fn other_warnings(&self) -> impl Iterator<Item = &Warning> {
        let is_reason =
            |warning: &Warning| self.status == Status::Unverified && warning.message == self.reason;
        self.warnings.iter().filter(move |warning| !is_reason(warning))
    }

    /// What came of it in a sentence of its own, for where the status does not stand beside it: `unverified: …`.
    pub(crate) fn sentence(&self) -> String {
        match self.status {
            Status::Failed | Status::Interrupted | Status::Skipped => self.reason.clone(),
            status => format!("{}: {}", status.final_word(), self.reason),
        }
    }

    /// The step where it failed, or was when last heard of.
    #[must_use]
    pub fn step(&self) -> Option<&Step> {
        match (&self.failure, self.status) {
            (Some(failure), _) => failure.step.as_ref(),
            (None, Status::Running) => self.phases.last().map(|phase| &phase.step),
            (None, Status::Unverified) => self
                .phases
                .iter()
                .rev()
                .find(|phase| phase.result == Some(PhaseResult::Unverified))
                .map(|phase| &phase.step),
            (None, _) => None,
        }
    }
}

fn package_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PackageId>, D::Error> {
    let number = Option::<u64>::deserialize(deserializer)?;
    number.map(PackageId::try_from).transpose().map_err(de::Error::custom)
}
