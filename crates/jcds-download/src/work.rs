//! One download from its plan to its end.

use crate::inputs::{DOWNLOAD_CONCURRENCY, DOWNLOAD_PATH, DOWNLOAD_STALL, OVERWRITE};
use crate::journal::Header;
use crate::listed::{self, Listed};
use crate::proof::Proof;
use crate::ranges::Cut;
use crate::scratch::Paths;
use crate::target::{self, Found};
use crate::{Error, Fetched, Options, Wanted, fetch};
use fingerprint::Fingerprint;
use jamf::Session;
use pipeline::{Applied, Change, Context, Env, Plan, Subject, Verb, Warning, keys, size};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A planned download.
#[derive(Debug)]
pub struct Work(Kind);

#[derive(Debug)]
enum Kind {
    Download {
        source: Listed,
        wanted: Wanted,
        target: PathBuf,
        options: Options,
    },
    /// The file is there, and what brought it was killed before it was done.
    CleanUp {
        wanted: Wanted,
        target: PathBuf,
        here: Fingerprint,
    },
}

impl Work {
    /// Looks at the list and at the target.
    pub(crate) async fn plan(session: Arc<Session>, env: &Env, cx: &Context) -> Result<Plan<Self>, Error> {
        let name = env.need(keys::PKG_NAME)?;
        let target = target::resolve(&env.need(DOWNLOAD_PATH)?, &name)?;
        let options = Options {
            concurrency: env.get(DOWNLOAD_CONCURRENCY)?.unwrap_or_default().get(),
            stall: env.get(DOWNLOAD_STALL)?.unwrap_or_default().get(),
            overwrite: env.get(OVERWRITE)?.unwrap_or(false),
            ..Options::default()
        };
        let file = listed::find(&name, &Box::pin(session.jcds_files_for(cx, &name)).await?)?;
        let wanted = listed::wanted(name, &file)?;
        let paths = Paths::beside(&target);
        let reason = match target::look(&target, &wanted, cx).await? {
            Found::Same(here) => {
                let left = paths.left_over();
                if left.is_empty() {
                    return Ok(Plan::skipped(same(&target, &wanted))
                        .with(keys::PKG_PATH, target)
                        .with(keys::PKG_SIZE, here.size)
                        .with(keys::PKG_MD5, here.md5)
                        .with(keys::PKG_SHA3_512, here.sha3_512));
                }
                let changes = left.iter().map(|path| left_over(path)).collect();
                return Ok(Plan::changes(changes, Self(Kind::CleanUp { wanted, target, here })));
            }
            Found::Other(why) if !options.overwrite => return Err(Error::Exists { target, why }),
            Found::Other(why) => Some(format!("in place of the file there: {why}")),
            Found::Nothing => None,
        };
        let cut = Cut::new(wanted.size, options.range_size);
        let kept = paths.kept(&Header::new(&wanted, cut), cut);
        let change = Change::new(Verb::Download, Subject::File, wanted.name.as_str())
            .to(target.display().to_string())
            .fetching(wanted.size - kept);
        let change = match (reason, kept) {
            (Some(reason), _) => change.because(reason),
            (None, 0) => change,
            (None, kept) => change.because(format!("{} are here already", size(kept))),
        };
        let source = Listed { session, name: file.name };
        Ok(Plan::change(change, Self(Kind::Download { source, wanted, target, options })))
    }

    /// Fetches the file and puts it in place, or leaves there what was there.
    pub(crate) async fn apply(self, cx: &Context) -> Result<Applied, Error> {
        match self.0 {
            Kind::Download { source, wanted, target, options } => {
                let fetched = fetch(&source, &wanted, &target, &options, cx).await?;
                let applied = outcome(&wanted, &target, fetched)
                    .with(keys::PKG_PATH, target)
                    .with(keys::PKG_SIZE, wanted.size);
                Ok(with_digests(applied, fetched.fingerprint))
            }
            Kind::CleanUp { wanted, target, here } => {
                Paths::beside(&target).clean()?;
                let applied = Applied::done(same(&target, &wanted))
                    .with(keys::PKG_PATH, target)
                    .with(keys::PKG_SIZE, wanted.size);
                Ok(with_digests(applied, Some(here)))
            }
        }
    }
}

fn with_digests(applied: Applied, of: Option<Fingerprint>) -> Applied {
    applied
        .with_some(keys::PKG_MD5, of.map(|fingerprint| fingerprint.md5))
        .with_some(keys::PKG_SHA3_512, of.map(|fingerprint| fingerprint.sha3_512))
}

fn same(target: &Path, wanted: &Wanted) -> String {
    format!("{} is the listed file: {}, {}", target.display(), size(wanted.size), Proof::possible(wanted))
}

fn left_over(path: &Path) -> Change {
    Change::new(Verb::Remove, Subject::LeftOver, path.display().to_string())
}

fn outcome(wanted: &Wanted, target: &Path, fetched: Fetched) -> Applied {
    let mut said = format!("downloaded {} to {}: {}", wanted.name, target.display(), size(wanted.size));
    if fetched.kept > 0 {
        said.push_str(&format!(" ({} of them earlier)", size(fetched.kept)));
    }
    match fetched.proof {
        proof @ Proof::None => Applied::warned(
            Warning::Unverified,
            format!("{said}; {proof}"),
            "run the same again when the list has digests: it compares them, and fetches nothing if they agree",
        ),
        proof => Applied::done(format!("{said}, {proof}")),
    }
}
