use crate::stage::Stage;

#[test]
fn processors_are_listed() {
    insta::assert_snapshot!(Stage::new().run(&["processors"]).succeeded().stdout, @"
    choose-route       chooses the route by which the file gets into the cloud, and says why
    find-package       looks for the package record and for the file in the distribution service
    compare-hash       compares the local package file with the file on the server
    jcds-credentials   obtains temporary credentials for one upload into the distribution service
    s3-upload          sends a file into the distribution service, in place of an old one
    package-metadata   creates or updates the package record; only fields that the recipe names change
    package-upload     sends a file through Jamf Pro onto its package record, in place of an old one
    verify-delivery    refreshes the inventory and waits until the server shows the right bytes
    jcds-download      fetches a file of the distribution service onto this machine
    ");
}

#[test]
fn a_processor_is_described_from_its_spec() {
    insta::assert_snapshot!(Stage::new().run(&["processors", "compare-hash"]).succeeded().stdout, @"
    compare-hash: compares the local package file with the file on the server

    The verdict is `absent` (the server has no file of this name), `same` (size, MD5 and SHA3-512 agree) or `different`.

    The size is compared first; if it differs, nothing is read. Then both digests are computed over one pass of the file: a different MD5 ends it at once, and SHA3-512 confirms what MD5 calls the same. A server entry without a digest is never called the same. Digests are remembered, and a file that was not touched since is not read again. With `force: true` a file that is there is called different without reading anything.

    What the server holds comes from find-package, which has to be an earlier step. To compare with something else, give the jcds_file_* values as arguments; jcds_file_found is needed in any case, since nothing is absent before somebody has looked.

    Changes the server: no

    Inputs
      pkg_path (path, required)
          The local package file. A bundle package has to be zipped first.
      jcds_file_found (bool, required)
          Whether the server has a file of this name.
      jcds_file_leaving (bool, optional)
          Whether that file is about to go, since an earlier run has asked for it. Then it is called different.
      jcds_file_size (integer, optional)
          Size of the server's file in bytes.
      jcds_file_md5 (MD5, optional)
          MD5 of the server's file.
      jcds_file_sha3_512 (SHA3-512, optional)
          SHA3-512 (not SHA-512) of the server's file.
      force (bool, default false)
          Send the file even if the server holds the same bytes.

    Outputs
      verdict (verdict, known from the plan on)
          `absent`, `same` or `different`.
      verdict_reason (string, known from the plan on)
          Why, in words.
      pkg_size (integer, known from the plan on)
          Size of the local file in bytes.
      pkg_md5 (MD5, known from the plan on)
          MD5 of the local file, if it had to be computed.
      pkg_sha3_512 (SHA3-512, known from the plan on)
          SHA3-512 of the local file, if it had to be computed.
    ");
}

#[test]
fn an_unknown_processor_has_a_nearest_name() {
    insta::assert_snapshot!(Stage::new().run(&["processors", "s3-uplod"]).shown(), @"
    exit 64
    --- stderr
    pkgferry: there is no processor called s3-uplod
      hint: did you mean s3-upload?
    ");
}

#[test]
fn version_and_help_go_to_standard_output() {
    let stage = Stage::new();
    assert_eq!(
        stage.run(&["--version"]).succeeded().stdout,
        format!("pkgferry {}\n", env!("CARGO_PKG_VERSION"))
    );
    let help = stage.run(&["--help"]).succeeded();
    assert!(help.stdout.contains("Exit codes:") && help.stderr.is_empty());
}
