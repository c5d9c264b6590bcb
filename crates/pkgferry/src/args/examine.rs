use super::{Rehearsal, Variables};
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// The file that is to be sent, or its size in bytes; default: a gibibyte
    #[arg(long, value_name = "BYTES|FILE", value_parser = size)]
    pub size: Option<Size>,
    /// What leaves this machine, in MiB a second
    #[arg(long, value_name = "MIB", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub rate: u64,
    /// Print one line of JSON instead of text
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub variables: Variables,
    #[command(flatten)]
    pub rehearsal: Rehearsal,
}

/// How large a transfer is.
#[derive(Clone, Debug)]
pub enum Size {
    /// In bytes.
    Bytes(u64),
    /// As large as this file.
    File(PathBuf),
}

fn size(text: &str) -> Result<Size, String> {
    match text.parse() {
        Ok(0) => Err("there is nothing to send in 0 bytes".to_owned()),
        Ok(bytes) => Ok(Size::Bytes(bytes)),
        Err(_) => Ok(Size::File(text.into())),
    }
}
