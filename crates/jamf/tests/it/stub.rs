//! A server that answers as it is told, and remembers what it was asked.

use jamf::{Config, Session, Sessions};
use pipeline::{
    Access, Boundary, Context, Diagnose, Env, Event, Listener, Occurrence, Origin, SimulatedClock, Value,
};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    /// Path and query, still encoded.
    pub target: String,
    pub headers: HashMap<String, String>,
    pub body: String,
}

impl Seen {
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.target)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The query's value, decoded as a form is.
    pub fn query(&self, name: &str) -> Option<String> {
        let url = url::Url::parse(&format!("http://stub{}", self.target)).unwrap();
        url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

/// What the server does.
pub enum Reply {
    Answer {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: String,
    },
    /// The answer comes later.
    After(Duration, Box<Reply>),
    /// The body comes in pieces, with pauses between them.
    Trickle(Duration, Vec<&'static str>),
    /// The body begins so and never ends.
    Torrent(u16, &'static str),
    /// The connection ends without an answer.
    Cut,
    /// The connection ends without an answer, and nobody listens any more.
    Vanish,
    /// Nothing ever comes.
    Silence,
    /// The body stops in the middle.
    Stall,
}

impl Reply {
    pub fn new(status: u16, body: impl Into<String>) -> Self {
        Self::Answer { status, headers: Vec::new(), body: body.into() }
    }

    pub fn with(self, name: &'static str, value: impl Into<String>) -> Self {
        match self {
            Self::Answer { status, mut headers, body } => {
                headers.push((name, value.into()));
                Self::Answer { status, headers, body }
            }
            other => other,
        }
    }

    /// A page of a list.
    pub fn list(entries: &[serde_json::Value]) -> Self {
        Self::new(200, serde_json::json!({ "totalCount": entries.len(), "results": entries }).to_string())
    }

    /// A Classic error page.
    pub fn page(status: u16, reason: &str) -> Self {
        Self::new(
            status,
            format!(
                "<html>\n<head>\n<title>Status page</title>\n</head>\n<body>\n<p style=\"font-weight: bold\">Title</p>\n\
                 <p>{reason}</p>\n<p>You can get technical details <a href=\"/\">here</a>.<br>\n</p>\n</body>\n</html>"
            ),
        )
    }

    /// An `ApiError` with one entry.
    pub fn fault(status: u16, code: &str, description: &str, field: Option<&str>) -> Self {
        let error =
            serde_json::json!({ "code": code, "description": description, "id": "0", "field": field });
        Self::new(status, serde_json::json!({ "httpStatus": status, "errors": [error] }).to_string())
    }
}

type Script = Box<dyn FnMut(&Seen) -> Reply + Send>;

pub struct Stub {
    pub url: String,
    shared: Arc<Shared>,
}

struct Shared {
    script: Mutex<Script>,
    seen: Mutex<Vec<Seen>>,
    busy: AtomicUsize,
    most_busy: AtomicUsize,
    gone: CancellationToken,
    reads_bodies: bool,
}

impl Stub {
    pub async fn start(script: impl FnMut(&Seen) -> Reply + Send + 'static) -> Self {
        Self::listen(script, true).await
    }

    /// It answers as soon as it has read the headers. Bodies stay in the connection.
    pub async fn hasty(script: impl FnMut(&Seen) -> Reply + Send + 'static) -> Self {
        Self::listen(script, false).await
    }

    async fn listen(script: impl FnMut(&Seen) -> Reply + Send + 'static, reads_bodies: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            script: Mutex::new(Box::new(script)),
            seen: Mutex::default(),
            busy: AtomicUsize::new(0),
            most_busy: AtomicUsize::new(0),
            gone: CancellationToken::new(),
            reads_bodies,
        });
        let serving = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Some(Ok((stream, _))) = serving.gone.run_until_cancelled(listener.accept()).await {
                let shared = Arc::clone(&serving);
                tokio::spawn(async move { shared.serve(stream).await });
            }
        });
        Self { url, shared }
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// All requests but sign-ins, one a line.
    pub fn lines(&self) -> String {
        let calls = self.calls();
        calls.iter().map(Seen::line).collect::<Vec<_>>().join("\n")
    }

    /// All requests but sign-ins.
    pub fn calls(&self) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| !is_sign_in(seen)).collect()
    }

    pub fn sign_ins(&self) -> Vec<Seen> {
        self.seen().into_iter().filter(is_sign_in).collect()
    }

    /// The most requests that were being answered at one time.
    pub fn most_busy(&self) -> usize {
        self.shared.most_busy.load(Ordering::SeqCst)
    }
}

fn is_sign_in(seen: &Seen) -> bool {
    ["/auth/", "/oauth/", "/oauth2/"].iter().any(|part| seen.target.contains(part))
}

