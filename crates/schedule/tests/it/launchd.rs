//! LaunchDaemons: read by the plist reader, and held against `launchd.plist(5)`.

use crate::support::{full, nightly, odd_words, path, shown, with_arguments};
use jiff::ToSpan as _;
use plist::Value;
use proptest::prelude::*;
use schedule::{Request, Target, write};

/// What kind of value a key has.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Type {
    Text,
    Texts,
    Flag,
    Number(i64, i64),
    Calendar,
}

/// The keys of `launchd.plist(5)` that matter here.
const KEYS: &[(&str, Type)] = &[
    ("Label", Type::Text),
    ("ProgramArguments", Type::Texts),
    ("WorkingDirectory", Type::Text),
    ("UserName", Type::Text),
    ("StartCalendarInterval", Type::Calendar),
    ("ProcessType", Type::Text),
    ("LowPriorityIO", Type::Flag),
    ("LowPriorityBackgroundIO", Type::Flag),
    ("Nice", Type::Number(-20, 20)),
    ("ExitTimeOut", Type::Number(0, 3600)),
    ("StandardOutPath", Type::Text),
    ("StandardErrorPath", Type::Text),
    ("Umask", Type::Number(0, 0o777)),
];
const REQUIRED: &[&str] = &["Label", "ProgramArguments", "StartCalendarInterval"];

/// What `plutil -lint` and launchd would refuse.
fn lint(name: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let Ok(Value::Dictionary(dict)) = Value::from_reader_xml(text.as_bytes()) else {
        return vec!["not an XML property list with a dict".to_owned()];
    };
    for key in REQUIRED {
        if !dict.contains_key(key) {
            found.push(format!("{key} is missing"));
        }
    }
    for (key, value) in &dict {
        match KEYS.iter().find(|(known, _)| known == key) {
            None => found.push(format!("{key} is unknown")),
            Some((_, expected)) if !is(value, *expected) => found.push(format!("{key} is no {expected:?}")),
            Some(_) => {}
        }
    }
    if dict.get("Label").and_then(Value::as_string).map(|label| format!("{label}.plist")).as_deref()
        != Some(name)
    {
        found.push("the file is not named like its label".to_owned());
    }
    found
}

fn is(value: &Value, expected: Type) -> bool {
    match expected {
        Type::Text => value.as_string().is_some_and(|text| !text.is_empty()),
        Type::Texts => value
            .as_array()
            .is_some_and(|items| !items.is_empty() && items.iter().all(|item| item.as_string().is_some())),
        Type::Flag => value.as_boolean().is_some(),
        Type::Number(from, to) => {
            value.as_signed_integer().is_some_and(|number| (from..=to).contains(&number))
        }
        Type::Calendar => match value {
            Value::Array(items) => items.len() > 1 && items.iter().all(|item| is(item, Type::Calendar)),
            Value::Dictionary(dict) => {
                !dict.is_empty()
                    && dict.iter().all(|(key, value)| {
                        let most = match key.as_str() {
                            "Minute" => 59,
                            "Hour" => 23,
                            "Weekday" => 7,
                            _ => return false,
                        };
                        is(value, Type::Number(0, most))
                    })
            }
            _ => false,
        },
    }
}

fn arguments(text: &str) -> Vec<String> {
    let value = Value::from_reader_xml(text.as_bytes()).unwrap();
    let words = value.as_dictionary().unwrap()["ProgramArguments"].as_array().unwrap();
    words.iter().map(|word| word.as_string().unwrap().to_owned()).collect()
}

#[test]
fn the_lint_finds_what_is_wrong() {
    let bad = "<plist version=\"1.0\"><dict><key>Label</key><string>a</string><key>Nice</key><string>10</string>\
               <key>Niec</key><integer>1</integer><key>StartCalendarInterval</key><dict><key>Hour</key><integer>24</integer></dict></dict></plist>";
    assert_eq!(
        lint("b.plist", bad),
        [
            "ProgramArguments is missing",
            "Nice is no Number(-20, 20)",
            "Niec is unknown",
            "StartCalendarInterval is no Calendar",
            "the file is not named like its label"
        ]
    );
    assert_eq!(lint("a.plist", "ProgramArguments: []"), ["not an XML property list with a dict"]);
}

