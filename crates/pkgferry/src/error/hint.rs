use super::Error;

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::ReadSettings { named_by: Some(named_by), source, .. }
                if source.kind() == std::io::ErrorKind::NotFound =>
            {
                Some(format!("{named_by} names it; leave that out where no settings file is needed"))
            }
            Self::OpenSecrets { path, .. } => Some(format!("chmod 600 {}", path.display())),
            Self::UnknownProcessor { nearest: Some(nearest), .. } => Some(format!("did you mean {nearest}?")),
            Self::Client(error) => pipeline::Diagnose::hint(error),
            Self::WriteFile { path, source } if source.kind() == std::io::ErrorKind::NotFound => {
                let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty())?;
                Some(format!("make the folder {} first, or name another", folder.display()))
            }
            Self::Secret { source, .. } => pipeline::Diagnose::hint(&**source),
            Self::Nobody => Some(
                "name one in [notify] of the settings file, such as slack = \"file:~/.config/pkgferry/slack\", or in \
                 PKGFERRY_NOTIFY_SLACK, PKGFERRY_NOTIFY_TEAMS or PKGFERRY_NOTIFY_WEBHOOK"
                    .into(),
            ),
            Self::News(error) => pipeline::Diagnose::hint(error),
            Self::Shard(error) => pipeline::Diagnose::hint(error),
            Self::Remembered(source) | Self::Busy { source, .. } => pipeline::Diagnose::hint(source),
            Self::NoRun(_) => Some("pkgferry history lists the newest runs".into()),
            Self::File(error) => pipeline::Diagnose::hint(error),
            Self::Look { source, .. } => pipeline::Diagnose::hint(&**source),
            Self::NoPackage { .. } => {
                Some("give the name of the file as the record has it, with its ending".into())
            }
            Self::NotProven { server, .. } => Some(format!(
                "send it there again, or run verify-package with --server {server}, which lets the server look again"
            )),
            Self::NoDownload { .. } => {
                Some("give the package with --file: it is carried if its digests are the proven ones".into())
            }
            Self::OtherBytes { .. } => Some(
                "give the package as it was sent there, or leave --file out so that it is fetched".into(),
            ),
            Self::NeedsSandbox { .. } => Some("add --sandbox".into()),
            Self::Schedule(error) => of_schedule(error),
            Self::RunArguments(wrong) => wrong.tip.clone(),
            Self::UnknownProgram => Some("name it with --program".into()),
            Self::FileExists { .. } => Some("--force replaces what is there".into()),
            Self::ReadReport { source, .. } | Self::ReportShape(source) | Self::MergeReports(source) => {
                pipeline::Diagnose::hint(source)
            }
            Self::Sandbox(_) => {
                Some("another port (--port, --s3-port) or another folder (--data) may be free".into())
            }
            _ => self.hint_of_servers(),
        }
    }

    /// What to do where the servers of the settings are not as the command line has them.
    fn hint_of_servers(&self) -> Option<String> {
        match self {
            Self::ServerTable { .. } => {
                Some("a server is written as [servers.NAME], its settings below".into())
            }
            Self::UnknownServer { name, known, .. } if known.is_empty() => Some(format!(
                "write a table [servers.{name}] with its JSS_URL into the settings file, or leave its name out and reach the \
                 server with --url"
            )),
            Self::UnknownServer { name, known, .. } => {
                recipe::nearest(name, known.iter().map(String::as_str))
                    .map(|nearest| format!("did you mean {nearest}?"))
            }
            Self::OneForSeveral { origin, .. } => {
                Some(format!("put it into the tables of the servers instead, or leave out {origin}"))
            }
            Self::Contradicted { origin, server } => Some(format!(
                "leave out {origin} to reach {server}, or leave out its name to go where {origin} leads"
            )),
            _ => None,
        }
    }
}

/// The library's hint, or what only the command line knows.
fn of_schedule(error: &schedule::Error) -> Option<String> {
    use schedule::Error;
    match error {
        Error::NoKubernetesSecret => Some("name the Secret that holds them, with --secrets-from".into()),
        Error::NotASecretName => Some(
            "give --secret the name alone; the value stays with the scheduler or in the settings file".into(),
        ),
        Error::Relative { .. } => {
            Some("write the whole path, as it is on the machine where the run happens".into())
        }
        error => pipeline::Diagnose::hint(error),
    }
}
