use pipeline::{Change, FieldChange, Subject, Verb};

#[test]
fn changes_in_words() {
    let changes = [
        Change::new(Verb::Create, Subject::File, "Firefox.pkg"),
        Change::new(Verb::Replace, Subject::File, "Firefox.pkg").because("MD5 differs").sending(42),
        Change::new(Verb::Update, Subject::Record, "Firefox.pkg"),
        Change::new(Verb::Create, Subject::Category, "Browsers"),
        Change::new(Verb::Obtain, Subject::Credentials, "Firefox.pkg"),
        Change::new(Verb::Prove, Subject::Delivery, "Firefox.pkg"),
        Change::new(Verb::Download, Subject::File, "Firefox.pkg")
            .fetching(42)
            .to("/tmp/Firefox.pkg")
            .because("MD5 differs"),
        Change::new(Verb::Remove, Subject::LeftOver, "Firefox.pkg.part"),
    ];
    insta::assert_snapshot!(changes.map(|change| change.to_string()).join("\n"), @r"
    create file Firefox.pkg
    replace file Firefox.pkg (MD5 differs)
    update record Firefox.pkg
    create category Browsers
    obtain upload credentials for Firefox.pkg
    prove delivery of Firefox.pkg
    download file Firefox.pkg to /tmp/Firefox.pkg (MD5 differs)
    remove left-over Firefox.pkg.part
    ");
}

#[test]
fn a_change_carries_its_fields() {
    let field = FieldChange { field: "pkg_priority".into(), old: Some("10".into()), new: "5".into() };
    let change = Change::new(Verb::Update, Subject::Record, "Firefox.pkg").setting(vec![field.clone()]);
    assert_eq!((change.fields, change.bytes), (vec![field], 0));
}

#[test]
fn only_a_change_that_fetches_tells_how_much_and_where_to() {
    let json = |change: &Change| serde_json::to_value(change).unwrap();
    let upload = json(&Change::new(Verb::Create, Subject::File, "Firefox.pkg").sending(42));
    assert!(upload.get("to").is_none() && upload.get("fetches").is_none());
    let download = json(&Change::new(Verb::Download, Subject::File, "Firefox.pkg").fetching(42).to("here"));
    assert_eq!(
        (&download["to"], &download["fetches"], &download["bytes"]),
        (&"here".into(), &42.into(), &0.into())
    );
}
