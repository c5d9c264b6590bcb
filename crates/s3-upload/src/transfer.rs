//! One upload from its plan to its end.

use crate::Error;
use crate::bucket::{Bucket, SentPart, Upload};
use crate::commit::{Commit, Committed, Doubt};
use crate::credentials::LiveCredentials;
use crate::endpoint::Endpoint;
use crate::inputs::{self, JCDS_OBJECT_KEY, PART_SIZE, UPLOAD_CONCURRENCY};
use crate::listed::only_file;
use crate::local::LocalFile;
use crate::parts::PartPlan;
use crate::s3_error::in_full;
use crate::send::{Sending, check_whole};
use fingerprint::Fingerprint;
use jamf::{JcdsFile, Session};
use pipeline::{Applied, Change, Context, Env, FileName, Subject, Verb, Warning, keys};
use std::sync::Arc;

/// A planned upload.
#[derive(Debug)]
pub struct Work {
    session: Arc<Session>,
    file: LocalFile,
    name: FileName,
    parts: PartPlan,
    at_once: usize,
    known: Option<Fingerprint>,
    /// The file of that name that the service lists.
    old: Option<JcdsFile>,
}

impl Work {
    /// Looks at the file and at the list of the service.
    pub(crate) async fn plan(session: Arc<Session>, env: &Env, cx: &Context) -> Result<Self, Error> {
        let name = keys::file_name(env)?;
        let path = env.need(keys::PKG_PATH)?;
        // Settings that cannot work are told before the first byte is sent.
        let _: Endpoint = inputs::endpoint(env)?;
        let file = LocalFile::look(path)?;
        let parts = PartPlan::new(file.size(), env.get(PART_SIZE)?.unwrap_or_default())
            .ok_or_else(|| Error::TooLarge { path: file.path().to_owned(), size: file.size() })?;
        let listed = session
            .jcds_files(cx)
            .await
            .map_err(|source| Error::List { file: name.clone(), source: Box::new(source) })?;
        let old = only_file(&name, &listed)?;
        // The new file keeps the server's spelling, because the record names it (`user-pains.md` row 25).
        let name = match &old {
            Some(old) => old.name.parse().map_err(|source| Error::Spelling { file: name, source })?,
            None => name,
        };
        Ok(Self {
            known: inputs::known_fingerprint(env, file.size())?,
            at_once: env.get(UPLOAD_CONCURRENCY)?.unwrap_or_default().get(),
            session,
            name,
            old,
            file,
            parts,
        })
    }

    /// What applying changes.
    pub(crate) fn change(&self, reason: Option<String>) -> Change {
        let verb = if self.old.is_some() { Verb::Replace } else { Verb::Create };
        let change = Change::new(verb, Subject::File, self.name.as_str()).sending(self.file.size());
        match reason {
            Some(reason) => change.because(reason),
            None => change,
        }
    }

    /// Sends the file and puts it in place, or leaves everything as it was.
    pub(crate) async fn apply(&self, env: &Env, cx: &Context) -> Result<Applied, Error> {
        let grant = inputs::grant(env)?;
        let place = inputs::place(env, &grant)?;
        let key = format!("{}{}", grant.path, self.name);
        let credentials = LiveCredentials::new(grant, Arc::clone(&self.session), cx);
        let bucket = Bucket::open(place, credentials, Arc::clone(cx.boundary()));

        self.file.check_unchanged()?;
        let upload =
            bucket.begin(&key).await.map_err(|source| Error::Begin { file: self.name.clone(), source })?;
        match self.fill_and_commit(&bucket, &upload, cx).await {
            Ok((committed, fingerprint)) => Ok(self.applied(&committed, fingerprint, key)),
            // An abort could take away what S3 is about to put together, or the only copy there is.
            Err(error) if error.needs_the_parts() => Err(error),
            Err(error) => {
                self.abort(&bucket, &upload, cx).await;
                Err(error)
            }
        }
    }

    async fn fill_and_commit(
        &self,
        bucket: &Bucket,
        upload: &Upload,
        cx: &Context,
    ) -> Result<(Committed, Fingerprint), Error> {
        let (parts, fingerprint) = self.fill(bucket, upload, cx).await?;
        let commit = Commit {
            session: &self.session,
            bucket,
            upload,
            name: &self.name,
            parts: &parts,
            fingerprint,
            planned: self.old.as_ref(),
            cx,
        };
        let committed = commit.run().await;
        // What the session remembers is the list before the completion, which it does not see.
        self.session.forget_jcds_files();
        Ok((committed?, fingerprint))
    }

    /// Sends all parts. The digests are computed beside it and not before it: SHA3-512 is slower than a fast network
    /// (`baselines.md`).
    async fn fill(
        &self,
        bucket: &Bucket,
        upload: &Upload,
        cx: &Context,
    ) -> Result<(Vec<SentPart>, Fingerprint), Error> {
        let sending = Sending { bucket, upload, file: &self.file, name: &self.name, plan: self.parts, cx }
            .run(self.at_once);
        let digests = async {
            match self.known {
                Some(fingerprint) => Ok(fingerprint),
                None => self.file.fingerprint(cx).await,
            }
        };
        let filling = async { tokio::try_join!(sending, digests) };
        let Some(filled) = cx.cancelled().run_until_cancelled(filling).await else {
            return Err(Error::Interrupted { file: self.name.clone() });
        };
        // A file that changed explains whatever else went wrong: a body cut short, a checksum that does not fit.
        self.file.check_unchanged()?;
        let (parts, fingerprint) = filled?;
        check_whole(&parts, self.parts, &self.name)?;
        Ok((parts, fingerprint))
    }

    /// Lets S3 forget the parts. Whether the credentials allow it is not known (`jamf-pro-api.md §9.2`), so a failure is
    /// only told.
    async fn abort(&self, bucket: &Bucket, upload: &Upload, cx: &Context) {
        if let Err(error) = bucket.abort(upload).await {
            cx.warn(format!(
                "the parts of {} that were sent could not be removed from S3: {}",
                self.name,
                in_full(&error)
            ));
        }
    }

    fn applied(&self, committed: &Committed, sent: Fingerprint, key: String) -> Applied {
        let name = &self.name;
        let applied = match committed.doubt {
            None => {
                let how = if committed.replaced { ", in place of the old file" } else { "" };
                let parts = self.parts.count();
                let noun = if parts == 1 { "part" } else { "parts" };
                Applied::done(format!("sent {name}: {} in {parts} {noun}{how}", pipeline::size(sent.size)))
            }
            Some(Doubt::NameTaken) => Applied::warned(
                Warning::Unverified,
                format!("{name} was sent, but the old file was not seen to have gone before"),
                "look at the list of the distribution service: the new file may have got a name such as Name_1.pkg",
            ),
            // Servers other than Amazon's make ETags of their own, so this alone proves nothing.
            Some(Doubt::OtherEtag) => Applied::warned(
                Warning::Other,
                format!("{name} was sent, but S3 gave it another ETag than its parts make"),
                "let verify-delivery compare the digests, and run again if they differ",
            ),
        };
        applied
            .with(keys::PKG_UPLOADED, true)
            .with(keys::PKG_SIZE, sent.size)
            .with(keys::PKG_MD5, sent.md5)
            .with(keys::PKG_SHA3_512, sent.sha3_512)
            .with(JCDS_OBJECT_KEY, key)
    }
}
