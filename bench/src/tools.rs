//! Who is on this machine to be measured, and how they are called.

use crate::error::Error;
use crate::inner::What;
use crate::remote::{Over, Sink};
use crate::rounds::{Contender, Proof};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Names in the tables.
pub mod label {
    pub const CURL: &str = "curl";
    pub const BOTO3: &str = "boto3";
    pub const AWSCLI: &str = "awscli";
    pub const RCLONE: &str = "rclone";
    pub const JAMF_SDK: &str = "jamf-pro-sdk";
    pub const KNOWN: &str = "pkgferry, digests known";
    pub const HASHING: &str = "pkgferry, hashing beside";
    pub const BOTH: &str = "both digests";
    pub const SHA3: &str = "SHA3-512";
    pub const MD5: &str = "MD5";
    pub const HASHLIB_SHA3: &str = "hashlib SHA3-512";
    pub const HASHLIB_MD5: &str = "hashlib MD5";
    pub const PKGFERRY: &str = "pkgferry";
    pub const PYTHON: &str = "python";
}

/// Bucket that everybody sends to.
const BUCKET: &str = "jcds";

const SCRIPTS: [(&str, &str); 3] = [
    ("boto3_upload.py", include_str!("peers/boto3_upload.py")),
    ("jamf_sdk_download.py", include_str!("peers/jamf_sdk_download.py")),
    ("hashlib_file.py", include_str!("peers/hashlib_file.py")),
];

/// What was found.
#[derive(Debug)]
pub struct Tools {
    pub curl: Option<PathBuf>,
    pub python: Option<PathBuf>,
    pub aws: Option<PathBuf>,
    pub rclone: Option<PathBuf>,
    pub has_boto3: bool,
    pub has_jamf_sdk: bool,
    /// The binary.
    pub pkgferry: PathBuf,
    own: PathBuf,
    scripts: PathBuf,
    /// Names and versions, for who reads the figures later.
    pub versions: Vec<String>,
}

impl Tools {
    /// Looks around, first beside the interpreter; writes the peers' scripts into `folder`.
    pub fn find(python: &Path, pkgferry: PathBuf, folder: &Path) -> Result<Self, Error> {
        for (name, text) in SCRIPTS {
            std::fs::write(folder.join(name), text)
                .map_err(Error::io(format!("{name} cannot be written")))?;
        }
        let mut versions = vec![said(&pkgferry, &["--version"]).unwrap_or_default()];
        let beside = |name: &str| python.parent().map(|folder| folder.join(name));
        let mut find = |name: &str| {
            let (path, version) = [beside(name), Some(name.into())]
                .into_iter()
                .flatten()
                .find_map(|path| said(&path, &["--version"]).map(|version| (path, version)))?;
            versions.push(version.split_whitespace().take(2).collect::<Vec<_>>().join(" "));
            Some(path)
        };
        let (curl, aws, rclone) = (find("curl"), find("aws"), find("rclone"));
        let mut module = |name: &str, version: &str| {
            let code = format!("import {name}; print({version})");
            let found = said(python, &["-W", "ignore", "-c", &code]);
            versions.extend(
                found.as_ref().map(|version| format!("{} {version}", name.replace("platform", "python"))),
            );
            found.is_some()
        };
        let has_python = module("platform", "platform.python_version()");
        let has_boto3 = module("boto3", "boto3.__version__");
        let has_jamf_sdk =
            module("jamf_pro_sdk", "__import__('importlib.metadata').metadata.version('jamf-pro-sdk')");
        Ok(Self {
            curl,
            python: has_python.then(|| python.to_owned()),
            aws,
            rclone,
            has_boto3,
            has_jamf_sdk,
            pkgferry,
            own: std::env::current_exe().map_err(Error::io("the bench does not find itself"))?,
            scripts: folder.to_owned(),
            versions,
        })
    }

