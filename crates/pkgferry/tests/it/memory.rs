use crate::stage::{Stage, until};
use std::fs::File;
use std::process::Stdio;

/// The peak of a process's memory in KiB, as Linux counts it.
fn peak(id: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// Runs a command to its end and gives the most memory that it took, in KiB.
fn peak_of(stage: &Stage, arguments: &[&str]) -> u64 {
    let mut child = stage.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut highest = 0;
    until("the end", || {
        highest = peak(child.id()).unwrap_or(0).max(highest);
        child.try_wait().unwrap().is_some()
    });
    assert!(child.wait().unwrap().success());
    highest
}

/// Parts of 64 MiB, four at a time, of a file of 192 MiB: whoever holds parts or the file in memory goes far beyond. And the same
/// file in one piece, through Jamf Pro.
#[test]
fn memory_grows_neither_with_the_file_nor_with_its_parts() {
    for route in ["jcds", "packages-api"] {
        let (stage, server) = Stage::with_server();
        let path = stage.path("Large.pkg");
        File::create(&path).unwrap().set_len(192 << 20).unwrap();
        let arguments = ["upload", path.to_str().unwrap(), "--route", route, "-k", "part_size_mib=64"];
        let highest = peak_of(&stage, &arguments);
        assert_eq!(server.files()[0].size, 192 << 20);
        assert!(highest < 96 * 1024, "{route}: {highest} KiB");
    }
}

/// Twelve ranges of 20 MiB at a time: whoever holds ranges in memory needs more than twice as much.
#[test]
fn memory_grows_neither_with_a_download_nor_with_its_ranges() {
    let (stage, server) = Stage::with_server();
    server.put_file("Large.pkg", &vec![0; 340 << 20]);
    let target = stage.path("Large.pkg");
    let arguments = ["download", "Large.pkg", target.to_str().unwrap(), "-k", "download_concurrency=12"];
    let highest = peak_of(&stage, &arguments);
    assert_eq!(std::fs::metadata(target).unwrap().len(), 340 << 20);
    assert!(highest < 96 * 1024, "{highest} KiB");
}
