//! Which shard this is, from what schedulers put into the environment of a job.

use pipeline::{Diagnose, FailureKind, InvalidShard, Shard, digits};
use std::fmt;

/// The variable that names a shard outright, as `K/N`. The workflow for GitHub Actions sets it from its matrix.
pub const SHARD: &str = "PKGFERRY_SHARD";
/// The variable that says how many shards there are where the scheduler tells only which one this is. The manifest for
/// Kubernetes sets it.
pub const SHARD_COUNT: &str = "PKGFERRY_SHARD_COUNT";

// https://docs.github.com/en/actions/reference/workflows-and-actions/variables
const GITHUB: &str = "GITHUB_ACTIONS";
// https://kubernetes.io/docs/concepts/workloads/controllers/job/#completion-mode
const KUBERNETES_INDEX: &str = "JOB_COMPLETION_INDEX";
// https://docs.gitlab.com/ci/variables/predefined_variables/
const GITLAB_INDEX: &str = "CI_NODE_INDEX";
const GITLAB_TOTAL: &str = "CI_NODE_TOTAL";
// https://docs.aws.amazon.com/batch/latest/userguide/job_env_vars.html
const AWS_INDEX: &str = "AWS_BATCH_JOB_ARRAY_INDEX";
const AWS_SIZE: &str = "AWS_BATCH_JOB_ARRAY_SIZE";
// https://slurm.schedmd.com/job_array.html
const SLURM_ID: &str = "SLURM_ARRAY_TASK_ID";
const SLURM_COUNT: &str = "SLURM_ARRAY_TASK_COUNT";
const SLURM_MIN: &str = "SLURM_ARRAY_TASK_MIN";
const SLURM_MAX: &str = "SLURM_ARRAY_TASK_MAX";
const SLURM_STEP: &str = "SLURM_ARRAY_TASK_STEP";

/// Who named a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheduler {
    /// Whoever set [`SHARD`].
    Variable,
    /// An Indexed Job of Kubernetes.
    Kubernetes,
    /// A parallel job of GitLab CI.
    GitLab,
    /// An array job of AWS Batch.
    AwsBatch,
    /// A job array of Slurm.
    Slurm,
}

impl fmt::Display for Scheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Variable => SHARD,
            Self::Kubernetes => "Kubernetes",
            Self::GitLab => "GitLab CI",
            Self::AwsBatch => "AWS Batch",
            Self::Slurm => "Slurm",
        })
    }
}

/// A shard that the environment names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detected {
    /// Which.
    pub shard: Shard,
    /// Who named it.
    pub scheduler: Scheduler,
}

/// The environment names no shard that can be relied on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// [`SHARD`] has the wrong form.
    #[error("the variable {SHARD}")]
    Shard(#[source] InvalidShard),
    /// A variable is no number.
    #[error("the variable {variable} is {value:?}, not a number")]
    NotANumber {
        /// Its name.
        variable: &'static str,
        /// Its value.
        value: String,
    },
    /// One variable of a pair is there, the other is not.
    #[error("{scheduler} sets {set}, but {missing} is not set")]
    Half {
        /// Who sets them.
        scheduler: Scheduler,
        /// The variable that is there.
        set: &'static str,
        /// The variable that is not.
        missing: &'static str,
    },
    /// [`SHARD_COUNT`] is there, and no scheduler says which shard this is.
    #[error("{SHARD_COUNT} is set, but neither {KUBERNETES_INDEX} nor {AWS_INDEX} says which shard this is")]
    CountOnly,
    /// GitHub tells a job nothing of its matrix. Each of the jobs would take all packages.
    #[error("GitHub Actions does not tell a job which of its matrix it is, and {SHARD} is not set")]
    Matrix,
    /// The number does not fit the count.
    #[error("{index_variable} is {index} and {count_variable} is {count}: there is no such shard")]
    Range {
        /// The variable that says which shard this is.
        index_variable: &'static str,
        /// Its value.
        index: u32,
        /// The variable that says how many there are.
        count_variable: &'static str,
        /// Its value.
        count: u32,
    },
    /// A job array of Slurm with gaps of different width: its tasks cannot be numbered from one of them.
    #[error(
        "the job array has {SLURM_COUNT}={count} tasks, which are not every {step}th from {SLURM_MIN}={min} to \
         {SLURM_MAX}={max}"
    )]
    IrregularArray {
        /// How many tasks there are.
        count: u32,
        /// The lowest.
        min: u32,
        /// The highest.
        max: u32,
        /// From one to the next.
        step: u32,
    },
    /// Two sources name different shards.
    #[error("{first} says that this is shard {first_shard}, and {second} says {second_shard}")]
    Conflict {
        /// Variables of the first.
        first: &'static str,
        /// Its shard.
        first_shard: Shard,
        /// Variables of the second.
        second: &'static str,
        /// Its shard.
        second_shard: Shard,
    },
    /// [`SHARD_COUNT`] contradicts the count of a scheduler that tells it.
    #[error("{SHARD_COUNT} is {count}, but {variables} say that this is shard {shard}")]
    Count {
        /// The value of [`SHARD_COUNT`].
        count: u32,
        /// The other variables.
        variables: &'static str,
        /// What they say.
        shard: Shard,
    },
}

