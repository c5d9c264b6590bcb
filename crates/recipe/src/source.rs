use crate::encoding::{utf8, xml_text};
use crate::fault::Problem;
use crate::limits::MAX_FILE_SIZE;
use crate::plist::{BINARY_MAGIC, parse_binary, parse_xml};
use crate::tree::{Malformed, Node};
use crate::yaml;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A recipe file's bytes and its name: read from disk, or shipped with the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The file's path; its suffix says which format it has.
    pub path: PathBuf,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// How a recipe is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Yaml,
    Plist,
}

impl Format {
    /// The format that a file name promises (`autopkg-recipes.md §1.1`), and `.yml` with it.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "yaml" | "yml" => Some(Self::Yaml),
            "plist" | "recipe" => Some(Self::Plist),
            _ => None,
        }
    }
}

impl Source {
    /// Reads a file, unless it is too large to be a recipe.
    ///
    /// # Errors
    /// When the file is no regular file, is larger than [`MAX_FILE_SIZE`], or cannot be read.
    pub fn read(path: &Path) -> Result<Self, Problem> {
        let metadata = path.metadata().map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(Problem::NotAFile);
        }
        let mut bytes = Vec::new();
        if metadata.len() <= MAX_FILE_SIZE {
            let file = File::open(path).map_err(unreadable)?;
            // One byte more than allowed shows that the file has grown since.
            file.take(MAX_FILE_SIZE + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        }
        let size = metadata.len().max(bytes.len() as u64);
        if size > MAX_FILE_SIZE {
            return Err(Problem::TooLarge { size });
        }
        Ok(Self { path: path.to_owned(), bytes })
    }

    /// The format: by the file's suffix, else by how it begins.
    pub(crate) fn format(&self) -> Format {
        let looks_like_plist = || {
            let text = self.bytes.trim_ascii_start();
            [BINARY_MAGIC, b"<?xml", b"<plist", b"<!DOCTYPE"].iter().any(|start| text.starts_with(start))
        };
        Format::of(&self.path)
            .unwrap_or_else(|| if looks_like_plist() { Format::Plist } else { Format::Yaml })
    }

    pub(crate) fn parse(&self) -> Result<Node, Malformed> {
        match self.format() {
            Format::Yaml => yaml::parse(utf8(&self.bytes)?),
            Format::Plist if self.bytes.starts_with(BINARY_MAGIC) => parse_binary(&self.bytes),
            Format::Plist => parse_xml(xml_text(&self.bytes)?),
        }
    }
}

fn unreadable(error: std::io::Error) -> Problem {
    Problem::Unreadable(Arc::new(error))
}
