use crate::stage::{Stage, bytes};
use insta::assert_snapshot;
use jamf::Sessions;
use pipeline::{
    Access, Boundary, Context, Env, Failure, FailureKind, Origin, Plan, Processor as _, Silent, Value, keys,
};
use s3_upload::{S3Upload, Work};
use std::path::PathBuf;
use std::sync::Arc;

async fn plan(stage: &Stage, env: &Env) -> Result<Plan<Work>, Failure> {
    let boundary = Arc::new(Boundary::new(Access::ReadOnly));
    let cx = Context::new(stage.clock.clone(), boundary, Arc::new(Silent), stage.cancel.clone());
    S3Upload::new(
        Arc::new(Sessions::new(jamf::Config::default()).unwrap()),
        s3_upload::Memory::of_one_run().unwrap(),
    )
    .plan(env, &cx)
    .await
}

fn shown(plan: Plan<Work>) -> String {
    let uploaded = plan.outputs().from_step(1).need(keys::PKG_UPLOADED).unwrap();
    match plan {
        Plan::Settled { outcome, .. } => format!("{outcome} [{uploaded}]"),
        Plan::Pending { changes, .. } => format!("{} {} [{uploaded}]", changes[0], changes[0].bytes),
    }
}

fn with(mut env: Env, entries: &[(&str, &str)]) -> Env {
    for (name, text) in entries {
        env.insert(name, Value::String((*text).to_owned()), Origin::CommandLine, false);
    }
    env
}

#[tokio::test]
async fn the_same_file_is_not_sent_and_nothing_is_asked() {
    let stage = Stage::open().await;
    let same = [("verdict", "same"), ("verdict_reason", "same size, MD5 and SHA3-512")];
    let env = with(stage.env("App.pkg", b"x"), &same);
    std::fs::remove_file(stage.path()).unwrap();
    assert_snapshot!(shown(plan(&stage, &env).await.unwrap()), @"skipped: same size, MD5 and SHA3-512 [false]");
    assert_eq!(stage.sandbox.journal(), []);
}

#[tokio::test]
async fn a_plan_says_what_it_would_replace_and_why() {
    let stage = Stage::open().await;
    let env = stage.env("App.pkg", b"new bytes");
    assert_snapshot!(shown(plan(&stage, &env).await.unwrap()), @"create file App.pkg 9 [true]");
    stage.sandbox.put_file("App.pkg", b"old");
    let env = with(env, &[("verdict", "different"), ("verdict_reason", "size differs")]);
    assert_snapshot!(shown(plan(&stage, &env).await.unwrap()), @"replace file App.pkg (size differs) 9 [true]");
}

#[tokio::test]
async fn two_spellings_are_for_a_person_to_sort_out() {
    let stage = Stage::open().await;
    stage.sandbox.put_file("B\u{fc}ro.pkg", b"one");
    stage.sandbox.put_file("Bu\u{308}ro.pkg", b"other");
    let refused = async |asked| {
        let failure = plan(&stage, &stage.env(asked, b"new bytes")).await.unwrap_err();
        crate::stage::failed(&failure)
    };
    assert_snapshot!(refused("B\u{fc}ro.pkg").await, @r#"
    the distribution service lists 2 files whose names differ only in how their characters are encoded: B\u{fc}ro.pkg, Bu\u{308}ro.pkg; nothing was deleted or put in place
    hint: find out which of these files the package record serves, and delete the others; then run again
    Remote
    "#);
    assert_eq!(refused("Bu\u{308}ro.pkg").await, refused("B\u{fc}ro.pkg").await, "whichever was asked for");
}

#[tokio::test]
async fn what_cannot_work_is_told_by_the_plan() {
    let stage = Stage::open().await;
    let failed = async |env: Env| {
        let failure = plan(&stage, &env).await.unwrap_err();
        failure.to_string().replace(&stage.path().display().to_string(), "local.pkg")
    };
    let good = || stage.env("App.pkg", &bytes(1, 10));
    assert_snapshot!(failed(with(good(), &[("upload_concurrency", "0")])).await, @r#"upload_concurrency (from -k) has the wrong type: string "0" is not auto, or a whole number from 1 to 32"#);
    assert_snapshot!(failed(with(good(), &[("part_size_mib", "5")])).await, @r#"part_size_mib (from -k) has the wrong type: string "5" is not a whole number of MiB from 8 to 5120"#);
    assert_snapshot!(failed(with(good(), &[("PKGFERRY_S3_ENDPOINT", "http://s3.example.com")])).await, @"PKGFERRY_S3_ENDPOINT http://s3.example.com cannot be used: plain http is for this machine only; use https");
    assert_snapshot!(failed(stage.env("App.pkg", b"")).await, @"local.pkg is empty");
    // A sparse file costs nothing.
    let env = good();
    std::fs::File::create(stage.path()).unwrap().set_len((5 << 40) + 1).unwrap();
    assert_snapshot!(failed(env).await, @"local.pkg is too large: it has 5497558138881 bytes, and S3 takes 5497558138880");
}

/// A file that has a size and cannot be opened. No mode keeps root out, but the kernel's write-only files do.
fn unreadable(stage: &Stage) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let closed = stage.path();
    std::fs::write(&closed, b"closed").unwrap();
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o000)).unwrap();
    let buses = std::fs::read_dir("/sys/bus").into_iter().flatten().flatten();
    let write_only = buses.map(|bus| bus.path().join("drivers_probe"));
    let mut files = std::iter::once(closed).chain(write_only);
    // Where there is none, root can open everything: run as another user.
    files.find(|file| file.is_file() && std::fs::File::open(file).is_err()).unwrap()
}

#[tokio::test]
async fn a_file_that_may_not_be_read_fails_the_plan() {
    let stage = Stage::open().await;
    let mut env = stage.env("App.pkg", b"x");
    let path = unreadable(&stage);
    env.set(keys::PKG_PATH, path.clone(), Origin::CommandLine);
    let failure = plan(&stage, &env).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Local);
    let shown = failure.to_string().replace(&path.display().to_string(), "local.pkg");
    assert_snapshot!(shown, @"cannot read local.pkg: Permission denied (os error 13)");
    assert_eq!(stage.sandbox.journal(), []);
}
