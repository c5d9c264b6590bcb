//! Crontabs: read as cron reads them, and what it reads run by a shell.

use crate::support::{Recorder, full, nightly, odd_words, path, shown, text, with_arguments};
use proptest::prelude::*;
use schedule::{Cron, Request, Target, write};

fn cron() -> Target {
    Target::Cron(Cron::default())
}

/// What cron hands to the shell: the rest of the line behind the time and, in files of `/etc/cron.d`, the user. As in
/// `do_command.c` of Vixie cron and cronie: a backslash in front of `%` goes, and an unescaped `%` ends the command.
fn command(crontab: &str, has_user: bool) -> String {
    let lines: Vec<_> = crontab.lines().filter(|line| !line.starts_with('#') && !is_setting(line)).collect();
    assert_eq!(lines.len(), 1, "{crontab}");
    let rest = lines[0].splitn(6 + usize::from(has_user), ' ').last().unwrap();
    let (mut command, mut escaped) = (String::new(), false);
    for ch in rest.chars() {
        if escaped {
            if ch == '%' {
                command.pop();
            }
            escaped = false;
        } else if ch == '\\' {
            escaped = true;
        } else if ch == '%' {
            break;
        }
        command.push(ch);
    }
    command
}

fn is_setting(line: &str) -> bool {
    line.split_once('=').is_some_and(|(name, _)| name.chars().all(|ch| ch.is_ascii_uppercase()))
}

