//! Connections that are there when parts need them.

use crate::meddler::{Fate, Seen};
use crate::stage::{MIB, Stage, bytes};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Passes on what comes over connections that stay open, and counts them.
#[derive(Clone)]
struct Counter {
    counted: Arc<Mutex<Counted>>,
    /// One for each `HEAD` that was answered.
    knocked: Arc<Semaphore>,
    /// How many of them the answer to the beginning of an upload waits for.
    awaited: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counted {
    opened: usize,
    /// How many there were when the beginning of an upload was answered.
    at_beginning: usize,
    heads: usize,
}

impl Counter {
    async fn before(upstream: SocketAddr, awaited: u32) -> (Self, SocketAddr, DropGuard) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let counter = Self { counted: Arc::default(), knocked: Arc::new(Semaphore::new(0)), awaited };
        let (stop, own) = (CancellationToken::new(), counter.clone());
        let guard = stop.clone().drop_guard();
        tokio::spawn(stop.run_until_cancelled_owned(async move {
            while let Ok((client, _)) = listener.accept().await {
                own.counted.lock().unwrap().opened += 1;
                let own = own.clone();
                tokio::spawn(async move { own.serve(client, upstream).await.ok() });
            }
        }));
        (counter, address, guard)
    }

    /// Client and server take turns, so what is read from one goes to the other until that one speaks.
    async fn serve(self, mut client: TcpStream, upstream: SocketAddr) -> std::io::Result<()> {
        let mut server = TcpStream::connect(upstream).await?;
        let (mut asked, mut answered) = (vec![0; 65536], vec![0; 65536]);
        let mut method = Vec::new();
        loop {
            tokio::select! {
                read = client.read(&mut asked) => {
                    let piece = &asked[..read?];
                    if piece.is_empty() {
                        return Ok(());
                    }
                    if piece.starts_with(b"HEAD ") || piece.starts_with(b"POST ") {
                        method = piece[..piece.windows(9).position(|at| at == b" HTTP/1.1").unwrap()].to_vec();
                    }
                    server.write_all(piece).await?;
                }
                read = server.read(&mut answered) => {
                    let piece = &answered[..read?];
                    let begins = method.starts_with(b"POST ") && method.windows(8).any(|at| at == b"?uploads");
                    if begins {
                        self.knocked.acquire_many(self.awaited).await.unwrap().forget();
                        let mut counted = self.counted.lock().unwrap();
                        counted.at_beginning = counted.opened;
                    }
                    client.write_all(piece).await?;
                    if method.starts_with(b"HEAD ") {
                        self.counted.lock().unwrap().heads += 1;
                        self.knocked.add_permits(1);
                    }
                    method.clear();
                    if piece.is_empty() {
                        return Ok(());
                    }
                }
            }
        }
    }

    fn counted(&self) -> Counted {
        *self.counted.lock().unwrap()
    }
}

async fn counting(awaited: u32) -> (Stage, Counter, DropGuard) {
    let mut stage = Stage::open().await;
    let upstream = stage.sandbox.connection().s3_endpoint.strip_prefix("http://").unwrap().parse().unwrap();
    let (counter, address, guard) = Counter::before(upstream, awaited).await;
    stage.set("PKGFERRY_S3_ENDPOINT", &format!("http://{address}"));
    stage.set("upload_concurrency", "3");
    (stage, counter, guard)
}

#[tokio::test]
async fn parts_find_connections_that_are_open() {
    let (stage, counter, _guard) = counting(2).await;
    let new = bytes(1, 40 * MIB);
    stage.send("App.pkg", &new).await.unwrap();
    stage.assert_holds("App.pkg", &new);
    assert_eq!(counter.counted(), Counted { opened: 3, at_beginning: 3, heads: 2 });

    // They outlast the upload.
    counter.knocked.add_permits(2);
    stage.send("Other.pkg", &bytes(2, 40 * MIB)).await.unwrap();
    assert_eq!(counter.counted(), Counted { opened: 3, at_beginning: 3, heads: 2 });
}

#[tokio::test]
async fn one_part_needs_no_more_than_the_connection_that_begins_the_upload() {
    let (stage, counter, _guard) = counting(0).await;
    stage.send("App.pkg", &bytes(1, MIB)).await.unwrap();
    assert_eq!(counter.counted(), Counted { opened: 1, at_beginning: 1, heads: 0 });
}

/// Whatever becomes of them.
#[tokio::test]
async fn connections_that_cannot_be_opened_change_nothing() {
    for fate in [Fate::Cut, Fate::HoldBefore, Fate::Answer(503, String::new())] {
        let stage = Stage::open().await;
        let new = bytes(1, 17 * MIB);
        let rule = move |seen: &Seen| if seen.method == "HEAD" { fate.clone() } else { Fate::Pass };
        stage.send_through("App.pkg", &new, rule).await.unwrap();
        stage.assert_holds("App.pkg", &new);
        assert_eq!(stage.ear.warnings(), Vec::<String>::new());
        let knocks: Vec<_> = stage.meddler.seen().into_iter().filter(|seen| seen.method == "HEAD").collect();
        assert_eq!(knocks.len(), 2);
        let reads = stage.meddler.seen().into_iter().filter(|seen| matches!(&*seen.method, "GET" | "HEAD"));
        assert_eq!(stage.boundary.traffic().reads, reads.count() as u64, "they pass the boundary, as reads");
        // Nobody is told more than that somebody asks.
        assert!(knocks.iter().all(|seen| seen.header("authorization").is_none()), "{knocks:?}");
    }
}
