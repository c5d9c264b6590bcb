//! The S3 side: a server that speaks the S3 protocol, over a folder, for the credentials that the Jamf side hands out.
//!
//! `s3s` reads requests, verifies signatures and writes XML; what a bucket of Jamf's does is here. A request goes
//! [`Door`] ([`meddle`]) → [`auth`] → [`backend`] → ([`upload`], [`complete`]) → [`blob`].

mod auth;
mod backend;
mod blob;
mod checksum;
mod claim;
mod complete;
mod journal;
mod meddle;
mod refusal;
#[cfg(test)]
mod tests;
mod upload;

use crate::Error;
use crate::grant::Desk;
use complete::Hand;
use http::HeaderValue;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use journal::{Counted, Entry, Recorded};
use meddle::{Instead, Operation};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, HttpError, HttpResponse, S3Error};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;
use upload::Uploads;

/// A running S3 side; it stops on drop.
pub(crate) struct S3Side {
    address: SocketAddr,
    uploads: Arc<Uploads>,
    _serving: AbortOnDropHandle<()>,
}

impl S3Side {
    /// Starts it. Uploads that an earlier process left unfinished in the folder are removed.
    pub(crate) async fn start(
        listen: SocketAddr,
        folder: PathBuf,
        desk: Arc<dyn Desk>,
    ) -> Result<Self, Error> {
        let incoming = folder.join("uploads");
        let objects = folder.join("objects");
        make_empty(&incoming).map_err(|source| Error::Data { path: incoming.clone(), source })?;
        std::fs::create_dir_all(&objects).map_err(|source| Error::Data { path: objects.clone(), source })?;

        let failed = |source| Error::Listen { address: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;

        let uploads = Arc::new(Uploads::new(incoming.clone()));
        let hand = Hand { uploads: Arc::clone(&uploads), objects, desk: Arc::clone(&desk) };
        let mut service = S3ServiceBuilder::new(backend::Backend { hand, incoming });
        service.set_auth(auth::Secrets { desk: Arc::clone(&desk) });
        service.set_access(auth::Policy);
        service.set_host(auth::Hosts);
        service.set_config(Arc::new(meddle::Leniency::new(Arc::clone(&desk))));
        let door = Arc::new(Door { desk, service: service.build() });
        let serving = AbortOnDropHandle::new(tokio::spawn(serve(listener, door)));
        Ok(Self { address, uploads, _serving: serving })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Keys of multipart uploads that were begun and neither completed nor aborted.
    pub(crate) fn open_uploads(&self) -> Vec<String> {
        self.uploads.open_keys()
    }
}

fn make_empty(folder: &Path) -> std::io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    std::fs::create_dir_all(folder)
}

/// Serves until it is dropped, and with it all connections.
async fn serve(listener: TcpListener, door: Arc<Door>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve_connection(stream, Arc::clone(&door)));
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::task::yield_now().await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve_connection(stream: TcpStream, door: Arc<Door>) {
    // Answers are small: they shall not wait for more.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| door.pass(request));
    let served = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    if let Err(error) = served.await {
        tracing::debug!(%error, "a connection to the S3 side ended early");
    }
}

/// The one way in: every request passes here before anything is done about it, and every answer passes here last.
struct Door {
    desk: Arc<dyn Desk>,
    service: S3Service,
}

impl Door {
    async fn pass(&self, request: http::Request<Incoming>) -> Result<http::Response<Recorded>, HttpError> {
        let entry = Entry::begin(Arc::clone(&self.desk), &request);
        let operation = Operation::of(request.method(), request.uri());
        let mut request = entry.counting(request);
        let faults = self.desk.faults();
        meddle::strip(faults, request.headers_mut());
        let answer = match meddle::instead(faults, operation, request.headers()) {
            None => self.answer(request, operation).await?,
            Some(Instead::Refuse(refusal)) => say(refusal)?,
            Some(Instead::Cut) => {
                meddle::read_half(&mut request).await;
                entry.unanswered();
                return Err(meddle::closed());
            }
            Some(Instead::Stall) => {
                meddle::read_half(&mut request).await;
                entry.unanswered();
                return std::future::pending().await;
            }
        };
        let Some(answer) = meddle::answer(faults, operation, answer).await? else {
            entry.unanswered();
            return Err(meddle::closed());
        };
        let mut answer = sign_off(answer);
        faults.date(answer.headers_mut());
        Ok(entry.answered(answer))
    }

    async fn answer(
        &self,
        request: http::Request<Counted>,
        operation: Operation,
    ) -> Result<HttpResponse, HttpError> {
        let (mut head, body) = request.into_parts();
        let admitted = claim::states_its_length(&head.method, &head.headers)
            .and_then(|()| auth::admit(&*self.desk, &head, operation));
        match admitted {
            Ok(grant) => {
                head.extensions.insert(grant);
                let request = http::Request::from_parts(head, Body::http_body(body));
                let answer = self.service.call(request).await?;
                if refusal::is_of_a_broken_body(&answer) {
                    return say(blob::not_as_signed());
                }
                let is_begun = operation == Operation::Complete && answer.status().is_success();
                Ok(if is_begun { refusal::with_blank(answer) } else { answer })
            }
            Err(refusal) => say(refusal),
        }
    }
}

fn say(refusal: S3Error) -> Result<HttpResponse, HttpError> {
    refusal.to_http_response().map_err(|error| HttpError::new(Box::new(error)))
}

/// Gives an answer the id that S3 gives each, and refusals the rest of their document.
fn sign_off(mut answer: HttpResponse) -> HttpResponse {
    let id = uuid::Uuid::new_v4().simple().to_string().to_uppercase();
    if !answer.status().is_success()
        && let Some(document) = answer.body().bytes().and_then(|document| refusal::complete(&document, &id))
    {
        answer.headers_mut().remove(http::header::CONTENT_LENGTH);
        *answer.body_mut() = Body::from(document);
    }
    if let Ok(id) = HeaderValue::from_str(&id) {
        answer.headers_mut().insert("x-amz-request-id", id);
    }
    answer
}
