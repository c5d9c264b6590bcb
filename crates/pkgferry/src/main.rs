//! The binary: arguments and settings in, the runner in the middle, a display and an exit code out.
//!
//! Everything that a library must not take for itself comes from here: the environment ([`process`]), the clock
//! ([`clock`]), signals ([`signals`]), standard output ([`display`]). Which processors there are stands in [`registry`].

mod args;
mod awake;
mod cache;
mod check;
mod chronicle;
mod clock;
mod desk;
mod display;
mod download;
mod error;
mod examine;
mod exit;
mod explain;
mod faults;
mod files;
mod history;
mod locks;
mod merge;
mod process;
mod processors;
mod promote;
mod registry;
mod remembered;
mod resume;
mod run;
mod serve;
mod servers;
mod settings;
mod shipped;
mod signals;
mod slips;
mod test_message;
mod units;
mod upload;
mod verify;
mod workshop;

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let process = process::Process::snapshot();
    let cli = match args::Cli::try_parse_from(&process.arguments) {
        Ok(cli) => cli,
        Err(error) => return exit::of_usage(&error),
    };
    display::trace::start(cli.global.verbose);
    match signals::supervise(|cancel| dispatch(cli, process, cancel)) {
        Ok(code) => code.into(),
        Err(error) => {
            display::error::print(&error);
            error.exit().into()
        }
    }
}

async fn dispatch(
    cli: args::Cli,
    process: process::Process,
    cancel: tokio_util::sync::CancellationToken,
) -> Result<exit::Exit, error::Error> {
    // Read only where they count: what is scheduled has its settings elsewhere, and what is over needs none.
    let settings = || settings::Settings::resolve(&cli.global, process.clone());
    match cli.command {
        args::Command::Run(args) => run::run(*args, settings()?, cancel).await,
        args::Command::Upload(args) => upload::upload(*args, settings()?, cancel).await,
        args::Command::Download(args) => download::download(*args, settings()?, cancel).await,
        args::Command::Promote(args) => promote::promote(*args, settings()?, cancel).await,
        args::Command::Doctor(args) => examine::doctor(args, settings()?, cancel).await,
        args::Command::Notify => test_message::notify(settings()?, cancel).await,
        args::Command::Resume(args) => resume::resume(args, settings()?, cancel).await,
        args::Command::Verify(args) => verify::verify(args, settings()?, cancel).await,
        args::Command::History(args) => {
            let state = remembered::StateFolder::resolve(&cli.global, &process);
            let token = cancel.clone();
            signals::blocking(&cancel, move || history::history(&args, &state, token)).await?
        }
        args::Command::Cache(args) => {
            let state = remembered::StateFolder::resolve(&cli.global, &process);
            let token = cancel.clone();
            signals::blocking(&cancel, move || cache::cache(&args, &state, token)).await?
        }
        args::Command::Check(args) => {
            let settings = settings()?;
            signals::blocking(&cancel, move || check::check(&args, &settings)).await?
        }
        args::Command::Explain(args) => {
            let settings = settings()?;
            signals::blocking(&cancel, move || explain::explain(&args, &settings)).await?
        }
        args::Command::Processors(args) => processors::processors(&args),
        args::Command::Schedule(args) => units::schedule(*args, &cli.global, &process),
        args::Command::Report(args) => match args.command {
            args::ReportCommand::Merge(args) => {
                signals::blocking(&cancel, move || merge::merge(&args)).await?
            }
        },
        args::Command::Sandbox(args) => serve::serve(args, cancel).await,
    }
}