impl Diagnose for Error {
    fn kind(&self) -> FailureKind {
        FailureKind::Recipe
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Half { scheduler: Scheduler::Kubernetes, .. } => format!(
                "set {SHARD_COUNT} to the Job's `completions`; `pkgferry schedule kubernetes` writes it so"
            ),
            Self::Matrix => format!(
                "set it in the job's env, with the matrix `shard: [1, 2, 3]`: {SHARD}: ${{{{ matrix.shard }}}}/${{{{ \
                 strategy.job-total }}}}; `pkgferry schedule github-actions` writes it so"
            ),
            Self::IrregularArray { .. } => {
                "number the tasks from 1 without gaps, such as --array=1-5".to_owned()
            }
            Self::Conflict { .. } | Self::Count { .. } => "unset one of them, or say --shard K/N".to_owned(),
            Self::Half { .. } | Self::CountOnly | Self::NotANumber { .. } | Self::Range { .. } => {
                "say --shard K/N".to_owned()
            }
            Self::Shard(_) => return None,
        })
    }
}

/// What one source says, and in which variables.
struct Said {
    scheduler: Scheduler,
    variables: &'static str,
    shard: Shard,
}

/// The shard that the scheduler's environment names; `None` where it names none, which means all packages. `lookup`
/// gives the value of a variable; an empty one counts as not set.
///
/// | scheduler | this one | of how many |
/// |---|---|---|
/// | any, such as a GitHub Actions matrix | `PKGFERRY_SHARD=K/N` | |
/// | Kubernetes Indexed Job | `JOB_COMPLETION_INDEX`, from 0 | `PKGFERRY_SHARD_COUNT`: Kubernetes tells no count |
/// | GitLab CI `parallel:` | `CI_NODE_INDEX`, from 1 | `CI_NODE_TOTAL` |
/// | AWS Batch array | `AWS_BATCH_JOB_ARRAY_INDEX`, from 0 | `AWS_BATCH_JOB_ARRAY_SIZE`, else `PKGFERRY_SHARD_COUNT` |
/// | Slurm array | `SLURM_ARRAY_TASK_ID`, `…_MIN`, `…_MAX`, `…_STEP` | `SLURM_ARRAY_TASK_COUNT` |
///
/// # Errors
/// When a value is no number or out of range, when half of a pair is missing, when two schedulers contradict each
/// other, or in a job of GitHub Actions without `PKGFERRY_SHARD`; the message names the variables.
pub fn detect_shard(lookup: impl Fn(&str) -> Option<String>) -> Result<Option<Detected>, Error> {
    let variables = Variables(&lookup);
    let named = variables.text(SHARD).map(|text| text.parse().map_err(Error::Shard)).transpose()?;
    let named = named.map(|shard| Said { scheduler: Scheduler::Variable, variables: SHARD, shard });
    let sources =
        [named, variables.kubernetes()?, variables.gitlab()?, variables.aws_batch()?, variables.slurm()?];
    let mut said = sources.into_iter().flatten();
    let Some(first) = said.next() else {
        return match (variables.text(SHARD_COUNT), variables.text(GITHUB)) {
            (Some(_), _) => Err(Error::CountOnly),
            (None, Some(_)) => Err(Error::Matrix),
            (None, None) => Ok(None),
        };
    };
    if let Some(second) = said.find(|second| second.shard != first.shard) {
        return Err(Error::Conflict {
            first: first.variables,
            first_shard: first.shard,
            second: second.variables,
            second_shard: second.shard,
        });
    }
    match variables.number(SHARD_COUNT)? {
        Some(count) if count != first.shard.count() => {
            Err(Error::Count { count, variables: first.variables, shard: first.shard })
        }
        _ => Ok(Some(Detected { shard: first.shard, scheduler: first.scheduler })),
    }
}

struct Variables<'l>(&'l dyn Fn(&str) -> Option<String>);

