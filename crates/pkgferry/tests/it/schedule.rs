//! `pkgferry schedule`: what is typed arrives in the unit. The units themselves are tested where they are written.

use crate::stage::{Ran, Stage, noise};
use serde_json::Value;

/// The shortest command line of each scheduler.
const SCHEDULERS: &[&str] = &[
    "launchd",
    "systemd",
    "cron",
    "github-actions",
    "gitlab",
    "kubernetes --image registry.example.com/pkgferry:1",
];
/// On no machine, so that what is missing is the same everywhere.
pub const PROGRAM: &str = "--program /opt/ferry/bin/pkgferry";

/// Runs `pkgferry schedule` with what follows it on a command line.
pub fn schedule(stage: &Stage, line: &str) -> Ran {
    let line = format!("schedule {line}");
    let words = shlex::split(&line).unwrap();
    stage.run(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn a_daemon_for_launchd() {
    let ran = schedule(
        &Stage::new(),
        &format!(
            "launchd --at 'Mon 03:00' --recipe-list /opt/ferry/etc/nightly.txt \
         --settings /opt/ferry/etc/settings.toml --server production --user _pkgferry {PROGRAM}"
        ),
    )
    .succeeded();
    let unit = plist::Value::from_reader_xml(ran.stdout.as_bytes()).unwrap().into_dictionary().unwrap();
    let words = unit["ProgramArguments"].as_array().unwrap().iter().map(|word| word.as_string().unwrap());
    insta::assert_snapshot!(words.collect::<Vec<_>>().join(" | "), @"/opt/ferry/bin/pkgferry | run | --settings | /opt/ferry/etc/settings.toml | --state | /Library/Application Support/pkgferry | --server | production | --recipe-list | /opt/ferry/etc/nightly.txt | --report | /Library/Logs/pkgferry/pkgferry-nightly.html");
    assert_eq!(unit["UserName"].as_string(), Some("_pkgferry"));
    let time = unit["StartCalendarInterval"].as_dictionary().unwrap();
    let number = |name: &str| time.get(name).and_then(plist::Value::as_signed_integer);
    assert_eq!([number("Weekday"), number("Hour"), number("Minute")], [Some(1), Some(3), Some(0)]);
    insta::assert_snapshot!(ran.stderr, @r#"
    How to install it as com.github.pkgferry.nightly.plist:

    sudo install -d -m 700 -o _pkgferry '/Library/Application Support/pkgferry' /Library/Logs/pkgferry
    sudo install -m 644 -o root -g wheel com.github.pkgferry.nightly.plist /Library/LaunchDaemons/
    sudo launchctl bootstrap system /Library/LaunchDaemons/com.github.pkgferry.nightly.plist

    Run it now:      sudo launchctl kickstart system/com.github.pkgferry.nightly
    Take it away:    sudo launchctl bootout system/com.github.pkgferry.nightly

    A time that passes while the Mac sleeps is made up for when it wakes; one that passes while it is off is not.
    Secrets (CLIENT_SECRET) are not in it: let the settings name them,
    as file:PATH or keychain:SERVICE/ACCOUNT of the system keychain, or hold them in
    /opt/ferry/etc/settings.toml with mode 600 and _pkgferry as its owner.

    Still missing:
    - pkgferry itself: /opt/ferry/bin/pkgferry is not on this machine
    - the recipe list: /opt/ferry/etc/nightly.txt is not on this machine
    - the settings file: /opt/ferry/etc/settings.toml is not on this machine; it has to name JSS_URL, CLIENT_ID and CLIENT_SECRET
    "#);
}

#[test]
fn a_service_and_a_timer_for_systemd() {
    let ran = schedule(
        &Stage::new(),
        &format!(
            "systemd --every '6h at :20' --days weekdays --time-zone Europe/Berlin --name site-2 \
         --state /var/lib/ferry --logs /var/log/ferry --working-dir /srv/recipes --secret CLIENT_SECRET \
         --credentials /etc/secrets --writable /srv/cache Firefox.jamf {PROGRAM} -- --rehash"
        ),
    );
    // The hardening is the same whatever is asked for.
    let hardening =
        "TimeoutStopSec Nice IO CPU UMask Cap Amb NoNew Pro Private Lock Mem Rem Restrict SystemCall";
    let shown = ran.shown();
    let lines = shown.lines().filter(|line| !hardening.split(' ').any(|start| line.starts_with(start)));
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r#"
    exit 0
    --- stdout
    ==> pkgferry-site-2.service <==
    [Unit]
    Description=pkgferry: packages into Jamf Cloud (site-2)
    Documentation=https://github.com/pkgferry/pkgferry
    Wants=network-online.target
    After=network-online.target

    [Service]
    Type=oneshot
    ExecStart=:/opt/ferry/bin/pkgferry run --state /var/lib/ferry --report /var/log/ferry/pkgferry-site-2.html --rehash Firefox.jamf
    WorkingDirectory=/srv/recipes
    DynamicUser=yes
    LoadCredential=CLIENT_SECRET:/etc/secrets/CLIENT_SECRET
    StateDirectory=ferry
    StateDirectoryMode=0700
    LogsDirectory=ferry
    LogsDirectoryMode=0700
    ReadWritePaths=/srv/cache
    SuccessExitStatus=130
    TimeoutStartSec=infinity

    ==> pkgferry-site-2.timer <==
    [Unit]
    Description=pkgferry: packages into Jamf Cloud (site-2)

    [Timer]
    OnCalendar=Mon..Fri *-*-* 00/6:20:00 Europe/Berlin
    Persistent=true
    RandomizedDelaySec=10min
    AccuracySec=1min

    [Install]
    WantedBy=timers.target
    --- stderr
    With --output DIR the files are written there. How to install them:

    sudo mkdir -p /srv/cache
    sudo install -m 644 pkgferry-site-2.service pkgferry-site-2.timer /etc/systemd/system/
    sudo systemctl daemon-reload
    sudo systemctl enable --now pkgferry-site-2.timer

    Run it now:      sudo systemctl start pkgferry-site-2.service
    See what it did: journalctl -u pkgferry-site-2.service
    Its report:      /var/log/ferry/pkgferry-site-2.html
    Next run:        systemctl list-timers pkgferry-site-2.timer
    Take it away:    sudo systemctl disable --now pkgferry-site-2.timer

    The secrets, each in a file of root's:
      sudo install -d -m 700 /etc/secrets
      sudo install -m 600 /dev/stdin /etc/secrets/CLIENT_SECRET   # then type it, and Ctrl-D
    and in the settings file, which then holds no secret:
      CLIENT_SECRET = "credential:CLIENT_SECRET"

    The run has a user of its own, who reads what all can read: let recipes, packages and a settings file without secrets be so.
    Where the settings hold a secret, or keep one as file:PATH, name the user who can read it (--user NAME), or hand the secret
    over (--secret CLIENT_SECRET, and CLIENT_SECRET = "credential:CLIENT_SECRET" in the settings).

    Still missing:
    - pkgferry itself: /opt/ferry/bin/pkgferry is not on this machine
    - JSS_URL, CLIENT_ID and CLIENT_SECRET: give a settings file that names them, with --settings
    "#);
}

/// Each machine has its own file.
#[test]
fn crontabs_of_shards_are_written_into_a_folder() {
    let stage = Stage::new();
    let folder = stage.path("cron.d");
    let line = format!(
        "cron --at 22:15 --days Sat,Sun --shards 2 --user root --mail-to it@example.com {PROGRAM} \
         --output {} Firefox.jamf",
        folder.display()
    );
    insta::assert_snapshot!(schedule(&stage, &line).shown(), @"
    exit 0
    --- stdout
    [STAGE]/cron.d/pkgferry-nightly-1-of-2
    [STAGE]/cron.d/pkgferry-nightly-2-of-2
    --- stderr
    How to install, from within [STAGE]/cron.d:

    Each file is for a machine of its own; the lines below are for the first.

    sudo install -d -m 700 -o root /var/log/pkgferry
    sudo install -m 644 -o root pkgferry-nightly-1-of-2 /etc/cron.d/pkgferry-nightly-1-of-2

    A time that passes while the machine is off is not made up for.
    Secrets (CLIENT_SECRET) are not in it: cron hands on none, so let the
    settings file name them, as file:PATH or command:…, or hold them with mode 600.

    One report of all 2 shards: collect /var/log/pkgferry/pkgferry-nightly.json of each machine as shard-1.json and so on, then
      pkgferry report merge shard-*.json --output pkgferry-nightly.html

    If there is a heartbeat, write {shard} into its address, such as https://hc-ping.com/KEY/nightly-{shard}: with one address for
    all shards, nobody notices when one of them is silent.

    Still missing:
    - pkgferry itself: /opt/ferry/bin/pkgferry is not on this machine
    - JSS_URL, CLIENT_ID and CLIENT_SECRET: give a settings file that names them, with --settings
    ");
    let second = folder.join("pkgferry-nightly-2-of-2");
    insta::assert_snapshot!(std::fs::read_to_string(&second).unwrap(), @"
    # pkgferry: packages into Jamf Cloud (nightly)
    SHELL=/bin/sh
    PATH=/usr/local/bin:/usr/bin:/bin
    MAILTO=it@example.com
    15 22 * * 0,6 root /opt/ferry/bin/pkgferry run --shard 2/2 --report /var/log/pkgferry/pkgferry-nightly.html --report /var/log/pkgferry/pkgferry-nightly.json Firefox.jamf
    ");

    // What is there stays, and if one is there none is written.
    std::fs::remove_file(folder.join("pkgferry-nightly-1-of-2")).unwrap();
    std::fs::write(&second, "mine").unwrap();
    insta::assert_snapshot!(schedule(&stage, &line).shown(), @"
    exit 6
    --- stderr
    pkgferry: [STAGE]/cron.d/pkgferry-nightly-2-of-2 is there already
      hint: --force replaces what is there
    ");
    assert_eq!(std::fs::read_to_string(&second).unwrap(), "mine");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    schedule(&stage, &format!("{line} --force")).succeeded();
    assert_ne!(std::fs::read_to_string(&second).unwrap(), "mine");
}

pub fn yaml(ran: &Ran) -> Value {
    serde_yaml::from_str(&ran.stdout).unwrap()
}

#[test]
fn a_workflow_for_github_actions() {
    let ran = schedule(
        &Stage::new(),
        "github-actions --at 03:10 --time-zone Europe/Berlin --shards 3 --runs-on self-hosted \
         --runs-on macOS --install 'brew tap x/y' --install 'brew install pkgferry' \
         --secret CLIENT_SECRET --recipe-list nightly.txt --url https://example.jamfcloud.com",
    )
    .succeeded();
    let workflow = yaml(&ran);
    let job = &workflow["jobs"]["run"];
    assert_eq!(workflow["on"]["schedule"][0]["cron"], "10 3 * * *");
    assert_eq!(workflow["on"]["schedule"][0]["timezone"], "Europe/Berlin");
    assert_eq!(job["runs-on"], serde_json::json!(["self-hosted", "macOS"]));
    assert_eq!(job["strategy"]["matrix"]["shard"], serde_json::json!([1, 2, 3]));
    let step = |name: &str| {
        let steps = job["steps"].as_array().unwrap();
        steps.iter().find(|step| step["name"] == name).unwrap()
    };
    assert_eq!(step("Install pkgferry")["run"], "brew tap x/y\nbrew install pkgferry");
    assert_eq!(step("Run the recipes")["env"]["CLIENT_SECRET"], "${{ secrets.CLIENT_SECRET }}");
    insta::assert_snapshot!(step("Run the recipes")["run"].as_str().unwrap(), @r#"
    mkdir -p "pkgferry-reports/shard-${PKGFERRY_SHARD%/*}"
    pkgferry run --state pkgferry-state --recipe-list nightly.txt --shard auto --deadline 4h30m --report "pkgferry-reports/shard-${PKGFERRY_SHARD%/*}/report.md" --report "pkgferry-reports/shard-${PKGFERRY_SHARD%/*}/report.json" --report "pkgferry-reports/shard-${PKGFERRY_SHARD%/*}/report.html" --report "pkgferry-reports/shard-${PKGFERRY_SHARD%/*}/report.xml" --url https://example.jamfcloud.com
    "#);
    assert!(ran.stderr.starts_with("How to install it as pkgferry-nightly.yml:\n"), "{}", ran.stderr);
}

#[test]
fn a_pipeline_for_gitlab() {
    let ran = schedule(
        &Stage::new(),
        "gitlab --at 03:10 --shards 2 --image registry.example.com/pkgferry:1 --tag mac \
         --secret CLIENT_SECRET -d recipes --route jcds -vv recipes/Firefox.jamf.recipe.yaml",
    )
    .succeeded();
    let job = &yaml(&ran)["pkgferry-nightly"];
    assert_eq!(job["parallel"], 2);
    assert_eq!(job["image"], "registry.example.com/pkgferry:1");
    assert_eq!(job["tags"], serde_json::json!(["mac"]));
    let script: Vec<_> = job["script"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    insta::assert_snapshot!(script.join("\n"), @r#"
    : "${CLIENT_SECRET:?is not set: add it in Settings, CI/CD, Variables, masked and hidden}"
    mkdir -p "pkgferry-reports/shard-$CI_NODE_INDEX"
    pkgferry run --shard auto --deadline 4h30m --report "pkgferry-reports/shard-$CI_NODE_INDEX/report.xml" --report "pkgferry-reports/shard-$CI_NODE_INDEX/report.json" --report "pkgferry-reports/shard-$CI_NODE_INDEX/report.html" --search-dir recipes --route jcds -vv recipes/Firefox.jamf.recipe.yaml
    "#);
    assert!(ran.stderr.contains("glab schedule create"), "{}", ran.stderr);
}

#[test]
fn a_cron_job_for_kubernetes() {
    let ran = schedule(
        &Stage::new(),
        "kubernetes --image registry.example.com/pkgferry:1 --namespace jamf --every 12h \
         --secret CLIENT_SECRET --secrets-from jamf-api --config-map nightly --packages-claim packages \
         --state-claim memory --shards 4 --settings /etc/pkgferry/settings.toml \
         --recipe-list /etc/pkgferry/nightly.txt",
    )
    .succeeded();
    let manifest = yaml(&ran);
    assert_eq!(manifest["metadata"]["namespace"], "jamf");
    assert_eq!(manifest["spec"]["schedule"], "0 */12 * * *");
    let job = &manifest["spec"]["jobTemplate"]["spec"];
    assert_eq!(job["completions"], 4);
    let pod = &job["template"]["spec"];
    let container = &pod["containers"][0];
    assert_eq!(container["command"], serde_json::json!(["pkgferry"]));
    insta::assert_snapshot!(container["args"].as_array().unwrap().iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "), @"run --settings /etc/pkgferry/settings.toml --state /var/lib/pkgferry --recipe-list /etc/pkgferry/nightly.txt --shard auto --report /var/lib/pkgferry/pkgferry-nightly.html --report /var/lib/pkgferry/pkgferry-nightly.json");
    assert_eq!(
        container["env"][1]["valueFrom"]["secretKeyRef"],
        serde_json::json!({"name": "jamf-api", "key": "CLIENT_SECRET"})
    );
    let volumes = pod["volumes"].to_string();
    for claim in ["\"packages\"", "\"memory\"", "\"nightly\""] {
        assert!(volumes.contains(claim), "{volumes}");
    }
}

/// On a machine of its own it is this very program, elsewhere whatever the PATH there has.
#[test]
fn the_program_is_this_one_where_it_runs_on_a_machine() {
    let stage = Stage::new();
    for scheduler in SCHEDULERS {
        let ran = schedule(&stage, &format!("{scheduler} --at 03:00 Firefox.jamf")).succeeded();
        let is_of_machine = matches!(*scheduler, "launchd" | "systemd" | "cron");
        assert_eq!(ran.stdout.contains("[PKGFERRY]"), is_of_machine, "{}", ran.shown());
        assert!(
            ran.stderr.starts_with("How to install") || ran.stderr.starts_with("With --output"),
            "{}",
            ran.stderr
        );
    }
}

/// Settings are those of the runs: neither this shell's nor this machine's.
#[test]
fn nothing_of_this_shell_gets_into_a_unit() {
    let mut stage = Stage::new();
    let broken = stage.write("settings.toml", "this is no TOML");
    for (name, value) in [
        ("PKGFERRY_SETTINGS", broken.as_str()),
        ("PKGFERRY_SERVER", "elsewhere"),
        ("PKGFERRY_STATE", "/elsewhere"),
        ("JSS_URL", "https://elsewhere.jamfcloud.com"),
        ("CLIENT_SECRET", "hunter2-elsewhere"),
    ] {
        stage.set(name, value);
    }
    for scheduler in SCHEDULERS {
        let ran = schedule(&stage, &format!("{scheduler} --at 03:00 Firefox.jamf {PROGRAM}")).succeeded();
        assert!(!ran.shown().contains("elsewhere") && !ran.shown().contains("[STAGE]"), "{}", ran.shown());
    }
}

/// A secret that somebody types is refused, and not even shown.
#[test]
fn secrets_are_named_and_never_taken() {
    let stage = Stage::new();
    let token = ["ghp", "_0123456789abcdefghijABCDEFGHIJ012345"].concat();
    let refused = [
        "--secret CLIENT_SECRET=hunter2 Firefox.jamf".to_owned(),
        "--secret hunter2 Firefox.jamf".to_owned(),
        "Firefox.jamf -- -k API_PASSWORD=hunter2".to_owned(),
        "Firefox.jamf -- --client-secret=hunter2".to_owned(),
        "--url https://ferry:hunter2@example.com Firefox.jamf".to_owned(),
        format!("--name {token} Firefox.jamf"),
        format!("--shards {token} Firefox.jamf"),
        format!("--days {token} Firefox.jamf"),
        format!("--recipe-list {token}"),
        token.clone(),
    ];
    for scheduler in SCHEDULERS {
        for arguments in &refused {
            let ran = schedule(&stage, &format!("{scheduler} --at 03:00 {PROGRAM} {arguments}"));
            assert_eq!(ran.code, 64, "{scheduler} {arguments}\n{}", ran.shown());
            let shown = ran.shown();
            assert!(!shown.contains("hunter2") && !shown.contains(&token), "{shown}");
        }
    }
    let told = |arguments: &str| schedule(&stage, &format!("cron --at 03:00 {PROGRAM} {arguments}")).stderr;
    insta::assert_snapshot!(told(&refused[0]), @"
    pkgferry: what was given is not the name of a secret: capital letters, digits and _, such as CLIENT_SECRET
      hint: give --secret the name alone; the value stays with the scheduler or in the settings file
    ");
    insta::assert_snapshot!(told(&refused[2]), @"
    pkgferry: an argument looks like a secret, or holds one
      hint: give the secret a name, and its value to the scheduler or the settings file; units are readable by many
    ");
}

#[test]
fn what_a_scheduler_cannot_do_is_said() {
    let stage = Stage::new();
    let told = |line: &str| {
        let ran = schedule(&stage, line);
        assert_eq!((ran.code, ran.stdout.as_str()), (64, ""), "{}", ran.shown());
        ran.stderr
    };
    insta::assert_snapshot!(told("launchd --at 03:00"), @"
    pkgferry: there is no recipe and no recipe list to run
      hint: give recipes, or a list with --recipe-list
    ");
    insta::assert_snapshot!(told("launchd --at 25:00 Firefox.jamf"), @r#"
    pkgferry: "25:00" is no time for runs: its hour is not 00 to 23
      hint: times are written as 03:00, Mon-Fri 03:00, Sat,Sun 22:15, every 6h, or every 6h at :20
    "#);
    insta::assert_snapshot!(told("launchd --at 03:00 --recipe-list nightly.txt"), @r#"
    pkgferry: the recipe list is "nightly.txt"; launchd needs an absolute path
      hint: write the whole path, as it is on the machine where the run happens
    "#);
    insta::assert_snapshot!(told("cron --at 03:00 recipes/Firefox.jamf.recipe.yaml"), @r#"
    pkgferry: a recipe is "recipes/Firefox.jamf.recipe.yaml"; cron needs an absolute path
      hint: write the whole path, as it is on the machine where the run happens
    "#);
    insta::assert_snapshot!(told("systemd --at 03:00 -d recipes Firefox.jamf"), @r#"
    pkgferry: a search folder is "recipes"; systemd needs an absolute path
      hint: write the whole path, as it is on the machine where the run happens
    "#);
    insta::assert_snapshot!(told("cron --at 03:00 --time-zone Europe/Berlin Firefox.jamf"), @"pkgferry: cron takes no time zone: it runs on the machine's own clock");
    insta::assert_snapshot!(told("kubernetes --at 03:00 --image x:1 --secret CLIENT_SECRET Firefox.jamf"), @"
    pkgferry: secrets are named, but not the Kubernetes Secret that holds them
      hint: name the Secret that holds them, with --secrets-from
    ");
    // What would end every run is not written into a unit.
    let behind =
        |scheduler: &str, words: &str| told(&format!("{scheduler} --at 03:00 Firefox.jamf -- {words}"));
    for scheduler in SCHEDULERS {
        insta::allow_duplicates! {
            insta::assert_snapshot!(behind(scheduler, "--jbos 8"), @"
            pkgferry: what follows -- does not fit pkgferry run: unexpected argument '--jbos' found
              hint: a similar argument exists: '--jobs'
            ");
        }
    }
    insta::assert_snapshot!(behind("cron", "--jobs many"), @"pkgferry: what follows -- does not fit pkgferry run: invalid value 'many' for '--jobs <N>': invalid digit found in string");
    insta::assert_snapshot!(behind("cron", "--detailed-exit-code"), @"
    pkgferry: what follows -- does not fit pkgferry run: the following required arguments were not provided:
      --dry-run
    ");
    insta::assert_snapshot!(behind("cron", "--help"), @"pkgferry: what follows -- does not fit pkgferry run: it would print a text and run nothing");
    insta::assert_snapshot!(behind("systemd", "--state /elsewhere"), @"pkgferry: what follows -- does not fit pkgferry run: the argument '--state <DIR>' cannot be used multiple times");
    insta::assert_snapshot!(behind("systemd --shards 2", "--shard 1/2"), @"pkgferry: what follows -- does not fit pkgferry run: the argument '--shard <K/N>' cannot be used multiple times");
    insta::assert_snapshot!(behind("kubernetes --image x:1", "--shard=1/2"), @"pkgferry: what follows -- does not fit pkgferry run: the argument '--shard <K/N>' cannot be used multiple times");
    // With a folder to start from, paths may be relative to it.
    let folder = "--working-dir /srv -d recipes recipes/Firefox.jamf.recipe.yaml";
    schedule(&stage, &format!("systemd --at 03:00 {folder} {PROGRAM}")).succeeded();
    // clap's own: neither time, or both.
    for times in ["", "--at 03:00 --every 6h"] {
        assert_eq!(schedule(&stage, &format!("cron Firefox.jamf {times}")).code, 64);
    }
}

/// The numbers in the units are those that the program ends with when what they are there for happens.
#[test]
fn exit_codes_in_units_are_those_of_the_program() {
    let (mut stage, _server) = Stage::with_server();
    let manifest = yaml(&schedule(&stage, "kubernetes --image x:1 --at 03:00 Firefox.jamf").succeeded());
    let rules = &manifest["spec"]["jobTemplate"]["spec"]["podFailurePolicy"]["rules"];
    let fail = rules.as_array().unwrap().iter().find(|rule| rule["action"] == "FailIndex").unwrap();
    // What another try does not mend.
    let dry_run = "systemd --at 03:00 Firefox.jamf -- --dry-run --detailed-exit-code";
    let service = schedule(&stage, dry_run).succeeded().stdout;
    let good = service.lines().find_map(|line| line.strip_prefix("SuccessExitStatus=")).unwrap().to_owned();

    let file = stage.write("App.pkg", noise(1, 10));
    let recipe =
        stage.write("Wrong.recipe.yaml", "Identifier: x\nInput: {}\nProcess:\n- Processor: no-such\n");
    let pending = stage.run(&["upload", &file, "--dry-run", "--detailed-exit-code"]).code;
    let wrong_recipe = stage.run(&["run", &recipe]).code;
    let wrong_line = stage.run(&["run", "--no-such-flag"]).code;
    stage.set("CLIENT_SECRET", "not-the-secret");
    let wrong_secret = stage.run(&["upload", &file]).code;
    // What is not verified, what came to its deadline and what is interrupted have tests of their own: 7, 9 and 130.
    assert_eq!(
        fail["onExitCodes"]["values"],
        serde_json::json!([wrong_recipe, wrong_secret, 7, 9, wrong_line])
    );
    assert_eq!(good, format!("{pending} 130"));
}

#[test]
fn the_help_of_each_scheduler_says_how_times_are_written() {
    let stage = Stage::new();
    for scheduler in SCHEDULERS {
        let help = schedule(&stage, &format!("{scheduler} --help")).succeeded().stdout;
        assert!(help.contains("--at 'Mon-Fri 03:00'") && help.contains("Secrets are named"), "{help}");
    }
}

/// What the run would refuse, or could not do again and again, is refused when it is scheduled.
#[test]
fn what_no_run_takes_is_not_scheduled() {
    let stage = Stage::new();
    for (behind, told) in [
        ("--report rep.txt", "rep.txt"),
        ("--deadline 2020-01-01T00:00:00Z", "--deadline is a moment"),
        ("--jbos 8", "unexpected argument '--jbos'"),
    ] {
        let ran = schedule(&stage, &format!("systemd --at 03:00 /etc/App.recipe.yaml {PROGRAM} -- {behind}"));
        assert!(ran.code == 64 && ran.stderr.contains(told), "{behind}: {}", ran.shown());
        assert_eq!(ran.stdout, "");
    }
}
