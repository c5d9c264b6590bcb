//! Measures pkgferry beside the raw limit and its peers, against a sink that it starts itself. `bench/README.md` says how.
//!
//! [`cases`] says what is measured and what has to be reached, [`tools`] how each contender is called, [`rounds`] runs them
//! in turn, [`stats`] and [`table`] make figures of it. [`sink`] is the other end, a process of its own that [`remote`]
//! talks to.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "tables are what this is for")]

mod cases;
mod cold;
mod engine;
mod error;
mod inner;
mod remote;
mod rounds;
mod sink;
mod size;
mod source;
mod stats;
mod table;
mod tools;

use cases::{Bench, Case, Scale};
use clap::Parser;
use error::Error;
use inner::Inner;
use remote::{Over, Sink};
use rounds::Rounds;
use size::Size;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use tools::Tools;

/// Measures pkgferry beside curl, boto3, awscli, rclone and jamf-pro-sdk, as far as they are installed.
#[derive(Debug, Parser)]
#[command(name = "bench", args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    inner: Option<Inner>,
    /// What to measure; by default everything
    #[arg(value_enum, value_name = "CASE")]
    cases: Vec<Case>,
    /// How often each contender runs, after one run that does not count
    #[arg(long, value_name = "N", default_value_t = 5)]
    rounds: usize,
    /// Small sizes and one round: whether it works, not how fast
    #[arg(long, conflicts_with = "rounds")]
    quick: bool,
    /// Size of the large file, such as 64MiB; may be repeated for `upload`, the last one is that of the others [default: 1GiB 4GiB]
    #[arg(long = "size", value_name = "SIZE")]
    sizes: Vec<Size>,
    /// How many files `many` and `unchanged` have [default: 200 and 1000]
    #[arg(long, value_name = "N")]
    files: Option<usize>,
    /// How clients reach the sink
    #[arg(long, value_enum, default_values = ["tls", "http"])]
    over: Vec<Over>,
    /// Only contenders whose name holds one of these
    #[arg(long, value_name = "TEXT", value_delimiter = ',')]
    only: Vec<String>,
    /// Interpreter that boto3 and jamf-pro-sdk are imported with; aws and rclone are looked for beside it first
    #[arg(long, value_name = "FILE", default_value = "python3")]
    python: PathBuf,
    /// The binary to measure; by default it is built
    #[arg(long, value_name = "FILE")]
    pkgferry: Option<PathBuf>,
    /// Where sources go; by default memory, or where temporary files go (as `hash` always does)
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

fn main() -> ExitCode {
    let mut arguments = Arguments::parse();
    let outcome = match arguments.inner.take() {
        Some(Inner::Sink { folder }) => sink::serve(&folder),
        Some(Inner::HashFile { what, file }) => inner::hash(what, &file),
        Some(Inner::EngineUpload { endpoint, files }) => engine::upload(&endpoint, files),
        Some(Inner::EngineDownload { address, size, target }) => engine::download(&address, size, &target),
        None => bench(arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", pipeline::causes(&error).collect::<Vec<_>>().join(": "));
            ExitCode::FAILURE
        }
    }
}

fn bench(arguments: Arguments) -> Result<(), Error> {
    let folder = tempfile::tempdir().map_err(Error::io("there is no temporary folder"))?;
    let pkgferry = arguments.pkgferry.clone().map_or_else(build, Ok)?;
    let tools = Tools::find(&arguments.python, pkgferry, folder.path())?;
    let sink = Sink::start(folder.path())?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!("{cores} cores; {}", tools.versions.join(", "));
    if let Ok(load) = std::fs::read_to_string("/proc/loadavg") {
        // Figures from a busy machine are to be known as such.
        println!("load before: {}", load.split(' ').take(3).collect::<Vec<_>>().join(" "));
    }
    if cfg!(debug_assertions) {
        println!("\n**Not optimised: the figures mean nothing. Run it with --release.**");
    }
    let cases = if arguments.cases.is_empty() { Case::ALL.into() } else { arguments.cases.clone() };
    let scale = arguments.scale();
    let mut bench = Bench { scale: &scale, tools: &tools, sink: &sink, failed: 0 };
    for case in cases {
        bench.run(case)?;
    }
    match bench.failed {
        0 => Ok(()),
        failed => Err(Error::Failed(failed)),
    }
}

impl Arguments {
    fn scale(self) -> Scale {
        let of = |full, quick| if self.quick { quick } else { full };
        let sizes = match self.sizes {
            sizes if !sizes.is_empty() => sizes,
            _ if self.quick => vec![Size::mib(64)],
            _ => vec![Size::gib(1), Size::gib(4)],
        };
        Scale {
            rounds: Rounds { warm_up: 1, counted: of(self.rounds, 1).max(1) },
            sizes,
            small: Size::mib(5),
            many: self.files.unwrap_or(of(200, 20)),
            unchanged: self.files.unwrap_or(of(1000, 50)),
            over: self.over,
            only: self.only,
            folder: self.dir,
        }
    }
}

/// Builds pkgferry as this was built, so that no old binary is measured.
fn build() -> Result<PathBuf, Error> {
    let own = std::env::current_exe().map_err(Error::io("the bench does not find itself"))?;
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "-q", "-p", "pkgferry"]).args((!cfg!(debug_assertions)).then_some("--release"));
    cargo.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")));
    match cargo.status() {
        Ok(status) if status.success() => Ok(own.with_file_name("pkgferry")),
        Ok(status) => Err(Error::Build(format!("cargo ended with {status}"))),
        Err(error) => Err(Error::Build(format!("cargo cannot be started: {error}"))),
    }
}
