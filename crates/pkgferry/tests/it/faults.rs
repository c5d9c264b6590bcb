//! `--fault`: what the rehearsal server is asked to do wrong.

use crate::sandbox_command::Served;
use crate::stage::{Stage, noise};

#[test]
fn an_unknown_fault_is_64_and_has_a_nearest_name() {
    let stage = Stage::new();
    insta::assert_snapshot!(stage.run(&["sandbox", "--fault", "part-ct=2"]).shown(), @r#"
    exit 64
    --- stderr
    error: invalid value 'part-ct=2' for '--fault <NAME[=N]>': there is no fault called "part-ct"; did you mean part-cut?

    For more information, try '--help'.
    "#);
    let file = stage.write("App.pkg", noise(1, 10));
    insta::assert_snapshot!(stage.run(&["upload", &file, "--sandbox", "--fault", "delete-late=soon"]).shown(), @r#"
    exit 64
    --- stderr
    error: invalid value 'delete-late=soon' for '--fault <NAME[=N]>': delete-late takes a number (seconds), from 0 on, and not "soon"

    For more information, try '--help'.
    "#);
}

#[test]
fn a_fault_without_the_sandbox_is_refused() {
    let (stage, server) = Stage::with_server();
    let file = stage.write("App.pkg", noise(1, 10));
    for command in [["upload", &file], ["run", "recipes/ExampleApp.jamf.recipe.yaml"]] {
        let ran = stage.run(&[command[0], command[1], "--fault", "part-cut"]);
        assert_eq!(ran.code, 64, "{}", ran.shown());
        assert!(ran.stderr.contains("--sandbox"), "{}", ran.stderr);
    }
    assert!(server.journal().is_empty());
}

#[test]
fn faults_are_played_in_a_run() {
    let stage = Stage::new();
    let file = stage.write("App.pkg", noise(1, 10));
    let fails = ["--fault", "part-fails-twice=1", "--fault", "slow-down=1"];
    let ran = stage.run(&[&["upload", &file, "--sandbox"], fails.as_slice()].concat()).succeeded();
    assert_eq!(ran.stderr.matches("500 InternalError").count(), 2, "{}", ran.shown());

    let recipe = "recipes/ExampleApp.jamf.recipe.yaml";
    let wrong = ["--sandbox", "--fault=wrong-digest", "-k", "verify_timeout=1"];
    let ran = stage.run(&[&["run", recipe], wrong.as_slice()].concat());
    assert_eq!(ran.code, 7, "{}", ran.shown());
}

#[test]
fn help_lists_them_all() {
    let help = Stage::new().run(&["sandbox", "--help"]).succeeded().stdout;
    for info in sandbox::Fault::ALL {
        assert!(help.contains(&format!("\n  {info} ")), "{info}");
    }
    let list = help.split("Faults (").nth(1).unwrap();
    insta::assert_snapshot!(list, @"
    once, unless it says always):
      credentials-end-at-part=N  at UploadPart request N the keys end; renewed ones work [default: 1]
      renewal-other-path         renewals tell another path; keys open the first too; always
      renewal-empty-fields       renewals tell no bucket, path, region and uuid; always
      renewal-only-new-path      renewals tell another path and open only that; always
      renewal-refused            renewals are answered with 500; always
      part-fails-twice=N         part N is answered with 500 InternalError, twice [default: 1]
      part-stalls=N              the server stops reading in the middle of part N [default: 1]
      part-cut=N                 the connection is closed in the middle of part N [default: 1]
      slow-down=N                N requests to S3 are answered with 503 SlowDown [default: 3]
      etag-lost=N                the answer to part N has no ETag [default: 1]
      part-damaged=N             one bit of part N arrives turned over [default: 1]
      complete-error             completing says 200, then InternalError; nothing is completed
      complete-lost              the upload is completed, and the answer lost
      complete-slow=N            completing takes N seconds, with blanks meanwhile [default: 10]
      delete-late=N              a deleted file stays, and its name taken, for N seconds [default: 10]
      delete-lost                a file is deleted, and the answer is a page that says 504
      delete-refused             a deletion is answered with 500 and does nothing
      never-listed               the next file that is sent never appears
      size-zero                  the next file that is sent is listed with length 0
      wrong-digest               the next file that is sent is listed with other digests
      record-digest-wrong        the next record tells other digests than the list
      digest-before-size=N       the next record tells hashes N seconds before its size [default: 10]
      listed-late=N              the next file that is sent is listed after N seconds [default: 10]
      clock-skew=N               the clock runs N seconds ahead, or behind; always [default: 3600]
      abort-denied               AbortMultipartUpload and ListParts are denied; always
      token-ends=N               at Jamf Pro request N the API token has ended (401) [default: 1]
      date-stripped              a proxy takes x-amz-date out of requests to S3; always
      signature-stripped         a proxy takes Authorization out of requests to S3; always
      checksum-refused           S3 answers 501 to requests with a checksum; always
      crc64-refused              S3 answers 400 to requests with CRC64NVME; always
      upload-fails=N             N uploads over the Pro API get 500 and no body [default: 1]
      upload-stalls              the server stops reading in the middle of an upload over the Pro API
      upload-too-large           uploads over the Pro API get a proxy's page that says 413; always
      upload-blocked             uploads over the Pro API get a page of the edge that says 403; always
      download-cut=N             the answer to range request N is cut in its middle [default: 1]
      download-expired=N         at range request N the address ends; a new one works [default: 1]
      download-stalls=N          the answer to range request N stands still in its middle [default: 1]
      download-error=N           range request N is answered with 503 [default: 1]
      download-ignores-range     range requests are answered with the whole file; always
    ");
    let short = Stage::new().run(&["sandbox", "-h"]).succeeded().stdout;
    assert!(short.contains("--fault <NAME[=N]>") && !short.contains("never-listed"), "{short}");
}

#[tokio::test]
async fn the_server_alone_plays_them_and_takes_more() {
    let stage = Stage::new();
    let served = Served::start(&stage, &["--fault", "delete-lost", "--fault=token-ends=2"]);
    let door = format!("{}/__sandbox/faults", served.variable("JSS_URL"));
    let armed = reqwest::Client::new().post(door).body("part-cut=3").send().await.unwrap();
    let armed: Vec<String> = armed.json().await.unwrap();
    assert_eq!(armed, ["delete-lost", "token-ends=2", "part-cut=3"]);
}
