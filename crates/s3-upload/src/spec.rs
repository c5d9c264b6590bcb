//! What the processor declares about itself.

use crate::inputs::{
    JCDS_OBJECT_KEY, KEEP_PARTIAL, PART_SIZE, UPLOAD_CHECKSUM, UPLOAD_CONCURRENCY, UPLOAD_STALL_SECONDS,
};
use jamf::CONNECTION;
use pipeline::{Default, Input, Output, Spec, join, keys};

/// What it reads besides the [connection](jamf::CONNECTION).
const OWN: [Input; 21] = [
    Input::required(keys::PKG_PATH, "The local file."),
    Input::optional(
        keys::PKG_NAME,
        "Its name in the distribution service; by default the last part of `pkg_path`.",
    ),
    Input::optional(
        keys::CHOSEN_ROUTE,
        "The route that choose-route chose. Another than `jcds` sends nothing here.",
    ),
    Input::optional(keys::FALLBACK_ROUTE, "The route to take when S3 does not begin the upload."),
    Input::optional(keys::VERDICT, "What compare-hash found. `same` sends nothing."),
    Input::optional(keys::VERDICT_REASON, "Why, for the plan."),
    Input::required(keys::JCDS_ACCESS_KEY_ID, "Temporary access key id.").at_apply(),
    Input::required(keys::JCDS_SECRET_ACCESS_KEY, "Temporary secret key.").at_apply(),
    Input::required(keys::JCDS_SESSION_TOKEN, "Session token that goes with the key.").at_apply(),
    Input::optional(
        keys::JCDS_EXPIRATION,
        "When the three end. They are renewed five minutes before; without it, when S3 refuses them.",
    )
    .at_apply(),
    Input::required(keys::JCDS_REGION, "AWS region of the bucket.").at_apply(),
    Input::required(keys::JCDS_BUCKET, "The bucket.").at_apply(),
    Input::required(keys::JCDS_PATH, "Folder in the bucket that the credentials open.").at_apply(),
    Input::optional(
        keys::S3_ENDPOINT,
        "Address of an S3 server other than Amazon's, such as the rehearsal server. Plain http only on this machine.",
    )
    .destination(),
    Input::optional(keys::PKG_MD5, "MD5 of the local file, if an earlier step knows it."),
    Input::optional(keys::PKG_SHA3_512, "SHA3-512 of the local file, if an earlier step knows it."),
    Input::with_default(
        UPLOAD_CONCURRENCY,
        Default::Text("auto"),
        "How many parts are sent at a time: 1 to 32, or `auto` for as many as make the upload faster.",
    ),
    Input::with_default(
        PART_SIZE,
        Default::Number(8),
        "How large a part is at least, in MiB, 8 to 5120. Large files have larger parts in any case.",
    ),
    Input::with_default(
        UPLOAD_CHECKSUM,
        Default::Text("auto"),
        "Checksum that S3 compares each part with: `crc64nvme`, `crc32`, `none`, or `auto` for the first of them that the \
         server takes.",
    ),
    Input::with_default(
        UPLOAD_STALL_SECONDS,
        Default::Number(60),
        "A part of which less than 1 KiB a second moves for so many seconds, 1 to 3600, is given up and sent again. There is \
         no limit on how long an upload takes. What a killed run has asked S3 for is waited for a quarter of that.",
    ),
    Input::with_default(
        KEEP_PARTIAL,
        Default::Flag(false),
        "Keep what was sent when the upload is interrupted or fails on the way, so that the next run goes on with it.",
    ),
];

static INPUTS: [Input; CONNECTION.len() + OWN.len()] = join(&CONNECTION, &OWN);

pub(crate) static SPEC: Spec = Spec {
    name: "s3-upload",
    summary: "sends a file into the distribution service, in place of an old one",
    docs: "Sends the file in parts, several at a time, with temporary credentials from jcds-credentials. Memory does not \
           grow with the file. The digests of the file are computed meanwhile, unless an earlier step knows them.\n\n\
           A file of the same name is replaced safely: it stays listed and downloadable until every part of the new one \
           is in S3. Then it is deleted, the list is asked until the name is free, and the new file is put in place. \
           Ctrl-C is heard up to that deletion and leaves everything as it was, unless S3 was asked for a new file before; then the next \
           run goes on with it. The upload is called off, and the old \
           file left alone, if the local file changes while it is sent, if the file on the server is not the one that \
           the plan showed, or if the credentials may end before the new file is in place.\n\n\
           A part that is damaged or lost on the way is sent again, up to eight times; each time is told.\n\n\
           What S3 has confirmed is written down. A run that was killed is gone on with by the next one, if the file is still \
           the same and the server renews the credentials; otherwise its parts are removed and the upload begins anew. An \
           upload that was killed between the deletion and the completion is completed first of all.\n\n\
           Where the upload is refused before S3 has anything of the file, and choose-route named another route, the recipe is \
           planned again on that one.\n\n\
           A file that compare-hash found to be the same is not sent. What was sent is not yet proven: let \
           verify-delivery follow.\n\n\
           The API role or account needs the privileges Read, Create and Delete Jamf Cloud Distribution Service Files.",
    writes: true,
    inputs: &INPUTS,
    outputs: &[
        Output::planned(keys::PKG_UPLOADED, "Whether this run sends the file."),
        Output::applied(keys::PKG_SIZE, "Size of the file in bytes."),
        Output::applied(keys::PKG_MD5, "Its MD5."),
        Output::applied(keys::PKG_SHA3_512, "Its SHA3-512."),
        Output::applied(JCDS_OBJECT_KEY, "Key of the object in the bucket."),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::ChecksumChoice;
    use crate::inputs::Concurrency;
    use crate::parts::PartSize;
    use crate::stall::Patience;
    use pipeline::{Key, Need, Typed};

    /// A step that runs without the runner falls back on the type's own default.
    #[test]
    fn declared_defaults_are_the_types_defaults() {
        fn declared<T: Typed>(key: Key<T>) -> Option<T> {
            match SPEC.input(key.name())?.need {
                Need::Default(default) => T::read(&default.to_value()).ok(),
                _ => None,
            }
        }
        assert_eq!(declared(PART_SIZE), Some(PartSize::default()));
        assert_eq!(declared(UPLOAD_CONCURRENCY), Some(Concurrency::default()));
        assert_eq!(declared(UPLOAD_CHECKSUM), Some(ChecksumChoice::default()));
        assert_eq!(declared(UPLOAD_STALL_SECONDS), Some(Patience::default()));
    }
}
