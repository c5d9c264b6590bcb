//! As much of HTTP/1.1 as clients of S3 and of Jamf Pro speak, over any byte stream.

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read, Seek as _, SeekFrom, Write};

/// Bytes per read of a body. Large, so that what is measured is the client and not this.
const BUFFER: usize = 1 << 20;
/// Bytes per write of a file, where the system cannot send it by itself.
const FILE_BUFFER: usize = 256 << 10;
const LARGEST_HEAD: usize = 64 << 10;
/// Bodies that are kept are small: JSON, and lists of parts.
const LARGEST_KEPT: u64 = 16 << 20;

/// A request's first line and fields.
#[derive(Debug, PartialEq, Eq)]
pub struct Head {
    pub method: String,
    /// Decoded.
    pub path: String,
    /// As it came.
    query: String,
    /// Names in lower case.
    fields: Vec<(String, String)>,
}

impl Head {
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.split("\r\n");
        let mut first = lines.next()?.split(' ');
        let (method, target) = (first.next()?.to_owned(), first.next()?);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = percent_encoding::percent_decode_str(path).decode_utf8().ok()?.into_owned();
        let field = |line: &str| {
            line.split_once(':').map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        };
        Some(Self { method, path, query: query.to_owned(), fields: lines.filter_map(field).collect() })
    }

    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A parameter of the query, decoded; one without a value is empty.
    pub fn parameter(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    fn is(&self, field: &str, value: &str) -> bool {
        self.field(field).is_some_and(|text| text.eq_ignore_ascii_case(value))
    }
}

/// What a request carried.
#[derive(Debug, Default)]
pub struct Body {
    /// Its length, as sent.
    pub wire: u64,
    /// The bytes, where they were kept.
    pub kept: Vec<u8>,
}

/// What is answered.
pub struct Answer {
    pub status: &'static str,
    /// Whole lines, each with its end.
    pub fields: String,
    pub content: Content,
}

/// The body of an answer.
pub enum Content {
    Text(String),
    /// Nothing, with the length that a GET would have told.
    OnlyLength(u64),
    /// A range of a file.
    File {
        file: File,
        from: u64,
        length: u64,
    },
}

impl Answer {
    pub fn empty(status: &'static str) -> Self {
        Self { status, fields: String::new(), content: Content::Text(String::new()) }
    }

    pub fn text(status: &'static str, kind: &str, text: String) -> Self {
        Self { status, fields: format!("Content-Type: {kind}\r\n"), content: Content::Text(text) }
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.push_str(&format!("{name}: {value}\r\n"));
        self
    }
}

/// A stream, and what was read of it too early.
pub struct Connection<S> {
    stream: S,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
}

impl<S: Read + Write> Connection<S> {
    pub fn new(stream: S) -> Self {
        Self { stream, buffer: vec![0; BUFFER].into_boxed_slice(), start: 0, end: 0 }
    }

    /// The next request; `None` when the client has gone.
    pub fn head(&mut self) -> io::Result<Option<Head>> {
        let Some(text) = self.until(b"\r\n\r\n")? else { return Ok(None) };
        let head = std::str::from_utf8(&text).ok().and_then(Head::parse);
        Ok(Some(head.ok_or(ErrorKind::InvalidData)?))
    }

    /// Reads the body of a request and drops it, or keeps it.
    pub fn body(&mut self, head: &Head, keep: bool) -> io::Result<Body> {
        if head.is("expect", "100-continue") {
            self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
            self.stream.flush()?;
        }
        let mut body = Body::default();
        if head.is("transfer-encoding", "chunked") {
            // boto3 sends its checksums so.
            loop {
                let line = self.line()?;
                let size = line.split(';').next().and_then(|size| u64::from_str_radix(size.trim(), 16).ok());
                let size = size.ok_or(ErrorKind::InvalidData)?;
                if size == 0 {
                    while !self.line()?.is_empty() {}
                    return Ok(body);
                }
                self.take(size, keep, &mut body)?;
                self.line()?;
            }
        }
        if let Some(length) = head.field("content-length") {
            self.take(length.parse().map_err(|_| ErrorKind::InvalidData)?, keep, &mut body)?;
        }
        Ok(body)
    }

    /// Reads so many bytes of a body.
    fn take(&mut self, bytes: u64, keep: bool, body: &mut Body) -> io::Result<()> {
        body.wire = body.wire.saturating_add(bytes);
        if keep && body.wire > LARGEST_KEPT {
            return Err(ErrorKind::InvalidData.into());
        }
        let mut left = bytes;
        while left > 0 {
            if self.start == self.end {
                let wanted = usize::try_from(left).map_or(BUFFER, |left| left.min(BUFFER));
                (self.start, self.end) = (0, self.stream.read(&mut self.buffer[..wanted])?);
                if self.end == 0 {
                    return Err(ErrorKind::UnexpectedEof.into());
                }
            }
            let here = self.end - self.start;
            let taken = usize::try_from(left).map_or(here, |left| left.min(here));
            if keep {
                body.kept.extend_from_slice(&self.buffer[self.start..self.start + taken]);
            }
            self.start += taken;
            left -= taken as u64;
        }
        Ok(())
    }

