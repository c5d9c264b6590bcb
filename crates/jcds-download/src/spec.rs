//! What the processor declares about itself.

use crate::inputs::{DOWNLOAD_CONCURRENCY, DOWNLOAD_PATH, DOWNLOAD_STALL, OVERWRITE};
use jamf::CONNECTION;
use pipeline::{Default, Input, Output, Spec, join, keys};

/// What it reads besides the [connection](jamf::CONNECTION).
const OWN: [Input; 5] = [
    Input::required(keys::PKG_NAME, "Name of the file in the distribution service."),
    Input::required(
        DOWNLOAD_PATH,
        "Where it goes: a file, or a folder that is there, in which it keeps its name.",
    ),
    Input::with_default(
        OVERWRITE,
        Default::Flag(false),
        "Replace a file that is there already and is another one.",
    ),
    Input::with_default(
        DOWNLOAD_CONCURRENCY,
        Default::Number(4),
        "How many ranges of 20 MiB are fetched at a time, 1 to 16.",
    ),
    Input::with_default(
        DOWNLOAD_STALL,
        Default::Number(30),
        "A range of which next to nothing came for so many seconds is asked for anew, 1 to 3600.",
    ),
];

static INPUTS: [Input; CONNECTION.len() + OWN.len()] = join(&CONNECTION, &OWN);

pub(crate) static SPEC: Spec = Spec {
    name: "jcds-download",
    summary: "fetches a file of the distribution service onto this machine",
    docs: "Finds the file in the list of the distribution service, fetches it in ranges of 20 MiB, several at a time, and \
           proves by size, MD5 and SHA3-512 that it is the listed one before it gets its name. Memory does not grow with \
           the file, and there is no limit on how long it may take.\n\n\
           Until then the bytes are in a file of the same name with .part at its end, which has its full size from the \
           beginning on, so that a disk that is too small is told before the first byte. Beside it, .part.ranges notes \
           what is in place. A download that was interrupted, killed or given up goes on there when the same is run \
           again; if another file is listed by then, it starts anew and says so.\n\n\
           A target that is the listed file already is left as it is, and nothing is fetched. One that is not is refused \
           without overwrite.\n\n\
           A file that the list shows without any digest is fetched, and unverified.\n\n\
           The API role or account needs the privilege Read Jamf Cloud Distribution Service Files.",
    writes: false,
    inputs: &INPUTS,
    outputs: &[
        Output::applied(keys::PKG_PATH, "The file on this machine."),
        Output::applied(keys::PKG_SIZE, "Its size in bytes."),
        Output::applied(keys::PKG_MD5, "Its MD5, if the list has a digest."),
        Output::applied(keys::PKG_SHA3_512, "Its SHA3-512, if the list has a digest."),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::{Concurrency, StallSeconds};
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
        assert_eq!(declared(DOWNLOAD_CONCURRENCY), Some(Concurrency::default()));
        assert_eq!(declared(DOWNLOAD_STALL), Some(StallSeconds::default()));
        assert_eq!(declared(OVERWRITE), Some(false));
    }
}
