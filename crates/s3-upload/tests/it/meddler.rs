//! A proxy between the client and the rehearsal server. It passes requests on, and answers, holds, cuts, damages or loses
//! those that a test picks.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_util::sync::DropGuard;

/// A request, as the proxy sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Counted from 0, over everything that passes.
    pub number: usize,
    pub method: String,
    /// Path and query, percent-encoded.
    pub path: String,
    /// The lines after the first, as sent.
    headers: String,
}

impl Seen {
    pub fn is(&self, method: &str, part: &str) -> bool {
        self.method == method && self.path.contains(part)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let mut fields = self.headers.lines().filter_map(|line| line.split_once(':'));
        fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    pub fn is_list(&self) -> bool {
        self.method == "GET" && self.path == "/api/v1/jcds/files"
    }

    pub fn is_delete(&self) -> bool {
        self.is("DELETE", "/api/v1/jcds/files/")
    }

    pub fn is_part(&self, number: u32) -> bool {
        self.is("PUT", &format!("partNumber={number}&"))
    }

    pub fn is_complete(&self) -> bool {
        self.is("POST", "uploadId=")
    }
}

/// What becomes of a request.
#[derive(Clone, Debug)]
pub enum Fate {
    Pass,
    /// The server never sees it; this is the answer.
    Answer(u16, String),
    /// The server does it, and the answer is lost.
    LoseAnswer,
    /// The server does it, and this is what the client hears.
    AnswerAfter(u16, String),
    /// The first byte of the payload arrives as another one.
    Damage,
    /// The connection breaks in the middle of the body.
    Cut,
    /// It stands still before the server sees it.
    HoldBefore,
    /// The server does it, and the answer stands still.
    HoldAfter,
    /// It stands still before the server sees it, until somebody lets it go on.
    Until(Arc<Notify>),
}

type Rule = Box<dyn FnMut(&Seen) -> Fate + Send>;

/// A rule: requests that are `meant` meet these fates in turn, and the last one from then on; others pass.
pub fn in_turn<const N: usize>(
    mut meant: impl FnMut(&Seen) -> bool + Send + 'static,
    fates: [Fate; N],
) -> impl FnMut(&Seen) -> Fate + Send + 'static {
    let (mut fates, mut last) = (fates.into_iter(), Fate::Pass);
    move |seen| {
        if !meant(seen) {
            return Fate::Pass;
        }
        if let Some(next) = fates.next() {
            last = next;
        }
        last.clone()
    }
}

#[derive(Default)]
struct State {
    seen: Vec<Seen>,
    rule: Option<Rule>,
}

#[derive(Clone, Default)]
pub struct Meddler {
    state: Arc<Mutex<State>>,
    held: Arc<Notify>,
}

impl Meddler {
    /// Opens a port before `upstream`; it closes when the guard is dropped.
    pub async fn before(&self, upstream: SocketAddr) -> (SocketAddr, DropGuard) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = tokio_util::sync::CancellationToken::new();
        let (guard, meddler) = (stop.clone().drop_guard(), self.clone());
        tokio::spawn(stop.run_until_cancelled_owned(async move {
            while let Ok((client, _)) = listener.accept().await {
                let meddler = meddler.clone();
                // A connection that breaks is what some tests are about.
                tokio::spawn(async move { meddler.serve(client, upstream).await.ok() });
            }
        }));
        (address, guard)
    }

    /// From now on, what becomes of requests. Counting starts again.
    pub fn rule(&self, rule: impl FnMut(&Seen) -> Fate + Send + 'static) {
        *self.state.lock().unwrap() = State { seen: Vec::new(), rule: Some(Box::new(rule)) };
    }

    /// What has come since the rule was set.
    pub fn seen(&self) -> Vec<Seen> {
        self.state.lock().unwrap().seen.clone()
    }

    /// Waits until a request is held.
    pub async fn holding(&self) {
        self.held.notified().await;
    }

    fn decide(&self, head: &str) -> Fate {
        let mut state = self.state.lock().unwrap();
        let (first, headers) = head.split_once("\r\n").unwrap();
        let mut words = first.split(' ').map(str::to_owned);
        let (method, path) = (words.next().unwrap(), words.next().unwrap());
        let seen = Seen { number: state.seen.len(), method, path, headers: headers.to_owned() };
        let fate = state.rule.as_mut().map_or(Fate::Pass, |rule| rule(&seen));
        state.seen.push(seen);
        fate
    }

    async fn hold(&self) -> ! {
        self.held.notify_one();
        std::future::pending().await
    }

    /// One request for each connection keeps it simple.
    async fn serve(&self, mut client: TcpStream, upstream: SocketAddr) -> io::Result<()> {
        let mut start = Vec::new();
        let end = loop {
            if let Some(at) = start.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 2;
            }
            if client.read_buf(&mut start).await? == 0 {
                return Ok(());
            }
        };
        let mut body_start = start.split_off(end + 2);
        let head = String::from_utf8(start[..end].to_vec()).unwrap();
        let fate = self.decide(&head);
        let length: u64 = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok())
            .unwrap_or(0);
        if matches!(fate, Fate::Damage) {
            damage(&mut client, &mut body_start).await?;
        }

        match &fate {
            Fate::HoldBefore => self.hold().await,
            Fate::Until(go) => {
                // All of it, so that it goes on when nobody waits for the answer any more.
                while (body_start.len() as u64) < length && client.read_buf(&mut body_start).await? > 0 {}
                self.held.notify_one();
                go.notified().await;
            }
            Fate::Cut => {
                let rest = length - body_start.len() as u64;
                let mut some = (&mut client).take(rest / 2);
                tokio::io::copy(&mut some, &mut tokio::io::sink()).await?;
                return Ok(());
            }
            Fate::Answer(status, body) => {
                let mut all = (&mut client).take(length - body_start.len() as u64);
                tokio::io::copy(&mut all, &mut tokio::io::sink()).await?;
                return client.write_all(answer(*status, body).as_bytes()).await;
            }
            Fate::Pass | Fate::Damage | Fate::AnswerAfter(..) | Fate::LoseAnswer | Fate::HoldAfter => {}
        }
        let mut server = TcpStream::connect(upstream).await?;
        server.write_all(format!("{head}connection: close\r\n\r\n").as_bytes()).await?;
        server.write_all(&body_start).await?;
        let rest = length - body_start.len() as u64;
        tokio::io::copy(&mut (&mut client).take(rest), &mut server).await?;
        let mut answered = Vec::new();
        server.read_to_end(&mut answered).await?;
        match fate {
            Fate::LoseAnswer => Ok(()),
            Fate::HoldAfter => self.hold().await,
            Fate::AnswerAfter(status, body) => client.write_all(answer(status, &body).as_bytes()).await,
            _ => client.write_all(&answered).await,
        }
    }
}

fn answer(status: u16, body: &str) -> String {
    let size = body.len();
    format!("HTTP/1.1 {status} Meddled\r\ncontent-length: {size}\r\nconnection: close\r\n\r\n{body}")
}

/// Changes the first byte of the body.
async fn damage(client: &mut TcpStream, body: &mut Vec<u8>) -> io::Result<()> {
    if body.is_empty() {
        client.read_buf(body).await?;
    }
    if let Some(first) = body.first_mut() {
        *first ^= 1;
    }
    Ok(())
}
