//! Bytes of one range on their way into the file, off the threads that wait for the network.

use crate::disk;
use bytes::Bytes;
use std::fs::File;
use std::io;
use std::sync::Arc;
use tokio::task::{JoinHandle, spawn_blocking};

/// Bytes that are gathered for one write. While they are written, as many are gathered: so two of these per range are in
/// memory, whatever the file's size.
const BATCH: usize = 1 << 20;

/// Writes chunks one after the other from a place in the file on.
pub(crate) struct Writer {
    file: Arc<File>,
    /// Where the gathered chunks go.
    offset: u64,
    gathered: Vec<Bytes>,
    length: usize,
    writing: Option<JoinHandle<io::Result<()>>>,
}

impl Writer {
    pub(crate) fn new(file: Arc<File>, offset: u64) -> Self {
        Self { file, offset, gathered: Vec::new(), length: 0, writing: None }
    }

    /// Takes a chunk as it is, without a copy. Tells whether it may have waited for the disk.
    pub(crate) async fn take(&mut self, chunk: Bytes) -> io::Result<bool> {
        self.length += chunk.len();
        self.gathered.push(chunk);
        if self.length < BATCH {
            return Ok(false);
        }
        self.begin_write().await?;
        Ok(true)
    }

    /// Waits until all that was taken is in the file.
    pub(crate) async fn finish(mut self) -> io::Result<()> {
        self.begin_write().await?;
        self.end_write().await
    }

    async fn begin_write(&mut self) -> io::Result<()> {
        self.end_write().await?;
        if self.gathered.is_empty() {
            return Ok(());
        }
        let (file, chunks, offset) =
            (Arc::clone(&self.file), std::mem::take(&mut self.gathered), self.offset);
        self.offset += std::mem::take(&mut self.length) as u64;
        self.writing = Some(spawn_blocking(move || write(&file, &chunks, offset)));
        Ok(())
    }

    async fn end_write(&mut self) -> io::Result<()> {
        match self.writing.take() {
            Some(writing) => writing.await.unwrap_or_else(|error| Err(io::Error::other(error))),
            None => Ok(()),
        }
    }
}

fn write(file: &File, chunks: &[Bytes], mut offset: u64) -> io::Result<()> {
    for chunk in chunks {
        disk::write_at(file, chunk, offset)?;
        offset += chunk.len() as u64;
    }
    Ok(())
}
