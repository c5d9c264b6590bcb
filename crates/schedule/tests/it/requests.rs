//! What a request can be made of, and what holds for all schedulers.

use crate::support::{full, nightly, path, targets, text};
use pipeline::Diagnose as _;
use schedule::{
    Error, FilePath, Image, Kind, KubernetesName, MailAddress, Name, RecipeName, Request, RunnerLabel,
    SecretName, ServerName, ShardCount, Target, TimeZone, UserName, write,
};
use std::str::FromStr;

fn accepts<T: FromStr<Err = Error>>(good: &[&str], bad: &[&str]) {
    for text in good {
        assert!(text.parse::<T>().is_ok(), "{text}");
    }
    for text in bad {
        assert!(text.parse::<T>().is_err(), "{text}");
    }
}

#[test]
fn texts() {
    accepts::<Name>(&["nightly", "a", "site-2"], &["", "-a", "a-", "A", "a b", "a.b", &"a".repeat(41), "ä"]);
    accepts::<FilePath>(&["/a b", "a", "ä\n%$"], &["", "-a", "a\0b"]);
    accepts::<RecipeName>(&["Firefox.jamf", "a/*.recipe"], &["", "-a", "--dry-run"]);
    accepts::<ServerName>(&["test", "Haus 2"], &["", "-a"]);
    accepts::<UserName>(&["root", "_pkgferry", "j.doe"], &["", "1a", "a b", "a:b", "$x", &"a".repeat(33)]);
    accepts::<TimeZone>(
        &["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+3"],
        &["", "+02:00", "A B", "A\nB"],
    );
    accepts::<MailAddress>(&["root", "it+jamf@example.com"], &["", "a b", "-a", "a\nb"]);
    accepts::<RunnerLabel>(&["ubuntu-latest", "mac mini"], &["", " a", "${{ x }}", "a\nb"]);
    accepts::<Image>(&["rust:1.95", "a/b@sha256:00"], &["", "$IMAGE", "a b", "-a"]);
    accepts::<KubernetesName>(&["a", "a-1"], &["", "-a", "A", "a.b", &"a".repeat(64)]);
    accepts::<SecretName>(
        &["CLIENT_SECRET", "_A1"],
        &["", "client_secret", "A-B", "1A", "A B", &"A".repeat(65), "AKIAIOSFODNN7EXAMPLE"],
    );
    accepts::<ShardCount>(&["1", "200"], &["", "0", "201", "+1", "-1", "x"]);
    accepts::<Kind>(&["launchd", "github-actions"], &["", "Launchd", "at"]);
    for kind in Kind::ALL {
        assert_eq!(kind.to_string().parse(), Ok(kind));
    }
    for (target, kind) in targets().iter().zip(Kind::ALL) {
        assert_eq!(target.kind(), kind);
    }
}

/// A home folder comes with a user that the unit names, but for cron; and a unit that sets `PATH` sets what is told of it.
#[test]
fn what_a_run_is_given() {
    let own = nightly();
    let named = Request { user: Some("me".parse().unwrap()), ..nightly() };
    for target in targets() {
        let homes = [&own, &named].map(|request| target.surroundings(request).map(|given| given.home));
        let expected = match target.kind() {
            Kind::Launchd | Kind::Systemd => [Some(false), Some(true)],
            Kind::Cron => [Some(true); 2],
            Kind::GithubActions | Kind::Gitlab | Kind::Kubernetes => [None; 2],
        };
        assert_eq!(homes, expected, "{}", target.kind());
        let text = text(&own, &target);
        if let (Some(given), Some(path)) =
            (target.surroundings(&own), text.lines().find_map(|line| line.strip_prefix("PATH=")))
        {
            assert_eq!(given.path, path);
        }
    }
}

#[test]
fn messages() {
    let told = |error: Error| match error.hint() {
        Some(hint) => format!("{error}; {hint}"),
        None => error.to_string(),
    };
    insta::assert_snapshot!(told("Night".parse::<Name>().unwrap_err()), @r#""Night" is not a name for units: small letters, digits and `-` only"#);
    insta::assert_snapshot!(told("hunter2".parse::<SecretName>().unwrap_err()), @"what was given is not the name of a secret: capital letters, digits and _, such as CLIENT_SECRET");
    insta::assert_snapshot!(told("0".parse::<ShardCount>().unwrap_err()), @r#""0" is not a number of shards: it is 1 to 200"#);
    insta::assert_snapshot!(told("at".parse::<Kind>().unwrap_err()), @r#""at" is not a scheduler: known are launchd, systemd, cron, github-actions, gitlab, kubernetes"#);
    insta::assert_snapshot!(told("https://ferry:hunter2@example.com/".parse::<FilePath>().unwrap_err()), @"a path looks like a secret, or holds one; give the secret a name, and its value to the scheduler or the settings file; units are readable by many");
    insta::assert_snapshot!(told(Error::from("25:00".parse::<schedule::Recurrence>().unwrap_err())), @r#""25:00" is no time for runs: its hour is not 00 to 23; times are written as 03:00, Mon-Fri 03:00, Sat,Sun 22:15, every 6h, or every 6h at :20"#);
}

#[test]
fn nothing_to_run() {
    for target in targets() {
        assert_eq!(write(&Request { list: None, ..nightly() }, &target), Err(Error::NothingToRun));
    }
}

/// Every path of a machine's unit is absolute; nobody knows where launchd, systemd and cron start.
#[test]
fn relative_paths() {
    let relative = || Some(path("here/x"));
    let requests = [
        Request { program: path("pkgferry"), ..nightly() },
        Request { list: relative(), ..nightly() },
        Request { folder: relative(), ..nightly() },
        Request { settings: relative(), ..nightly() },
        Request { state: relative(), ..nightly() },
        Request { logs: relative(), ..nightly() },
    ];
    for request in &requests {
        for target in &targets()[..3] {
            assert!(matches!(write(request, target), Err(Error::Relative { .. })), "{:?}", target.kind());
        }
    }
}

/// The same request, the same text.
#[test]
fn nothing_but_the_request_counts() {
    for target in targets() {
        let request =
            if matches!(target, Target::GithubActions(_) | Target::Gitlab(_) | Target::Kubernetes(_)) {
                nightly()
            } else {
                full()
            };
        assert_eq!(write(&request, &target).unwrap(), write(&request, &target).unwrap());
        for file in write(&request, &target).unwrap().files {
            assert!(file.text.ends_with('\n') && !file.name.contains('/'));
        }
    }
}

/// The numbers that units treat in a way of their own mean what the program's help says.
#[test]
fn exit_codes_are_the_programs() {
    let program = include_str!("../../../pkgferry/src/exit.rs");
    for line in [
        "\n  2    --dry-run --detailed-exit-code: changes are pending\n",
        "\n  3    a recipe or the settings are wrong\n",
        "\n  4    sign-in failed or a privilege is missing\n",
        "\n  64   the command line is wrong\n",
        "\n  130  interrupted",
    ] {
        assert!(program.contains(line), "{line}");
    }
}
