use crate::error::encoded;
use crate::finding::{listed_file, same_bytes, spelling, summary, twins};
use jamf::{CONNECTION, JcdsFile, Package, Session, Sessions};
use pipeline::{Applied, Context, Env, Failure, FileName, Input, Output, Plan, Processor, Spec, join, keys};
use std::convert::Infallible;
use std::sync::Arc;

/// The processor.
#[derive(Debug)]
pub struct FindPackage {
    sessions: Arc<Sessions>,
}

/// What it reads besides the [connection](jamf::CONNECTION).
const OWN: [Input; 3] = [
    Input::optional(keys::PKG_NAME, "Name of the file; by default the last part of pkg_path."),
    Input::optional(keys::PKG_PATH, "Local package file. Only its name is looked at."),
    Input::optional(
        keys::PKG_DISPLAY_NAME,
        "Display name of the record, by default pkg_name. Looked for only to report a record that has it and \
             names another file.",
    ),
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

A listed `Name_1.pkg`, as the service calls a second upload of `Name.pkg`, is reported if it holds the same bytes or if \
no package record names it.",
    writes: false,
    inputs: &INPUTS,
    outputs: &[
        Output::planned(keys::PKG_NAME, "Name of the file, in the server's spelling if the server knows it."),
        Output::planned(keys::PACKAGE_FOUND, "Whether there is a package record for the file."),
        Output::planned(keys::PACKAGE_ID, "Its id, if there is one."),
        Output::planned(keys::JCDS_FILE_FOUND, "Whether the distribution service lists the file."),
        Output::planned(keys::JCDS_FILE_SIZE, "Its size in bytes, if it is listed."),
        Output::planned(keys::JCDS_FILE_MD5, "Its MD5, if the list has one."),
        Output::planned(keys::JCDS_FILE_SHA3_512, "Its SHA3-512, if the list has one."),
    ],
};

impl FindPackage {
    /// The processor over these sessions.
    #[must_use]
    pub fn new(sessions: Arc<Sessions>) -> Self {
        Self { sessions }
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
        let files = session.jcds_files(cx).await?;
        let file = listed_file(&asked, &files)?;
        let file_name = record.as_ref().map(|record| record.file_name.as_str());
        let name = spelling(&asked, file_name, file.map(|file| file.name.as_str()))?;

        tell_spelling(cx, &asked, &name, record.as_ref());
        tell_twins(cx, &session, &name, file, &files).await?;
        if record.is_none() {
            // Asked only now: where the file name finds a record, it saves the request.
            tell_namesakes(cx, &session, display_name.as_deref().unwrap_or(name.as_str())).await?;
        }
        let id = record.map(|record| record.id);
        Ok(Plan::done(summary(id, file.map(|file| file.size)))
            .with(keys::PKG_NAME, name)
            .with(keys::PACKAGE_FOUND, id.is_some())
            .with_some(keys::PACKAGE_ID, id)
            .with(keys::JCDS_FILE_FOUND, file.is_some())
            .with_some(keys::JCDS_FILE_SIZE, file.map(|file| file.size))
            .with_some(keys::JCDS_FILE_MD5, file.and_then(|file| file.md5))
            .with_some(keys::JCDS_FILE_SHA3_512, file.and_then(|file| file.sha3_512)))
    }

    async fn apply(&self, work: Infallible, _env: &Env, _cx: &Context) -> Result<Applied, Failure> {
        match work {}
    }
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
