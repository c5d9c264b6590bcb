use pipeline::{Access, Boundary, Effect, Failure, FailureKind, Traffic};
use proptest::prelude::*;

fn effects() -> impl Strategy<Value = Effect> {
    prop::sample::select(&[Effect::SignIn, Effect::Read, Effect::Write])
}

proptest! {
    /// In a dry run no write passes, everything else does, and all of it is counted.
    #[test]
    fn every_request_is_counted_and_a_dry_run_lets_no_write_pass(
        read_only: bool,
        effects in prop::collection::vec(effects(), 0..40),
    ) {
        let access = if read_only { Access::ReadOnly } else { Access::ReadWrite };
        let boundary = Boundary::new(access);
        prop_assert_eq!(boundary.access(), access);
        for effect in &effects {
            let passed = boundary.pass(*effect, "POST", "/api/v1/packages").is_ok();
            prop_assert_eq!(passed, !(read_only && *effect == Effect::Write));
        }
        let count = |wanted| effects.iter().filter(|effect| **effect == wanted).count() as u64;
        let tried = count(Effect::Write);
        let (writes, refused) = if read_only { (0, tried) } else { (tried, 0) };
        let expected = Traffic { sign_ins: count(Effect::SignIn), reads: count(Effect::Read), writes, refused };
        prop_assert_eq!(boundary.traffic(), expected);
    }
}

#[test]
fn requests_side_by_side_are_all_counted() {
    let boundary = Boundary::new(Access::ReadWrite);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..1000 {
                    boundary.pass(Effect::Write, "PUT", "/").unwrap();
                }
            });
        }
    });
    assert_eq!(boundary.traffic(), Traffic { writes: 4000, ..Traffic::default() });
}

#[test]
fn a_refused_write_says_what_it_was() {
    let boundary = Boundary::new(Access::ReadOnly);
    let failure =
        Failure::from(boundary.pass(Effect::Write, "DELETE", "/api/v1/jcds/files/App.pkg").unwrap_err());
    assert_eq!(failure.kind(), FailureKind::Internal);
    insta::assert_snapshot!(format!("{failure}\nhint: {}", failure.hint().unwrap()), @r"
    DELETE /api/v1/jcds/files/App.pkg was refused: this is a dry run, and nothing that writes leaves the machine
    hint: this is a fault in pkgferry: a step wrote while it planned; please report it
    ");
    insta::assert_snapshot!(serde_json::to_string(&boundary.traffic()).unwrap(), @r#"{"sign_ins":0,"reads":0,"writes":0,"refused":1}"#);
}
