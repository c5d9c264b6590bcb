//! What is measured, beside whom, and what has to be reached.

use crate::cold;
use crate::error::Error;
use crate::inner::What;
use crate::remote::{Over, Sink};
use crate::rounds::{self, Before, Contender, Entry, Proof, Rounds};
use crate::size::Size;
use crate::source::{Folder, known};
use crate::table::{self, Figure, Limit, Must};
use crate::tools::{Stage, Tools, bare, label::*};
use std::path::{Path, PathBuf};

/// Most memory that pkgferry may take for a file of any size, in MiB.
const MEMORY: f64 = 96.0;

/// A set of contenders with one task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Case {
    /// One large file up
    Upload,
    /// Many small files up
    Many,
    /// Digests of a large file
    Hash,
    /// A run that finds nothing to do
    Unchanged,
    /// One large file down
    Download,
    /// A process that only starts
    Start,
}

impl Case {
    pub const ALL: [Self; 6] =
        [Self::Upload, Self::Many, Self::Hash, Self::Unchanged, Self::Download, Self::Start];
}

/// How much of it, and who.
#[derive(Clone, Debug)]
pub struct Scale {
    pub rounds: Rounds,
    /// Of the large file.
    pub sizes: Vec<Size>,
    /// Of each of the many.
    pub small: Size,
    pub many: usize,
    pub unchanged: usize,
    pub over: Vec<Over>,
    /// Parts of labels; empty takes everybody.
    pub only: Vec<String>,
    /// Where sources go, instead of the usual places.
    pub folder: Option<PathBuf>,
}

/// Everything that cases share.
#[derive(Debug)]
pub struct Bench<'a> {
    pub scale: &'a Scale,
    pub tools: &'a Tools,
    pub sink: &'a Sink,
    /// How many contenders have failed.
    pub failed: usize,
}

