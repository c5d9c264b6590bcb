use crate::error::encoded;
use crate::finding::{Held, is_behind, listed_file, same_bytes, spelling, summary, twins};
use jamf::{CONNECTION, JcdsFile, Package, Session, Sessions};
use pipeline::{
    Applied, Context, Diagnose as _, Env, Failure, FailureKind, FileName, Input, Output, Plan, Processor,
    Route, Spec, Witness, join, keys,
};
use state::{Arrival, Delivery, Phase, State, StoredUpload};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

/// Pause between looks at a list that is behind.
const LOOK: Duration = Duration::from_secs(5);

/// The processor.
#[derive(Debug)]
pub struct FindPackage {
    sessions: Arc<Sessions>,
    state: Option<State>,
}

/// What it reads besides the [connection](jamf::CONNECTION).
const OWN: [Input; 6] = [
    Input::optional(keys::PKG_NAME, "Name of the file; by default the last part of pkg_path."),
    Input::optional(keys::PKG_PATH, "Local package file. Only its name is looked at."),
    Input::optional(
        keys::PKG_DISPLAY_NAME,
        "Display name of the record, by default pkg_name. Looked for only to report a record that has it and \
             names another file.",
    ),
    Input::optional(
        keys::WITNESS,
        "Who tells what the server holds: `list` (the distribution service; the default) or `record` (the package record).",
    ),
    Input::optional(keys::CHOSEN_ROUTE, "The route that choose-route chose."),
    Input::optional(keys::FALLBACK_ROUTE, "The route to take when the list is refused."),
];

static INPUTS: [Input; CONNECTION.len() + OWN.len()] = join(&CONNECTION, &OWN);

static SPEC: Spec = Spec {
    name: "find-package",
    summary: "looks for the package record and for the file in the distribution service",
    docs: "\
The package is looked up by the name of its file: `pkg_name`, or the last part of `pkg_path`. One of the two is needed.

More than one record for the file is an error that lists them; nothing is guessed. A record that only has the display \
name is reported and left alone.

Names that differ only in how their accented characters are encoded are one name. The server's spelling is used from \
there on, and becomes `pkg_name`.

The list of the distribution service tells whether the server holds the file, and which one. With `witness: record`, which \
choose-route sets where the file goes by packages-api, the package record tells it and the list is not asked for; a record \
without size and digests has no file. Where the list is refused on that route, the record is heard too.

What was sent within the last hour and is not listed yet is taken to be there, since the list may be late; verify-delivery then \
waits for it. What the list has shown lately and shows no more, or not as it was sent, is looked for again, since the server's nodes \
exchange changes about once a minute. A listed file that a killed run has asked the server to delete is told apart, since it may go at any moment.

A listed `Name_1.pkg`, as the service calls a second upload of `Name.pkg`, is reported if it holds the same bytes or if \
no package record names it.",
    writes: false,
    inputs: &INPUTS,
    outputs: &[
        Output::planned(keys::PKG_NAME, "Name of the file, in the server's spelling if the server knows it."),
        Output::planned(keys::PACKAGE_FOUND, "Whether there is a package record for the file."),
        Output::planned(keys::PACKAGE_ID, "Its id, if there is one."),
        Output::planned(keys::WITNESS, "`record`, if the list was refused and the record tells instead."),
        Output::planned(keys::JCDS_FILE_FOUND, "Whether the server holds the file."),
        Output::planned(keys::JCDS_FILE_LEAVING, "`true`, if an earlier run of this machine has asked the server to delete it."),
        Output::planned(keys::JCDS_FILE_SIZE, "Its size in bytes, if that is told."),
        Output::planned(keys::JCDS_FILE_MD5, "Its MD5, if that is told."),
        Output::planned(keys::JCDS_FILE_SHA3_512, "Its SHA3-512, if that is told."),
    ],
};

impl FindPackage {
    /// The processor over these sessions.
    #[must_use]
    pub fn new(sessions: Arc<Sessions>) -> Self {
        Self { sessions, state: None }
    }

    /// Knows by this state what was sent so lately that the list need not show it yet.
    #[must_use]
    pub fn remembering(self, state: State) -> Self {
        Self { state: Some(state), ..self }
    }

    /// What was sent into the distribution service under this name, if the list need not show it yet.
    fn sent_lately(&self, session: &Session, name: &FileName, cx: &Context) -> Option<Delivery> {
        let sent = self.state.as_ref()?.delivery(session.server(), name).unwrap_or_else(|error| {
            cx.info(format!("what earlier runs have sent is not known: {}", Failure::from(error)));
            None
        });
        let now = cx.clock().now();
        sent.filter(|sent| sent.may_be_unlisted(now))
    }

