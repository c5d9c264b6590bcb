//! A look at what is said on the Jamf side, for who holds it against something: a schema, a recording.

use http::{HeaderMap, Method, StatusCode, Uri};
use std::fmt::Debug;

/// Hears of every exchange of the Jamf side, as Jamf Pro itself sees it: behind the gateway, if one is played, and without
/// signed addresses, the backstage door and S3.
pub trait Observer: Debug + Send + Sync {
    /// A request was answered, and the answer is about to leave. Called on the server's own tasks, so it must neither block
    /// nor panic.
    fn on(&self, exchange: &Exchange);

    /// The rehearsal server is dropped. Called on the thread that drops it, which is the one that may panic.
    fn finish(&self) {}
}

/// One request and its answer.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Method.
    pub method: Method,
    /// Path and query, still percent-encoded.
    pub uri: Uri,
    /// Headers of the request.
    pub headers: HeaderMap,
    /// The body of the request. `None`: forms with files in them are not kept.
    pub body: Option<Vec<u8>>,
    /// Status of the answer.
    pub status: StatusCode,
    /// Headers of the answer.
    pub answer_headers: HeaderMap,
    /// The body of the answer.
    pub answer: Vec<u8>,
}
