//! Every name that more than one crate reads or writes, with its type. AutoPkg's and JamfUploader's names are kept, so
//! that recipes and preferences carry over (`autopkg-recipes.md §6.2`, `§7.2`).

use crate::{
    Delivery, Env, EnvError, FileName, Key, Md5, PackageApiChoice, PackageId, Priority, RequiredProcessor,
    Route, RouteChoice, Secret, Sha3_512, Typed as _, Value, Verdict, Witness, WrongType,
};
use jiff::Timestamp;
use std::path::PathBuf;

/// Names that are secret whoever sets them.
pub const SECRETS: &[&str] =
    &["API_PASSWORD", "CLIENT_SECRET", "BEARER_TOKEN", "jcds_secret_access_key", "jcds_session_token"];

/// Parts of names that say that a value is secret, in lower case and without what divides words. An address that is called to tell
/// something is one: who knows it can tell something too.
const PARTS_OF_SECRETS: [&str; 10] = [
    "secret",
    "password",
    "passwd",
    "passphrase",
    "token",
    "apikey",
    "privatekey",
    "webhook",
    "heartbeat",
    "notify",
];

/// Whether a name says that its value is secret: `CLIENT_SECRET`, `--api-key`, `PKGFERRY_NOTIFY_SLACK`.
///
/// ```
/// use pipeline::keys::names_secret;
/// assert!(names_secret("SIGNING_PRIVATE_KEY") && names_secret("--webhook"));
/// assert!(!names_secret("pkg_name") && !names_secret("--notify-on"));
/// ```
#[must_use]
pub fn names_secret(name: &str) -> bool {
    let plain: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    // When somebody is told is no secret, and where is.
    plain != "notifyon" && PARTS_OF_SECRETS.iter().any(|part| plain.contains(part))
}

/// Address of the Jamf Pro server, `https://name.jamfcloud.com`.
pub const JSS_URL: Key<String> = Key::new("JSS_URL");
/// Name of a Jamf Pro user account.
pub const API_USERNAME: Key<String> = Key::new("API_USERNAME");
/// Password of that account.
pub const API_PASSWORD: Key<Secret> = Key::new("API_PASSWORD");
/// Id of an API client.
pub const CLIENT_ID: Key<String> = Key::new("CLIENT_ID");
/// Secret of that API client.
pub const CLIENT_SECRET: Key<Secret> = Key::new("CLIENT_SECRET");
/// Which API serves package records: `auto` (default), `pro` or `classic`.
pub const PACKAGE_API: Key<PackageApiChoice> = Key::new("package_api");
/// Which route files take into the cloud: `auto` (default), `jcds` or `packages-api`.
pub const ROUTE: Key<RouteChoice> = Key::new("route");
/// The tenant that requests through the Platform API gateway are for; with it `JSS_URL` is the gateway's address.
pub const TENANT_ID: Key<String> = Key::new("JAMF_TENANT_ID");
/// The same for a platform environment, which Jamf prefers to tenants.
pub const ENVIRONMENT_ID: Key<String> = Key::new("JAMF_ENVIRONMENT_ID");
/// Region of the gateway, such as `us`; stands for its address.
pub const REGION: Key<String> = Key::new("JAMF_REGION");
/// Address of an S3 server other than Amazon's: the rehearsal server, a test double.
pub const S3_ENDPOINT: Key<String> = Key::new("PKGFERRY_S3_ENDPOINT");

/// The local package file.
pub const PKG_PATH: Key<PathBuf> = Key::new("pkg_path");
/// Name of the file in the distribution service; by default the last part of `pkg_path`.
pub const PKG_NAME: Key<FileName> = Key::new("pkg_name");
/// Display name of the package record; by default `pkg_name`.
pub const PKG_DISPLAY_NAME: Key<String> = Key::new("pkg_display_name");
/// Category of the record, by name; empty for none.
pub const PKG_CATEGORY: Key<String> = Key::new("pkg_category");
/// The record's info text.
pub const PKG_INFO: Key<String> = Key::new("pkg_info");
/// The record's notes.
pub const PKG_NOTES: Key<String> = Key::new("pkg_notes");
/// The record's priority, 1 to 20.
pub const PKG_PRIORITY: Key<Priority> = Key::new("pkg_priority");
/// Whether computers restart after installation.
pub const REBOOT_REQUIRED: Key<bool> = Key::new("reboot_required");
/// Fill user template (dmg only).
pub const FILL_USER_TEMPLATE: Key<bool> = Key::new("fill_user_template");
/// Fill existing users (dmg only).
pub const FILL_EXISTING_USERS: Key<bool> = Key::new("fill_existing_users");
/// Operating systems the package is for, such as `14.x, 15.x`.
pub const OS_REQUIREMENTS: Key<String> = Key::new("os_requirements");
/// `None`, `ppc` or `x86`; Classic API only.
pub const REQUIRED_PROCESSOR: Key<RequiredProcessor> = Key::new("required_processor");
/// Whether a notification is sent; Classic API only.
pub const SEND_NOTIFICATION: Key<bool> = Key::new("send_notification");
/// Create the category when the server has none of that name.
pub const CREATE_CATEGORY: Key<bool> = Key::new("create_category");
/// Make the record without looking at files.
pub const RECORD_ONLY: Key<bool> = Key::new("record_only");
/// Send the file even if the server holds the same bytes.
pub const FORCE: Key<bool> = Key::new("force");

