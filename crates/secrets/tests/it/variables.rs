use crate::rig::Rig;

#[tokio::test]
async fn a_variable_is_a_secret() {
    let rig = Rig::new().variable("JAMF_SECRET", "hush ").variable("EMPTY", "").variable("TWO", "a\nb");
    assert_eq!(rig.told("env:JAMF_SECRET").await, "secret: hush ");
    insta::assert_snapshot!(rig.told("env:JAMF_SECERT").await, @"
    Recipe: the environment variable JAMF_SECERT is not set
    set JAMF_SECERT where this is started from; a scheduler does not read the profile of a shell
    ");
    insta::assert_snapshot!(rig.told("env:EMPTY").await, @"
    Local: env:EMPTY gives no secret: it is empty
    write the secret there
    ");
    insta::assert_snapshot!(rig.told("env:TWO").await, @"
    Local: env:TWO gives no secret: it has several lines, and a secret is one
    look whether that is the right place; it has to hold the secret and nothing else
    ");
}

#[cfg(unix)]
#[tokio::test]
async fn a_variable_in_another_encoding_is_refused() {
    use std::os::unix::ffi::OsStringExt as _;
    let rig = Rig::new().variable("LATIN", std::ffi::OsString::from_vec(b"h\xfcsh".to_vec()));
    insta::assert_snapshot!(rig.told("env:LATIN").await, @"
    Local: env:LATIN gives no secret: it is not UTF-8
    write it as UTF-8, as plain text
    ");
}