#[test]
fn a_daemon() {
    insta::assert_snapshot!(shown(&write(&nightly(), &Target::Launchd).unwrap()), @r#"
    ==> com.github.pkgferry.nightly.plist <==
    <?xml version="1.0" encoding="UTF-8"?>
    <!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
    <plist version="1.0">
    <dict>
    	<key>Label</key>
    	<string>com.github.pkgferry.nightly</string>
    	<key>ProgramArguments</key>
    	<array>
    		<string>/usr/local/bin/pkgferry</string>
    		<string>run</string>
    		<string>--state</string>
    		<string>/Library/Application Support/pkgferry</string>
    		<string>--recipe-list</string>
    		<string>/etc/pkgferry/nightly.txt</string>
    		<string>--report</string>
    		<string>/Library/Logs/pkgferry/pkgferry-nightly.html</string>
    	</array>
    	<key>StartCalendarInterval</key>
    	<dict>
    		<key>Hour</key>
    		<integer>3</integer>
    		<key>Minute</key>
    		<integer>10</integer>
    	</dict>
    	<key>ProcessType</key>
    	<string>Background</string>
    	<key>LowPriorityIO</key>
    	<true/>
    	<key>LowPriorityBackgroundIO</key>
    	<true/>
    	<key>Nice</key>
    	<integer>10</integer>
    	<key>ExitTimeOut</key>
    	<integer>120</integer>
    	<key>StandardOutPath</key>
    	<string>/Library/Logs/pkgferry/pkgferry-nightly.log</string>
    	<key>StandardErrorPath</key>
    	<string>/Library/Logs/pkgferry/pkgferry-nightly.log</string>
    	<key>Umask</key>
    	<integer>63</integer>
    </dict>
    </plist>

    ==> install <==
    sudo install -d -m 700 -o root '/Library/Application Support/pkgferry' /Library/Logs/pkgferry
    sudo install -m 644 -o root -g wheel com.github.pkgferry.nightly.plist /Library/LaunchDaemons/
    sudo launchctl bootstrap system /Library/LaunchDaemons/com.github.pkgferry.nightly.plist

    Run it now:      sudo launchctl kickstart system/com.github.pkgferry.nightly
    Take it away:    sudo launchctl bootout system/com.github.pkgferry.nightly

    A time that passes while the Mac sleeps is made up for when it wakes; one that passes while it is off is not.
    Secrets (CLIENT_SECRET) are not in it: let the settings name them,
    as file:PATH or keychain:SERVICE/ACCOUNT of the system keychain, or hold them in
    a settings file with mode 600 and root as its owner.
    "#);
}

/// Three Macs, each with its number.
#[test]
fn a_daemon_for_each_shard() {
    let written = write(&full(), &Target::Launchd).unwrap();
    let names: Vec<_> = written.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "com.github.pkgferry.nightly.1-of-3.plist",
            "com.github.pkgferry.nightly.2-of-3.plist",
            "com.github.pkgferry.nightly.3-of-3.plist"
        ]
    );
    for (number, file) in (1..).zip(&written.files) {
        assert_eq!(lint(&file.name, &file.text), Vec::<String>::new());
        let words = arguments(&file.text);
        insta::allow_duplicates! {
            insta::assert_snapshot!(words.join(" ").replace(&format!(" {number}/3 "), " K/3 "), @"/usr/local/bin/pkgferry run --settings /etc/pkgferry/settings.toml --state /var/lib/pkgferry --server test --server production --recipe-list /etc/pkgferry/nightly.txt --shard K/3 --report /var/log/pkgferry/pkgferry-nightly.html --report /var/log/pkgferry/pkgferry-nightly.json --jobs 4 com.example.jamf.Firefox");
        }
    }
    insta::assert_snapshot!(written.install, @"
    Each file is for a Mac of its own; the lines below are for the first.

    sudo install -d -m 700 -o _pkgferry /var/lib/pkgferry /var/log/pkgferry
    sudo install -m 644 -o root -g wheel com.github.pkgferry.nightly.1-of-3.plist /Library/LaunchDaemons/
    sudo launchctl bootstrap system /Library/LaunchDaemons/com.github.pkgferry.nightly.1-of-3.plist

    Run it now:      sudo launchctl kickstart system/com.github.pkgferry.nightly.1-of-3
    Take it away:    sudo launchctl bootout system/com.github.pkgferry.nightly.1-of-3

    A time that passes while the Mac sleeps is made up for when it wakes; one that passes while it is off is not.
    Secrets (CLIENT_ID, CLIENT_SECRET) are not in it: let the settings name them,
    as file:PATH or keychain:SERVICE/ACCOUNT of the system keychain, or hold them in
    /etc/pkgferry/settings.toml with mode 600 and _pkgferry as its owner.

    One report of all 3 shards: collect /var/log/pkgferry/pkgferry-nightly.json of each machine as shard-1.json and so on, then
      pkgferry report merge shard-*.json --output pkgferry-nightly.html

    If there is a heartbeat, write {shard} into its address, such as https://hc-ping.com/KEY/nightly-{shard}: with one address for
    all shards, nobody notices when one of them is silent.
    ");
}