impl Variables<'_> {
    fn text(&self, name: &str) -> Option<String> {
        (self.0)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    fn number(&self, variable: &'static str) -> Result<Option<u32>, Error> {
        let Some(value) = self.text(variable) else { return Ok(None) };
        match digits(&value) {
            Some(number) => Ok(Some(number)),
            None => Err(Error::NotANumber { variable, value }),
        }
    }

    fn kubernetes(&self) -> Result<Option<Said>, Error> {
        let scheduler = Scheduler::Kubernetes;
        let Some(index) = self.number(KUBERNETES_INDEX)? else { return Ok(None) };
        let missing = Error::Half { scheduler, set: KUBERNETES_INDEX, missing: SHARD_COUNT };
        let count = self.number(SHARD_COUNT)?.ok_or(missing)?;
        let shard = from_zero((KUBERNETES_INDEX, index), (SHARD_COUNT, count))?;
        Ok(Some(Said { scheduler, variables: "JOB_COMPLETION_INDEX with PKGFERRY_SHARD_COUNT", shard }))
    }

    fn gitlab(&self) -> Result<Option<Said>, Error> {
        let scheduler = Scheduler::GitLab;
        let half = |set, missing| Error::Half { scheduler, set, missing };
        let (index, count) = match (self.number(GITLAB_INDEX)?, self.number(GITLAB_TOTAL)?) {
            (Some(index), Some(count)) => (index, count),
            // A job without `parallel:` has a total of 1 and no index.
            (None, None | Some(1)) => return Ok(None),
            (None, Some(_)) => return Err(half(GITLAB_TOTAL, GITLAB_INDEX)),
            (Some(_), None) => return Err(half(GITLAB_INDEX, GITLAB_TOTAL)),
        };
        let shard = Shard::new(index, count).map_err(|_| Error::Range {
            index_variable: GITLAB_INDEX,
            index,
            count_variable: GITLAB_TOTAL,
            count,
        })?;
        Ok(Some(Said { scheduler, variables: "CI_NODE_INDEX with CI_NODE_TOTAL", shard }))
    }

    fn aws_batch(&self) -> Result<Option<Said>, Error> {
        let scheduler = Scheduler::AwsBatch;
        let size = self.number(AWS_SIZE)?;
        let Some(index) = self.number(AWS_INDEX)? else {
            let half = Error::Half { scheduler, set: AWS_SIZE, missing: AWS_INDEX };
            return size.map_or(Ok(None), |_| Err(half));
        };
        let (count, variables) = match (size, self.number(SHARD_COUNT)?) {
            (Some(size), _) => ((AWS_SIZE, size), "AWS_BATCH_JOB_ARRAY_INDEX with AWS_BATCH_JOB_ARRAY_SIZE"),
            (None, Some(count)) => {
                ((SHARD_COUNT, count), "AWS_BATCH_JOB_ARRAY_INDEX with PKGFERRY_SHARD_COUNT")
            }
            (None, None) => return Err(Error::Half { scheduler, set: AWS_INDEX, missing: AWS_SIZE }),
        };
        let shard = from_zero((AWS_INDEX, index), count)?;
        Ok(Some(Said { scheduler, variables, shard }))
    }

    fn slurm(&self) -> Result<Option<Said>, Error> {
        let scheduler = Scheduler::Slurm;
        let names = [SLURM_ID, SLURM_COUNT, SLURM_MIN, SLURM_MAX, SLURM_STEP];
        let Some(set) = names.into_iter().find(|name| self.text(name).is_some()) else { return Ok(None) };
        let need = |missing| self.number(missing)?.ok_or(Error::Half { scheduler, set, missing });
        let [id, count, min, max] = [need(SLURM_ID)?, need(SLURM_COUNT)?, need(SLURM_MIN)?, need(SLURM_MAX)?];
        let step = self.number(SLURM_STEP)?.unwrap_or(1);
        // `--array=1,2,9` has tasks that nothing in the environment puts in order, and so have ranges joined by commas.
        let regular = step > 0
            && max
                .checked_sub(min)
                .is_some_and(|span| span % step == 0 && Some(span / step) == count.checked_sub(1));
        if !regular {
            return Err(Error::IrregularArray { count, min, max, step });
        }
        let range = Error::Range { index_variable: SLURM_ID, index: id, count_variable: SLURM_COUNT, count };
        let offset = id.checked_sub(min).filter(|offset| offset % step == 0).ok_or(range.clone())?;
        let shard =
            (offset / step).checked_add(1).and_then(|index| Shard::new(index, count).ok()).ok_or(range)?;
        Ok(Some(Said { scheduler, variables: "SLURM_ARRAY_TASK_ID with SLURM_ARRAY_TASK_COUNT", shard }))
    }
}

/// A shard whose scheduler counts from zero.
fn from_zero(
    (index_variable, index): (&'static str, u32),
    (count_variable, count): (&'static str, u32),
) -> Result<Shard, Error> {
    let range = Error::Range { index_variable, index, count_variable, count };
    index.checked_add(1).and_then(|index| Shard::new(index, count).ok()).ok_or(range)
}
