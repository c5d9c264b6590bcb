//! A content network that answers as it is told, and remembers what it was asked.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Barrier;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its number, counted from 1.
    pub number: usize,
    /// Path and query, as sent.
    pub target: String,
    pub headers: BTreeMap<String, String>,
    /// First byte and the byte after the last one, where it asks for a range.
    pub range: Option<(usize, usize)>,
}

/// What the server does.
pub enum Act {
    /// Serves what was asked for.
    Serve,
    /// The same, with other headers.
    ServeWith(String),
    /// A status and a body.
    Status(u16, &'static str, &'static str),
    /// The whole file, whatever was asked for.
    Whole,
    /// Says and sends another range.
    Shifted,
    /// Says that the file has another size.
    OtherSize(usize),
    /// The connection ends after so many bytes of the body.
    Cut(usize),
    /// The answer ends after so many bytes, and is well-formed.
    Short(usize),
    /// The answer has more bytes than were asked for.
    Long,
    /// Nothing comes after so many bytes of the body.
    Stall(usize),
    /// Nothing ever comes.
    Silence,
    /// So many bytes come at a time, with pauses between them.
    Trickle(usize, Duration),
    /// Every byte is another one.
    Corrupt,
    /// Waits for others to arrive there, and serves.
    Meet(Arc<Barrier>),
    /// Waits for others to arrive there, and refuses.
    MeetAndRefuse(Arc<Barrier>),
}

type Script = Box<dyn FnMut(&Seen) -> Act + Send>;

pub struct Cdn {
    pub url: String,
    shared: Arc<Shared>,
}

struct Shared {
    bytes: Vec<u8>,
    script: Mutex<Script>,
    seen: Mutex<Vec<Seen>>,
    /// How often each byte of the file was sent.
    sent: Mutex<Vec<u8>>,
    busy: AtomicUsize,
    most_busy: AtomicUsize,
}

/// What CloudFront says after the end of an address.
pub const DENIED: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AccessDenied</Code><Message>Access denied</Message></Error>\n";

impl Cdn {
    pub async fn start(bytes: &[u8], script: impl FnMut(&Seen) -> Act + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/blob", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            sent: Mutex::new(vec![0; bytes.len()]),
            bytes: bytes.to_vec(),
            script: Mutex::new(Box::new(script)),
            seen: Mutex::default(),
            busy: AtomicUsize::new(0),
            most_busy: AtomicUsize::new(0),
        });
        let serving = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&serving);
                tokio::spawn(async move {
                    let mut stream = stream;
                    while shared.serve(&mut stream).await.is_some() {}
                });
            }
        });
        Self { url, shared }
    }

    /// One that does what it should.
    pub async fn good(bytes: &[u8]) -> Self {
        Self::start(bytes, |_| Act::Serve).await
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// Forgets what it was asked and what it sent.
    pub fn forget(&self) {
        self.shared.seen.lock().unwrap().clear();
        self.shared.sent.lock().unwrap().fill(0);
    }

    /// The ranges that were asked for, in the order of their beginnings.
    pub fn ranges(&self) -> Vec<(usize, usize)> {
        let mut ranges: Vec<_> = self.seen().iter().map(|seen| seen.range.unwrap()).collect();
        ranges.sort_unstable();
        ranges
    }

    /// Bytes that were sent.
    pub fn sent(&self) -> usize {
        self.shared.sent.lock().unwrap().iter().map(|times| usize::from(*times)).sum()
    }

    /// How often the byte that was sent most often was sent.
    pub fn most_often(&self) -> u8 {
        *self.shared.sent.lock().unwrap().iter().max().unwrap()
    }

    /// The most requests that were being answered at one time.
    pub fn most_busy(&self) -> usize {
        self.shared.most_busy.load(Ordering::SeqCst)
    }
}

impl Shared {
    /// Answers one request; nothing if the connection ends with it.
    async fn serve(&self, stream: &mut TcpStream) -> Option<()> {
        let mut seen = read(stream).await?;
        let busy = self.busy.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_busy.fetch_max(busy, Ordering::SeqCst);
        {
            let mut all = self.seen.lock().unwrap();
            seen.number = all.len() + 1;
            all.push(seen.clone());
        }
        let act = (self.script.lock().unwrap())(&seen);
        let alive = self.answer(stream, &seen, act).await;
        self.busy.fetch_sub(1, Ordering::SeqCst);
        alive
    }

