use jamf::CONNECTION;
use pipeline::{Input, Key, Output, Spec, join, keys};

/// Seconds to wait for the proof.
pub(crate) const VERIFY_TIMEOUT: Key<u64> = Key::new("verify_timeout");

/// What it reads besides the [connection](jamf::CONNECTION).
const OWN: [Input; 13] = [
    Input::optional(
        keys::PKG_PATH,
        "The local package file. Not needed where pkg_name, pkg_size, pkg_md5 and pkg_sha3_512 tell what was sent.",
    ),
    Input::optional(keys::PKG_NAME, "Name of the file in the distribution service."),
    Input::optional(keys::PKG_UPLOADED, "Whether this run sends the file."),
    Input::optional(keys::PKG_METADATA_UPDATED, "Whether this run changes the record."),
    Input::optional(
        keys::WITNESS,
        "Who tells what the server holds: `list` (the distribution service; the default) or `record` (the package record).",
    ),
    Input::optional(keys::CHOSEN_ROUTE, "The route that choose-route chose; kept beside what is not proven."),
    Input::optional(keys::FALLBACK_ROUTE, "The route to take when the list is refused, if nothing was sent."),
    Input::optional(keys::RECORD_ONLY, "The file lies elsewhere: there is no delivery to prove."),
    Input::optional(
        VERIFY_TIMEOUT,
        "Seconds to wait; by default 5 minutes and one per GiB, above 1 GiB at least 15.",
    ),
    Input::optional(keys::PKG_SIZE, "Size of the local file, if an earlier step knows it.").at_apply(),
    Input::optional(keys::PKG_MD5, "MD5 of the local file, if an earlier step knows it.").at_apply(),
    Input::optional(keys::PKG_SHA3_512, "SHA3-512 of the local file, if an earlier step knows it.")
        .at_apply(),
    Input::optional(keys::PACKAGE_ID, "Id of the record; by default the one that names the file.").at_apply(),
];

static INPUTS: [Input; CONNECTION.len() + OWN.len()] = join(&CONNECTION, &OWN);

pub(crate) static SPEC: Spec = Spec {
    name: "verify-delivery",
    summary: "refreshes the inventory and waits until the server shows the right bytes",
    docs: "\
Asks the server to refresh its inventory for the file, then looks again and again until size, MD5 and SHA3-512 in the \
distribution service equal the local file's and the package record is READY. What a record does not tell is waited for \
half a minute; then the list alone is the proof. With `witness: record`, which choose-route sets where the file goes by \
packages-api, the record alone is the proof, and has to tell its size, SHA3-512 and READY.

If the time ends before, or the server shows an empty file or a twin such as Name_1.pkg, the outcome is unverified: not \
an error, and never counted as delivered. What a run has sent and not proven is remembered: `pkgferry verify` looks at it \
again, and so does the next run that finds nothing to send.

If neither the file nor the record was sent in this run, and no earlier run left a proof unfinished, there is nothing to \
prove. Used alone, as the recipe \
verify-package does, it always looks and sends nothing. Do so before you send a file again that is not listed yet: the \
service would keep both, the second one as Name_1.pkg.",
    writes: true,
    inputs: &INPUTS,
    outputs: &[Output::applied(keys::DELIVERY, "proven or unverified.")],
};
