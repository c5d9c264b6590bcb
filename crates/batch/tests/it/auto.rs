//! What schedulers put into the environment of a job, and what is made of it.

use batch::{Detected, Error, Scheduler, detect_shard};
use pipeline::{Diagnose as _, Shard, causes};
use proptest::prelude::*;

/// The environment from `NAME=value` words.
fn detect(environment: &str) -> Result<Option<Detected>, Error> {
    let variables: Vec<_> = environment.split_whitespace().filter_map(|word| word.split_once('=')).collect();
    detect_shard(|name| {
        variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| (*value).to_owned())
    })
}

fn shard(environment: &str) -> String {
    match detect(environment) {
        Ok(Some(Detected { shard, scheduler })) => format!("{shard} {scheduler}"),
        Ok(None) => "none".to_owned(),
        Err(error) => {
            let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
            format!("{}{hint}", causes(&error).collect::<Vec<_>>().join(": "))
        }
    }
}

#[test]
fn whole_environments() {
    assert_eq!(shard(""), "none");
    assert_eq!(shard("PATH=/bin HOME=/root"), "none");
    assert_eq!(shard("GITHUB_ACTIONS=true PKGFERRY_SHARD=2/3"), "2/3 PKGFERRY_SHARD");
    assert_eq!(shard("PKGFERRY_SHARD=2/3"), "2/3 PKGFERRY_SHARD");
    assert_eq!(shard("JOB_COMPLETION_INDEX=0 PKGFERRY_SHARD_COUNT=4"), "1/4 Kubernetes");
    assert_eq!(shard("JOB_COMPLETION_INDEX=3 PKGFERRY_SHARD_COUNT=4"), "4/4 Kubernetes");
    assert_eq!(shard("CI_NODE_INDEX=1 CI_NODE_TOTAL=3"), "1/3 GitLab CI");
    assert_eq!(shard("CI_NODE_INDEX=3 CI_NODE_TOTAL=3"), "3/3 GitLab CI");
    assert_eq!(shard("AWS_BATCH_JOB_ARRAY_INDEX=9 AWS_BATCH_JOB_ARRAY_SIZE=10"), "10/10 AWS Batch");
    assert_eq!(shard("AWS_BATCH_JOB_ARRAY_INDEX=0 PKGFERRY_SHARD_COUNT=2"), "1/2 AWS Batch");
    let slurm =
        "SLURM_ARRAY_TASK_COUNT=4 SLURM_ARRAY_TASK_MIN=2 SLURM_ARRAY_TASK_MAX=8 SLURM_ARRAY_TASK_STEP=2";
    assert_eq!(shard(&format!("{slurm} SLURM_ARRAY_TASK_ID=2 SLURM_ARRAY_JOB_ID=7")), "1/4 Slurm");
    assert_eq!(shard(&format!("{slurm} SLURM_ARRAY_TASK_ID=8")), "4/4 Slurm");
    let slurm = "SLURM_ARRAY_TASK_COUNT=3 SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_MAX=2";
    assert_eq!(shard(&format!("{slurm} SLURM_ARRAY_TASK_ID=1")), "2/3 Slurm");
    assert_eq!(
        detect("CI_NODE_INDEX=2 CI_NODE_TOTAL=2").unwrap().map(|d| d.scheduler),
        Some(Scheduler::GitLab)
    );
}

/// A job without `parallel:` has a total of 1 and no index; an empty variable is none.
#[test]
fn what_names_no_shard() {
    assert_eq!(shard("CI_NODE_TOTAL=1"), "none");
    assert_eq!(shard("CI_NODE_TOTAL= CI_NODE_INDEX= PKGFERRY_SHARD= JOB_COMPLETION_INDEX="), "none");
}

/// Each job of a matrix would carry everything.
#[test]
fn github_tells_no_shard_by_itself() {
    insta::assert_snapshot!(shard("GITHUB_ACTIONS=true"), @"GitHub Actions does not tell a job which of its matrix it is, and PKGFERRY_SHARD is not set; set it in the job's env, with the matrix `shard: [1, 2, 3]`: PKGFERRY_SHARD: ${{ matrix.shard }}/${{ strategy.job-total }}; `pkgferry schedule github-actions` writes it so");
}

