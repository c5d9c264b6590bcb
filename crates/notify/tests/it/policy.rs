use crate::samples::{bad, changed, quiet, trouble};
use notify::{Ending, How, NotifyOn, Service, Standing, Summary};

#[test]
fn a_run_is_as_good_as_its_worst() {
    let runs = [
        (quiet(), Standing::Unchanged),
        (Summary { changed: vec![changed("a.pkg", How::MetadataOnly)], ..quiet() }, Standing::Changed),
        (Summary { unverified: vec![trouble("a.pkg", "no digest")], ..quiet() }, Standing::Unverified),
        (Summary { not_begun: 1, ending: Ending::DeadlineReached, ..quiet() }, Standing::Unfinished),
        (Summary { ending: Ending::Interrupted, ..quiet() }, Standing::Unfinished),
        (Summary { failed: vec![trouble("a.pkg", "no")], not_begun: 1, ..quiet() }, Standing::Failed),
        (
            Summary { ending: Ending::BrokenOff { message: "no disk".into(), next_step: None }, ..quiet() },
            Standing::Failed,
        ),
        (bad(), Standing::Failed),
    ];
    for (run, standing) in runs {
        assert_eq!(run.standing(), standing);
        assert!(NotifyOn::Always.wants(&run));
        assert_eq!(NotifyOn::Change.wants(&run), standing > Standing::Unchanged, "{standing:?}");
        assert_eq!(NotifyOn::Failure.wants(&run), standing > Standing::Changed, "{standing:?}");
    }
    assert_eq!(bad().packages(), 300);
    assert_eq!((bad().count(How::Created), bad().count(How::Downloaded)), (1, 0));
}

#[test]
fn choices_are_spelled_one_way() {
    for on in [NotifyOn::Change, NotifyOn::Failure, NotifyOn::Always] {
        assert_eq!(on.to_string().parse(), Ok(on));
    }
    for service in [Service::Slack, Service::Teams, Service::Json] {
        assert_eq!(service.to_string().parse(), Ok(service));
    }
    insta::assert_snapshot!("sometimes".parse::<NotifyOn>().unwrap_err(), @r#""sometimes" is not change, failure or always"#);
    insta::assert_snapshot!("Slack".parse::<Service>().unwrap_err(), @r#""Slack" is not slack, teams or json"#);
}
