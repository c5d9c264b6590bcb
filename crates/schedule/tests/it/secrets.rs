//! No secret gets into a unit: it is refused, or was never looked at.

use crate::support::{nightly, path, targets, with_arguments};
use proptest::prelude::*;
use schedule::{Cron, Error, GithubActions, Gitlab, Install, Kubernetes, Request, Systemd, Target, write};

/// Characters in no order, of both cases and with digits, as in secrets of API clients.
fn random(length: usize) -> impl Strategy<Value = String> {
    let letters = prop::collection::vec(
        prop::sample::select(('a'..='z').chain('A'..='Z').chain('0'..='9').collect::<Vec<_>>()),
        length,
    );
    letters.prop_map(|letters| letters.into_iter().collect())
}

fn secrets() -> impl Strategy<Value = String> {
    let hex = prop::collection::vec(prop::sample::select("0123456789abcdef".chars().collect::<Vec<_>>()), 30);
    prop_oneof![
        random(64),
        (random(40), random(60), random(43)).prop_map(|(a, b, c)| format!("eyJ{a}.eyJ{b}.{c}")),
        random(36).prop_map(|rest| format!("ghp_{rest}")),
        random(20).prop_map(|rest| format!("glpat-{rest}")),
        random(24).prop_map(|rest| format!("xoxb-1234-{rest}")),
        random(24).prop_map(|rest| format!("https://hooks.slack.com/services/T000/B000/{rest}")),
        random(8).prop_map(|rest| format!("https://ferry:{rest}@example.jamfcloud.com")),
        random(16).prop_map(|rest| format!("AKIA{}", rest.to_uppercase())),
        random(7).prop_map(|rest| format!("CLIENT_SECRET={rest}")),
        random(7).prop_map(|rest| format!("password: {rest}")),
        hex.prop_map(|digits| format!("a1{}", digits.into_iter().collect::<String>())),
        random(64).prop_map(|rest| format!("-----BEGIN PRIVATE KEY----- {rest}")),
    ]
}

/// Puts a text into one place of a request or a target, each place once.
type Place = fn(&str) -> Result<(Request, Option<Target>), Error>;

const PLACES: &[Place] = &[
    |text| Ok((Request { name: text.parse()?, ..nightly() }, None)),
    |text| Ok((Request { program: text.parse()?, ..nightly() }, None)),
    |text| Ok((Request { recurrence: text.parse()?, ..nightly() }, None)),
    |text| Ok((Request { time_zone: Some(text.parse()?), ..nightly() }, None)),
    |text| Ok((Request { recipes: vec![text.parse()?], ..nightly() }, None)),
    |text| Ok((Request { list: Some(text.parse()?), ..nightly() }, None)),
    |text| Ok((Request { folder: Some(text.parse()?), ..nightly() }, None)),
    |text| Ok((Request { settings: Some(text.parse()?), ..nightly() }, None)),
    |text| Ok((Request { servers: vec![text.parse()?], ..nightly() }, None)),
    |text| Ok((Request { state: Some(text.parse()?), ..nightly() }, None)),
    |text| Ok((Request { logs: Some(text.parse()?), ..nightly() }, None)),
    |text| Ok((Request { shards: text.parse()?, ..nightly() }, None)),
    |text| Ok((Request { user: Some(text.parse()?), ..nightly() }, None)),
    |text| Ok((Request { secrets: vec![text.parse()?], ..nightly() }, None)),
    |text| Ok((Request { arguments: vec![text.parse()?], ..nightly() }, None)),
    |text| {
        Ok((
            Request { arguments: vec!["--key".parse()?, format!("pkg_notes={text}").parse()?], ..nightly() },
            None,
        ))
    },
    |text| {
        let systemd = Systemd { writable: vec![text.parse()?], credentials: Some(text.parse()?) };
        Ok((nightly(), Some(Target::Systemd(systemd))))
    },
    |text| Ok((nightly(), Some(Target::Cron(Cron { mail_to: Some(text.parse()?) })))),
    |text| {
        let runs_on = vec![text.parse()?];
        Ok((nightly(), Some(Target::GithubActions(GithubActions { runs_on, ..GithubActions::default() }))))
    },
    |text| {
        let install = Install::Script(text.parse()?);
        Ok((nightly(), Some(Target::GithubActions(GithubActions { runs_on: vec![], install }))))
    },
    |text| Ok((nightly(), Some(Target::Gitlab(Gitlab { image: Some(text.parse()?), ..Gitlab::default() })))),
    |text| Ok((nightly(), Some(Target::Gitlab(Gitlab { tags: vec![text.parse()?], ..Gitlab::default() })))),
    |text| Ok((nightly(), Some(Target::Kubernetes(Kubernetes::new(text.parse()?))))),
    |text| {
        let secret = Some(text.parse()?);
        Ok((nightly(), Some(Target::Kubernetes(Kubernetes { secret, ..Kubernetes::new("a".parse()?) }))))
    },
];

