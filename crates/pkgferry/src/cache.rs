//! `pkgferry cache`: the digests that are remembered of local files.

use crate::args::{CacheArgs, CacheCommand, CachePruneArgs};
use crate::desk::Desk;
use crate::display::{count_of, line};
use crate::error::Error;
use crate::exit::Exit;
use crate::remembered::StateFolder;
use jiff::Timestamp;
use pipeline::{causes, size};
use serde::Serialize;
use state::{CacheFacts, CacheKeep, CachedFiles, Compacted, State};
use std::path::Path;
use tokio_util::sync::CancellationToken;

/// Version of the JSON's shape. It grows when a key changes its meaning or goes; new keys do not count.
const VERSION: u32 = 1;

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
enum Line<'a> {
    Cache {
        version: u32,
        time: Timestamp,
        folder: Option<&'a Path>,
        files: u64,
        bytes_on_disk: u64,
        bytes_free: u64,
        oldest_use: Option<Timestamp>,
        use_unknown: u64,
    },
}

/// `pkgferry cache show` and `prune`.
pub fn cache(args: &CacheArgs, folder: &StateFolder, cancel: CancellationToken) -> Result<Exit, Error> {
    let desk = Desk::new(matches!(&args.command, CacheCommand::Show(args) if args.json), cancel);
    let state = folder.look(&desk.cx)?;
    match &args.command {
        CacheCommand::Show(args) => show(state.as_ref(), folder, args.json, &desk)?,
        CacheCommand::Prune(args) => match &state {
            Some(state) => prune(state, args, &desk)?,
            None => desk.display.say("no digests are remembered\n")?,
        },
    }
    Ok(Exit::Done)
}

fn show(state: Option<&State>, folder: &StateFolder, json: bool, desk: &Desk) -> Result<(), Error> {
    let nothing =
        CacheFacts { entries: 0, bytes_on_disk: 0, bytes_free: 0, oldest_use: None, use_unknown: 0 };
    let facts = state.map_or(Ok(nothing), |state| state.digest_cache().facts()).map_err(Error::Remembered)?;
    if json {
        return line(&Line::Cache {
            version: VERSION,
            time: desk.now(),
            folder: folder.path(),
            files: facts.entries,
            bytes_on_disk: facts.bytes_on_disk,
            bytes_free: facts.bytes_free,
            oldest_use: facts.oldest_use,
            use_unknown: facts.use_unknown,
        });
    }
    let at = folder.path().map(|path| format!(" in {}", path.display())).unwrap_or_default();
    let mut text = match facts.entries {
        0 => "no digests are remembered\n".to_owned(),
        files => format!("digests of {} are remembered{at}\n", count_of(files, "file")),
    };
    if state.is_some() {
        let CacheFacts { bytes_on_disk, bytes_free, oldest_use, use_unknown, .. } = facts;
        let free =
            if bytes_free > 0 { format!(", {} of them free", size(bytes_free)) } else { String::new() };
        text.push_str(&format!(
            "  on disk      {}{free}, with the history and all else\n",
            size(bytes_on_disk)
        ));
        if let Some(oldest) = oldest_use {
            text.push_str(&format!("  oldest use   {}\n", oldest.strftime("%F")));
        }
        if use_unknown > 0 {
            text.push_str(&format!("  use unknown  {}\n", count_of(use_unknown, "file")));
        }
    }
    desk.display.say(&text)
}

fn prune(state: &State, args: &CachePruneArgs, desk: &Desk) -> Result<(), Error> {
    let keep = CacheKeep {
        used_since: args.unused_for.map(|days| crate::chronicle::days_ago(days, desk.now())),
        entries: args.at_most,
        files: if args.missing { CachedFiles::Present } else { CachedFiles::Any },
    };
    let cache = state.digest_cache();
    if args.dry_run {
        let would = cache.prunable(keep).map_err(Error::Remembered)?;
        let files = count_of(would.entries, "file");
        return desk.display.say(&format!("digests of {files} would be forgotten\n"));
    }
    let pruned = cache.prune(keep).map_err(Error::Remembered)?;
    desk.display.say(&format!("digests of {} are forgotten\n", count_of(pruned.entries, "file")))?;
    match state.compact() {
        Ok(Compacted::Done { before, after }) if after < before => desk.display.say(&format!(
            "the state takes {} on disk now, and took {}\n",
            size(after),
            size(before)
        )),
        Ok(Compacted::Done { after, .. }) => {
            desk.display.say(&format!("the state takes {} on disk\n", size(after)))
        }
        Ok(Compacted::InUse) => desk
            .display
            .say("others use the state now: the room is used again, and given back another time\n"),
        // What was asked for is done.
        Err(error) => {
            let why = causes(&error).collect::<Vec<_>>().join(": ");
            desk.cx.warn(format!("the room is not given back to the disk: {why}"));
            Ok(())
        }
    }
}
