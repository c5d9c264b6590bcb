//! The other end of every measurement: a server on this machine that reads what it is sent, counts it and drops it.
//!
//! It speaks S3 and as much of Jamf Pro as pkgferry asks for, over HTTP and over TLS, one thread a connection. It checks
//! nothing and keeps nothing, so that its own cost is that of receiving: correctness belongs to the rehearsal server, never to
//! this. It runs as a process of its own (`bench sink`), for its CPU and memory are not the client's.

mod http;
mod jamf;
mod s3;
mod tls;
mod world;

pub use world::{Known, Tally};

use crate::error::Error;
use crate::source;
use http::{Answer, Body, Connection, Head};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde::{Deserialize, Serialize};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use world::World;

/// Where the bench sets the scene and asks what came: PUT stages files, DELETE forgets what came, GET tells it.
pub const CONTROL: &str = "/__bench";

/// How to reach it: the one line that it prints.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reach {
    /// Port of plain HTTP.
    pub http: u16,
    /// Port of TLS.
    pub tls: u16,
    /// The certificate authority to trust, in PEM.
    pub ca: PathBuf,
}

/// Serves until standard input ends, so that it does not outlive who started it, and removes the folders that were named
/// there, a line each: after Ctrl-C nobody else would. Writes its certificate into `folder`.
pub fn serve(folder: &Path) -> Result<(), Error> {
    let config = tls::config(folder)?;
    let world = Arc::new(Mutex::new(World::default()));
    let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(Error::io("the sink cannot listen"));
    let port = |listener: &TcpListener| {
        listener.local_addr().map(|address| address.port()).map_err(Error::io("the sink has no port"))
    };
    let (plain, secure) = (listen()?, listen()?);
    let reach = Reach { http: port(&plain)?, tls: port(&secure)?, ca: folder.join(tls::CA) };
    println!("{}", serde_json::to_string(&reach).map_err(Error::json)?);

    let (base, known) = (format!("http://localhost:{}", reach.http), Arc::clone(&world));
    thread::spawn(move || accept(&plain, &base, None, &known));
    let base = format!("https://localhost:{}", reach.tls);
    thread::spawn(move || accept(&secure, &base, Some(&config), &world));
    let folders: Vec<String> = io::stdin().lines().map_while(Result::ok).collect();
    folders.iter().try_for_each(|folder| source::remove(Path::new(folder)))
}

fn accept(listener: &TcpListener, base: &str, tls: Option<&Arc<ServerConfig>>, world: &Arc<Mutex<World>>) {
    for stream in listener.incoming().flatten() {
        let _ = stream.set_nodelay(true);
        let (base, world, tls) = (base.to_owned(), Arc::clone(world), tls.cloned());
        // A connection that breaks is the client's to complain about.
        thread::spawn(move || match tls {
            None => converse(stream, &base, &world),
            Some(config) => secured(stream, config).and_then(|stream| converse(stream, &base, &world)),
        });
    }
}

fn secured(
    stream: TcpStream,
    config: Arc<ServerConfig>,
) -> io::Result<StreamOwned<ServerConnection, TcpStream>> {
    Ok(StreamOwned::new(ServerConnection::new(config).map_err(io::Error::other)?, stream))
}

fn converse<S: Read + Write>(stream: S, base: &str, world: &Mutex<World>) -> io::Result<()> {
    let mut connection = Connection::new(stream);
    while let Some(head) = connection.head()? {
        let keep = head.method == "POST" || head.path.starts_with("/api/") || head.path == CONTROL;
        let body = connection.body(&head, keep)?;
        let answer = answer(&mut world.lock().unwrap_or_else(PoisonError::into_inner), base, &head, &body);
        connection.answer(answer)?;
    }
    Ok(())
}

fn answer(world: &mut World, base: &str, head: &Head, body: &Body) -> Answer {
    if head.path == CONTROL {
        return control(world, head, body);
    }
    world.tally.bytes += body.wire;
    if head.path.starts_with("/api/") {
        jamf::answer(world, base, head, body)
    } else if let Some(name) = head.path.strip_prefix(jamf::DOWNLOADS) {
        jamf::download(world, head, name)
    } else {
        s3::answer(world, head, body)
    }
}

fn control(world: &mut World, head: &Head, body: &Body) -> Answer {
    let json = |text| Answer::text("200 OK", "application/json", text);
    match head.method.as_str() {
        "GET" => match serde_json::to_string(&world.tally()) {
            Ok(text) => json(text),
            Err(error) => Answer::text("500 Internal Server Error", "text/plain", error.to_string()),
        },
        "DELETE" => {
            *world = World::staged(std::mem::take(&mut world.known).into_values());
            json("{}".to_owned())
        }
        _ => match serde_json::from_slice::<Vec<Known>>(&body.kept) {
            Ok(files) => {
                *world = World::staged(files);
                json("{}".to_owned())
            }
            Err(error) => Answer::text("400 Bad Request", "text/plain", error.to_string()),
        },
    }
}