proptest! {
    #[test]
    fn secrets_are_refused_or_never_appear(secret in secrets(), around in prop::sample::select(vec!["", "/", "a/ ", "\""])) {
        let text = format!("{around}{secret}{around}");
        for place in PLACES {
            let (request, target) = match place(&text) {
                Ok(made) => made,
                Err(error) => {
                    prop_assert!(!format!("{error} {error:?}").contains(&secret), "{}", error);
                    continue;
                }
            };
            for target in target.map_or_else(targets, |target| vec![target]) {
                match write(&request, &target) {
                    Ok(written) => prop_assert!(!format!("{written:?}").contains(&secret), "{:?}", written),
                    Err(error) => prop_assert!(!format!("{error} {error:?}").contains(&secret), "{}", error),
                }
            }
        }
    }
}

/// What a name says is secret is not written down, however harmless it looks.
#[test]
fn names_are_enough() {
    let refused = |words: &[&str]| {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        let arguments = words.iter().map(|word| word.parse()).collect::<Result<Vec<_>, Error>>();
        match arguments {
            Ok(arguments) => write(&Request { arguments, ..nightly() }, &Target::Launchd).map(|_| ()),
            Err(error) => Err(error),
        }
    };
    for words in [
        vec!["--key", "API_PASSWORD=hunter2"],
        vec!["-k", "CLIENT_SECRET=hunter2"],
        vec!["-kjcds_session_token=hunter2"],
        vec!["--key=SMB_PASSWORD=hunter2"],
        vec!["--key", "BEARER_TOKEN=$TOKEN"],
        vec!["--client-secret", "hunter2"],
        vec!["--password=hunter2"],
        vec!["--slack-webhook", "x"],
    ] {
        let error = refused(&words).unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    insta::assert_snapshot!(refused(&["-k", "BEARER_TOKEN=$TOKEN"]).unwrap_err(), @"the argument --key BEARER_TOKEN would put a secret on the command line");
    assert_eq!(refused(&["--key", "pkg_notes=The secret of good food"]), Ok(()));
    assert_eq!(refused(&["--key", "pkg_category=Password managers"]), Ok(()));
}

/// What people really give is not taken for a secret.
#[test]
fn ordinary_words_pass() {
    for word in [
        "/Library/Application Support/AutoPkg/RecipeOverrides/GoogleChromeEnterprise64bit.jamf.recipe.yaml",
        "com.github.grahampugh.recipes.jamf.MicrosoftOffice365BusinessPro-upload",
        "local.jamf.Microsoft_365_and_Office_16_83_24031120_Installer",
        "/etc/pkgferry/secrets/token",
        "/srv/pkg/Adobe_CC_2026_v27.4.1_macOS15_Universal2_RIBS.pkg",
        "ghcr.io/example/pkgferry:1.2.3",
        "file:/etc/pkgferry/credentials/CLIENT_SECRET",
        "https://example.jamfcloud.com:8443/",
        "7f3d0c54-2b1c-4a7f-9a55-0d6f3c7f1e11",
        "CLIENT_SECRET=env:JAMF_SECRET",
        "TOKEN=$TOKEN",
    ] {
        assert!(word.parse::<schedule::Argument>().is_ok(), "{word}");
    }
    let image = "pkgferry@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    assert!(image.parse::<schedule::Image>().is_ok());
    let script = "cargo install --git https://github.com/pkgferry/pkgferry --rev 08c6903cd8c0fde910a37f88322edcfb5dd907a8 pkgferry";
    assert!(script.parse::<schedule::Script>().is_ok());
}

/// Secrets that are named are referenced, in each scheduler's own way.
#[test]
fn references() {
    let request = Request {
        secrets: vec!["CLIENT_SECRET".parse().unwrap()],
        settings: Some(path("/etc/pkgferry/settings.toml")),
        ..with_arguments(nightly(), &[])
    };
    let references = [
        "",
        "LoadCredential=CLIENT_SECRET:/etc/pkgferry/credentials/CLIENT_SECRET\n",
        "",
        "CLIENT_SECRET: ${{ secrets.CLIENT_SECRET }}\n",
        ": \"${CLIENT_SECRET:?",
        "secretKeyRef:\n                  name: pkgferry\n                  key: CLIENT_SECRET\n",
    ];
    for (target, reference) in targets().iter().zip(references) {
        let written = write(&request, target).unwrap();
        assert!(written.files[0].text.contains(reference), "{:?}", target.kind());
        assert!(written.install.contains("CLIENT_SECRET"), "{:?}", target.kind());
    }
}