    async fn answer(&self, stream: &mut TcpStream, seen: &Seen, act: Act) -> Option<()> {
        let size = self.bytes.len();
        let (start, end) = seen.range.unwrap_or((0, size));
        let head = |extra: &str| partial(start, end, size, end - start, extra);
        match act {
            Act::Serve => {
                self.send(stream, &head(""), start, end).await?;
            }
            Act::ServeWith(headers) => {
                self.send(stream, &head(&headers), start, end).await?;
            }
            Act::Meet(barrier) => {
                barrier.wait().await;
                self.send(stream, &head(""), start, end).await?;
            }
            Act::MeetAndRefuse(barrier) => {
                barrier.wait().await;
                status(stream, 403, "", DENIED).await?;
            }
            Act::Status(number, headers, body) => status(stream, number, headers, body).await?,
            Act::Whole => {
                let head = format!("HTTP/1.1 200 X\r\ncontent-length: {size}\r\n\r\n");
                self.send(stream, &head, 0, size).await?;
            }
            Act::Shifted => {
                let head = partial(start + 1, end + 1, size, end - start, "");
                self.send(stream, &head, start + 1, (end + 1).min(size)).await?;
            }
            Act::OtherSize(other) => {
                self.send(stream, &partial(start, end, other, end - start, ""), start, end).await?;
            }
            Act::Cut(after) => {
                self.send(stream, &head(""), start, start + after).await?;
                return None;
            }
            Act::Short(after) => {
                let text = format!(
                    "HTTP/1.1 206 X\r\ncontent-range: bytes {start}-{}/{size}\r\nconnection: close\r\n\r\n",
                    end - 1
                );
                self.send(stream, &text, start, start + after).await?;
                return None;
            }
            Act::Long => {
                let text = format!(
                    "HTTP/1.1 206 X\r\ncontent-range: bytes {start}-{}/{size}\r\nconnection: close\r\n\r\n",
                    end - 1
                );
                self.send(stream, &text, start, end).await?;
                stream.write_all(&[0; 100]).await.ok()?;
                return None;
            }
            Act::Stall(after) => {
                self.send(stream, &head(""), start, start + after).await?;
                return closed(stream).await;
            }
            Act::Silence => return closed(stream).await,
            Act::Trickle(piece, pause) => {
                stream.write_all(head("").as_bytes()).await.ok()?;
                for at in (start..end).step_by(piece) {
                    wait(pause).await;
                    self.send(stream, "", at, (at + piece).min(end)).await?;
                }
            }
            Act::Corrupt => {
                let other: Vec<u8> = self.bytes[start..end].iter().map(|byte| !byte).collect();
                stream.write_all(head("").as_bytes()).await.ok()?;
                stream.write_all(&other).await.ok()?;
            }
        }
        Some(())
    }

    async fn send(&self, stream: &mut TcpStream, head: &str, start: usize, end: usize) -> Option<()> {
        self.sent.lock().unwrap()[start..end].iter_mut().for_each(|times| *times += 1);
        stream.write_all(head.as_bytes()).await.ok()?;
        stream.write_all(&self.bytes[start..end]).await.ok()
    }
}

fn partial(start: usize, end: usize, size: usize, length: usize, extra: &str) -> String {
    format!(
        "HTTP/1.1 206 X\r\ncontent-range: bytes {start}-{}/{size}\r\ncontent-length: {length}\r\n{extra}\r\n",
        end - 1
    )
}

async fn status(stream: &mut TcpStream, status: u16, headers: &str, body: &str) -> Option<()> {
    let length = body.len();
    let text = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n{headers}\r\n{body}");
    stream.write_all(text.as_bytes()).await.ok()
}

/// Says nothing until the client goes away.
async fn closed(stream: &mut TcpStream) -> Option<()> {
    let _ = stream.read(&mut [0; 1]).await;
    None
}

async fn read(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(bytes).ok()?;
    let mut lines = head.lines();
    let target = lines.next()?.split(' ').nth(1)?.to_owned();
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let range = headers.get("range").map(|range| {
        let (first, last) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
        (first.parse::<usize>().unwrap(), last.parse::<usize>().unwrap() + 1)
    });
    Some(Seen { number: 0, target, headers, range })
}

/// The server under test lives in real time, other than the client.
pub async fn wait(pause: Duration) {
    let _ = tokio::time::timeout(pause, std::future::pending::<()>()).await;
}
