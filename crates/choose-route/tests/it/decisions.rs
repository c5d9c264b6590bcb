//! The decision over facts: a table, and what holds whatever the facts are.

use choose_route::{Decision, Error, Facts, Obstacle, Steps, Wish, decide};
use insta::assert_snapshot;
use jamf::{CdnType, DistributionPoint, UploadCapability};
use pipeline::{Diagnose as _, FailureKind, Route, RouteChoice, Witness};
use proptest::prelude::*;

const BOTH: Steps = Steps { jcds: true, packages_api: true };
const ONLY_JCDS: Steps = Steps { jcds: true, packages_api: false };
const ONLY_PACKAGES_API: Steps = Steps { jcds: false, packages_api: true };

/// A current server in Jamf Cloud that tells everything.
fn current() -> Facts {
    Facts {
        version: Some("11.30.1".parse().unwrap()),
        point: point(CdnType::JamfCloud),
        capability: capability(true, true),
        jcds_calls: Some(true),
        classic_forced: false,
        jcds_refused: false,
    }
}

fn of_version(text: &str) -> Facts {
    Facts { version: Some(text.parse().unwrap()), ..current() }
}

fn point(cdn: CdnType) -> Option<DistributionPoint> {
    Some(DistributionPoint { cdn, is_principal: true })
}

fn capability(principal: bool, direct: bool) -> Option<UploadCapability> {
    Some(UploadCapability { principal, direct })
}

/// The line that people see, and the rest of the decision; or the error with its hint.
fn told(wish: Wish, steps: Steps, facts: &Facts) -> String {
    match decide(wish, steps, facts) {
        Ok(decision) => {
            let fallback = decision.fallback.map_or("none", Route::as_str);
            format!("{decision}\n(fallback {fallback}, witness {})", decision.witness)
        }
        Err(error) => format!("{error}\nhint: {}", error.hint().unwrap()),
    }
}

