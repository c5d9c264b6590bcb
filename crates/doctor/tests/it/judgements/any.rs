//! Whatever may be seen at all.

use super::*;

fn any_seen<T: std::fmt::Debug + Clone + 'static>(
    told: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Seen<T>> {
    prop_oneof![
        told.prop_map(Seen::Told),
        Just(Seen::NotExamined),
        "[a-z]{1,8}".prop_map(Seen::NotTold),
        "[a-z]{1,8}".prop_map(|message| Seen::Failed(Trouble { message, hint: None })),
    ]
    .boxed()
}

fn any_observations() -> impl Strategy<Value = Observations> {
    let cdn =
        prop_oneof![Just(CdnType::None), Just(CdnType::JamfCloud), Just(CdnType::Other("AKAMAI".into()))];
    let point = (cdn, any::<bool>()).prop_map(|(cdn, is_principal)| DistributionPoint { cdn, is_principal });
    let capability =
        (any::<bool>(), any::<bool>()).prop_map(|(principal, direct)| UploadCapability { principal, direct });
    let token = (0_u64..5_000, any::<bool>())
        .prop_map(|(life, renewable)| TokenFacts { life: Duration::from_secs(life), renewable });
    let calls = (any::<Option<bool>>(), any::<bool>()).prop_map(|(jcds, marked)| Calls {
        jcds,
        deprecated: if marked { vec![JCDS_MARKED] } else { Vec::new() },
    });
    let reach = prop_oneof![
        Just(Reach::Intact),
        Just(Reach::ClockTooFarOff),
        Just(Reach::Unreachable { why: "none".into() }),
        Just(Reach::Stripped { header: "x-amz-date", said: "no".into() }),
    ];
    let probe = (reach, -5_000_i64..5_000).prop_map(|(reach, off)| Probe {
        host: "s3".into(),
        reach,
        clock_difference: Some(SignedDuration::from_secs(off)),
    });
    let choice =
        prop_oneof![Just(RouteChoice::Auto), Just(RouteChoice::Jcds), Just(RouteChoice::PackagesApi)];
    let lacking = prop::sample::subsequence(Privilege::ALL.to_vec(), 0..=Privilege::ALL.len());
    let server = (
        any_seen(token),
        any_seen((4_u32..40).prop_map(|minor| Version::new(11, minor))),
        any_seen(lacking),
        any_seen(point),
        any_seen(capability),
        any_seen(calls),
        any_seen((-5_000_i64..5_000).prop_map(SignedDuration::from_secs)),
        any_seen(probe),
        choice,
        any::<bool>(),
    );
    server.prop_map(|(token, version, lacking, point, capability, calls, clock, storage, choice, classic)| {
        Observations {
            token,
            version,
            lacking,
            point,
            capability,
            calls,
            clock,
            storage,
            choice,
            classic_forced: classic,
            ..healthy()
        }
    })
}

proptest! {
    #[test]
    fn whatever_is_seen_every_check_says_something_and_what_matters_says_how_to_mend_it(seen in any_observations()) {
        let findings = judge(&seen);
        for check in [Check::SignIn, Check::Version, Check::Route, Check::Privileges, Check::Clock, Check::Storage, Check::State] {
            prop_assert_eq!(findings.iter().filter(|finding| finding.check == check).count(), 1, "{}", check);
        }
        for finding in &findings {
            prop_assert!(!finding.what.is_empty());
            if finding.level >= Level::Warning {
                prop_assert!(finding.why.is_some(), "{:?}", finding);
            }
        }
        prop_assert!(findings.is_sorted_by(|one, other| one.level >= other.level));
        // Where no route is left, something says so.
        let no_route = findings.iter().any(|finding| finding.check == Check::Route && finding.why.is_some());
        let blocked = findings.iter().any(|finding| finding.level == Level::Blocks);
        prop_assert!(!no_route || blocked);
    }
}
