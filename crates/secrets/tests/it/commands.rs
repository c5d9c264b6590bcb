use crate::rig::Rig;
use pipeline::ExposeSecret as _;
use secrets::{Error, SecretSource};
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn what_a_program_prints_is_the_secret() {
    let rig = Rig::new();
    assert_eq!(rig.told("command:echo hush").await, "secret: hush");
    assert_eq!(rig.told("command:printf %s 'hu sh'").await, "secret: hu sh");
    assert_eq!(rig.told("command:echo $HOME '*'").await, "secret: $HOME *", "no shell reads it");
    assert_eq!(rig.told("command:sh -c 'echo hush; echo note >&2'").await, "secret: hush");
    assert_eq!(rig.told("command:sh -c 'cat; echo hush'").await, "secret: hush", "nothing is on its input");
    let loud = "command:sh -c 'head -c 1000000 /dev/zero >&2; echo hush'";
    assert_eq!(rig.told(loud).await, "secret: hush", "it can complain as much as it likes");
}

#[tokio::test]
async fn a_program_that_fails_says_why_and_tells_no_secret() {
    let rig = Rig::new();
    let mut told = String::new();
    for command in [
        "command:DIR/no-such-program",
        "command:DIR",
        "command:sh -c 'exit 3'",
        "command:sh -c 'kill -9 $$'",
        "command:sh -c 'echo hunter2; echo \"[ERROR] hunter2 is no field of this item\" >&2; exit 1'",
        "command:sh -c 'echo \"token eyJhbGciOiJFUzI1NiIsImtpZCI6hunter2 has expired\" >&2; exit 6'",
        "command:true",
        "command:sh -c 'echo \"sign in first\" >&2'",
        "command:printf '\\377\\376hunter2'",
        "command:printf 'user: jane\\npassword: hunter2\\n'",
        "command:yes hunter2",
    ] {
        told.push_str(&rig.told(command).await);
        told.push('\n');
    }
    assert!(!told.contains("hunter2"), "{told}");
    insta::assert_snapshot!(told, @"
    Local: cannot start command:DIR/no-such-program: No such file or directory (os error 2)
    write the whole path of the program: a scheduler looks into fewer folders than a shell does
    Local: cannot start command:DIR: Permission denied (os error 13)
    name a program that the user that runs this may start
    Local: command:sh (2 arguments) ended with exit status 3
    run the same command by hand, as the same user
    Local: command:sh (2 arguments) ended with signal 9
    run the same command by hand, as the same user
    Local: command:sh (2 arguments) ended with exit status 1; it said: [ERROR] *** is no field of this item
    run the same command by hand, as the same user
    Local: command:sh (2 arguments) ended with exit status 6; it said: token *** has expired
    run the same command by hand, as the same user
    Local: command:true gives no secret: it is empty
    let the command print the secret alone, on standard output
    Local: command:sh (2 arguments) gives no secret: it is empty; it said: sign in first
    let the command print the secret alone, on standard output
    Local: command:printf (1 argument) gives no secret: it is not UTF-8
    write it as UTF-8, as plain text
    Local: command:printf (1 argument) gives no secret: it has several lines, and a secret is one
    let the command print the secret alone, on standard output
    Local: command:yes (1 argument) gives no secret: it is longer than 64 KiB
    look whether that is the right place; it has to hold the secret and nothing else
    ");
}

#[tokio::test]
async fn a_program_that_hangs_is_stopped() {
    let rig = Rig::new().limit(Duration::from_millis(300));
    let fifo = rig.path("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let mut life = tokio::net::unix::pipe::OpenOptions::new().open_receiver(&fifo).unwrap();
    insta::assert_snapshot!(rig.told("command:sh -c 'exec 3>DIR/fifo; exec sleep 1000'").await, @"
    Local: command:sh (2 arguments) took longer than 0.3 s and was stopped
    it probably waits for somebody: let it sign in without a person (op: OP_SERVICE_ACCOUNT_TOKEN)
    ");
    // Ends when nobody holds the other end any more: the program is dead.
    assert_eq!(life.read_to_end(&mut Vec::new()).await.unwrap(), 0);
}

#[tokio::test]
async fn each_place_is_asked_once_whatever_comes_of_it() {
    let rig = Rig::new();
    let (secrets, cx) = (rig.secrets(), rig.cx());
    for (ending, name) in [("echo hush", "good"), ("exit 3", "bad")] {
        let asked = rig.path(name);
        let source = format!("command:sh -c 'echo asked >> {}; {ending}'", asked.display());
        let source: SecretSource = source.parse().unwrap();
        let both = tokio::join!(secrets.resolve(&cx, &source), secrets.resolve(&cx, &source));
        let again = secrets.resolve(&cx, &source.clone()).await;
        let told = [both.0, both.1, again].map(|told| match told {
            Ok(secret) => secret.expose_secret().to_owned(),
            Err(error) => error.to_string(),
        });
        let expected =
            if name == "good" { "hush" } else { "command:sh (2 arguments) ended with exit status 3" };
        assert_eq!(told, [expected; 3]);
        assert_eq!(std::fs::read_to_string(&asked).unwrap(), "asked\n");
    }
    assert!(!format!("{secrets:?}").contains("hush"), "{secrets:?}");
}

#[tokio::test]
async fn an_interruption_ends_it_and_is_not_remembered() {
    let mut rig = Rig::new();
    let secrets = rig.secrets();
    let ready = rig.path("ready");
    let source = format!("command:sh -c 'test -e {} || exec sleep 1000; echo hush'", ready.display());
    let source: SecretSource = source.parse().unwrap();
    let cx = rig.cx();
    let interrupt = async {
        tokio::task::yield_now().await;
        rig.cancel.cancel();
    };
    let (told, ()) = tokio::join!(secrets.resolve(&cx, &source), interrupt);
    assert!(matches!(told, Err(Error::Interrupted)), "{told:?}");
    assert!(matches!(secrets.resolve(&cx, &source).await, Err(Error::Interrupted)));

    std::fs::write(&ready, "").unwrap();
    rig.cancel = CancellationToken::new();
    assert_eq!(secrets.resolve(&rig.cx(), &source).await.unwrap().expose_secret(), "hush");
}