#[test]
fn where_both_are_open_jcds_is_taken() {
    assert_snapshot!(told(Wish::Auto, BOTH, &current()), @"
    jcds: the files of this server are in Jamf Cloud's own distribution service; packages-api if it is refused
    (fallback packages-api, witness list)
    ");
    assert_snapshot!(told(Wish::Auto, BOTH, &Facts::default()), @"
    jcds: nothing that this server tells speaks against it; packages-api if it is refused
    (fallback packages-api, witness list)
    ");
}

#[test]
fn what_was_refused_once_is_not_tried_for_every_file() {
    let refused = Facts { jcds_refused: true, ..current() };
    assert_snapshot!(told(Wish::Auto, BOTH, &refused), @"
    packages-api: jcds was refused before in this run
    (fallback none, witness record)
    ");
    // Where it is the only one, or the one that is asked for, it is for the server to refuse again and say why.
    for (wish, steps) in [(Wish::Auto, ONLY_JCDS), (Wish::Only(Route::Jcds), BOTH)] {
        assert_eq!(decide(wish, steps, &refused).unwrap(), decide(wish, steps, &current()).unwrap());
    }
}

#[test]
fn where_one_is_closed_the_other_is_taken() {
    assert_snapshot!(told(Wish::Auto, BOTH, &of_version("11.4.2")), @"
    jcds: the files of this server are in Jamf Cloud's own distribution service; not packages-api: Jamf Pro 11.4.2 has no packages in its Pro API; 11.5 has
    (fallback none, witness list)
    ");
    let gone = Facts { jcds_calls: Some(false), ..of_version("12.0.0") };
    assert_snapshot!(told(Wish::Auto, BOTH, &gone), @"
    packages-api: Jamf Pro takes the file itself; not jcds: Jamf Pro 12.0.0 has no JCDS calls any more
    (fallback none, witness record)
    ");
    let amazon = Facts { point: point(CdnType::Other("AMAZON_S3".into())), ..of_version("11.23.2") };
    assert_snapshot!(told(Wish::Auto, BOTH, &amazon), @"
    packages-api: Jamf Pro takes the file itself; not jcds: the cloud distribution point is AMAZON_S3 and not Jamf Cloud
    (fallback none, witness record)
    ");
    let elsewhere = Facts { capability: capability(false, true), ..current() };
    assert_snapshot!(told(Wish::Auto, BOTH, &elsewhere), @"
    jcds: the files of this server are in Jamf Cloud's own distribution service; not packages-api: the principal distribution point is not in the cloud
    (fallback none, witness list)
    ");
    let indirect = Facts { capability: capability(true, false), classic_forced: true, ..current() };
    assert_snapshot!(told(Wish::Auto, BOTH, &indirect), @"
    jcds: the files of this server are in Jamf Cloud's own distribution service; not packages-api: package_api is classic, and the server says that it takes no uploads
    (fallback none, witness list)
    ");
}

#[test]
fn a_recipe_goes_only_where_it_has_a_step() {
    assert_snapshot!(told(Wish::Auto, ONLY_JCDS, &current()), @"
    jcds: the files of this server are in Jamf Cloud's own distribution service; not packages-api: the recipe has no step package-upload
    (fallback none, witness list)
    ");
    assert_snapshot!(told(Wish::Auto, ONLY_PACKAGES_API, &current()), @"
    packages-api: Jamf Pro takes the file itself; not jcds: the recipe has no step s3-upload
    (fallback none, witness record)
    ");
    let steps = |names: &[&str]| Steps::of(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    assert_eq!(steps(&["find-package", "s3-upload"]), ONLY_JCDS);
    assert_eq!(steps(&["package-upload"]), ONLY_PACKAGES_API);
    assert_eq!(steps(&["package-upload", "s3-upload"]), BOTH);
    assert_eq!(steps(&["choose-route", "verify-delivery"]), BOTH, "what only looks is tied to no route");
}

#[test]
fn what_is_asked_for_is_taken_or_refused() {
    assert_snapshot!(told(Wish::Only(Route::PackagesApi), BOTH, &current()), @"
    packages-api: the setting route asks for it
    (fallback none, witness record)
    ");
    assert_snapshot!(told(Wish::Only(Route::PackagesApi), BOTH, &of_version("11.23.2")), @"
    packages-api: the setting route asks for it
    (fallback none, witness list)
    ");
    assert_snapshot!(told(Wish::Instead(Route::PackagesApi), BOTH, &current()), @"
    packages-api: jcds was refused
    (fallback none, witness record)
    ");
    let gone = Facts { jcds_calls: Some(false), ..of_version("12.0.0") };
    assert_snapshot!(told(Wish::Only(Route::Jcds), BOTH, &gone), @"
    route jcds is asked for, but Jamf Pro 12.0.0 has no JCDS calls any more
    hint: let route be auto: packages-api is open
    ");
    assert_snapshot!(told(Wish::Only(Route::PackagesApi), ONLY_JCDS, &of_version("11.4.2")), @"
    route packages-api is asked for, but the recipe has no step package-upload, and Jamf Pro 11.4.2 has no packages in its Pro API; 11.5 has
    hint: let route be auto: jcds is open
    ");
}

#[test]
fn where_none_is_open_both_reasons_are_told_and_the_nearest_way_out() {
    let nowhere = Facts { point: point(CdnType::None), capability: capability(false, false), ..current() };
    assert_snapshot!(told(Wish::Auto, BOTH, &nowhere), @"
    no route leads into the cloud of this server; not jcds: no cloud distribution point is set up; not packages-api: the principal distribution point is not in the cloud
    hint: make Jamf Cloud the principal distribution point in Settings > Server > Cloud distribution point; for files that lie elsewhere, the recipe package-record-only makes the record alone
    ");
    let untold = Facts { capability: None, ..nowhere.clone() };
    assert_snapshot!(told(Wish::Only(Route::PackagesApi), BOTH, &untold), @"
    route packages-api is asked for, but no cloud distribution point is set up
    hint: make Jamf Cloud the principal distribution point in Settings > Server > Cloud distribution point; for files that lie elsewhere, the recipe package-record-only makes the record alone
    ");
    let gone = Facts { jcds_calls: Some(false), version: None, ..current() };
    assert_snapshot!(told(Wish::Auto, ONLY_JCDS, &gone), @"
    no route leads into the cloud of this server; not jcds: this server has no JCDS calls any more; not packages-api: the recipe has no step package-upload
    hint: give the recipe the step package-upload, or the parent com.github.pkgferry.recipes.upload-package
    ");
    let old = Facts { point: point(CdnType::Other("AKAMAI".into())), ..of_version("11.4.2") };
    assert_snapshot!(told(Wish::Auto, BOTH, &old), @"
    no route leads into the cloud of this server; not jcds: the cloud distribution point is AKAMAI and not Jamf Cloud; not packages-api: Jamf Pro 11.4.2 has no packages in its Pro API; 11.5 has
    hint: update Jamf Pro to 11.5 or later
    ");
    let classic = Facts { classic_forced: true, jcds_calls: Some(false), ..current() };
    assert_snapshot!(told(Wish::Auto, BOTH, &classic), @"
    no route leads into the cloud of this server; not jcds: Jamf Pro 11.30.1 has no JCDS calls any more; not packages-api: package_api is classic
    hint: let package_api be auto
    ");
}

#[test]
fn whose_fault_it_is_that_there_is_no_route() {
    let kind = |steps, facts: &Facts| decide(Wish::Auto, steps, facts).unwrap_err().kind();
    let gone = Facts { jcds_calls: Some(false), ..current() };
    assert_eq!(kind(ONLY_JCDS, &gone), FailureKind::Recipe, "a step more would do");
    let nowhere = Facts { capability: capability(false, false), ..gone };
    assert_eq!(kind(BOTH, &nowhere), FailureKind::Remote);
    let forced = decide(Wish::Only(Route::Jcds), BOTH, &nowhere).unwrap_err();
    assert_eq!(forced.kind(), FailureKind::Recipe, "a setting asks for what is not there");
}

/// What may be asked of a server, and what it may answer.
fn facts() -> impl Strategy<Value = Facts> {
    let version = prop_oneof![
        Just("11.4.2"),
        Just("11.5.0"),
        Just("11.23.2"),
        Just("11.24.9"),
        Just("11.25.0"),
        Just("12.0.0")
    ];
    let cdn = prop_oneof![
        Just(CdnType::None),
        Just(CdnType::JamfCloud),
        Just(CdnType::Other("RACKSPACE_CLOUD_FILES".to_owned()))
    ];
    let point = (cdn, any::<bool>()).prop_map(|(cdn, is_principal)| DistributionPoint { cdn, is_principal });
    let capability =
        any::<(bool, bool)>().prop_map(|(principal, direct)| UploadCapability { principal, direct });
    (
        proptest::option::of(version),
        proptest::option::of(point),
        proptest::option::of(capability),
        any::<Option<bool>>(),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(version, point, capability, jcds_calls, classic_forced, jcds_refused)| Facts {
            version: version.map(|text| text.parse().unwrap()),
            point,
            capability,
            jcds_calls,
            classic_forced,
            jcds_refused,
        })
}

fn wishes() -> impl Strategy<Value = Wish> {
    prop_oneof![
        Just(Wish::Auto),
        Just(Wish::Only(Route::Jcds)),
        Just(Wish::Only(Route::PackagesApi)),
        Just(Wish::Instead(Route::Jcds)),
        Just(Wish::Instead(Route::PackagesApi)),
    ]
}

fn steps() -> impl Strategy<Value = Steps> {
    any::<(bool, bool)>().prop_map(|(jcds, packages_api)| Steps { jcds, packages_api })
}

/// Whether a route is ruled out, written here once more from the contract.
fn is_closed(route: Route, steps: Steps, facts: &Facts) -> bool {
    let cdn = facts.point.as_ref().map(|point| point.cdn.clone());
    match route {
        Route::Jcds => {
            !steps.jcds || cdn.is_some_and(|cdn| cdn != CdnType::JamfCloud) || facts.jcds_calls == Some(false)
        }
        Route::PackagesApi => {
            !steps.packages_api
                || facts.classic_forced
                || facts.version.is_some_and(|version| version < jamf::Version::new(11, 5))
                || match facts.capability {
                    Some(told) => !(told.principal && told.direct),
                    None => cdn == Some(CdnType::None),
                }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn nothing_that_is_ruled_out_is_chosen_and_nothing_that_is_open_is_missed(
        wish in wishes(), steps in steps(), facts in facts(),
    ) {
        let closed = |route| is_closed(route, steps, &facts);
        match decide(wish, steps, &facts) {
            Ok(Decision { route, fallback, witness, reason }) => {
                prop_assert!(!closed(route));
                prop_assert!(wish.only().is_none_or(|only| only == route));
                prop_assert!(fallback.is_none_or(|fallback| fallback != route && !closed(fallback)));
                let other_is_open = !closed(route.other());
                let falls_back = wish == Wish::Auto && other_is_open && !facts.jcds_refused;
                prop_assert_eq!(fallback.is_some(), falls_back);
                prop_assert!(
                    route == Route::Jcds || wish != Wish::Auto || closed(Route::Jcds) || facts.jcds_refused,
                    "jcds is preferred"
                );
                prop_assert!(!reason.is_empty());
                // The one that was not chosen is spoken of, unless a setting has asked.
                let named = reason.contains(route.other().as_str());
                prop_assert!(named || matches!(wish, Wish::Only(_)), "{}", reason);
                // Nobody may take as witness what is not there.
                let without_service = is_closed(Route::Jcds, Steps::all(), &facts);
                prop_assert!(witness == Witness::Record || !without_service);
                prop_assert!(witness == Witness::List || route == Route::PackagesApi);
            }
            Err(Error::Closed { route, obstacles, other_is_open }) => {
                prop_assert_eq!(wish.only(), Some(route));
                prop_assert!(closed(route) && !obstacles.is_empty());
                prop_assert_eq!(other_is_open, !closed(route.other()));
            }
            Err(Error::NoRoute { jcds, packages_api }) => {
                prop_assert_eq!(wish, Wish::Auto);
                prop_assert!(closed(Route::Jcds) && !jcds.is_empty());
                prop_assert!(closed(Route::PackagesApi) && !packages_api.is_empty());
                prop_assert!(jcds.iter().chain(&packages_api).all(|obstacle| !obstacle.to_string().is_empty()));
            }
            Err(other) => prop_assert!(false, "a decision asks nobody: {}", other),
        }
    }

    #[test]
    fn every_error_has_a_hint(wish in wishes(), steps in steps(), facts in facts()) {
        if let Err(error) = decide(wish, steps, &facts) {
            prop_assert!(error.hint().is_some_and(|hint| !hint.is_empty()));
        }
    }

    #[test]
    fn what_a_server_does_not_tell_speaks_against_nothing(steps in steps(), facts in facts()) {
        let silent = Facts { version: None, point: None, capability: None, jcds_calls: None, ..facts };
        let only_ours = |obstacles: &[Obstacle]| obstacles.iter().all(Obstacle::is_ours);
        if let Err(Error::NoRoute { jcds, packages_api }) = decide(Wish::Auto, steps, &silent) {
            prop_assert!(only_ours(&jcds) && only_ours(&packages_api));
        }
    }
}

#[test]
fn a_setting_is_a_wish() {
    assert_eq!(Wish::of(RouteChoice::Auto), Wish::Auto);
    assert_eq!(Wish::of(RouteChoice::Jcds), Wish::Only(Route::Jcds));
    assert_eq!(Wish::of(RouteChoice::PackagesApi), Wish::Only(Route::PackagesApi));
}