    /// Reads up to the end of a line, which is left out.
    fn line(&mut self) -> io::Result<String> {
        let text = self.until(b"\r\n")?.ok_or(ErrorKind::UnexpectedEof)?;
        String::from_utf8(text).map_err(|_| ErrorKind::InvalidData.into())
    }

    /// Reads up to a mark, which is left out; `None` when the client has gone.
    fn until(&mut self, mark: &[u8]) -> io::Result<Option<Vec<u8>>> {
        loop {
            let pending = &self.buffer[self.start..self.end];
            if let Some(length) = pending.windows(mark.len()).position(|window| window == mark) {
                let text = pending[..length].to_vec();
                self.start += length + mark.len();
                return Ok(Some(text));
            }
            if pending.len() >= LARGEST_HEAD {
                return Err(ErrorKind::InvalidData.into());
            }
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
            match self.stream.read(&mut self.buffer[self.end..])? {
                0 => return Ok(None),
                read => self.end += read,
            }
        }
    }

    /// Sends an answer.
    pub fn answer(&mut self, answer: Answer) -> io::Result<()> {
        let Answer { status, fields, content } = answer;
        let length = match &content {
            Content::Text(text) => text.len() as u64,
            Content::OnlyLength(length) | Content::File { length, .. } => *length,
        };
        let mut text = format!("HTTP/1.1 {status}\r\n{fields}Content-Length: {length}\r\n\r\n");
        if let Content::Text(body) = &content {
            text.push_str(body);
        }
        self.stream.write_all(text.as_bytes())?;
        if let Content::File { mut file, from, length } = content {
            file.seek(SeekFrom::Start(from))?;
            // Over plain HTTP the standard library makes a `sendfile` of this.
            let sent =
                io::copy(&mut BufReader::with_capacity(FILE_BUFFER, file.take(length)), &mut self.stream)?;
            if sent != length {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        self.stream.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a client sends, in reads of a few bytes, and what it gets.
    struct Client {
        sends: io::Cursor<Vec<u8>>,
        step: usize,
        gets: Vec<u8>,
    }

    impl Client {
        fn new(sends: &str, step: usize) -> Self {
            Self { sends: io::Cursor::new(sends.into()), step, gets: Vec::new() }
        }
    }

    impl Read for Client {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let step = self.step.min(buffer.len());
            self.sends.read(&mut buffer[..step])
        }
    }

    impl Write for Client {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.gets.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn requests_follow_each_other_however_they_are_cut() {
        let text = "PUT /b/a%2Bb.pkg?partNumber=2&uploadId=u%201 HTTP/1.1\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello\
                    POST /b?uploads HTTP/1.1\r\ncontent-length:2\r\n\r\n{}\
                    PUT /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n0b;x=y\r\nand, eleven\r\n0\r\nt: x\r\n\r\n\
                    GET / HTTP/1.1\r\n\r\n";
        for step in [1, 3, 64, 4096] {
            let mut connection = Connection::new(Client::new(text, step));
            let put = connection.head().unwrap().unwrap();
            assert_eq!((&*put.method, &*put.path), ("PUT", "/b/a+b.pkg"));
            assert_eq!(put.parameter("uploadId").as_deref(), Some("u 1"));
            let body = connection.body(&put, false).unwrap();
            assert_eq!((body.wire, body.kept.len()), (5, 0));
            let post = connection.head().unwrap().unwrap();
            assert_eq!(post.parameter("uploads").as_deref(), Some(""));
            assert_eq!(connection.body(&post, true).unwrap().kept, b"{}");
            let chunked = connection.head().unwrap().unwrap();
            assert_eq!(connection.body(&chunked, true).unwrap().kept, b"fourand, eleven");
            assert_eq!(connection.head().unwrap().unwrap().path, "/");
            assert!(connection.head().unwrap().is_none());
            assert_eq!(connection.stream.gets, b"HTTP/1.1 100 Continue\r\n\r\n");
        }
    }

    #[test]
    fn a_body_that_ends_early_is_an_error() {
        let mut connection =
            Connection::new(Client::new("PUT /b/k HTTP/1.1\r\nContent-Length: 9\r\n\r\nhello", 64));
        let head = connection.head().unwrap().unwrap();
        assert_eq!(connection.body(&head, false).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    }
}