    /// pkgferry itself, with a state folder.
    pub fn pkgferry(&self, stage: &Stage<'_>, state: &Path, files: &[PathBuf]) -> Contender {
        let folder = stage.folder.as_os_str();
        let variables = [
            ("JSS_URL", stage.base().into()),
            ("CLIENT_ID", "bench".into()),
            ("CLIENT_SECRET", "bench".into()),
            ("PKGFERRY_S3_ENDPOINT", stage.base().into()),
            ("PKGFERRY_STATE", state.into()),
            // No settings of the user.
            ("HOME", folder.into()),
            ("XDG_CONFIG_HOME", folder.into()),
        ];
        let mut contender = contender(&self.pkgferry, ["upload"], stage);
        contender.arguments.extend(files.iter().map(Into::into));
        contender.variables.extend(variables);
        contender
    }

    /// pkgferry's way of the bytes.
    pub fn engine_upload(&self, stage: &Stage<'_>, files: &[PathBuf]) -> Contender {
        let mut contender = contender(&self.own, ["engine-upload"], stage);
        contender.arguments.push(stage.base().into());
        contender.arguments.extend(files.iter().map(Into::into));
        Contender { label: label::PKGFERRY, ..contender }
    }

    /// pkgferry's way of the bytes back.
    pub fn engine_download(&self, stage: &Stage<'_>, name: &str, size: u64, target: &Path) -> Contender {
        let mut contender = contender(&self.own, ["engine-download"], stage);
        let address = format!("{}/__cdn/{name}", stage.base());
        contender.arguments.extend([address.into(), size.to_string().into(), target.into()]);
        Contender { label: label::PKGFERRY, ..contender }
    }

    /// Two numbers or one, by pkgferry's crates.
    pub fn hash(&self, what: What, file: &Path) -> Contender {
        let what = match what {
            What::Md5 => "md5",
            What::Sha3 => "sha3",
            What::Both => "both",
        };
        bare(&self.own, ["hash-file".as_ref(), what.as_ref(), file.as_os_str()])
    }

    /// `curl` with what stands in a file of its options, eight transfers at a time.
    pub fn curl(&self, stage: &Stage<'_>, options: &Path) -> Option<Contender> {
        self.curl_with(["-q", "-sS", "-f", "-Z", "--parallel-max", "8", "-K"], stage, options)
    }

    /// The same, one transfer after the other.
    pub fn curl_in_turn(&self, stage: &Stage<'_>, options: &Path) -> Option<Contender> {
        self.curl_with(["-q", "-sS", "-f", "-K"], stage, options)
    }

    fn curl_with<const N: usize>(
        &self,
        fixed: [&str; N],
        stage: &Stage<'_>,
        options: &Path,
    ) -> Option<Contender> {
        let mut contender = contender(self.curl.as_ref()?, fixed, stage);
        contender.arguments.push(options.into());
        Some(Contender { label: label::CURL, ..contender })
    }

    /// `curl -T`: one PUT.
    pub fn curl_put(&self, stage: &Stage<'_>, file: &Path) -> Option<Contender> {
        let mut contender = contender(self.curl.as_ref()?, ["-q", "-sS", "-f", "-T"], stage);
        contender.arguments.extend([file.into(), stage.object(file).into()]);
        Some(Contender { label: label::CURL, ..contender })
    }

    /// `curl -o`: one GET.
    pub fn curl_get(&self, stage: &Stage<'_>, name: &str, target: &Path) -> Option<Contender> {
        let mut contender = contender(self.curl.as_ref()?, ["-q", "-sS", "-f", "-o"], stage);
        contender.arguments.extend([target.into(), format!("{}/__cdn/{name}", stage.base()).into()]);
        Some(Contender { label: label::CURL, ..contender })
    }

    /// boto3's managed upload.
    pub fn boto3(&self, stage: &Stage<'_>, files: &[PathBuf]) -> Option<Contender> {
        let python = self.python.as_ref().filter(|_| self.has_boto3)?;
        let mut contender = contender(python, ["-W", "ignore"], stage);
        contender.arguments.extend([
            self.scripts.join("boto3_upload.py").into(),
            stage.base().into(),
            BUCKET.into(),
        ]);
        contender.arguments.extend(files.iter().map(Into::into));
        Some(Contender { label: label::BOTO3, ..contender })
    }