    /// Whether an earlier run has asked the server to delete this file, and was ended before the new one was in place: a deletion may
    /// show late.
    fn is_leaving(&self, session: &Session, file: &JcdsFile, cx: &Context) -> bool {
        let Some(state) = &self.state else { return false };
        let left = state.left_over().unwrap_or_else(|error| {
            cx.info(format!("what earlier runs have left is not known: {}", Failure::from(error)));
            Vec::new()
        });
        let is_of = |left: &&StoredUpload| left.server == session.server() && left.file == file.name;
        let now = cx.clock().now();
        left.iter().filter(is_of).filter(|left| left.may_be_late(now)).any(|left| match left.phase {
            Phase::Sending => false,
            Phase::Deleting => true,
            // Unless it is what was to come in its place.
            Phase::Completing => left.fingerprint.is_some_and(|new| file.sha3_512 != Some(new.sha3_512)),
        })
    }
}

impl Processor for FindPackage {
    type Work = Infallible;

    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn plan(&self, env: &Env, cx: &Context) -> Result<Plan<Infallible>, Failure> {
        let asked = keys::file_name(env)?;
        let display_name = env.get(keys::PKG_DISPLAY_NAME)?;
        let session = self.sessions.open(env)?;

        let record = session.only_package_named(cx, &asked).await?;
        let asked_for = env.get(keys::WITNESS)?.unwrap_or(Witness::List);
        let (witness, files) = match asked_for {
            Witness::Record => (Witness::Record, None),
            Witness::List => match session.jcds_files_for(cx, &asked).await {
                Ok(files) => (Witness::List, Some(files)),
                Err(error) => (without_list(error, env, cx)?, None),
            },
        };
        let sent = files.as_ref().and_then(|_| self.sent_lately(&session, &asked, cx));
        let files = match (files, &sent) {
            (Some(files), Some(sent)) => Some(caught_up(files, sent, &asked, &session, cx).await?),
            (files, _) => files,
        };
        let listed = match &files {
            Some(files) => listed_file(&asked, files)?,
            None => None,
        };
        let record_name = record.as_ref().map(|record| record.file_name.as_str());
        let name = spelling(&asked, record_name, listed.map(|file| file.name.as_str()))?;
        // Sent again, it would get a twin.
        let sent = sent.filter(|sent| listed.is_none() && sent.arrival == Arrival::Awaited);
        let leaving = listed.is_some_and(|file| self.is_leaving(&session, file, cx));
        let held = match witness {
            Witness::List => listed.map(Held::of_list).or(sent.as_ref().map(Held::of_sent)),
            Witness::Record => record.as_ref().and_then(Held::of_record),
        };

        tell_spelling(cx, &asked, &name, record.as_ref());
        if let Some(files) = &files {
            tell_twins(cx, &session, &name, listed, files).await?;
        }
        tell_blank_size(cx, record.as_ref(), held);
        if record.is_none() {
            // Asked only now: where the file name finds a record, it saves the request.
            tell_namesakes(cx, &session, display_name.as_deref().unwrap_or(name.as_str())).await?;
        }
        let id = record.map(|record| record.id);
        let late = sent.map_or_else(String::new, |sent| {
            format!(", which was sent at {:.0} and is not listed yet", sent.since)
        });
        let going = if leaving { ", which an earlier run has asked the server to delete" } else { "" };
        Ok(Plan::done(summary(id, held) + &late + going)
            .with(keys::PKG_NAME, name)
            .with(keys::PACKAGE_FOUND, id.is_some())
            .with_some(keys::PACKAGE_ID, id)
            .with_some(keys::WITNESS, (witness != asked_for).then_some(witness))
            .with(keys::JCDS_FILE_FOUND, held.is_some())
            .with_some(keys::JCDS_FILE_LEAVING, leaving.then_some(true))
            .with_some(keys::JCDS_FILE_SIZE, held.and_then(|held| held.size))
            .with_some(keys::JCDS_FILE_MD5, held.and_then(|held| held.md5))
            .with_some(keys::JCDS_FILE_SHA3_512, held.and_then(|held| held.sha3_512)))
    }

    async fn apply(&self, work: Infallible, _env: &Env, _cx: &Context) -> Result<Applied, Failure> {
        match work {}
    }
}

