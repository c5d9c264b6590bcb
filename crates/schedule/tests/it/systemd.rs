//! Services and timers, read by systemd itself where it is there.

use crate::support::{Recorder, full, nightly, odd_words, path, shown, text, with_arguments};
use proptest::prelude::*;
use schedule::{Error, Request, Systemd, Target, write};
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

/// Says on the real standard error, which the test runner does not keep to itself, that something was not looked at.
pub fn skipped(what: &str) {
    let _ = writeln!(std::io::stderr(), "schedule: skipped, there is no {what} here");
}

fn systemd() -> Target {
    Target::Systemd(Systemd::default())
}

#[test]
fn a_service_with_its_timer() {
    let request = Request { time_zone: Some("Europe/Berlin".parse().unwrap()), ..nightly() };
    insta::assert_snapshot!(shown(&write(&request, &systemd()).unwrap()), @r#"
    ==> pkgferry-nightly.service <==
    [Unit]
    Description=pkgferry: packages into Jamf Cloud (nightly)
    Documentation=https://github.com/pkgferry/pkgferry
    Wants=network-online.target
    After=network-online.target

    [Service]
    Type=oneshot
    ExecStart=:/usr/local/bin/pkgferry run --state /var/lib/pkgferry --recipe-list /etc/pkgferry/nightly.txt --report /var/log/pkgferry/pkgferry-nightly.html
    DynamicUser=yes
    StateDirectory=pkgferry
    StateDirectoryMode=0700
    LogsDirectory=pkgferry
    LogsDirectoryMode=0700
    SuccessExitStatus=130
    TimeoutStartSec=infinity
    TimeoutStopSec=2min
    Nice=10
    IOSchedulingClass=best-effort
    IOSchedulingPriority=7
    CPUSchedulingPolicy=batch
    UMask=0077
    CapabilityBoundingSet=
    AmbientCapabilities=
    NoNewPrivileges=yes
    ProtectSystem=strict
    ProtectHome=read-only
    PrivateTmp=yes
    PrivateDevices=yes
    ProtectClock=yes
    ProtectControlGroups=yes
    ProtectHostname=yes
    ProtectKernelLogs=yes
    ProtectKernelModules=yes
    ProtectKernelTunables=yes
    ProtectProc=invisible
    ProcSubset=pid
    LockPersonality=yes
    MemoryDenyWriteExecute=yes
    RemoveIPC=yes
    RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
    RestrictNamespaces=yes
    RestrictRealtime=yes
    RestrictSUIDSGID=yes
    SystemCallArchitectures=native
    SystemCallFilter=@system-service
    SystemCallFilter=~@privileged @resources
    SystemCallErrorNumber=EPERM

    ==> pkgferry-nightly.timer <==
    [Unit]
    Description=pkgferry: packages into Jamf Cloud (nightly)

    [Timer]
    OnCalendar=*-*-* 03:10:00 Europe/Berlin
    Persistent=true
    RandomizedDelaySec=10min
    AccuracySec=1min

    [Install]
    WantedBy=timers.target

    ==> install <==
    sudo install -m 644 pkgferry-nightly.service pkgferry-nightly.timer /etc/systemd/system/
    sudo systemctl daemon-reload
    sudo systemctl enable --now pkgferry-nightly.timer

    Run it now:      sudo systemctl start pkgferry-nightly.service
    See what it did: journalctl -u pkgferry-nightly.service
    Its report:      /var/log/pkgferry/pkgferry-nightly.html
    Next run:        systemctl list-timers pkgferry-nightly.timer
    Take it away:    sudo systemctl disable --now pkgferry-nightly.timer

    The run has a user of its own, who reads what all can read: let recipes, packages and a settings file without secrets be so.
    Where the settings hold a secret, or keep one as file:PATH, name the user who can read it (--user NAME), or hand the secret
    over (--secret CLIENT_SECRET, and CLIENT_SECRET = "credential:CLIENT_SECRET" in the settings).
    "#);
}

#[test]
fn all_that_can_be_asked_for() {
    let options = Systemd {
        writable: vec![path("/srv/down loads")],
        credentials: Some(path("/etc/pkgferry/100% secret")),
    };
    let request = Request { state: Some(path("/srv/state")), ..full() };
    let written = write(&request, &Target::Systemd(options)).unwrap();
    let kept = [
        "==>",
        "Description",
        "ExecStart",
        "WorkingDirectory",
        "User",
        "LoadC",
        "Directory",
        "ReadWrite",
        "Success",
    ];
    let lines: Vec<_> = shown(&written)
        .lines()
        .filter(|line| kept.iter().any(|start| line.starts_with(start)))
        .map(str::to_owned)
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    ==> pkgferry-nightly@.service <==
    Description=pkgferry: packages into Jamf Cloud (nightly, shard %i of 3)
    ExecStart=:/usr/local/bin/pkgferry run --shard %i/3 --settings /etc/pkgferry/settings.toml --state /srv/state --server test --server production --recipe-list /etc/pkgferry/nightly.txt --report /var/log/pkgferry/pkgferry-nightly.html --report /var/log/pkgferry/pkgferry-nightly.json --jobs 4 com.example.jamf.Firefox
    WorkingDirectory=/srv/recipes
    User=_pkgferry
    LoadCredential=CLIENT_ID:/etc/pkgferry/100%% secret/CLIENT_ID
    LoadCredential=CLIENT_SECRET:/etc/pkgferry/100%% secret/CLIENT_SECRET
    ReadWritePaths=/srv/state "/srv/down loads"
    SuccessExitStatus=130
    ==> pkgferry-nightly@.timer <==
    Description=pkgferry: packages into Jamf Cloud (nightly, shard %i of 3)
    ==> install <==
    "#);
    insta::assert_snapshot!(written.install, @r#"
    Install both files on 3 machines; on the second, write @2 for @1, and so on.

    sudo install -d -m 700 -o _pkgferry /srv/state '/srv/down loads'
    sudo install -m 644 pkgferry-nightly@.service pkgferry-nightly@.timer /etc/systemd/system/
    sudo systemctl daemon-reload
    sudo systemctl enable --now pkgferry-nightly@1.timer

    Run it now:      sudo systemctl start pkgferry-nightly@1.service
    See what it did: journalctl -u pkgferry-nightly@1.service
    Its report:      /var/log/pkgferry/pkgferry-nightly.html
    Next run:        systemctl list-timers pkgferry-nightly@1.timer
    Take it away:    sudo systemctl disable --now pkgferry-nightly@1.timer

    The secrets, each in a file of root's:
      sudo install -d -m 700 '/etc/pkgferry/100% secret'
      sudo install -m 600 /dev/stdin '/etc/pkgferry/100% secret/CLIENT_ID'   # then type it, and Ctrl-D
      sudo install -m 600 /dev/stdin '/etc/pkgferry/100% secret/CLIENT_SECRET'   # then type it, and Ctrl-D
    and in the settings file, which then holds no secret:
      CLIENT_ID = "credential:CLIENT_ID"
      CLIENT_SECRET = "credential:CLIENT_SECRET"

    One report of all 3 shards: collect /var/log/pkgferry/pkgferry-nightly.json of each machine as shard-1.json and so on, then
      pkgferry report merge shard-*.json --output pkgferry-nightly.html

    If there is a heartbeat, write {shard} into its address, such as https://hc-ping.com/KEY/nightly-{shard}: with one address for
    all shards, nobody notices when one of them is silent.
    "#);
}

/// A dry run that tells pending changes has not failed.
#[test]
fn pending_changes_are_no_failure() {
    let request = with_arguments(nightly(), &["--dry-run".to_owned(), "--detailed-exit-code".to_owned()]);
    assert!(text(&request, &systemd()).contains("\nSuccessExitStatus=2 130\n"));
    assert!(text(&nightly(), &systemd()).contains("\nSuccessExitStatus=130\n"));
}

#[test]
fn what_systemd_cannot_say() {
    let refused = |request: Request| write(&request, &systemd()).unwrap_err().to_string();
    insta::assert_snapshot!(refused(Request { folder: Some(path("/a\nExecStart=/b")), ..nightly() }), @"the working folder cannot be written for systemd: it holds a line break or another control character");
    insta::assert_snapshot!(refused(Request { folder: Some(path("/a\\")), ..nightly() }), @"the working folder cannot be written for systemd: systemd cuts off what it ends in");
    insta::assert_snapshot!(refused(Request { program: path("pkgferry"), ..nightly() }), @r#"the program is "pkgferry"; systemd needs an absolute path"#);
    insta::assert_snapshot!(refused(Request { program: path("/opt/it's/pkgferry"), ..nightly() }), @"the program cannot be written for systemd: systemd starts no program with quotes or backslashes in its path");
    insta::assert_snapshot!(refused(Request { state: Some(path("/srv/state")), ..nightly() }), @"the state folder cannot be written for systemd: without a user it is one folder right below /var/lib or /var/log");
    insta::assert_snapshot!(
        refused(Request { state: Some(path("/srv/a\nb")), user: Some("ferry".parse().unwrap()), ..nightly() }),
        @"the state folder cannot be written for systemd: it holds a line break or another control character"
    );
    assert!(matches!(
        write(&Request { state: Some(path("/var/lib/../../etc")), ..nightly() }, &systemd()),
        Err(Error::CannotSay { .. })
    ));
}

/// `systemd-analyze verify` finds nothing to say, and `security` little, about what people would ask for.
#[test]
fn systemd_verifies_the_units() {
    let folder = Recorder::new("bin/pkgferry");
    let program = path(folder.program("bin/pkgferry").to_str().unwrap());
    let requests = [
        Request { program: program.clone(), ..nightly() },
        Request {
            program: program.clone(),
            time_zone: Some("Europe/Berlin".parse().unwrap()),
            shards: "1".parse().unwrap(),
            ..full()
        },
        Request { program, user: Some("root".parse().unwrap()), ..full() },
    ];
    let odd = Systemd {
        writable: vec![path("/srv/it's \"100%\" $HOME \\n")],
        credentials: Some(path("/etc/it's \"100%\" $HOME")),
    };
    for (number, request) in requests.into_iter().enumerate() {
        let target = if number == 0 { systemd() } else { Target::Systemd(odd.clone()) };
        let units = folder.folder().join(number.to_string());
        fs::create_dir(&units).unwrap();
        let mut names = Vec::new();
        for file in write(&request, &target).unwrap().files {
            fs::write(units.join(&file.name), &file.text).unwrap();
            names.push(file.name.replace('@', "@2"));
        }
        let mut command = Command::new("systemd-analyze");
        command.arg("verify").args(&names).env("SYSTEMD_UNIT_PATH", format!("{}:", units.display()));
        let Ok(output) = command.output() else { return skipped("systemd-analyze") };
        // It complains about all units that it comes across.
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let ours: Vec<_> = said.lines().filter(|line| line.contains("pkgferry")).collect();
        assert!(output.status.success() && ours.is_empty(), "{said}");

        let service = units.join(&write(&request, &target).unwrap().files[0].name);
        let mut command = Command::new("systemd-analyze");
        let output =
            command.args(["security", "--offline=true", "--threshold=30"]).arg(service).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}

/// The command lines that systemd reads out of services: of each, the words.
fn read_by_systemd(folder: &Path, services: &[(String, String)]) -> Option<Vec<Vec<String>>> {
    let program = ["/usr/lib/systemd/systemd", "/lib/systemd/systemd"]
        .into_iter()
        .find(|path| Path::new(path).exists());
    let Some(program) = program else {
        skipped("systemd");
        return None;
    };
    for (name, text) in services {
        fs::write(folder.join(name), text).unwrap();
    }
    let wants: String = services.iter().map(|(name, _)| format!("Wants={name}\n")).collect();
    fs::write(folder.join("all.target"), format!("[Unit]\n{wants}")).unwrap();
    // It refuses to test as root.
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
    let mut command = if is_root { Command::new("setpriv") } else { Command::new(program) };
    if is_root {
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", program]);
    }
    command.args(["--test", "--user", "--unit=all.target"]).env_clear();
    command.env("HOME", folder).env("XDG_RUNTIME_DIR", folder);
    command.env("SYSTEMD_UNIT_PATH", format!("{}:/usr/lib/systemd/user", folder.display()));
    let output = match command.output() {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).into_owned(),
        _ => {
            skipped("systemd that tests units");
            return None;
        }
    };
    let mut lines = Vec::new();
    for (name, _) in services {
        let unit = output.split(&format!("-> Unit {name}:")).nth(1).unwrap_or_default();
        let line = unit.lines().find_map(|line| line.trim().strip_prefix("Command Line: "));
        lines.push(line.map(unquote).unwrap_or_default());
    }
    Some(lines)
}

/// Undoes the quoting in which systemd shows command lines: double quotes, with backslashes as in C.
fn unquote(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted, mut any) = (Vec::new(), Vec::<u8>::new(), false, false);
    let mut bytes = line.bytes().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => (quoted, any) = (!quoted, true),
            b' ' if !quoted => {
                words.push(std::mem::take(&mut word));
                any = false;
            }
            b'\\' => match bytes.next().unwrap() {
                b'n' => word.push(b'\n'),
                b't' => word.push(b'\t'),
                b'r' => word.push(b'\r'),
                digit @ b'0'..=b'3' => {
                    let digits = [digit, bytes.next().unwrap(), bytes.next().unwrap()];
                    word.push(digits.iter().fold(0, |number, digit| number * 8 + (digit - b'0')));
                }
                other => word.push(other),
            },
            other => word.push(other),
        }
    }
    if any || !word.is_empty() {
        words.push(word);
    }
    words.into_iter().map(|word| String::from_utf8(word).unwrap()).collect()
}

