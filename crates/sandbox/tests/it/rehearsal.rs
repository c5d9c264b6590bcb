//! A running server, its clock, and a client that is signed in.

use pipeline::SimulatedClock;
use reqwest::{Method, RequestBuilder, StatusCode};
use sandbox::{Config, Sandbox};
use serde_json::Value;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub struct Rehearsal {
    pub sandbox: Sandbox,
    pub clock: Arc<SimulatedClock>,
    pub http: reqwest::Client,
    pub token: String,
    pub folder: tempfile::TempDir,
}

/// Status, content type and body of an answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Said {
    pub status: u16,
    pub mime: String,
    pub body: String,
}

impl Said {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// The clock of every test; the reference instant of the wire examples.
pub fn clock() -> Arc<SimulatedClock> {
    Arc::new(SimulatedClock::at("2026-11-20T12:00:00.481Z".parse().unwrap()))
}

impl Rehearsal {
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// What a client hears that keeps the cookies of an earlier answer, as all but the simplest do.
    pub async fn get_sticky(&self, path: &str) -> Said {
        said(self.request(Method::GET, path).header("cookie", "a=b; APBALANCEID=node-1")).await
    }

    /// Signed in as the user, whose token lives for half an hour.
    pub async fn with(configure: impl FnOnce(&mut Config)) -> Self {
        let mut rehearsal = Self::not_signed_in(configure).await;
        rehearsal.token = rehearsal.user_token().await;
        rehearsal.sandbox.clear_journal();
        rehearsal
    }

    pub async fn not_signed_in(configure: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = clock();
        let mut config = Config::new(folder.path().to_owned(), clock.clone());
        configure(&mut config);
        if config.observer.is_none() {
            config = contract::watched_for_its_answers(config);
        }
        let sandbox = Sandbox::start(config).await.unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { sandbox, clock, http, token: String::new(), folder }
    }

    pub async fn user_token(&self) -> String {
        let here = self.sandbox.connection();
        let request = self.anonymous(Method::POST, "/api/v1/auth/token");
        let said = said(request.basic_auth(&here.username, Some(&here.password))).await;
        said.json()["token"].as_str().unwrap().to_owned()
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.sandbox.connection().jss_url)
    }

    pub fn anonymous(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.url(path))
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.anonymous(method, path).bearer_auth(&self.token)
    }

    pub async fn get(&self, path: &str) -> Said {
        said(self.request(Method::GET, path)).await
    }

    pub async fn get_json(&self, path: &str) -> Value {
        self.get(path).await.json()
    }

    pub async fn get_as(&self, path: &str, accept: &str) -> Said {
        said(self.request(Method::GET, path).header("accept", accept)).await
    }

    pub async fn list(&self, path: &str, query: &[(&str, &str)]) -> Said {
        said(self.request(Method::GET, path).query(query)).await
    }

    pub async fn post(&self, path: &str) -> Said {
        said(self.request(Method::POST, path)).await
    }

    pub async fn send_json(&self, method: Method, path: &str, body: &Value) -> Said {
        said(self.request(method, path).json(body)).await
    }

    pub async fn send_xml(&self, method: Method, path: &str, body: &str) -> Said {
        let request = self.request(method, path).header("content-type", "application/xml");
        said(request.body(body.to_owned())).await
    }

    pub async fn delete(&self, path: &str) -> u16 {
        said(self.request(Method::DELETE, path)).await.status
    }

    pub fn now(&self) -> jiff::Timestamp {
        pipeline::Clock::now(&*self.clock)
    }

    pub fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Uploads over S3 with fresh credentials, as a client would.
    pub async fn upload(&self, name: &str, bytes: &[u8]) {
        let grant = self.post("/api/v1/jcds/files").await;
        assert_eq!(grant.status, 201, "{grant:?}");
        self.upload_with(&grant.json(), name, bytes).await;
    }

    pub async fn upload_with(&self, grant: &Value, name: &str, bytes: &[u8]) {
        let text = |key: &str| grant[key].as_str().unwrap();
        let put = self.s3(grant).put_object().bucket(text("bucketName"));
        put.key(format!("{}{name}", text("path"))).body(bytes.to_vec().into()).send().await.unwrap();
    }

    /// A client that has these credentials, and tries nothing twice.
    pub fn s3(&self, grant: &Value) -> aws_sdk_s3::Client {
        aws_sdk_s3::Client::from_conf(self.s3_config(grant).build())
    }

    pub fn s3_config(&self, grant: &Value) -> aws_sdk_s3::config::Builder {
        use aws_sdk_s3::config::StalledStreamProtectionConfig;
        use aws_sdk_s3::config::retry::RetryConfig;
        use aws_sdk_s3::config::{Credentials, Region, timeout::TimeoutConfig};
        let text = |key: &str| grant[key].as_str().unwrap().to_owned();
        let credentials = Credentials::new(
            text("accessKeyID"),
            text("secretAccessKey"),
            Some(text("sessionToken")),
            None,
            "rehearsal",
        );
        // A grant whose fields are empty is used where the first one led to.
        let region = Some(text("region")).filter(|region| !region.is_empty());
        aws_sdk_s3::Config::builder()
            .behavior_version(aws_sdk_s3::config::BehaviorVersion::latest())
            .endpoint_url(&self.sandbox.connection().s3_endpoint)
            .force_path_style(true)
            .region(Region::new(region.unwrap_or_else(|| "us-east-1".to_owned())))
            .credentials_provider(credentials)
            .timeout_config(TimeoutConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .retry_config(RetryConfig::disabled())
    }

    /// Uploads over the Pro API.
    pub async fn upload_to(&self, id: impl std::fmt::Display, name: &str, bytes: &[u8]) -> Said {
        let path = format!("/api/v1/packages/{id}/upload");
        said(form(self.request(Method::POST, &path), &[("file", name, bytes)])).await
    }

    /// The record of the Pro API.
    pub async fn record(&self, id: impl std::fmt::Display) -> Value {
        self.get_json(&format!("/api/v1/packages/{id}")).await
    }

    pub fn listed(&self) -> Vec<String> {
        self.sandbox.files().into_iter().map(|file| file.name).collect()
    }
}

