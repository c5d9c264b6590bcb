//! What the rehearsal server can be asked to play, in runs (`--sandbox`) and alone (`pkgferry sandbox`).

use crate::error::Error;
use clap::{Args, ValueEnum};
use sandbox::{CdnType, Fault, JcdsGone, Privilege};
use std::path::PathBuf;

/// The rehearsal server in the place of a real one.
#[derive(Debug, Default, Args)]
pub struct Rehearsal {
    /// Use the built-in rehearsal server instead of a real one
    #[arg(long)]
    pub sandbox: bool,
    /// Folder where the rehearsal server keeps its files; without it they end with the run
    #[arg(long, value_name = "DIR", requires = "sandbox")]
    pub sandbox_data: Option<PathBuf>,
    #[command(flatten)]
    pub played: Played,
}

impl Rehearsal {
    /// What the rehearsal server plays means nothing without it.
    pub fn check(&self) -> Result<(), Error> {
        match self.played.flag() {
            Some(flag) if !self.sandbox => Err(Error::NeedsSandbox { flag }),
            _ => Ok(()),
        }
    }
}

/// What kind of server the rehearsal server plays.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Rehearsal server")]
pub struct Played {
    /// Version of Jamf Pro to play, such as 11.4.2; from 12.0 on there are no JCDS calls [default: 11.30.1]
    #[arg(long, value_name = "VERSION")]
    pub jamf_version: Option<String>,
    /// Play the Platform API gateway in front of it, and how requests name the tenant
    #[arg(long, value_enum, value_name = "ADDRESSING")]
    pub gateway: Option<GatewayAddressing>,
    /// Where the cloud distribution point keeps its files [default: JAMF_CLOUD]
    #[arg(long, value_name = "TYPE", value_parser = cdn_type)]
    pub cdn_type: Option<CdnType>,
    /// The cloud distribution point is not the principal one
    #[arg(long)]
    pub not_principal: bool,
    /// How JCDS calls are answered that this server no longer has
    #[arg(long, value_enum, value_name = "STATUS")]
    pub jcds_gone: Option<Gone>,
    /// Do not serve /api/schema/
    #[arg(long)]
    pub no_schema: bool,
    /// A privilege that no account has, by the name that Jamf Pro shows; may be repeated
    #[arg(long = "without-privilege", value_name = "NAME", value_parser = privilege)]
    pub without_privileges: Vec<Privilege>,
    /// Play a fault, one of those that `pkgferry sandbox --help` lists; may be repeated
    #[arg(long = "fault", value_name = "NAME[=N]")]
    pub faults: Vec<Fault>,
}

/// How requests to a gateway name the tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum GatewayAddressing {
    /// In the path, as the beta had it
    Path,
    /// In the header X-Tenant-Id
    TenantHeader,
    /// In the header X-Environment-Id
    EnvironmentHeader,
}

/// The status of what is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Gone {
    /// As any path that is not there
    #[value(name = "404")]
    NotFound,
    /// Gone for good
    #[value(name = "410")]
    Gone,
}

impl From<Gone> for JcdsGone {
    fn from(gone: Gone) -> Self {
        match gone {
            Gone::NotFound => Self::NotFound,
            Gone::Gone => Self::Gone,
        }
    }
}

impl Played {
    /// The first flag that asks for something.
    pub fn flag(&self) -> Option<&'static str> {
        let asked = [
            ("--jamf-version", self.jamf_version.is_some()),
            ("--gateway", self.gateway.is_some()),
            ("--cdn-type", self.cdn_type.is_some()),
            ("--not-principal", self.not_principal),
            ("--jcds-gone", self.jcds_gone.is_some()),
            ("--no-schema", self.no_schema),
            ("--without-privilege", !self.without_privileges.is_empty()),
            ("--fault", !self.faults.is_empty()),
        ];
        asked.into_iter().find_map(|(flag, asked)| asked.then_some(flag))
    }
}

fn cdn_type(text: &str) -> Result<CdnType, String> {
    CdnType::ALL.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(text)).ok_or_else(|| {
        let names: Vec<_> = CdnType::ALL.into_iter().map(CdnType::name).collect();
        format!("it takes one of {}", names.join(", "))
    })
}

fn privilege(text: &str) -> Result<Privilege, String> {
    let known = Privilege::ALL.into_iter().find(|privilege| privilege.name().eq_ignore_ascii_case(text));
    known.ok_or_else(|| {
        let names = Privilege::ALL.into_iter().map(Privilege::name);
        match recipe::nearest(text, names.clone()) {
            Some(nearest) => format!("did you mean {nearest:?}?"),
            None => format!("it takes one of {}", names.collect::<Vec<_>>().join(", ")),
        }
    })
}

#[derive(Debug, Args)]
#[command(after_long_help = crate::faults::help())]
pub struct SandboxArgs {
    /// Port of the Jamf Pro side on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// Port of the S3 side on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    pub s3_port: u16,
    /// Folder for files and records; without it they end with the server
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Seconds from the end of an upload until the file is listed
    #[arg(long, default_value_t = 0, value_name = "SECONDS")]
    pub listed_after: u64,
    /// Seconds from the listing until the record is READY (a refresh for its name does it at once)
    #[arg(long, default_value_t = 0, value_name = "SECONDS")]
    pub ready_after: u64,
    /// Life of an API client's token
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    pub token_life: u64,
    #[command(flatten)]
    pub played: Played,
}
