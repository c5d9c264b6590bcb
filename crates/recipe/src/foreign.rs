//! What does here the work of the processors that AutoPkg recipes use most (`recipe-corpus.md §2.1`).

const COUNTERPARTS: &[(&str, &str)] = &[
    (
        "JamfPackageUploader",
        "find-package, compare-hash, jcds-credentials, s3-upload, package-metadata and verify-delivery do that work here: \
         name com.github.pkgferry.recipes.upload-package as the parent, or take its steps",
    ),
    ("JamfPkgMetadataUploader", "package-metadata does that work here"),
    ("JamfCategoryUploader", "package-metadata makes missing categories here, with create_category: true"),
    ("JamfPackageRecalculator", "verify-delivery does that work here"),
];

/// Advice for a processor of another tool, if something here does its work.
pub(crate) fn counterpart(processor: &str) -> Option<&'static str> {
    COUNTERPARTS.iter().find(|(name, _)| *name == processor).map(|(_, advice)| *advice)
}
