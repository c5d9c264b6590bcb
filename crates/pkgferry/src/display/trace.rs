use std::io::IsTerminal as _;
use tracing_subscriber::EnvFilter;

/// Crates of this workspace; only they speak at `-v`. Libraries for HTTP and S3 write headers, tokens among them, into
/// their traces, so no verbosity turns those on, and no variable does either.
const OURS: &[&str] = &[
    "batch",
    "choose_route",
    "compare_hash",
    "doctor",
    "find_package",
    "fingerprint",
    "jamf",
    "jcds_credentials",
    "jcds_download",
    "notify",
    "package_metadata",
    "package_upload",
    "pipeline",
    "pkgferry",
    "recipe",
    "report",
    "runner",
    "s3_upload",
    "sandbox",
    "schedule",
    "secrets",
    "state",
    "verify_delivery",
];

/// Sends traces to standard error.
pub fn start(verbose: u8) {
    let level = match verbose {
        0 => "warn",
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    let ours = OURS.iter().map(|name| format!(",{name}={level}")).collect::<String>();
    let filter = EnvFilter::new(format!("off{ours}"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(verbose > 1)
        .without_time()
        .init();
}

#[cfg(test)]
mod tests {
    use super::OURS;

    #[test]
    fn no_crate_of_the_workspace_is_forgotten() {
        let crates = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).unwrap();
        let mut names: Vec<_> =
            crates.map(|entry| entry.unwrap().file_name().into_string().unwrap().replace('-', "_")).collect();
        // Not linked; they are there for tests alone.
        names.retain(|name| !["browser", "contract"].contains(&name.as_str()));
        names.sort();
        assert_eq!(OURS, names);
    }
}
