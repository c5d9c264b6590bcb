//! How fast the digests are, beside Python's hashlib: `cargo bench -p fingerprint [-- MIB [ROUNDS]]`.
//!
//! The contenders take turns, so that a busy moment of the machine touches all of them; the table shows the median of the
//! seconds, and their quotient with the median of the first row of its group.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "it prints a table, or fails")]

use fingerprint::{Comparison, Expected, Sha3, compare_with, digest};
use std::fmt::Write as _;
use std::fs::File;
use std::hint::black_box;
use std::io::Read as _;
use std::path::Path;
use std::process::Command;
use std::time::Instant;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// What is hashed at once; the same for all.
const PIECE: usize = 256 * 1024;

struct Contender<'a> {
    group: &'static str,
    name: &'static str,
    seconds: Box<dyn Fn() -> f64 + 'a>,
}

fn main() {
    // `cargo test --all-targets` runs it as well, without this argument.
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let mut numbers = arguments.iter().filter_map(|argument| argument.parse::<usize>().ok());
    let (mib, rounds) = (numbers.next().unwrap_or(1024), numbers.next().unwrap_or(5));

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bench.pkg");
    let bytes: Vec<u8> = (0..mib as u64 * 1024 * 1024)
        .map(|index| (index.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8)
        .collect();
    std::fs::write(&path, &bytes).unwrap();

    let contenders = contenders(&bytes, &path);
    let mut seconds = vec![Vec::new(); contenders.len()];
    for _ in 0..rounds {
        for (contender, seconds) in contenders.iter().zip(&mut seconds) {
            seconds.push((contender.seconds)());
        }
    }
    println!("{}", table(&contenders, seconds, bytes.len() as f64));
}

fn contenders<'a>(bytes: &'a [u8], path: &'a Path) -> Vec<Contender<'a>> {
    let mut contenders = Vec::new();
    let mut add = |group, name, seconds| contenders.push(Contender { group, name, seconds });
    add(
        "SHA3-512 in memory",
        "Python's hashlib",
        Box::new(|| hashlib("sha3_512", path)) as Box<dyn Fn() -> f64>,
    );
    add("SHA3-512 in memory", "sha3", Box::new(|| timed(|| rust_crypto::<sha3::Sha3_512>(bytes))));
    add("SHA3-512 in memory", "aws-lc-rs", Box::new(|| timed(|| aws_lc(bytes))));
    add("SHA3-512 in memory", "fingerprint", Box::new(|| timed(|| chosen(bytes))));
    add("MD5 in memory", "Python's hashlib", Box::new(|| hashlib("md5", path)));
    add("MD5 in memory", "md-5", Box::new(|| timed(|| rust_crypto::<md5::Md5>(bytes))));
    add("of the file", "SHA3-512 alone, one thread", Box::new(|| timed(|| alone(path))));
    add("of the file", "digest()", Box::new(|| timed(|| both(path))));
    add("of the file", "compare_with() another MD5", Box::new(|| timed(|| another(path))));
    contenders
}

fn timed(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}

/// Timed by Python itself, without its start and the reading.
fn hashlib(name: &str, path: &Path) -> f64 {
    let script = format!(
        "import hashlib, sys, time\n\
         data = memoryview(open(sys.argv[1], 'rb').read())\n\
         start = time.perf_counter()\n\
         hash = hashlib.{name}()\n\
         for at in range(0, len(data), {PIECE}): hash.update(data[at:at + {PIECE}])\n\
         hash.digest()\n\
         print(time.perf_counter() - start)"
    );
    let output = Command::new("python3").arg("-c").arg(script).arg(path).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

fn rust_crypto<D: md5::Digest>(bytes: &[u8]) {
    let mut digest = D::new();
    bytes.chunks(PIECE).for_each(|piece| digest.update(piece));
    black_box(digest.finalize());
}

fn aws_lc(bytes: &[u8]) {
    let mut digest = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA3_512);
    bytes.chunks(PIECE).for_each(|piece| digest.update(piece));
    black_box(digest.finish());
}

/// What the crate computes SHA3-512 with on this machine.
fn chosen(bytes: &[u8]) {
    let mut digest = Sha3::default();
    bytes.chunks(PIECE).for_each(|piece| digest.update(piece));
    black_box(digest.finish());
}

fn alone(path: &Path) {
    let mut digest = Sha3::default();
    read(path, |piece| digest.update(piece));
    black_box(digest.finish());
}

fn read(path: &Path, mut piece: impl FnMut(&[u8])) {
    let mut file = File::open(path).unwrap();
    let mut buffer = vec![0; PIECE];
    loop {
        match file.read(&mut buffer).unwrap() {
            0 => return,
            read => piece(&buffer[..read]),
        }
    }
}

fn both(path: &Path) {
    let runtime = Runtime::new().unwrap();
    black_box(runtime.block_on(digest(path, |_| {}, &CancellationToken::new())).unwrap());
}

fn another(path: &Path) {
    let runtime = Runtime::new().unwrap();
    let expected = Expected { md5: Some(pipeline::Md5::from_bytes([7; 16])), sha3_512: None };
    let comparison = runtime.block_on(compare_with(path, expected, |_| {}, &CancellationToken::new()));
    assert!(matches!(comparison.unwrap(), Comparison::Md5Differs { .. }));
}

fn table(contenders: &[Contender<'_>], seconds: Vec<Vec<f64>>, bytes: f64) -> String {
    let mut table = String::new();
    let (mut group, mut first) = ("", 0.0);
    for (contender, mut seconds) in contenders.iter().zip(seconds) {
        seconds.sort_by(f64::total_cmp);
        let median = seconds[seconds.len() / 2];
        if contender.group != group {
            (group, first) = (contender.group, median);
            writeln!(table, "{group}").unwrap();
        }
        let (name, rate, times) = (contender.name, bytes / median / 1e9, median / first);
        let (least, most) = (seconds[0], seconds[seconds.len() - 1]);
        writeln!(table, "  {name:28} {median:7.3} s ({least:.3}..{most:.3})  {rate:.3} GB/s  x {times:.2}")
            .unwrap();
    }
    table
}
