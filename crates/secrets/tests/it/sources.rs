use crate::rig::Rig;
use pipeline::{Secret, Value};
use secrets::{Error, SecretSource};

fn parsed(text: &str) -> Result<SecretSource, Error> {
    text.parse()
}

#[test]
fn a_setting_says_where_a_secret_is_kept() {
    let shown = [
        "hush",
        "",
        "plain:env:NAME",
        "https://user:pass@example.com/hook",
        "p:ass:word",
        "env:JAMF_SECRET",
        "file:/etc/pkgferry/secret",
        "file:~/secret",
        "credential:jamf-secret",
        "command:op read \"op://My vault/Jamf/password\"",
        "command:/usr/local/bin/secret",
        "keychain:pkgferry/client",
        "keychain:https://example.jamfcloud.com/client",
    ]
    .map(|text| format!("{text} -> {}", parsed(text).unwrap()))
    .join("\n");
    insta::assert_snapshot!(shown, @r#"
    hush -> plain
     -> plain
    plain:env:NAME -> plain
    https://user:pass@example.com/hook -> plain
    p:ass:word -> plain
    env:JAMF_SECRET -> env:JAMF_SECRET
    file:/etc/pkgferry/secret -> file:/etc/pkgferry/secret
    file:~/secret -> file:~/secret
    credential:jamf-secret -> credential:jamf-secret
    command:op read "op://My vault/Jamf/password" -> command:op (2 arguments)
    command:/usr/local/bin/secret -> command:/usr/local/bin/secret
    keychain:pkgferry/client -> keychain:pkgferry/client
    keychain:https://example.jamfcloud.com/client -> keychain:https://example.jamfcloud.com/client
    "#);
}

#[tokio::test]
async fn what_stands_in_a_setting_is_the_secret_and_tells_so() {
    let rig = Rig::new();
    assert_eq!(rig.told("hush").await, "secret: hush");
    assert_eq!(rig.told("plain: hush ").await, "secret:  hush ");
    assert_eq!(rig.told("plain:file:/x").await, "secret: file:/x");
    assert!(parsed("hush").unwrap().is_plain() && parsed("hush").unwrap().place().is_none());
    assert!(!parsed("env:A").unwrap().is_plain());
}

#[tokio::test]
async fn a_place_that_cannot_be_is_refused_without_showing_it() {
    let rig = Rig::new();
    let mut told = String::new();
    for text in [
        "env:",
        "env:A=hunter2",
        "env: A",
        "file:",
        "file:hunter2",
        "file:~root/hunter2",
        "credential:../hunter2",
        "credential:",
        "command:",
        "command:''",
        "command:op read 'hunter2",
        "command:cat /hunter2 | head -1",
        "keychain:hunter2",
        "keychain:/hunter2",
        "keychain:-hunter2/x",
        "cmd:op read hunter2",
        "ENV:hunter2",
        " file:/hunter2",
        "op://vault/hunter2/password",
    ] {
        told.push_str(&rig.told(text).await);
        told.push('\n');
    }
    assert!(!told.contains("hunter2"), "{told}");
    insta::assert_snapshot!(told, @"
    Recipe: a secret is to come from `env:`, but it names no variable
    write it like env:JAMF_SECRET
    Recipe: a secret is to come from `env:`, but its name has a `=` in it
    write it like env:JAMF_SECRET
    Recipe: a secret is to come from `env:`, but its name begins or ends with a blank, or has control characters in it
    write it like env:JAMF_SECRET
    Recipe: a secret is to come from `file:`, but it names no file
    write it like file:/etc/pkgferry/jamf-secret or file:~/.config/pkgferry/jamf-secret
    Recipe: a secret is to come from `file:`, but the path begins with neither `/` nor `~/`
    write it like file:/etc/pkgferry/jamf-secret or file:~/.config/pkgferry/jamf-secret
    Recipe: a secret is to come from `file:`, but the path begins with neither `/` nor `~/`
    write it like file:/etc/pkgferry/jamf-secret or file:~/.config/pkgferry/jamf-secret
    Recipe: a secret is to come from `credential:`, but the name of a credential is the name of a file, not a path
    write it like credential:jamf-secret
    Recipe: a secret is to come from `credential:`, but it names no credential
    write it like credential:jamf-secret
    Recipe: a secret is to come from `command:`, but it names no program
    write it like command:op read op://vault/item/field, or the words in a list; what needs a shell gets one by command:sh -c '…'
    Recipe: a secret is to come from `command:`, but it names no program
    write it like command:op read op://vault/item/field, or the words in a list; what needs a shell gets one by command:sh -c '…'
    Recipe: a secret is to come from `command:`, but a quote or a backslash stands open
    write it like command:op read op://vault/item/field, or the words in a list; what needs a shell gets one by command:sh -c '…'
    Recipe: a secret is to come from `command:`, but it holds what only a shell understands, and no shell reads it
    write it like command:op read op://vault/item/field, or the words in a list; what needs a shell gets one by command:sh -c '…'
    Recipe: a secret is to come from `keychain:`, but it is not of the form SERVICE/ACCOUNT
    write it like keychain:pkgferry/client-secret
    Recipe: a secret is to come from `keychain:`, but it lacks a service or an account
    write it like keychain:pkgferry/client-secret
    Recipe: a secret is to come from `keychain:`, but a service or an account begins with `-`, or has control characters in it
    write it like keychain:pkgferry/client-secret
    Recipe: a secret begins with `cmd:`, which names no place that secrets come from
    write it like command:op read op://vault/item/field, or the words in a list; what needs a shell gets one by command:sh -c '…'; if the secret itself begins so, write plain: before it
    Recipe: a secret is to come from `env:`, but that is written in small letters, without blanks
    write it like env:JAMF_SECRET
    Recipe: a secret is to come from `file:`, but that is written in small letters, without blanks
    write it like file:/etc/pkgferry/jamf-secret or file:~/.config/pkgferry/jamf-secret
    Recipe: a secret begins with `op:`, which names no place that secrets come from
    let 1Password's own program read it: command:op read op://vault/item/field
    ");
}

#[test]
fn a_list_holds_the_words_of_a_command() {
    let of = |value: Value| SecretSource::from_value(&value).map(|source| source.to_string());
    let words =
        |words: &[&str]| Value::Array(words.iter().map(|word| Value::String((*word).into())).collect());
    assert_eq!(of(words(&["op", "read", "op://a b/c|d"])).unwrap(), "command:op (2 arguments)");
    assert_eq!(of(Value::String("env:A".into())).unwrap(), "env:A");
    let refused = [
        words(&[]),
        words(&["command:op", "read"]),
        Value::Array(vec![Value::Integer(1)]),
        Value::Integer(7),
        Value::Bool(true),
    ];
    let refused = refused.map(|value| of(value).unwrap_err().to_string()).join("\n");
    insta::assert_snapshot!(refused, @"
    a secret is to come from `command:`, but it names no program
    a secret is to come from `command:`, but a list begins with the program, without `command:`
    a secret is text, or a list with the words of a command, and this is a list with other things than text in it
    a secret is text, or a list with the words of a command, and this is an integer
    a secret is text, or a list with the words of a command, and this is a bool
    ");
}

#[test]
fn nothing_of_a_secret_shows_in_debug() {
    let sources = ["hunter2", "plain:hunter2", "command:curl -H hunter2 https://example.com"];
    let shown = sources.map(|text| format!("{:?}", parsed(text).unwrap())).join(" ");
    assert_eq!(shown, "plain plain command:curl (3 arguments)");
    let shown = format!("{:?}", SecretSource::Plain(Secret::from("hunter2")));
    assert_eq!(shown, "plain");
}