#[test]
fn halves_name_the_variables() {
    insta::assert_snapshot!(shard("JOB_COMPLETION_INDEX=0"), @"Kubernetes sets JOB_COMPLETION_INDEX, but PKGFERRY_SHARD_COUNT is not set; set PKGFERRY_SHARD_COUNT to the Job's `completions`; `pkgferry schedule kubernetes` writes it so");
    insta::assert_snapshot!(shard("CI_NODE_INDEX=1"), @"GitLab CI sets CI_NODE_INDEX, but CI_NODE_TOTAL is not set; say --shard K/N");
    insta::assert_snapshot!(shard("CI_NODE_TOTAL=3"), @"GitLab CI sets CI_NODE_TOTAL, but CI_NODE_INDEX is not set; say --shard K/N");
    insta::assert_snapshot!(shard("AWS_BATCH_JOB_ARRAY_INDEX=1"), @"AWS Batch sets AWS_BATCH_JOB_ARRAY_INDEX, but AWS_BATCH_JOB_ARRAY_SIZE is not set; say --shard K/N");
    insta::assert_snapshot!(shard("AWS_BATCH_JOB_ARRAY_SIZE=2"), @"AWS Batch sets AWS_BATCH_JOB_ARRAY_SIZE, but AWS_BATCH_JOB_ARRAY_INDEX is not set; say --shard K/N");
    insta::assert_snapshot!(shard("SLURM_ARRAY_TASK_ID=1"), @"Slurm sets SLURM_ARRAY_TASK_ID, but SLURM_ARRAY_TASK_COUNT is not set; say --shard K/N");
    insta::assert_snapshot!(shard("SLURM_ARRAY_TASK_MAX=1"), @"Slurm sets SLURM_ARRAY_TASK_MAX, but SLURM_ARRAY_TASK_ID is not set; say --shard K/N");
    insta::assert_snapshot!(shard("PKGFERRY_SHARD_COUNT=3"), @"PKGFERRY_SHARD_COUNT is set, but neither JOB_COMPLETION_INDEX nor AWS_BATCH_JOB_ARRAY_INDEX says which shard this is; say --shard K/N");
}

#[test]
fn contradictions_name_the_variables() {
    insta::assert_snapshot!(shard("PKGFERRY_SHARD=1/3 CI_NODE_INDEX=2 CI_NODE_TOTAL=3"), @"PKGFERRY_SHARD says that this is shard 1/3, and CI_NODE_INDEX with CI_NODE_TOTAL says 2/3; unset one of them, or say --shard K/N");
    insta::assert_snapshot!(shard("JOB_COMPLETION_INDEX=0 PKGFERRY_SHARD_COUNT=3 AWS_BATCH_JOB_ARRAY_INDEX=0 AWS_BATCH_JOB_ARRAY_SIZE=2"), @"JOB_COMPLETION_INDEX with PKGFERRY_SHARD_COUNT says that this is shard 1/3, and AWS_BATCH_JOB_ARRAY_INDEX with AWS_BATCH_JOB_ARRAY_SIZE says 1/2; unset one of them, or say --shard K/N");
    insta::assert_snapshot!(shard("CI_NODE_INDEX=2 CI_NODE_TOTAL=3 PKGFERRY_SHARD_COUNT=4"), @"PKGFERRY_SHARD_COUNT is 4, but CI_NODE_INDEX with CI_NODE_TOTAL say that this is shard 2/3; unset one of them, or say --shard K/N");
    assert_eq!(shard("PKGFERRY_SHARD=2/3 CI_NODE_INDEX=2 CI_NODE_TOTAL=3"), "2/3 PKGFERRY_SHARD");
}