/// The processors of the recipe's steps, in order. The runner sets it.
pub const RECIPE_STEPS: Key<Vec<String>> = Key::new("recipe_steps");
/// The route that was chosen.
pub const CHOSEN_ROUTE: Key<Route> = Key::new("chosen_route");
/// The route to take when the chosen one is refused before any byte of the file was accepted; not set when there is none.
pub const FALLBACK_ROUTE: Key<Route> = Key::new("fallback_route");
/// Who tells what the server holds; the list when nobody has chosen.
pub const WITNESS: Key<Witness> = Key::new("witness");

/// Whether there is a package record for the file.
pub const PACKAGE_FOUND: Key<bool> = Key::new("package_found");
/// Id of the package record.
pub const PACKAGE_ID: Key<PackageId> = Key::new("package_id");
/// Whether the server holds a file of this name, as its [witness](WITNESS) tells.
pub const JCDS_FILE_FOUND: Key<bool> = Key::new("jcds_file_found");
/// Whether that file is about to go: an earlier run of this machine has asked for it, and did not live to put the new one in place.
pub const JCDS_FILE_LEAVING: Key<bool> = Key::new("jcds_file_leaving");
/// Its size in bytes.
pub const JCDS_FILE_SIZE: Key<u64> = Key::new("jcds_file_size");
/// Its MD5; not set when the list has none.
pub const JCDS_FILE_MD5: Key<Md5> = Key::new("jcds_file_md5");
/// Its SHA3-512; not set when the list has none.
pub const JCDS_FILE_SHA3_512: Key<Sha3_512> = Key::new("jcds_file_sha3_512");

/// What the comparison came to.
pub const VERDICT: Key<Verdict> = Key::new("verdict");
/// Why, in words.
pub const VERDICT_REASON: Key<String> = Key::new("verdict_reason");
/// Size of the local file in bytes.
pub const PKG_SIZE: Key<u64> = Key::new("pkg_size");
/// MD5 of the local file; not set while nobody had to compute it.
pub const PKG_MD5: Key<Md5> = Key::new("pkg_md5");
/// SHA3-512 of the local file; not set while nobody had to compute it.
pub const PKG_SHA3_512: Key<Sha3_512> = Key::new("pkg_sha3_512");

/// Temporary access key id.
pub const JCDS_ACCESS_KEY_ID: Key<String> = Key::new("jcds_access_key_id");
/// Temporary secret key.
pub const JCDS_SECRET_ACCESS_KEY: Key<Secret> = Key::new("jcds_secret_access_key");
/// Session token that goes with the key.
pub const JCDS_SESSION_TOKEN: Key<Secret> = Key::new("jcds_session_token");
/// When the three end.
pub const JCDS_EXPIRATION: Key<Timestamp> = Key::new("jcds_expiration");
/// AWS region of the bucket.
pub const JCDS_REGION: Key<String> = Key::new("jcds_region");
/// The bucket.
pub const JCDS_BUCKET: Key<String> = Key::new("jcds_bucket");
/// Prefix of the object's key, ends in `/`.
pub const JCDS_PATH: Key<String> = Key::new("jcds_path");

/// Whether this run sends, or sent, the file. Known from the plan on.
pub const PKG_UPLOADED: Key<bool> = Key::new("pkg_uploaded");
/// Whether this run changes, or changed, the record. Known from the plan on.
pub const PKG_METADATA_UPDATED: Key<bool> = Key::new("pkg_metadata_updated");
/// `proven` or `unverified`.
pub const DELIVERY: Key<Delivery> = Key::new("delivery");

/// Why a step that serves one route has nothing to do: another one was chosen. Without a chosen route every step does what it
/// is for.
///
/// # Errors
/// When the entry is no route.
pub fn other_route(env: &Env, own: Route) -> Result<Option<String>, EnvError> {
    let other = env.get(CHOSEN_ROUTE)?.filter(|chosen| *chosen != own);
    Ok(other.map(|other| format!("route {other}: {} sends the file", other.sender())))
}

/// The file name that a step works with: `pkg_name`, else the last part of `pkg_path`.
///
/// # Errors
/// When neither is set, or what is set is not a file name.
pub fn file_name(env: &Env) -> Result<FileName, EnvError> {
    if let Some(name) = env.get(PKG_NAME)? {
        return Ok(name);
    }
    let path = env.get(PKG_PATH)?.ok_or(EnvError::Missing(PKG_NAME.name()))?;
    let last = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    FileName::read(&Value::String(last)).map_err(|source: WrongType| EnvError::WrongType {
        name: PKG_PATH.name(),
        origin: env.entry(PKG_PATH.name()).map_or(crate::Origin::Runner, |entry| entry.origin().clone()),
        source,
    })
}