#[test]
fn lines_for_a_crontab() {
    insta::assert_snapshot!(shown(&write(&nightly(), &cron()).unwrap()), @r#"
    ==> pkgferry-nightly <==
    # pkgferry: packages into Jamf Cloud (nightly)
    SHELL=/bin/sh
    PATH=/usr/local/bin:/usr/bin:/bin
    10 3 * * * /usr/local/bin/pkgferry run --recipe-list /etc/pkgferry/nightly.txt --report "$HOME"/.local/state/pkgferry/pkgferry-nightly.html

    ==> install <==
    mkdir -p -m 700 "$HOME"/.local/state/pkgferry
    { crontab -l 2>/dev/null; cat pkgferry-nightly; } | crontab -

    A time that passes while the machine is off is not made up for.
    Secrets (CLIENT_SECRET) are not in it: cron hands on none, so let the
    settings file name them, as file:PATH or command:…, or hold them with mode 600.
    "#);
}

#[test]
fn files_for_cron_d() {
    let options = Cron { mail_to: Some("admins@example.com".parse().unwrap()) };
    let written = write(&full(), &Target::Cron(options)).unwrap();
    assert_eq!(written.files.len(), 3);
    insta::assert_snapshot!(written.files[1].name, @"pkgferry-nightly-2-of-3");
    insta::assert_snapshot!(written.files[1].text, @"
    # pkgferry: packages into Jamf Cloud (nightly)
    SHELL=/bin/sh
    PATH=/usr/local/bin:/usr/bin:/bin
    MAILTO=admins@example.com
    10 3 * * 1-5 _pkgferry { cd /srv/recipes && /usr/local/bin/pkgferry run --settings /etc/pkgferry/settings.toml --state /var/lib/pkgferry --server test --server production --recipe-list /etc/pkgferry/nightly.txt --shard 2/3 --report /var/log/pkgferry/pkgferry-nightly.html --report /var/log/pkgferry/pkgferry-nightly.json --jobs 4 com.example.jamf.Firefox; } >>/var/log/pkgferry/pkgferry-nightly.log 2>&1 || echo 'pkgferry-nightly ended with an error, see /var/log/pkgferry/pkgferry-nightly.log'
    ");
    insta::assert_snapshot!(written.install, @"
    Each file is for a machine of its own; the lines below are for the first.

    sudo install -d -m 700 -o _pkgferry /var/lib/pkgferry /var/log/pkgferry
    sudo install -m 644 -o root pkgferry-nightly-1-of-3 /etc/cron.d/pkgferry-nightly-1-of-3

    A time that passes while the machine is off is not made up for.
    Secrets (CLIENT_ID, CLIENT_SECRET) are not in it: cron hands on none, so let the
    settings file name them, as file:PATH or command:…, or hold them with mode 600.

    One report of all 3 shards: collect /var/log/pkgferry/pkgferry-nightly.json of each machine as shard-1.json and so on, then
      pkgferry report merge shard-*.json --output pkgferry-nightly.html

    If there is a heartbeat, write {shard} into its address, such as https://hc-ping.com/KEY/nightly-{shard}: with one address for
    all shards, nobody notices when one of them is silent.
    ");
}

#[test]
fn what_cron_cannot_say() {
    let refused = |request: Request| write(&request, &cron()).unwrap_err().to_string();
    insta::assert_snapshot!(refused(Request { list: Some(path("/a\n* * * * * root rm -rf /")), ..nightly() }), @"a path, a recipe or an argument cannot be written for cron: it holds a line break or another control character");
    insta::assert_snapshot!(refused(Request { recipes: (0..60).map(|number| format!("com.example.jamf.{number}").parse().unwrap()).collect(), ..nightly() }), @"the crontab line has 1318 bytes; cron reads 999");
    insta::assert_snapshot!(refused(Request { time_zone: Some("Europe/Berlin".parse().unwrap()), ..nightly() }), @"cron takes no time zone: it runs on the machine's own clock");
}

/// What is printed goes to the log, and only a failure is mailed: the line that cron sees.
#[test]
fn logs_and_failures() {
    let folder = Recorder::new("pkgferry");
    let log_folder = folder.folder().join("lo gs 100%");
    std::fs::create_dir(&log_folder).unwrap();
    let work = folder.folder().join("wo'rk");
    std::fs::create_dir(&work).unwrap();
    let request = Request {
        program: path(folder.program("pkgferry").to_str().unwrap()),
        logs: Some(path(log_folder.to_str().unwrap())),
        folder: Some(path(work.to_str().unwrap())),
        ..nightly()
    };
    let line = command(&text(&request, &cron()), false);
    let output = folder.run("sh", &line, &[]);
    assert!(output.status.success() && output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
    assert_eq!(folder.variable("PWD").as_deref(), work.to_str());

    folder.install("pkgferry", "echo it broke; exit 5\n");
    let output = folder.run("sh", &line, &[]);
    let log = log_folder.join("pkgferry-nightly.log");
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "it broke\n");
    let mail = String::from_utf8(output.stdout).unwrap();
    assert_eq!(mail, format!("pkgferry-nightly ended with an error, see {}\n", log.display()));

    // A working folder that is gone is told too, and nothing runs elsewhere.
    std::fs::remove_dir(&work).unwrap();
    let output = folder.run("sh", &line, &[]);
    assert!(String::from_utf8(output.stdout).unwrap().contains("ended with an error"));
}

/// Somebody's own crontab has a report at home; the lines that install it make the folder.
#[test]
fn a_report_without_a_log_folder() {
    let folder = Recorder::new("pkgferry");
    let program = path(folder.program("pkgferry").to_str().unwrap());
    let own = Request { program, ..nightly() };
    let home = folder.program("ho me");
    let written = write(&own, &cron()).unwrap();
    let make = written.install.lines().find(|line| line.starts_with("mkdir")).unwrap();
    let line = command(&written.files[0].text, false);
    let output = folder.run("sh", &format!("{make}; {line}"), &[("HOME", home.to_str().unwrap())]);
    assert!(output.status.success(), "{output:?}");
    let words = folder.words().unwrap();
    let report = std::path::Path::new(words.last().unwrap());
    assert!(report.starts_with(&home) && report.parent().unwrap().is_dir(), "{words:?}");

    let reported = |request: &Request| {
        let text = text(request, &cron());
        text.split(" --report ").nth(1).unwrap().trim_end().to_owned()
    };
    let user = Some("root".parse().unwrap());
    assert_eq!(
        reported(&Request { user: user.clone(), ..nightly() }),
        "/var/log/pkgferry/pkgferry-nightly.html"
    );
    let state = Some(path("/var/lib/ferry/"));
    assert_eq!(reported(&Request { user, state, ..nightly() }), "/var/lib/ferry/pkgferry-nightly.html");
}

#[test]
fn percent_and_backslash() {
    let folder = Recorder::new("100% \\% it's/pkgferry");
    let program = path(folder.program("100% \\% it's/pkgferry").to_str().unwrap());
    let words: Vec<_> =
        ["%", "%%", "\\%", "\\\\%", "\\\\\\%", "'%", "\\'%", "a\\", "%\\"].map(str::to_owned).to_vec();
    let request = with_arguments(Request { program, ..nightly() }, &words);
    let output = folder.run("sh", &command(&text(&request, &cron()), false), &[]);
    assert!(output.status.success(), "{output:?}");
    let read = folder.words().unwrap();
    assert_eq!(read[read.len() - words.len()..], words);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_words(words in odd_words(true), with_user in any::<bool>()) {
        let folder = Recorder::new("pkgferry");
        let program = path(folder.program("pkgferry").to_str().unwrap());
        let user = with_user.then(|| "root".parse().unwrap());
        let request = with_arguments(Request { program, user, ..nightly() }, &words);
        let output = folder.run("sh", &command(&text(&request, &cron()), with_user), &[]);
        prop_assert!(output.status.success(), "{:?}", output);
        let read = folder.words().unwrap();
        prop_assert_eq!(&read[read.len() - words.len()..], words.as_slice());
    }
}
