//! What stands in front of the server and answers uploads in its place, as proxies and edges do.

use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Passes everything on but uploads, which it answers if it is told to.
#[derive(Clone, Default)]
pub struct Door(Arc<Mutex<Option<(u16, &'static str)>>>);

impl Door {
    /// A door before a server: itself, its address, and what shuts it down.
    pub async fn before(server: &str) -> (Self, String, DropGuard) {
        let server = server.strip_prefix("http://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (door, stop) = (Self::default(), CancellationToken::new());
        let (keeper, end) = (door.clone(), stop.clone());
        tokio::spawn(async move {
            while let Some(Ok((client, _))) = end.run_until_cancelled(listener.accept()).await {
                tokio::spawn(keeper.clone().keep(client, server.clone()));
            }
        });
        (door, address, stop.drop_guard())
    }

    /// Uploads are answered so from now on.
    pub fn refuse(&self, status: u16, body: &'static str) {
        *self.0.lock().unwrap() = Some((status, body));
    }

    /// One connection. It is looked at until its first upload, which ends it; everything before goes through unchanged.
    async fn keep(self, mut client: TcpStream, server: String) {
        let mut server = TcpStream::connect(server).await.unwrap();
        let (mut asked, mut answered) = (vec![0; 64 << 10], vec![0; 64 << 10]);
        loop {
            tokio::select! {
                read = client.read(&mut asked) => {
                    let Ok(length @ 1..) = read else { return };
                    let refusal = *self.0.lock().unwrap();
                    if let Some((status, body)) = refusal.filter(|_| is_upload(&asked[..length])) {
                        let head = format!(
                            "HTTP/1.1 {status} No\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n",
                            body.len()
                        );
                        let _ = client.write_all(format!("{head}{body}").as_bytes()).await;
                        // Closing before all is read would take the answer away from a client that still sends.
                        while let Ok(1..) = client.read(&mut asked).await {}
                        return;
                    }
                    if server.write_all(&asked[..length]).await.is_err() { return }
                }
                read = server.read(&mut answered) => {
                    let Ok(length @ 1..) = read else { return };
                    if client.write_all(&answered[..length]).await.is_err() { return }
                }
            }
        }
    }
}

fn is_upload(request: &[u8]) -> bool {
    let line = request.split(|byte| *byte == b'\r').next().unwrap_or_default();
    line.starts_with(b"POST /api/v1/packages/") && line.windows(8).any(|part| part == b"/upload ")
}
