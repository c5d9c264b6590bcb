use crate::decision::{Decision, Listed, Reason, after_reading, before_reading};
use fingerprint::{Comparison, Digests, Expected, FileIdentity};
use pipeline::{
    Activity, Applied, Context, Default, Env, EnvError, Failure, Input, Md5, Output, Plan, Processor,
    Sha3_512, Spec, keys,
};
use std::convert::Infallible;
use std::path::Path;

/// The processor.
#[derive(Clone, Debug, std::default::Default)]
pub struct CompareHash {
    digests: Digests,
}

impl CompareHash {
    /// The processor; a file whose digests are remembered is not read.
    #[must_use]
    pub fn new(digests: Digests) -> Self {
        Self { digests }
    }
}

static SPEC: Spec = Spec {
    name: "compare-hash",
    summary: "compares the local package file with the file on the server",
    docs: "\
The verdict is `absent` (the server has no file of this name), `same` (size, MD5 and SHA3-512 agree) or `different`.

The size is compared first; if it differs, nothing is read. Then both digests are computed over one pass of the file: a \
different MD5 ends it at once, and SHA3-512 confirms what MD5 calls the same. A server entry without a digest is never \
called the same. Digests are remembered, and a file that was not touched since is not read again. With `force: true` a file that is there is called different without reading anything.

What the server holds comes from find-package, which has to be an earlier step. To compare with something else, give the \
jcds_file_* values as arguments; jcds_file_found is needed in any case, since nothing is absent before somebody has looked.",
    writes: false,
    inputs: &[
        Input::required(keys::PKG_PATH, "The local package file. A bundle package has to be zipped first.").existing(),
        // No default: that the server has no such file is for somebody to say who has looked.
        Input::required(keys::JCDS_FILE_FOUND, "Whether the server has a file of this name."),
        Input::optional(
            keys::JCDS_FILE_LEAVING,
            "Whether that file is about to go, since an earlier run has asked for it. Then it is called different.",
        ),
        Input::optional(keys::JCDS_FILE_SIZE, "Size of the server's file in bytes."),
        Input::optional(keys::JCDS_FILE_MD5, "MD5 of the server's file."),
        Input::optional(keys::JCDS_FILE_SHA3_512, "SHA3-512 (not SHA-512) of the server's file."),
        Input::with_default(keys::FORCE, Default::Flag(false), "Send the file even if the server holds the same bytes."),
    ],
    outputs: &[
        Output::planned(keys::VERDICT, "`absent`, `same` or `different`."),
        Output::planned(keys::VERDICT_REASON, "Why, in words."),
        Output::planned(keys::PKG_SIZE, "Size of the local file in bytes."),
        Output::planned(keys::PKG_MD5, "MD5 of the local file, if it had to be computed."),
        Output::planned(keys::PKG_SHA3_512, "SHA3-512 of the local file, if it had to be computed."),
    ],
};

impl Processor for CompareHash {
    type Work = Infallible;

    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn plan(&self, env: &Env, cx: &Context) -> Result<Plan<Infallible>, Failure> {
        let path = env.need(keys::PKG_PATH)?;
        let force = env.get(keys::FORCE)?.unwrap_or(false);
        let server = listed(env)?;

        let size = FileIdentity::of(&path)?.size;
        let found = match before_reading(size, server, force) {
            Decision::Settled(reason) => Found { reason, md5: None, sha3_512: None },
            Decision::Read(expected) => self.read(&path, size, expected, cx).await?,
        };
        let Found { reason, md5, sha3_512 } = found;
        let verdict = reason.verdict();
        Ok(Plan::done(format!("{verdict}: {reason}"))
            .with(keys::VERDICT, verdict)
            .with(keys::VERDICT_REASON, reason.to_string())
            .with(keys::PKG_SIZE, size)
            .with_some(keys::PKG_MD5, md5)
            .with_some(keys::PKG_SHA3_512, sha3_512))
    }

    async fn apply(&self, work: Infallible, _env: &Env, _cx: &Context) -> Result<Applied, Failure> {
        match work {}
    }
}

fn listed(env: &Env) -> Result<Option<Listed>, EnvError> {
    if !env.need(keys::JCDS_FILE_FOUND)? {
        return Ok(None);
    }
    Ok(Some(Listed {
        size: env.get(keys::JCDS_FILE_SIZE)?,
        md5: env.get(keys::JCDS_FILE_MD5)?,
        sha3_512: env.get(keys::JCDS_FILE_SHA3_512)?,
        is_leaving: env.get(keys::JCDS_FILE_LEAVING)?.unwrap_or(false),
    }))
}

struct Found {
    reason: Reason,
    md5: Option<Md5>,
    sha3_512: Option<Sha3_512>,
}

impl CompareHash {
    async fn read(
        &self,
        path: &Path,
        size: u64,
        expected: Expected,
        cx: &Context,
    ) -> Result<Found, fingerprint::Error> {
        let speaker = cx.clone();
        let progress = move |done| speaker.progress(Activity::Hashing, done, size);
        progress(0);
        let now = || cx.clock().now();
        let comparison = self.digests.compare_with(path, expected, now, progress, cx.cancelled()).await?;
        let reason = after_reading(&comparison);
        Ok(match comparison {
            Comparison::Md5Differs { md5 } => Found { reason, md5: Some(md5), sha3_512: None },
            Comparison::Sha3Differs { fingerprint } | Comparison::Equal { fingerprint } => {
                Found { reason, md5: Some(fingerprint.md5), sha3_512: Some(fingerprint.sha3_512) }
            }
        })
    }
}