/// The intervals are those of the recurrence: all of them, and each once.
#[test]
fn intervals() {
    for (time, count) in [
        ("03:10", 1),
        ("Mon 03:10", 1),
        ("Mon-Fri 03:10", 5),
        ("every 6h", 4),
        ("every 1h at :30", 1),
        ("Sat,Sun every 1h", 2),
        ("Sat,Sun every 2h", 24),
    ] {
        let request = Request { recurrence: time.parse().unwrap(), ..nightly() };
        let file = write(&request, &Target::Launchd).unwrap().files.remove(0);
        assert_eq!(lint(&file.name, &file.text), Vec::<String>::new(), "{time}");
        let value = Value::from_reader_xml(file.text.as_bytes()).unwrap();
        let intervals = match &value.as_dictionary().unwrap()["StartCalendarInterval"] {
            Value::Array(items) => items.clone(),
            one => vec![one.clone()],
        };
        assert_eq!(intervals.len(), count, "{time}");
        let monday = jiff::civil::date(2026, 11, 16).at(0, 0, 0, 0);
        for hour in 0..168_i16 {
            for minute in 0..60_i64 {
                let at = monday.checked_add((i64::from(hour) * 60 + minute).minutes()).unwrap();
                let number = |key: &str| match key {
                    "Minute" => i64::from(at.minute()),
                    "Hour" => i64::from(at.hour()),
                    _ => i64::from(at.weekday().to_sunday_zero_offset()),
                };
                let fits = |interval: &&Value| {
                    interval
                        .as_dictionary()
                        .unwrap()
                        .iter()
                        .all(|(key, value)| value.as_signed_integer() == Some(number(key)))
                };
                let matching = intervals.iter().filter(fits).count();
                assert_eq!(matching, usize::from(request.recurrence.occurs(at)), "{time} {at}");
            }
        }
    }
}

#[test]
fn what_launchd_cannot_say() {
    let refused = |request: Request| write(&request, &Target::Launchd).unwrap_err().to_string();
    insta::assert_snapshot!(refused(Request { list: Some(path("/a\u{1}b")), ..nightly() }), @"a path, a recipe or an argument cannot be written for launchd: XML cannot hold one of its characters");
    insta::assert_snapshot!(refused(Request { list: Some(path("nightly.txt")), ..nightly() }), @r#"the recipe list is "nightly.txt"; launchd needs an absolute path"#);
    insta::assert_snapshot!(refused(Request { time_zone: Some("Europe/Berlin".parse().unwrap()), ..nightly() }), @"launchd takes no time zone: it runs on the machine's own clock");
}

proptest! {
    /// Every word arrives as it is, line breaks too.
    #[test]
    fn any_words(words in odd_words(false)) {
        let request = with_arguments(nightly(), &words);
        let file = write(&request, &Target::Launchd).unwrap().files.remove(0);
        prop_assert_eq!(lint(&file.name, &file.text), Vec::<String>::new());
        let read = arguments(&file.text);
        prop_assert_eq!(&read[read.len() - words.len()..], words.as_slice());
    }
}