pub async fn said(request: RequestBuilder) -> Said {
    let response = request.send().await.unwrap();
    let header = |name: &str| {
        response.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    };
    let (status, mime) = (response.status().as_u16(), header("content-type"));
    Said { status, mime, body: response.text().await.unwrap() }
}

/// The request with a `multipart/form-data` body of these parts: name, file name, bytes.
pub fn form(request: RequestBuilder, parts: &[(&str, &str, &[u8])]) -> RequestBuilder {
    let mut body = Vec::new();
    for (name, file_name, bytes) in parts {
        body.extend_from_slice(head_of_part(name, file_name).as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    request.header("content-type", FORM).body(body)
}

/// The type of such a body.
pub const FORM: &str = "multipart/form-data; boundary=----boundary0001";

/// What stands between its parts.
pub const BOUNDARY: &str = "----boundary0001";

/// What stands before the bytes of a part. Names are escaped as HTML forms and clients do it.
pub fn head_of_part(name: &str, file_name: &str) -> String {
    let file_name = file_name.replace('"', "\\\"");
    format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file_name}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    )
}

/// Gives way until it is so.
pub async fn until(is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waiting).await.unwrap();
}

/// An example of what a real server says.
pub fn wire(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/wire").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The example read as JSON.
pub fn wire_json(name: &str) -> Value {
    serde_json::from_str(&wire(name)).unwrap()
}

/// The answer is the example to the letter, but for a line end after it.
#[track_caller]
pub fn assert_wire(said: &Said, status: StatusCode, name: &str) {
    assert_eq!((said.status, said.body.trim_end()), (status.as_u16(), wire(name).trim_end()), "{name}");
}

/// The same keys in the same order, and values of the same kind, all the way down.
#[track_caller]
pub fn assert_shape(said: &Value, example: &Value) {
    assert_eq!(shape(said), shape(example));
}

fn shape(value: &Value) -> Value {
    match value {
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), shape(value))).collect(),
        Value::Array(items) => items.iter().take(1).map(shape).collect(),
        Value::String(_) => "text".into(),
        Value::Number(_) => 0.into(),
        Value::Bool(_) => true.into(),
        Value::Null => Value::Null,
    }
}

/// The bytes that the examples' sizes and digests belong to.
pub fn payload(number: usize, size: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(size + 32);
    for line in 0.. {
        if bytes.len() >= size {
            break;
        }
        writeln!(bytes, "jamf payload {number:05} line {line:07}").unwrap();
    }
    bytes.truncate(size);
    bytes
}