/// Words that systemd's own quoting is about.
#[test]
fn systemd_reads_what_was_meant() {
    let folder = Recorder::new("100% ${HOME}/pkg ferry");
    let program = folder.program("100% ${HOME}/pkg ferry");
    let words: Vec<_> = [
        ";", "a b", "%h", "%%", "$HOME", "${HOME}", "$$", "\\", "\\n", "\n", "\"", "'", "\u{1b}", "#",
        "\\x41", "é🦊", "{", "a\\",
    ]
    .map(str::to_owned)
    .to_vec();
    let request = with_arguments(Request { program: path(program.to_str().unwrap()), ..nightly() }, &words);
    let units = folder.folder().join("units");
    fs::create_dir(&units).unwrap();
    open(&units);
    let Some(read) = read_by_systemd(&units, &[("a.service".to_owned(), text(&request, &systemd()))]) else {
        return;
    };
    assert_eq!(read[0][0], program.to_str().unwrap());
    assert_eq!(read[0][read[0].len() - words.len()..], words);
}

/// systemd makes files there, as somebody else.
fn open(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    /// Thirty services at a time, since reading takes as long for one.
    #[test]
    fn systemd_reads_any_words(all in prop::collection::vec(odd_words(false), 30)) {
        let folder = Recorder::new("pkgferry");
        open(folder.folder());
        let program = path(folder.program("pkgferry").to_str().unwrap());
        let service = |(number, words): (usize, &Vec<String>)| {
            let request = with_arguments(Request { program: program.clone(), ..nightly() }, words);
            (format!("s{number}.service"), text(&request, &systemd()))
        };
        let services: Vec<_> = all.iter().enumerate().map(service).collect();
        let Some(read) = read_by_systemd(folder.folder(), &services) else { return Ok(()) };
        for (read, words) in read.iter().zip(&all) {
            prop_assert!(read.len() > words.len(), "{:?} {:?}", read, words);
            prop_assert_eq!(&read[read.len() - words.len()..], words.as_slice());
        }
    }
}