impl Bench<'_> {
    /// Measures one case and prints its tables.
    pub fn run(&mut self, case: Case) -> Result<(), Error> {
        match case {
            Case::Upload => self.scale.sizes.iter().try_for_each(|size| self.upload(*size)),
            Case::Many => self.many(),
            Case::Hash => self.scale.sizes.last().map_or(Ok(()), |size| self.hash(*size)),
            Case::Unchanged => self.unchanged(),
            Case::Download => self.scale.sizes.last().map_or(Ok(()), |size| self.download(*size)),
            Case::Start => self.start(),
        }
    }

    fn upload(&mut self, size: Size) -> Result<(), Error> {
        let mut folder = self.folder(size.0)?;
        let file = folder.file("large.pkg", size.0)?;
        let takes_part = self.wants(KNOWN) || self.wants(HASHING);
        self.sink.stage(&[known(&file, takes_part)?])?;
        if takes_part {
            folder.settle();
        }
        for over in &self.scale.over {
            let (tools, stage) = (self.tools, self.stage(*over, &folder));
            let (one, forgotten) = (std::slice::from_ref(&file), folder.join("forgotten"));
            let contenders = [
                tools.curl_put(&stage, &file),
                tools.boto3(&stage, one),
                tools.awscli(&stage, &file),
                tools.rclone(&stage, &file),
                // The warm-up fills the state; the sink forgets what it got before every run.
                Some(Contender {
                    label: KNOWN,
                    before: vec![Before::ForgetDeliveries(folder.join("state"))],
                    ..tools.pkgferry(&stage, &folder.join("state"), one)
                }),
                Some(Contender {
                    label: HASHING,
                    before: vec![Before::Remove(forgotten.clone())],
                    ..tools.pkgferry(&stage, &forgotten, one)
                }),
            ];
            let sent = Proof::Sent(vec![size.0]);
            let senders = contenders.into_iter().flatten();
            let mut contenders: Vec<_> =
                senders.map(|contender| Contender { proof: sent.clone(), ..contender }).collect();
            contenders.push(Contender { label: BOTH, ..tools.hash(What::Both, &file) });
            let wanted = [
                Must::new(Figure::Ratio(KNOWN, &[CURL]), Limit::AtMost(slower(*over))),
                Must::new(Figure::Ratio(BOTO3, &[KNOWN]), Limit::AtLeast(2.5)),
                Must::new(Figure::Ratio(HASHING, &[KNOWN, BOTH]), Limit::AtMost(1.15)),
                Must::new(Figure::Peak(KNOWN), Limit::AtMost(MEMORY)),
                Must::new(Figure::Peak(HASHING), Limit::AtMost(MEMORY)),
            ];
            self.compare(&format!("upload of {size} over {}", name(*over)), contenders, &wanted)?;
        }
        Ok(())
    }

    fn many(&mut self) -> Result<(), Error> {
        let (small, many) = (self.scale.small, self.scale.many);
        let mut folder = self.folder(small.0 * many as u64)?;
        let inside = folder.join("many");
        make_folder(&inside)?;
        let files = (0..many)
            .map(|number| folder.file(&format!("many/{number:04}.pkg"), small.0))
            .collect::<Result<Vec<_>, _>>()?;
        for over in &self.scale.over {
            let (tools, stage) = (self.tools, self.stage(*over, &folder));
            let put = |file: &PathBuf| {
                format!("upload-file = \"{}\"\nurl = \"{}\"\n", file.display(), stage.object(file))
            };
            let options = folder.join("curl.options");
            write(&options, &files.iter().map(put).collect::<String>())?;
            let contenders = [
                tools.curl(&stage, &options),
                tools.boto3(&stage, &files),
                tools.awscli(&stage, &inside),
                tools.rclone(&stage, &inside),
                Some(tools.engine_upload(&stage, &files)),
            ];
            let proof = Proof::Sent(vec![small.0; many]);
            let contenders = contenders.into_iter().flatten();
            let contenders = contenders.map(|contender| Contender { proof: proof.clone(), ..contender });
            let wanted = [Must::new(Figure::Ratio(BOTO3, &[PKGFERRY]), Limit::AtLeast(2.5))];
            let title = format!("{many} files of {small} over {}", name(*over));
            self.compare(&title, contenders.collect(), &wanted)?;
        }
        Ok(())
    }

    /// On a disk, since what lives in memory is never cold.
    fn hash(&mut self, size: Size) -> Result<(), Error> {
        let parent = self.scale.folder.clone().unwrap_or_else(std::env::temp_dir);
        let mut folder = self.make_folder(Some(&parent), size.0)?;
        let file = folder.file("large.pkg", size.0)?;
        let tools = self.tools;
        let contenders = [
            Some(Contender { label: SHA3, ..tools.hash(What::Sha3, &file) }),
            Some(Contender { label: MD5, ..tools.hash(What::Md5, &file) }),
            Some(Contender { label: BOTH, ..tools.hash(What::Both, &file) }),
            tools.hashlib("sha3_512", &file).map(|hash| Contender { label: HASHLIB_SHA3, ..hash }),
            tools.hashlib("md5", &file).map(|hash| Contender { label: HASHLIB_MD5, ..hash }),
        ];
        let warm: Vec<Contender> = contenders.into_iter().flatten().collect();
        let wanted = [
            Must::new(Figure::Ratio(BOTH, &[SHA3]), Limit::AtMost(1.1)),
            Must::new(Figure::Ratio(SHA3, &[HASHLIB_SHA3]), Limit::AtMost(1.0)),
        ];
        self.compare(&format!("hash of {size}, warm cache"), warm.clone(), &wanted)?;
        if !cold::can_be_cold(&file) {
            println!("\nhash of {size}, cold cache: skipped, {} keeps its files in memory", parent.display());
            return Ok(());
        }
        let cold =
            warm.into_iter().map(|hash| Contender { before: vec![Before::DropCache(file.clone())], ..hash });
        self.compare(&format!("hash of {size}, cold cache"), cold.collect(), &wanted[..1])
    }

    /// Beside what asks for every package by itself makes at least, without a client's own work: a look at the record of each file,
    /// one after the other.
    fn unchanged(&mut self) -> Result<(), Error> {
        let (size, many) = (Size::kib(64), self.scale.unchanged);
        let mut folder = self.folder(size.0 * many as u64)?;
        let files = (0..many)
            .map(|number| folder.file(&format!("{number:04}.pkg"), size.0))
            .collect::<Result<Vec<_>, _>>()?;
        let staged =
            files.iter().map(|file| Ok(crate::sink::Known { delivered: true, ..known(file, true)? }));
        let staged = staged.collect::<Result<Vec<_>, Error>>()?;
        self.sink.stage(&staged)?;
        folder.settle();
        for over in &self.scale.over {
            let (tools, stage) = (self.tools, self.stage(*over, &folder));
            let options = folder.join("curl.options");
            let look = |file: &crate::sink::Known| format!("url = \"{}\"\n", stage.look_up(&file.name));
            write(&options, &staged.iter().map(look).collect::<String>())?;
            let forgotten = folder.join("forgotten");
            let contenders = [
                tools.curl_in_turn(&stage, &options),
                Some(Contender {
                    label: KNOWN,
                    proof: Proof::Sent(Vec::new()),
                    ..tools.pkgferry(&stage, &folder.join("state"), &files)
                }),
                Some(Contender {
                    label: HASHING,
                    proof: Proof::Sent(Vec::new()),
                    before: vec![Before::Remove(forgotten.clone())],
                    ..tools.pkgferry(&stage, &forgotten, &files)
                }),
            ];
            let wanted = [
                Must::new(Figure::Wall(KNOWN), Limit::AtMost(2.0)),
                Must::new(Figure::Difference(KNOWN, CURL), Limit::AtMost(0.3)),
            ];
            let title = format!("{many} unchanged files over {}", name(*over));
            self.compare(&title, contenders.into_iter().flatten().collect(), &wanted)?;
        }
        Ok(())
    }

    fn download(&mut self, size: Size) -> Result<(), Error> {
        // jamf-pro-sdk keeps all ranges beside the file that it makes of them.
        let mut folder = self.folder(3 * size.0)?;
        let file = folder.file("large.pkg", size.0)?;
        self.sink.stage(&[known(&file, false)?])?;
        let target = folder.join("target.pkg");
        for over in &self.scale.over {
            let (tools, stage) = (self.tools, self.stage(*over, &folder));
            let contenders = [
                tools.curl_get(&stage, "large.pkg", &target),
                tools.jamf_sdk(&stage, "large.pkg", &target),
                Some(tools.engine_download(&stage, "large.pkg", size.0, &target)),
            ];
            let contenders = contenders.into_iter().flatten().map(|contender| Contender {
                proof: Proof::Wrote(target.clone(), size.0),
                before: vec![Before::Remove(target.clone())],
                ..contender
            });
            let wanted = [
                Must::new(Figure::Ratio(PKGFERRY, &[CURL]), Limit::AtMost(1.2)),
                Must::new(Figure::Ratio(JAMF_SDK, &[PKGFERRY]), Limit::AtLeast(3.0)),
            ];
            self.compare(&format!("download of {size} over {}", name(*over)), contenders.collect(), &wanted)?;
            crate::source::remove(&target)?;
        }
        Ok(())
    }

    fn start(&mut self) -> Result<(), Error> {
        let tools = self.tools;
        let python = |code| tools.python.as_ref().map(|python| bare(python, ["-W", "ignore", "-c", code]));
        let import = |label, there: bool, code| {
            python(code).filter(|_| there).map(|contender| Contender { label, ..contender })
        };
        let contenders = [
            Some(Contender { label: PKGFERRY, ..bare(&tools.pkgferry, ["--version"]) }),
            tools.curl.as_ref().map(|curl| Contender { label: CURL, ..bare(curl, ["--version"]) }),
            import(PYTHON, true, "pass"),
            import(BOTO3, tools.has_boto3, "import boto3"),
            import(JAMF_SDK, tools.has_jamf_sdk, "import jamf_pro_sdk"),
        ];
        let wanted = [Must::new(Figure::Wall(PKGFERRY), Limit::AtMost(0.01))];
        self.compare("start", contenders.into_iter().flatten().collect(), &wanted)
    }

    fn compare(&mut self, title: &str, contenders: Vec<Contender>, wanted: &[Must]) -> Result<(), Error> {
        let contenders: Vec<_> =
            contenders.into_iter().filter(|contender| self.wants(contender.label)).collect();
        let entries: Vec<Entry> = rounds::run(self.scale.rounds, self.sink, &contenders)?;
        print!("{}{}", table::results(title, &entries), table::musts(&entries, wanted));
        self.failed += entries.iter().filter(|entry| entry.outcome.is_err()).count();
        Ok(())
    }

    fn wants(&self, label: &str) -> bool {
        let only = &self.scale.only;
        only.is_empty() || only.iter().any(|part| label.contains(part.as_str()))
    }

    fn folder(&self, needed: u64) -> Result<Folder, Error> {
        self.make_folder(self.scale.folder.as_deref(), needed)
    }

    fn make_folder(&self, parent: Option<&Path>, needed: u64) -> Result<Folder, Error> {
        let folder = Folder::make(parent, needed)?;
        self.sink.removes(folder.path())?;
        Ok(folder)
    }

    fn stage<'b>(&'b self, over: Over, folder: &'b Folder) -> Stage<'b> {
        Stage { sink: self.sink, over, folder: folder.path() }
    }
}

/// How many times as long as `curl` an upload may take.
fn slower(over: Over) -> f64 {
    match over {
        Over::Tls => 1.1,
        Over::Http => 1.5,
    }
}

fn name(over: Over) -> &'static str {
    match over {
        Over::Tls => "TLS",
        Over::Http => "HTTP",
    }
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    std::fs::write(path, text).map_err(Error::io(format!("{} cannot be written", path.display())))
}

fn make_folder(path: &Path) -> Result<(), Error> {
    std::fs::create_dir(path).map_err(Error::io(format!("{} cannot be made", path.display())))
}