impl Shared {
    async fn serve(&self, mut stream: TcpStream) {
        let Some(seen) = read(&mut stream, self.reads_bodies).await else { return };
        let busy = self.busy.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_busy.fetch_max(busy, Ordering::SeqCst);
        self.seen.lock().unwrap().push(seen.clone());
        let reply = (self.script.lock().unwrap())(&seen);
        if matches!(reply, Reply::Vanish) {
            self.gone.cancel();
            tokio::task::yield_now().await;
        }
        write(&mut stream, reply).await;
        self.busy.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn read(stream: &mut TcpStream, reads_bodies: bool) -> Option<Seen> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: HashMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    while reads_bodies && bytes.len() < end + 4 + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let body = String::from_utf8(bytes[end + 4..].to_vec()).ok()?;
    Some(Seen { method, target, headers, body })
}

async fn write(stream: &mut TcpStream, reply: Reply) {
    match reply {
        Reply::Answer { status, headers, body } => {
            let mut head =
                format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
            for (name, value) in headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            let _ = stream.write_all(format!("{head}\r\n{body}").as_bytes()).await;
        }
        Reply::After(delay, reply) => {
            pause(delay).await;
            Box::pin(write(stream, *reply)).await;
        }
        Reply::Trickle(delay, pieces) => {
            let length: usize = pieces.iter().map(|piece| piece.len()).sum();
            let head = format!("HTTP/1.1 200 X\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
            let _ = stream.write_all(head.as_bytes()).await;
            for piece in pieces {
                pause(delay).await;
                let _ = stream.write_all(piece.as_bytes()).await;
            }
        }
        Reply::Torrent(status, beginning) => {
            let head = format!("HTTP/1.1 {status} X\r\nconnection: close\r\n\r\n{beginning}");
            let _ = stream.write_all(head.as_bytes()).await;
            while stream.write_all(&[b' '; 1 << 16]).await.is_ok() {}
        }
        Reply::Cut | Reply::Vanish => {}
        Reply::Silence => std::future::pending::<()>().await,
        Reply::Stall => {
            let _ = stream.write_all(b"HTTP/1.1 200 X\r\ncontent-length: 100\r\n\r\n{").await;
            std::future::pending::<()>().await;
        }
    }
}

/// The server under test lives in real time, other than the client.
async fn pause(delay: Duration) {
    let _ = tokio::time::timeout(delay, std::future::pending::<()>()).await;
}

/// The script with sign-ins of an API client in front: tokens `token-1`, `token-2`, … of an hour.
pub fn signed_in(
    mut script: impl FnMut(&Seen) -> Reply + Send + 'static,
) -> impl FnMut(&Seen) -> Reply + Send + 'static {
    let mut given = 0;
    move |seen| match seen.line().as_str() {
        "POST /api/v1/oauth/token" => {
            given += 1;
            Reply::new(200, format!(r#"{{ "access_token" : "token-{given}", "expires_in" : 3600 }}"#))
        }
        "POST /api/v1/auth/invalidate-token" => Reply::new(204, ""),
        _ => script(seen),
    }
}

/// Remembers notices.
#[derive(Default)]
struct Ear(Mutex<Vec<String>>);

impl Listener for Ear {
    fn on(&self, event: &Event) {
        if let Occurrence::Notice { message, .. } = &event.what {
            self.0.lock().unwrap().push(message.clone());
        }
    }
}

/// A client at a server, with a clock that does not wait.
pub struct Rig {
    pub sessions: Sessions,
    pub session: Arc<Session>,
    pub cx: Context,
    pub clock: Arc<SimulatedClock>,
    pub cancel: CancellationToken,
    ear: Arc<Ear>,
}

pub const CLIENT: &[(&str, &str)] = &[("CLIENT_ID", "an id"), ("CLIENT_SECRET", "hush+hush")];
pub const USER: &[(&str, &str)] = &[("API_USERNAME", "jane"), ("API_PASSWORD", "pässword")];

impl Rig {
    pub fn new(url: &str) -> Self {
        Self::with(url, CLIENT, Access::ReadWrite, Config::default())
    }

    pub fn read_only(url: &str) -> Self {
        Self::with(url, CLIENT, Access::ReadOnly, Config::default())
    }

    pub fn classic(url: &str) -> Self {
        let entries = [CLIENT, &[("package_api", "classic")]].concat();
        Self::with(url, &entries, Access::ReadWrite, Config::default())
    }

    pub fn with(url: &str, entries: &[(&str, &str)], access: Access, config: Config) -> Self {
        let clock = Arc::new(SimulatedClock::at("2026-11-20T12:00:00Z".parse().unwrap()));
        Self::at(url, entries, access, config, clock)
    }

    /// With the clock that the server goes by too.
    pub fn at(
        url: &str,
        entries: &[(&str, &str)],
        access: Access,
        config: Config,
        clock: Arc<SimulatedClock>,
    ) -> Self {
        let cancel = CancellationToken::new();
        let ear = Arc::new(Ear::default());
        let boundary = Arc::new(Boundary::new(access));
        let cx = Context::new(
            Arc::clone(&clock) as _,
            Arc::clone(&boundary),
            Arc::clone(&ear) as _,
            cancel.clone(),
        );
        let sessions = Sessions::new(config).unwrap();
        let session = sessions.open(&env(&[&[("JSS_URL", url)], entries].concat())).unwrap();
        Self { sessions, session, cx, clock, cancel, ear }
    }

    pub fn notices(&self) -> Vec<String> {
        self.ear.0.lock().unwrap().clone()
    }

    /// Seconds since the start by the clock of the run.
    pub fn elapsed(&self) -> f64 {
        let start: jiff::Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        self.cx.clock().now().duration_since(start).as_secs_f64()
    }
}

/// An environment of texts.
pub fn env(entries: &[(&str, &str)]) -> Env {
    let mut env = Env::new();
    for (name, value) in entries {
        env.insert(name, Value::String((*value).to_owned()), Origin::CommandLine, false);
    }
    env
}

/// What a person sees of an error: message, causes, and what to do. The port is not the same twice.
pub fn shown<E: Diagnose>(error: E, url: &str) -> String {
    let failure = pipeline::Failure::from(error);
    let hint = failure.hint().unwrap_or_else(|| "(no hint)".to_owned());
    let host = url.trim_start_matches("http://");
    format!("{:?}: {failure}\n{hint}", failure.kind()).replace(url, "SERVER").replace(host, "HOST")
}