#[test]
fn what_is_no_number_or_out_of_range() {
    insta::assert_snapshot!(shard("PKGFERRY_SHARD=2"), @r#"the variable PKGFERRY_SHARD: "2" is no shard: it takes the form K/N, such as 2/5"#);
    insta::assert_snapshot!(shard("CI_NODE_INDEX=one CI_NODE_TOTAL=3"), @r#"the variable CI_NODE_INDEX is "one", not a number; say --shard K/N"#);
    insta::assert_snapshot!(shard("CI_NODE_INDEX=0 CI_NODE_TOTAL=3"), @"CI_NODE_INDEX is 0 and CI_NODE_TOTAL is 3: there is no such shard; say --shard K/N");
    insta::assert_snapshot!(shard("JOB_COMPLETION_INDEX=3 PKGFERRY_SHARD_COUNT=3"), @"JOB_COMPLETION_INDEX is 3 and PKGFERRY_SHARD_COUNT is 3: there is no such shard; say --shard K/N");
    insta::assert_snapshot!(shard("AWS_BATCH_JOB_ARRAY_INDEX=4294967295 AWS_BATCH_JOB_ARRAY_SIZE=4294967295"), @"AWS_BATCH_JOB_ARRAY_INDEX is 4294967295 and AWS_BATCH_JOB_ARRAY_SIZE is 4294967295: there is no such shard; say --shard K/N");
    insta::assert_snapshot!(
        shard("SLURM_ARRAY_TASK_ID=3 SLURM_ARRAY_TASK_COUNT=3 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_MAX=9 SLURM_ARRAY_TASK_STEP=1"),
        @"the job array has SLURM_ARRAY_TASK_COUNT=3 tasks, which are not every 1th from SLURM_ARRAY_TASK_MIN=1 to SLURM_ARRAY_TASK_MAX=9; number the tasks from 1 without gaps, such as --array=1-5"
    );
    insta::assert_snapshot!(
        shard("SLURM_ARRAY_TASK_ID=3 SLURM_ARRAY_TASK_COUNT=4 SLURM_ARRAY_TASK_MIN=2 SLURM_ARRAY_TASK_MAX=8 SLURM_ARRAY_TASK_STEP=2"),
        @"SLURM_ARRAY_TASK_ID is 3 and SLURM_ARRAY_TASK_COUNT is 4: there is no such shard; say --shard K/N"
    );
}

const NAMES: &[&str] = &[
    "PKGFERRY_SHARD",
    "PKGFERRY_SHARD_COUNT",
    "JOB_COMPLETION_INDEX",
    "CI_NODE_INDEX",
    "CI_NODE_TOTAL",
    "AWS_BATCH_JOB_ARRAY_INDEX",
    "AWS_BATCH_JOB_ARRAY_SIZE",
    "SLURM_ARRAY_TASK_ID",
    "SLURM_ARRAY_TASK_COUNT",
    "SLURM_ARRAY_TASK_MIN",
    "SLURM_ARRAY_TASK_MAX",
    "SLURM_ARRAY_TASK_STEP",
];

const VALUES: &[&str] =
    &["0", "1", "2", "3", "4", "0/0", "1/1", "1/3", "2/3", "3/2", "4294967295", "4294967296", "-1", "x", ""];

proptest! {
    #[test]
    fn never_panics(values in prop::collection::vec(prop::option::of(prop::sample::select(VALUES)), 12)) {
        let result = detect_shard(|name| {
            let at = NAMES.iter().position(|known| *known == name)?;
            values[at].map(str::to_owned)
        });
        match result {
            Ok(_) => {}
            Err(error) => prop_assert!(NAMES.iter().any(|name| error.to_string().contains(name)), "{error}"),
        }
    }

    /// Every task of a job array is another shard, and together they are all.
    #[test]
    fn tasks_of_slurm_are_all_shards(min in 0_u32..50, step in 1_u32..9, count in 1_u32..30) {
        let max = min + step * (count - 1);
        let shards: Vec<_> = (0..count)
            .map(|task| {
                let id = min + step * task;
                let environment = format!(
                    "SLURM_ARRAY_TASK_ID={id} SLURM_ARRAY_TASK_COUNT={count} SLURM_ARRAY_TASK_MIN={min} \
                     SLURM_ARRAY_TASK_MAX={max} SLURM_ARRAY_TASK_STEP={step}"
                );
                detect(&environment).unwrap().unwrap().shard
            })
            .collect();
        let all: Vec<_> = (1..=count).map(|index| Shard::new(index, count).unwrap()).collect();
        prop_assert_eq!(shards, all);
    }
}