/// The list, as soon as it shows what was sent. Nodes of a server exchange changes about once a minute (`jamf-pro-api.md §13.1`): another
/// one than has shown or proven it may still show what was there before. What no list has shown is not waited for here.
async fn caught_up(
    mut files: Arc<[JcdsFile]>,
    sent: &Delivery,
    asked: &FileName,
    session: &Session,
    cx: &Context,
) -> Result<Arc<[JcdsFile]>, jamf::Error> {
    let mut left = sent.spreads_for(cx.clock().now());
    let mut has_failed = false;
    if !left.is_zero() && is_behind(&files, sent, asked) {
        cx.warn(format!(
            "the list does not show {asked} as it was sent from here at {:.0}: either somebody has changed it since, or this node of the \
             server has not heard of it yet; the list is asked again for {} s, and then believed",
            sent.since,
            left.as_secs().max(1)
        ));
    }
    while !left.is_zero() && is_behind(&files, sent, asked) {
        let pause = left.min(LOOK);
        cx.cancelled().run_until_cancelled(cx.clock().sleep(pause)).await;
        left -= pause;
        match session.jcds_files_now(cx).await {
            Ok(newer) => (files, has_failed) = (newer, false),
            // It was read before, and the next look may do better.
            Err(error) if !has_failed && error.kind() == FailureKind::Remote => has_failed = true,
            Err(error) => return Err(error),
        }
    }
    Ok(files)
}

/// The list is not to be had. On the route that does not need it the record tells instead, as well as it can; otherwise the
/// other route may do without.
fn without_list(error: jamf::Error, env: &Env, cx: &Context) -> Result<Witness, Failure> {
    if !error.is_refusal() {
        return Err(error.into());
    }
    if env.get(keys::CHOSEN_ROUTE)? == Some(Route::PackagesApi) {
        let why = Failure::from(error);
        cx.info(format!(
            "the package record tells what the server holds, since the list is not to be had: {why}"
        ));
        return Ok(Witness::Record);
    }
    Err(Failure::from(error).or_fallback(env))
}

fn tell_spelling(cx: &Context, asked: &FileName, name: &FileName, record: Option<&Package>) {
    if name != asked {
        cx.info(format!(
            "the server encodes the file name as {}, not as {}; its spelling is used",
            encoded(name.as_str()),
            encoded(asked.as_str())
        ));
    }
    if let Some(record) = record.filter(|record| record.file_name != name.as_str()) {
        cx.warn(format!(
            "record {} encodes its file name as {}, but the distribution service lists {}",
            record.id,
            encoded(&record.file_name),
            encoded(name.as_str())
        ));
    }
}

/// A file of a twin's name is odd if it holds the same bytes, or if no record names it. Any other is a package of its
/// own, such as `Office_16.pkg` beside `Office.pkg`.
async fn tell_twins(
    cx: &Context,
    session: &Session,
    name: &FileName,
    file: Option<&JcdsFile>,
    files: &[JcdsFile],
) -> Result<(), jamf::Error> {
    for twin in twins(name, files) {
        let shown = &twin.name;
        if file.is_some_and(|file| same_bytes(file, twin)) {
            cx.warn(format!(
                "the distribution service lists the same bytes as {name} and as {shown}, which is what it calls a second \
                 upload: check which of the two package records name"
            ));
        } else if !is_named(cx, session, shown).await? {
            cx.warn(format!(
                "the distribution service also lists {shown}, which is what it calls a second upload of {name}, and no \
                 package record names it: check whether it is the file that {name} should be, or a package of its own"
            ));
        }
    }
    Ok(())
}

async fn is_named(cx: &Context, session: &Session, file: &str) -> Result<bool, jamf::Error> {
    match file.parse() {
        Ok(file) => Ok(!session.packages_named(cx, &file).await?.is_empty()),
        // What is no file name here cannot be asked for.
        Err(_) => Ok(false),
    }
}

/// A record that was changed after its file came tells no size until the next refresh (`jamf-pro-api.md §5.3`), and its digests
/// alone may be what somebody wrote into it (`§11.3`). So the file counts as different; who does not want to send it again has
/// the server look first.
fn tell_blank_size(cx: &Context, record: Option<&Package>, held: Option<Held>) {
    if let (Some(record), Some(Held { size: None, .. })) = (record, held) {
        cx.warn(format!(
            "record {} tells digests and no size, as after a change of the record: what it says of its file cannot be \
             relied on. `pkgferry run com.github.pkgferry.recipes.verify-package -k pkg_path=…` lets the server look \
             again, so that the file need not be sent",
            record.id
        ));
    }
}

/// A record with the display name serves another file. It is not adopted: policies that use it would install something
/// else from then on.
async fn tell_namesakes(cx: &Context, session: &Session, display_name: &str) -> Result<(), jamf::Error> {
    for record in session.packages_displayed_as(cx, display_name).await? {
        cx.warn(format!(
            "record {} has the display name {display_name:?} but names the file {:?}; it is left alone",
            record.id, record.file_name
        ));
    }
    Ok(())
}