    /// `aws s3 cp` of a file, or of all files in a folder.
    pub fn awscli(&self, stage: &Stage<'_>, what: &Path) -> Option<Contender> {
        let mut contender = contender(self.aws.as_ref()?, ["s3", "cp", "--quiet"], stage);
        contender.arguments.extend(what.is_dir().then(|| "--recursive".into()));
        let target = format!("s3://{BUCKET}/peer/");
        contender.arguments.extend([
            "--endpoint-url".into(),
            stage.base().into(),
            what.into(),
            target.into(),
        ]);
        Some(Contender { label: label::AWSCLI, ..contender })
    }

    /// `rclone copy` of a file, or of all files in a folder.
    pub fn rclone(&self, stage: &Stage<'_>, what: &Path) -> Option<Contender> {
        let mut contender = contender(self.rclone.as_ref()?, ["copy"], stage);
        let target = format!(":s3:{BUCKET}/peer");
        contender.arguments.extend([what.into(), target.into(), "--s3-endpoint".into(), stage.base().into()]);
        let options = ["--config", "", "--s3-provider", "Other", "--s3-env-auth", "--s3-no-check-bucket"];
        contender.arguments.extend(options.map(Into::into));
        contender.arguments.push("--ignore-times".into());
        Some(Contender { label: label::RCLONE, ..contender })
    }

    /// jamf-pro-sdk's download.
    pub fn jamf_sdk(&self, stage: &Stage<'_>, name: &str, target: &Path) -> Option<Contender> {
        let python = self.python.as_ref().filter(|_| self.has_jamf_sdk)?;
        let base = stage.base();
        let (scheme, rest) = base.split_once("://")?;
        let mut contender = contender(python, ["-W", "ignore"], stage);
        contender.arguments.extend([
            self.scripts.join("jamf_sdk_download.py").into(),
            scheme.into(),
            rest.rsplit(':').next()?.into(),
            stage.sink.ca().into(),
            name.into(),
            target.into(),
        ]);
        // Its ranges go there first.
        contender.variables.push(("TMPDIR", stage.folder.into()));
        Some(Contender { label: label::JAMF_SDK, ..contender })
    }

    /// Python's own digest.
    pub fn hashlib(&self, algorithm: &str, file: &Path) -> Option<Contender> {
        let script = self.scripts.join("hashlib_file.py");
        let arguments = [script.as_os_str(), algorithm.as_ref(), file.as_os_str()];
        Some(bare(self.python.as_ref()?, arguments))
    }
}

/// What surrounds a contender.
#[derive(Clone, Copy, Debug)]
pub struct Stage<'a> {
    pub sink: &'a Sink,
    pub over: Over,
    pub folder: &'a Path,
}

impl Stage<'_> {
    fn base(&self) -> String {
        self.sink.base(self.over)
    }

    /// Where a client that knows nothing of Jamf Pro puts a file.
    pub fn object(&self, file: &Path) -> String {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        format!("{}/{BUCKET}/peer/{name}", self.base())
    }

    /// The call by which pkgferry looks for a record.
    pub fn look_up(&self, name: &str) -> String {
        format!("{}/api/v1/packages?page=0&filter=fileName%3D%3D%22{name}%22", self.base())
    }
}

/// A command that needs nothing around it.
pub fn bare<A: Into<OsString>>(program: &Path, arguments: impl IntoIterator<Item = A>) -> Contender {
    let arguments = arguments.into_iter().map(Into::into).collect();
    Contender { program: program.to_owned(), arguments, ..Contender::default() }
}

/// A command that trusts the sink, and knows no other AWS than it.
fn contender<const N: usize>(program: &Path, arguments: [&str; N], stage: &Stage<'_>) -> Contender {
    let trust = ["SSL_CERT_FILE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"];
    let aws = [
        ("AWS_ACCESS_KEY_ID", "bench"),
        ("AWS_SECRET_ACCESS_KEY", "bench"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
    ];
    let trust = trust.map(|name| (name, stage.sink.ca().into()));
    let variables = aws.map(|(name, value)| (name, value.into())).into_iter().chain(trust).collect();
    Contender { variables, proof: Proof::ExitCode, ..bare(program, arguments) }
}

/// The first line of what a command says, if it succeeds.
fn said(program: &Path, arguments: &[&str]) -> Option<String> {
    let output =
        Command::new(program).args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).lines().next()?.trim().to_owned())
}
