use crate::patience::Patience;
use jamf::CONNECTION;
use pipeline::{Default, Input, Key, Output, Spec, join, keys};

/// After how many seconds in which hardly anything moves a try is given up.
pub(crate) const UPLOAD_STALL_SECONDS: Key<Patience> = Key::new("upload_stall_seconds");

/// What it reads besides the [connection](jamf::CONNECTION).
const OWN: [Input; 12] = [
    Input::required(keys::PKG_PATH, "The local file."),
    Input::optional(
        keys::PKG_NAME,
        "Its name; by default the last part of `pkg_path`. The record's spelling of it is sent.",
    ),
    Input::optional(
        keys::PKG_DISPLAY_NAME,
        "Display name of a record that has to be made; by default the file name.",
    ),
    Input::optional(
        keys::CHOSEN_ROUTE,
        "The route that choose-route chose. Another than `packages-api` sends nothing here.",
    ),
    Input::optional(keys::FALLBACK_ROUTE, "The route to take when the server refuses the file."),
    Input::optional(keys::VERDICT, "What compare-hash found. `same` sends nothing."),
    Input::optional(keys::VERDICT_REASON, "Why, for the plan."),
    Input::optional(keys::JCDS_FILE_FOUND, "Whether there is a file to replace, for the plan."),
    Input::optional(
        keys::PACKAGE_ID,
        "Id of the record; by default the one that names the file, or a new one.",
    )
    .at_apply(),
    Input::optional(keys::PKG_MD5, "MD5 of the local file, if an earlier step knows it."),
    Input::optional(keys::PKG_SHA3_512, "SHA3-512 of the local file, if an earlier step knows it."),
    Input::with_default(
        UPLOAD_STALL_SECONDS,
        Default::Number(60),
        "A try in which less than 1 KiB a second moves for so many seconds, 1 to 3600, is given up and made again. There is no \
         limit on how long an upload takes.",
    ),
];

static INPUTS: [Input; CONNECTION.len() + OWN.len()] = join(&CONNECTION, &OWN);

pub(crate) static SPEC: Spec = Spec {
    name: "package-upload",
    summary: "sends a file through Jamf Pro onto its package record, in place of an old one",
    docs: "\
Sends the file in one piece to POST /v1/packages/{id}/upload, from where Jamf Pro passes it on to its cloud distribution point. It \
takes Jamf Pro 11.5 or later and a distribution point in the cloud that is the principal one. Memory does not grow with the file. \
The digests of the file are computed meanwhile, unless an earlier step knows them.

The record has to be there first: let package-metadata come before. Without it the record is made here, with the file name as its \
display name. Nothing may change the record after the upload: it would blank the size that proves it.

A file of the same name is replaced by the server when all of the new one has arrived, so the old one stays until then. An upload \
that breaks off is made again from its first byte.

Where the server refuses the file (no privilege, no such call, a proxy that limits the size), and choose-route named another route, \
the recipe is planned again on that one.

A file that compare-hash found to be the same is not sent. What was sent is not yet proven: let verify-delivery follow. If it finds \
a record of size 0 beside the new digest, the server took the file and lost it: run again with `force: true`.

The API role or account needs the privileges Read, Create and Update Packages.",
    writes: true,
    inputs: &INPUTS,
    outputs: &[
        Output::planned(keys::PKG_UPLOADED, "Whether this run sends the file. Not said on another route."),
        Output::applied(keys::PACKAGE_ID, "Id of the record."),
        Output::applied(keys::PKG_SIZE, "Size of the file in bytes."),
        Output::applied(keys::PKG_MD5, "Its MD5."),
        Output::applied(keys::PKG_SHA3_512, "Its SHA3-512."),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;
    use pipeline::{Need, Typed as _, Value};

    /// A step that runs without the runner falls back on the type's own default.
    #[test]
    fn the_declared_default_is_the_types_default() {
        let need = SPEC.input(UPLOAD_STALL_SECONDS.name()).map(|input| input.need);
        let Some(Need::Default(default)) = need else { panic!("it has a default") };
        assert_eq!(Patience::read(&default.to_value()), Ok(Patience::default()));
    }

    #[test]
    fn patience_has_its_limits() {
        for seconds in [1, 60, 3600] {
            assert!(Patience::read(&Value::Integer(seconds)).is_ok());
        }
        for seconds in [0, 3601, -1] {
            assert!(Patience::read(&Value::Integer(seconds)).is_err());
        }
    }
}
