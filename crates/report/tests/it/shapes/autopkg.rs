//! The property list, as readers of AutoPkg's reports take it.

use super::text;
use crate::sample;
use insta::assert_snapshot;
use report::{Format, RunReport, write};

fn plist_of(report: &RunReport) -> plist::Value {
    plist::Value::from_reader_xml(write(report, Format::AutoPkg).unwrap().as_slice()).unwrap()
}

#[test]
fn plist_of_one_of_each() {
    assert_snapshot!(text(&sample::one_of_each(), Format::AutoPkg), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
    <plist version="1.0">
    <dict>
    	<key>failures</key>
    	<array>
    		<dict>
    			<key>message</key>
    			<string>Error in com.github.example.jamf.Failed: Processor: s3-upload: Error: S3 refused part 3 of 12 of the upload
    caused by: SlowDown: Please reduce your request rate.
    server: production
    hint: run it again: parts that are there are not sent twice</string>
    			<key>recipe</key>
    			<string>Failed.jamf</string>
    			<key>recipe_id</key>
    			<string>com.github.example.jamf.Failed</string>
    			<key>traceback</key>
    			<string></string>
    		</dict>
    		<dict>
    			<key>message</key>
    			<string>Error in com.github.example.jamf.Interrupted: Processor: s3-upload: Error: the upload of it was interrupted; its parts are kept
    server: production
    hint: run again: it goes on where it stopped</string>
    			<key>recipe</key>
    			<string>Interrupted.jamf</string>
    			<key>recipe_id</key>
    			<string>com.github.example.jamf.Interrupted</string>
    			<key>traceback</key>
    			<string></string>
    		</dict>
    		<dict>
    			<key>message</key>
    			<string>Error in com.github.example.jamf.Running: Error: did not end: in step 4 s3-upload: 1.0 GiB of 3.0 GiB sent
    server: production</string>
    			<key>recipe</key>
    			<string>Running.jamf</string>
    			<key>recipe_id</key>
    			<string>com.github.example.jamf.Running</string>
    			<key>traceback</key>
    			<string></string>
    		</dict>
    		<dict>
    			<key>message</key>
    			<string>Error in NotBegun.jamf: Error: not begun: the run was interrupted
    server: production</string>
    			<key>recipe</key>
    			<string>NotBegun.jamf</string>
    			<key>traceback</key>
    			<string></string>
    		</dict>
    		<dict>
    			<key>message</key>
    			<string>Error in com.github.example.jamf.Unverified: Processor: verify-delivery: Error: unverified: Unverified-1.0.pkg is not proven after 15 min: the record is PENDING
    server: production
    hint: wait a few minutes, then run `pkgferry verify`, which sends nothing</string>
    			<key>recipe</key>
    			<string>Unverified.jamf</string>
    			<key>recipe_id</key>
    			<string>com.github.example.jamf.Unverified</string>
    			<key>traceback</key>
    			<string></string>
    		</dict>
    	</array>
    	<key>summary_results</key>
    	<dict>
    		<key>jamfpackageuploader_summary_result</key>
    		<dict>
    			<key>data_rows</key>
    			<array>
    				<dict>
    					<key>category</key>
    					<string></string>
    					<key>name</key>
    					<string>Replaced-1.0.pkg</string>
    					<key>package_id</key>
    					<string></string>
    					<key>pkg_display_name</key>
    					<string>Replaced-1.0.pkg</string>
    					<key>pkg_name</key>
    					<string>Replaced-1.0.pkg</string>
    					<key>pkg_path</key>
    					<string></string>
    					<key>reason</key>
    					<string>MD5 differs</string>
    					<key>server</key>
    					<string>production</string>
    					<key>status</key>
    					<string>replaced</string>
    					<key>version</key>
    					<string></string>
    				</dict>
    				<dict>
    					<key>category</key>
    					<string></string>
    					<key>name</key>
    					<string>Created-1.0.pkg</string>
    					<key>package_id</key>
    					<string>42</string>
    					<key>pkg_display_name</key>
    					<string>Created-1.0.pkg</string>
    					<key>pkg_name</key>
    					<string>Created-1.0.pkg</string>
    					<key>pkg_path</key>
    					<string></string>
    					<key>reason</key>
    					<string>the server has no file of this name</string>
    					<key>server</key>
    					<string>production</string>
    					<key>status</key>
    					<string>created</string>
    					<key>version</key>
    					<string>1.2.3</string>
    				</dict>
    				<dict>
    					<key>category</key>
    					<string></string>
    					<key>name</key>
    					<string>MetadataOnly-1.0.pkg</string>
    					<key>package_id</key>
    					<string></string>
    					<key>pkg_display_name</key>
    					<string>MetadataOnly-1.0.pkg</string>
    					<key>pkg_name</key>
    					<string>MetadataOnly-1.0.pkg</string>
    					<key>pkg_path</key>
    					<string></string>
    					<key>reason</key>
    					<string>updated record 42: pkg_category</string>
    					<key>server</key>
    					<string>production</string>
    					<key>status</key>
    					<string>metadata only</string>
    					<key>version</key>
    					<string></string>
    				</dict>
    			</array>
    			<key>header</key>
    			<array>
    				<string>category</string>
    				<string>name</string>
    				<string>pkg_name</string>
    				<string>pkg_display_name</string>
    				<string>pkg_path</string>
    				<string>version</string>
    				<string>status</string>
    				<string>server</string>
    				<string>package_id</string>
    				<string>reason</string>
    			</array>
    			<key>summary_text</key>
    			<string>The following packages were uploaded to or updated in Jamf Pro:</string>
    		</dict>
    		<key>url_downloader_summary_result</key>
    		<dict>
    			<key>data_rows</key>
    			<array>
    				<dict>
    					<key>download_path</key>
    					<string>/tmp/Downloaded-1.0.pkg</string>
    				</dict>
    			</array>
    			<key>header</key>
    			<array>
    				<string>download_path</string>
    			</array>
    			<key>summary_text</key>
    			<string>The following new items were downloaded:</string>
    		</dict>
    	</dict>
    </dict>
    </plist>
    "#);
}

#[test]
fn a_dry_run_tells_of_no_upload() {
    let report = RunReport { dry_run: true, ..sample::one_of_each() };
    assert!(text(&report, Format::Markdown).contains("A dry run: nothing was changed"));
    assert!(text(&report, Format::Html).contains("<b>Dry run.</b>"));
    let root: plist::Value = plist_of(&report);
    let results = root.as_dictionary().unwrap().get("summary_results").unwrap().as_dictionary().unwrap();
    let keys: Vec<&str> = results.keys().map(String::as_str).collect();
    assert_eq!(keys, ["dry_run_summary_result"]);
}

/// What tools do that read AutoPkg's reports: rows by the names of the header, all of them strings.
#[test]
fn plist_is_what_readers_of_autopkgs_reports_expect() {
    let root: plist::Value = plist_of(&sample::nightly(300));
    let root = root.as_dictionary().unwrap();
    assert_eq!(root.keys().collect::<Vec<_>>(), ["failures", "summary_results"]);
    for failure in root.get("failures").unwrap().as_array().unwrap() {
        let keys: Vec<&String> = failure.as_dictionary().unwrap().keys().collect();
        assert_eq!(keys, ["message", "recipe", "recipe_id", "traceback"]);
    }
    for (key, table) in root.get("summary_results").unwrap().as_dictionary().unwrap() {
        assert!(key.ends_with("_summary_result"), "{key}");
        let table = table.as_dictionary().unwrap();
        assert!(table.get("summary_text").unwrap().as_string().is_some());
        let header: Vec<&str> = table
            .get("header")
            .unwrap()
            .as_array()
            .unwrap()
            .iter()
            .map(|name| name.as_string().unwrap())
            .collect();
        let rows = table.get("data_rows").unwrap().as_array().unwrap();
        assert!(!rows.is_empty());
        for row in rows {
            let row = row.as_dictionary().unwrap();
            assert_eq!(row.len(), header.len());
            assert!(header.iter().all(|name| row.get(name).unwrap().as_string().is_some()));
        }
    }
    let empty = plist_of(&sample::run("1", Vec::new()));
    assert_eq!(empty.as_dictionary().unwrap().len(), 2);
}
