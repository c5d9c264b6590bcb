use crate::Error;
use crate::local::LocalFile;
use crate::spec::UPLOAD_STALL_SECONDS;
use fingerprint::{Digests, Fingerprint};
use jamf::{PackageApi, PackageFile, Session};
use pipeline::{Activity, Applied, Change, Context, Env, FileName, PackageId, Subject, Verb, keys, size};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A planned upload.
#[derive(Debug)]
pub struct Work {
    session: Arc<Session>,
    digests: Digests,
    file: LocalFile,
    name: FileName,
    display_name: Option<String>,
    /// Whether the server holds a file of that name.
    replaces: bool,
    known: Option<Fingerprint>,
    patience: Duration,
}

/// The record that the file goes onto.
struct Record {
    id: PackageId,
    /// As the record spells it: the server refuses any other spelling (`jamf-pro-api.md §5.4`).
    file_name: String,
}

impl Work {
    /// Looks at the file, and whether the server has the call.
    pub(crate) async fn plan(
        session: Arc<Session>,
        digests: Digests,
        env: &Env,
        cx: &Context,
    ) -> Result<Self, Error> {
        let name = keys::file_name(env)?;
        let file = LocalFile::look(env.need(keys::PKG_PATH)?)?;
        let api = session.package_api(cx).await;
        if api.map_err(|source| Error::Record { file: name.clone(), source: Box::new(source) })?
            == PackageApi::Classic
        {
            return Err(Error::NoProApi { file: name });
        }
        let known = match env.get(keys::PKG_MD5)?.zip(env.get(keys::PKG_SHA3_512)?) {
            Some((md5, sha3_512)) => Some(Fingerprint { size: file.size(), md5, sha3_512 }),
            None => digests.known(file.path())?,
        };
        Ok(Self {
            display_name: env.get(keys::PKG_DISPLAY_NAME)?.filter(|name| !name.is_empty()),
            replaces: env.get(keys::JCDS_FILE_FOUND)?.unwrap_or(false),
            patience: env.get(UPLOAD_STALL_SECONDS)?.unwrap_or_default().into(),
            session,
            digests,
            file,
            name,
            known,
        })
    }

    /// What applying changes.
    pub(crate) fn change(&self, reason: Option<String>) -> Change {
        let verb = if self.replaces { Verb::Replace } else { Verb::Create };
        let change = Change::new(verb, Subject::File, self.name.as_str()).sending(self.file.size());
        match reason {
            Some(reason) => change.because(reason),
            None => change,
        }
    }

    /// Sends the file onto its record.
    pub(crate) async fn apply(&self, env: &Env, cx: &Context) -> Result<Applied, Error> {
        if !self.file.is_unchanged()? {
            return Err(self.changed());
        }
        let record = self.record(env, cx).await?;
        let sent = async { tokio::try_join!(self.send(&record, cx), self.fingerprint(cx)) };
        let Some(sent) = cx.cancelled().run_until_cancelled(sent).await else {
            return Err(self.interrupted());
        };
        let ((), fingerprint) = match sent {
            // The digests are those of one state of the file; a look before and one after tell whether that was sent.
            Ok(_) | Err(Error::File(_)) if !self.file.is_unchanged()? => {
                return Err(Error::ChangedMeanwhile { path: self.file.path().to_owned() });
            }
            sent => sent?,
        };
        cx.has_sent();
        Ok(self.applied(record.id, fingerprint))
    }

    /// The record that an earlier step found or made, else the one that names the file, else a new one.
    async fn record(&self, env: &Env, cx: &Context) -> Result<Record, Error> {
        let failed = |source| Error::Record { file: self.name.clone(), source: Box::new(source) };
        let known = match env.get(keys::PACKAGE_ID)? {
            Some(id) => {
                let found = self.session.package(cx, id).await.map_err(failed)?;
                Some(found.ok_or_else(|| Error::RecordGone { id, file: self.name.clone() })?)
            }
            None => self.session.only_package_named(cx, &self.name).await.map_err(failed)?,
        };
        match known {
            Some(known) if self.name.same_name(&known.file_name) => {
                Ok(Record { id: known.id, file_name: known.file_name })
            }
            Some(other) => {
                Err(Error::OtherRecord { id: other.id, file: self.name.clone(), found: other.file_name })
            }
            None => {
                let display_name = self.display_name.as_deref().unwrap_or(self.name.as_str());
                let created = self.session.create_package(cx, &self.name, display_name, &[]).await;
                let id = created.map_err(failed)?;
                cx.info(format!("created record {id} for {}", self.name));
                Ok(Record { id, file_name: self.name.as_str().to_owned() })
            }
        }
    }

    async fn send(&self, record: &Record, cx: &Context) -> Result<(), Error> {
        let total = self.file.size();
        let voice = cx.clone();
        let progress = move |done| voice.progress(Activity::Uploading, done, total);
        let file = PackageFile {
            path: self.file.path(),
            name: &record.file_name,
            size: total,
            patience: self.patience,
        };
        let sent = self.session.upload_package(cx, record.id, &file, progress).await;
        match sent {
            Ok(()) => Ok(()),
            // A file that changed explains whatever else went wrong.
            Err(_) if !self.file.is_unchanged()? => Err(self.changed()),
            Err(jamf::Error::Interrupted) => Err(self.interrupted()),
            Err(source) => {
                Err(Error::Upload { file: self.name.clone(), id: record.id, source: Box::new(source) })
            }
        }
    }

    /// The digests, computed beside the sending and not before it: SHA3-512 is slower than a fast network (`baselines.md`).
    async fn fingerprint(&self, cx: &Context) -> Result<Fingerprint, Error> {
        if let Some(known) = self.known {
            return Ok(known);
        }
        let (voice, total) = (cx.clone(), self.file.size());
        let progress = move |done| voice.progress(Activity::Hashing, done, total);
        // Ctrl-C drops this future, which ends the reading.
        let never = CancellationToken::new();
        let now = || cx.clock().now();
        let (fingerprint, _) = self.digests.digest(self.file.path(), now, progress, &never).await?;
        Ok(fingerprint)
    }

    fn interrupted(&self) -> Error {
        Error::Interrupted { file: self.name.clone() }
    }

    fn changed(&self) -> Error {
        Error::Changed { path: self.file.path().to_owned() }
    }

    fn applied(&self, id: PackageId, sent: Fingerprint) -> Applied {
        let how = if self.replaces { ", in place of the old file" } else { "" };
        Applied::done(format!("sent {} onto record {id}: {}{how}", self.name, size(sent.size)))
            .with(keys::PKG_UPLOADED, true)
            .with(keys::PACKAGE_ID, id)
            .with(keys::PKG_SIZE, sent.size)
            .with(keys::PKG_MD5, sent.md5)
            .with(keys::PKG_SHA3_512, sent.sha3_512)
    }
}
