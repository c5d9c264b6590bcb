//! Writes the units of one scheduler, for readers outside of Rust: `interop/schedules.py` lets those of PyPI read them.
//!
//! `cargo run -p schedule --example print -- KIND` prints the everyday ones. With a folder behind it, units of several
//! requests go there, each into a folder of its own, together with `request.json`: what the run has to get.

use schedule::{Cron, GithubActions, Gitlab, Install, Kind, Kubernetes, Request, Systemd, Target, write};
use std::error::Error;
use std::io::Write as _;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let kind: Kind = words.next().ok_or("which scheduler?")?.parse()?;
    match words.next() {
        Some(folder) => save(kind, Path::new(&folder)),
        None => print(kind),
    }
}

fn print(kind: Kind) -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    let written = write(&everyday(kind)?, &target(kind)?)?;
    for file in written.files {
        writeln!(out, "==> {} <==\n{}", file.name, file.text)?;
    }
    writeln!(out, "{}", written.install)?;
    Ok(())
}

fn save(kind: Kind, folder: &Path) -> Result<(), Box<dyn Error>> {
    let sharded = Request { shards: "3".parse()?, recurrence: "every 6h at :20".parse()?, ..everyday(kind)? };
    for (name, request) in [("everyday", everyday(kind)?), ("sharded", sharded), ("awkward", awkward(kind)?)]
    {
        let folder = folder.join(name);
        std::fs::create_dir_all(&folder)?;
        for file in write(&request, &target(kind)?)?.files {
            std::fs::write(folder.join(file.name), file.text)?;
        }
        std::fs::write(folder.join("request.json"), told(&request).to_string())?;
    }
    Ok(())
}

/// What the run has to get, flag by flag.
fn told(request: &Request) -> serde_json::Value {
    let servers = request.servers.iter().map(|server| ("--server", server.as_str()));
    let flags = [
        ("--settings", request.settings.as_ref()),
        ("--state", request.state.as_ref()),
        ("--recipe-list", request.list.as_ref()),
    ];
    let flags = flags.into_iter().filter_map(|(flag, path)| Some((flag, path?.as_str())));
    serde_json::json!({
        "program": request.program.as_str(),
        "flags": flags.chain(servers).collect::<Vec<_>>(),
        "last": request.arguments.iter().map(ToString::to_string)
            .chain(request.recipes.iter().map(ToString::to_string)).collect::<Vec<_>>(),
        "secrets": request.secrets.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "shards": request.shards.get(),
        "recurrence": request.recurrence.to_string(),
        "cron": request.recurrence.cron(),
    })
}

/// Whether runs of it happen in a checked-out repository.
fn in_repository(kind: Kind) -> bool {
    matches!(kind, Kind::GithubActions | Kind::Gitlab)
}

fn everyday(kind: Kind) -> Result<Request, schedule::Error> {
    let (program, list) = match kind {
        Kind::GithubActions | Kind::Gitlab => ("pkgferry", "recipes/nightly.txt"),
        Kind::Kubernetes => ("pkgferry", "/etc/pkgferry/nightly.txt"),
        _ => ("/usr/local/bin/pkgferry", "/etc/pkgferry/nightly.txt"),
    };
    let on_machine = !in_repository(kind) && kind != Kind::Kubernetes;
    Ok(Request {
        list: Some(list.parse()?),
        settings: if in_repository(kind) { None } else { Some("/etc/pkgferry/settings.toml".parse()?) },
        logs: if on_machine { Some("/var/log/pkgferry".parse()?) } else { None },
        secrets: vec!["JSS_URL".parse()?, "CLIENT_ID".parse()?, "CLIENT_SECRET".parse()?],
        ..Request::new("nightly".parse()?, program.parse()?, "Mon-Fri 03:10".parse()?)
    })
}

/// What nobody would write and everybody's quoting gets wrong.
fn awkward(kind: Kind) -> Result<Request, schedule::Error> {
    let odd = |text: &str| if kind == Kind::Cron { text.to_owned() } else { format!("{text}\nsecond line") };
    let (program, root) = match kind {
        Kind::GithubActions | Kind::Gitlab => ("tools/it's pkg \"ferry\"", "odd"),
        Kind::Systemd => ("/opt/pkg ferry/100% $HOME/pkgferry", "/odd"),
        _ => ("/opt/pkg ferry/it's \"100%\" $HOME/pkgferry", "/odd"),
    };
    Ok(Request {
        settings: Some(format!("{root}/set tings $HOME `id` $(id).toml").parse()?),
        state: Some("/var/lib/pkgferry".parse()?),
        list: Some(format!("{root}/100% %h \\%i \\\\%% it's \"quoted\" & <tags>; # list.txt").parse()?),
        servers: vec!["test: no".parse()?, " two  blanks ".parse()?, "Grün 🦊 %n".parse()?],
        arguments: vec![
            "--key".parse()?,
            odd("pkg_notes=a\\nb 'c' \"d\" $(e) ${F} !g *").parse()?,
            ";".parse()?,
            "{x".parse()?,
        ],
        recipes: vec![
            "# not a comment".parse()?,
            "true".parse()?,
            "012".parse()?,
            "~".parse()?,
            "a\\".parse()?,
        ],
        secrets: vec!["CLIENT_SECRET".parse()?],
        ..Request::new("awkward".parse()?, program.parse()?, "Sat,Sun every 4h at :05".parse()?)
    })
}

fn target(kind: Kind) -> Result<Target, schedule::Error> {
    Ok(match kind {
        Kind::Launchd => Target::Launchd,
        Kind::Systemd => Target::Systemd(Systemd::default()),
        Kind::Cron => Target::Cron(Cron { mail_to: Some("admins@example.com".parse()?) }),
        Kind::GithubActions => {
            Target::GithubActions(GithubActions { install: Install::FromSource, ..GithubActions::default() })
        }
        Kind::Gitlab => Target::Gitlab(Gitlab { install: Install::FromSource, ..Gitlab::default() }),
        Kind::Kubernetes => Target::Kubernetes(Kubernetes {
            secret: Some("pkgferry".parse()?),
            config: Some("pkgferry".parse()?),
            packages: Some("packages".parse()?),
            state: Some("pkgferry-state".parse()?),
            ..Kubernetes::new("registry.example.com/pkgferry:0.1.0".parse()?)
        }),
    })
}
