//! The sink as the bench sees it: a child that it starts, stages and asks.

use crate::error::Error;
use crate::sink::{CONTROL, Known, Reach, Tally};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How a client reaches the sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Over {
    /// Encrypted, as in production.
    Tls,
    /// In clear, as to the rehearsal server.
    Http,
}

/// A running sink; it ends with this value.
#[derive(Debug)]
pub struct Sink {
    process: Child,
    reach: Reach,
}

impl Sink {
    /// Starts it as a process of its own; its certificate goes into `folder`.
    pub fn start(folder: &Path) -> Result<Self, Error> {
        let own = std::env::current_exe().map_err(Error::io("the bench does not find itself"))?;
        let mut command = Command::new(own);
        command.arg("sink").arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
        // Ctrl-C is not for it: it ends by itself, and cleans up.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut process = command.spawn().map_err(Error::io("the sink cannot be started"))?;
        let mut line = String::new();
        if let Some(output) = process.stdout.take() {
            BufReader::new(output).read_line(&mut line).map_err(Error::io("the sink says nothing"))?;
        }
        let sink = Self { process, reach: serde_json::from_str(&line).map_err(Error::json)? };
        sink.removes(folder)?;
        Ok(sink)
    }

    /// Lets it remove a folder in the end, however the bench ends.
    pub fn removes(&self, folder: &Path) -> Result<(), Error> {
        let Some(mut input) = self.process.stdin.as_ref() else { return Ok(()) };
        writeln!(input, "{}", folder.display()).map_err(Error::io("the sink has gone"))
    }

    /// Its address, without a slash at the end.
    pub fn base(&self, over: Over) -> String {
        match over {
            Over::Tls => format!("https://localhost:{}", self.reach.tls),
            Over::Http => format!("http://localhost:{}", self.reach.http),
        }
    }

    /// The certificate authority that clients have to trust.
    pub fn ca(&self) -> &Path {
        &self.reach.ca
    }

    /// Tells it which files a run is about; forgets everything else.
    pub fn stage(&self, files: &[Known]) -> Result<(), Error> {
        self.ask("PUT", &serde_json::to_string(files).map_err(Error::json)?).map(drop)
    }

    /// Forgets what came.
    pub fn reset(&self) -> Result<(), Error> {
        self.ask("DELETE", "").map(drop)
    }

    /// What came since the last reset.
    pub fn tally(&self) -> Result<Tally, Error> {
        serde_json::from_str(&self.ask("GET", "")?).map_err(Error::json)
    }

    /// CPU time that it has taken so far, where the system tells.
    pub fn cpu(&self) -> Option<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id())).ok()?;
        Some(Duration::from_secs_f64(ticks(&stat)? as f64 / rustix::param::clock_ticks_per_second() as f64))
    }

    fn ask(&self, method: &str, body: &str) -> Result<String, Error> {
        let talk = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.reach.http))?;
            let length = body.len();
            write!(stream, "{method} {CONTROL} HTTP/1.1\r\nContent-Length: {length}\r\n\r\n{body}")?;
            stream.shutdown(std::net::Shutdown::Write)?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        let answer = talk().map_err(Error::io("the sink cannot be asked"))?;
        match answer.split_once("\r\n\r\n") {
            Some((head, body)) if head.starts_with("HTTP/1.1 200") => Ok(body.to_owned()),
            _ => Err(Error::Sink(answer)),
        }
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        // It ends when its input does; this also reaps it.
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// User and system time in a line of `/proc/PID/stat`. The name in it may hold blanks and parentheses.
fn ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

#[cfg(test)]
mod tests {
    #[test]
    fn ticks_are_user_and_system_time() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194560 100 0 0 0 250 31 0 0 20 0 3 0 100 1000 10";
        assert_eq!(super::ticks(stat), Some(281));
        assert_eq!(super::ticks("7 (a) S 1"), None);
    }
}
