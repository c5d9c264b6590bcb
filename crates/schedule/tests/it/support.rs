//! Requests, the words that a run has to get, and a program that tells which it got.

use proptest::prelude::*;
use schedule::{Argument, FilePath, Kind, Request, Target, Written, write};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub fn path(text: &str) -> FilePath {
    text.parse().unwrap()
}

/// A request with a list and a time, and nothing else.
pub fn nightly() -> Request {
    Request {
        list: Some(path("/etc/pkgferry/nightly.txt")),
        ..Request::new("nightly".parse().unwrap(), path("/usr/local/bin/pkgferry"), "03:10".parse().unwrap())
    }
}

/// All that a request can say, for schedulers of a machine.
pub fn full() -> Request {
    Request {
        recurrence: "Mon-Fri 03:10".parse().unwrap(),
        recipes: vec!["com.example.jamf.Firefox".parse().unwrap()],
        folder: Some(path("/srv/recipes")),
        settings: Some(path("/etc/pkgferry/settings.toml")),
        servers: vec!["test".parse().unwrap(), "production".parse().unwrap()],
        state: Some(path("/var/lib/pkgferry")),
        logs: Some(path("/var/log/pkgferry")),
        shards: "3".parse().unwrap(),
        user: Some("_pkgferry".parse().unwrap()),
        secrets: vec!["CLIENT_ID".parse().unwrap(), "CLIENT_SECRET".parse().unwrap()],
        arguments: vec!["--jobs".parse().unwrap(), "4".parse().unwrap()],
        ..nightly()
    }
}

/// All files one after the other, each under its name, and how they are installed.
pub fn shown(written: &Written) -> String {
    let files = written.files.iter().map(|file| format!("==> {} <==\n{}\n", file.name, file.text));
    format!("{}==> install <==\n{}", files.collect::<String>(), written.install)
}

pub fn text(request: &Request, target: &Target) -> String {
    write(request, target).unwrap().files.remove(0).text
}

/// Words that people would not choose and quoting gets wrong, without what no format can say.
pub fn odd_words(one_line: bool) -> impl Strategy<Value = Vec<String>> {
    let pieces = "[a-z]|[ \"'\\\\$%#;&|<>(){}\\[\\]*?!~`:,=@^-]|[äß🦊]|\\$\\{HOME\\}|\\$HOME|\\$\\(id\\)|%h|%%|\\\\n|\\\\\\\\|'\\\\''";
    let piece = prop::string::string_regex(pieces).unwrap();
    let breaks = prop::sample::select(if one_line { vec![" "] } else { vec!["\n", "\t", "\r", "\n\n", " "] });
    let piece = prop_oneof![12 => piece, 1 => breaks.prop_map(str::to_owned)];
    let word = prop::collection::vec(piece, 1..10).prop_map(|pieces| format!("_{}", pieces.concat()));
    prop::collection::vec(word, 1..8)
}

/// The words as further arguments of a request.
pub fn with_arguments(request: Request, words: &[String]) -> Request {
    let arguments: Vec<Argument> = words.iter().filter_map(|word| word.parse().ok()).collect();
    assert_eq!(arguments.len(), words.len(), "{words:?}");
    Request { arguments, ..request }
}

/// A folder that everybody may write to, with a program that writes the words it was given to `words`.
pub struct Recorder(tempfile::TempDir);

impl Recorder {
    pub fn new(program: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let this = Self(folder);
        let words = this.folder().join("words");
        let variables = words.with_extension("env");
        let told =
            format!("printf '%s\\0' \"$@\" >'{}'\nenv -0 >'{}'\n", words.display(), variables.display());
        this.install(program, &told);
        this
    }

    /// Puts a shell script into the folder. Another process writes the file: one that this process has open for writing
    /// may be handed on to whatever a test beside this one starts, and cannot be started itself until that has ended.
    pub fn install(&self, program: &str, script: &str) {
        let source = self.folder().join("source");
        fs::write(&source, format!("#!/bin/sh\n{script}")).unwrap();
        let program = self.program(program);
        fs::create_dir_all(program.parent().unwrap()).unwrap();
        let status = Command::new("install").args(["-m", "755"]).args([&source, &program]).status().unwrap();
        assert!(status.success());
    }

    pub fn folder(&self) -> &Path {
        self.0.path()
    }

    pub fn program(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs a script with a shell, in the folder.
    pub fn run(&self, shell: &str, script: &str, variables: &[(&str, &str)]) -> Output {
        let mut command = Command::new(shell);
        command.env_remove("CLIENT_SECRET");
        command.args(["-c", script]).current_dir(self.folder()).envs(variables.iter().copied());
        command.output().unwrap()
    }

    /// The words that the program was last given, `None` if it did not run.
    pub fn words(&self) -> Option<Vec<String>> {
        parts(&self.0.path().join("words"))
    }

    /// A variable that the program saw.
    pub fn variable(&self, name: &str) -> Option<String> {
        let all = parts(&self.0.path().join("words.env"))?;
        all.iter().find_map(|entry| entry.strip_prefix(name)?.strip_prefix('=').map(str::to_owned))
    }
}

fn parts(path: &Path) -> Option<Vec<String>> {
    let text = fs::read_to_string(path).ok()?;
    Some(text.split_terminator('\0').map(str::to_owned).collect())
}

/// Whether words stand in others, in order and next to each other.
pub fn holds(all: &[String], words: &[String]) -> bool {
    all.windows(words.len()).any(|window| window == words)
}

/// A kind with the least that it needs.
pub fn targets() -> Vec<Target> {
    Kind::ALL
        .into_iter()
        .map(|kind| match kind {
            Kind::Launchd => Target::Launchd,
            Kind::Systemd => Target::Systemd(schedule::Systemd::default()),
            Kind::Cron => Target::Cron(schedule::Cron::default()),
            Kind::GithubActions => Target::GithubActions(schedule::GithubActions::default()),
            Kind::Gitlab => Target::Gitlab(schedule::Gitlab::default()),
            Kind::Kubernetes => Target::Kubernetes(schedule::Kubernetes {
                secret: Some("pkgferry".parse().unwrap()),
                ..schedule::Kubernetes::new("pkgferry:1".parse().unwrap())
            }),
        })
        .collect()
}
