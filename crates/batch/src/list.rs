use crate::fault::{Fault, Faults, Problem};
use crate::layout::{self, Entry, Layout, Member, RECIPES};
use crate::position::Lines;
use crate::select::Note;
use indexmap::IndexMap;
use pipeline::Value;
use pipeline::text::acts;
use recipe::{Located, Place, Position, Source, Syntax, nearest};
use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

/// Keys of a list that AutoPkg knows and that nothing here acts on.
const PROCESSORS: &[&str] = &["preprocessors", "postprocessors"];

/// What a recipe list says (`autopkg-recipes.md §5.1`).
///
/// - Text: one recipe a line. Empty lines and lines that begin with `#` are passed over; blanks around a name, which AutoPkg
///   takes for part of it, do not count.
/// - Property list, XML or binary, YAML and JSON: an array of recipes, or a dict with an array `recipes`. As in AutoPkg all
///   other keys of the dict are variables, except `preprocessors` and `postprocessors`, which are passed over with a note.
///
/// A recipe is a file, an identifier, a name, a folder or a pattern: [`select`](crate::select()) tells them apart.
#[derive(Clone, Debug)]
pub struct RecipeList {
    /// The file, as the caller named it.
    pub file: Arc<Path>,
    /// The recipes in the order of the file, each once. Never empty.
    pub recipes: Vec<Located<String>>,
    /// Variables for every recipe of the list. They win over a recipe's Input, and `-k` wins over them
    /// (`autopkg-recipes.md §3.2`). None of them has been looked at: a list may hold a secret as a settings file may.
    pub variables: IndexMap<String, Located<Value>>,
    /// What somebody may want to know about the file.
    pub notes: Vec<Note>,
}

/// How a list is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Text,
    Plist,
    Yaml,
    Json,
}

impl Format {
    /// A property list shows itself, as AutoPkg tries that first whatever the name; else the suffix decides, and all but
    /// `.plist`, `.yaml`, `.yml` and `.json` is text.
    fn of(source: &Source) -> Self {
        let start = source.bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&source.bytes).trim_ascii_start();
        let magic: [&[u8]; 4] = [b"bplist", b"<?xml", b"<plist", b"<!DOCTYPE"];
        if magic.iter().any(|magic| start.starts_with(magic)) {
            return Self::Plist;
        }
        let suffix = source.path.extension().map(OsStr::to_ascii_lowercase);
        match suffix.as_deref().and_then(|suffix| suffix.to_str()) {
            Some("plist") => Self::Plist,
            Some("yaml" | "yml") => Self::Yaml,
            Some("json") => Self::Json,
            _ => Self::Text,
        }
    }
}

impl RecipeList {
    /// Reads a list. [`Source::read`] gets the bytes, up to a size that no list has.
    ///
    /// # Errors
    /// When the file is not well-formed (then that is the only fault), or any of its entries is no name of a recipe; all
    /// such entries are told.
    pub fn read(source: &Source) -> Result<Self, Faults> {
        let mut reader = Reader {
            list: Self {
                file: Arc::from(source.path.as_path()),
                recipes: Vec::new(),
                variables: IndexMap::new(),
                notes: Vec::new(),
            },
            seen: HashMap::new(),
            faults: Vec::new(),
        };
        match Format::of(source) {
            Format::Text => reader.text(&source.bytes)?,
            Format::Plist => {
                let layout = layout::plist(&source.bytes).map_err(|error| reader.malformed(error))?;
                reader.structured(layout);
            }
            Format::Yaml => {
                let text = reader.utf8(&source.bytes)?;
                let layout = layout::yaml(text).map_err(|error| reader.malformed(error))?;
                reader.structured(layout);
            }
            Format::Json => {
                let text = reader.utf8(&source.bytes)?;
                let layout = layout::json(text)
                    .map_err(|(problem, position)| Fault::new(reader.place(position), problem))?;
                reader.structured(layout);
            }
        }
        let Reader { list, mut faults, .. } = reader;
        if list.recipes.is_empty() && faults.is_empty() {
            faults.push(Fault::new(Place::whole(&list.file), Problem::Empty));
        }
        Faults::or(faults, list)
    }
}

struct Reader {
    list: RecipeList,
    /// Where each recipe stands in the list.
    seen: HashMap<String, usize>,
    faults: Vec<Fault>,
}

impl Reader {
    fn place(&self, position: Option<Position>) -> Place {
        Place { file: Arc::clone(&self.list.file), position }
    }

    fn fault(&mut self, at: Option<Position>, problem: Problem, hint: Option<String>) {
        let place = self.place(at);
        self.faults.push(Fault::new(place, problem).hint(hint));
    }

    fn malformed(&self, error: recipe::Malformed) -> Fault {
        Fault::new(self.place(error.at), error.problem.into())
    }

    /// The text without its byte order mark.
    fn utf8<'b>(&self, bytes: &'b [u8]) -> Result<&'b str, Fault> {
        let encoded = match bytes {
            [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [0, _, 0, _, ..] | [_, 0, _, 0, ..] => Some("UTF-16"),
            _ => None,
        };
        if let Some(encoding) = encoded {
            let problem = Syntax::Encoding(encoding.to_owned()).into();
            return Err(Fault::new(self.place(None), problem)
                .hint("save the file as UTF-8; Notepad and PowerShell write UTF-16 unless told".to_owned()));
        }
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        std::str::from_utf8(bytes).map_err(|error| {
            let (good, bad) = bytes.split_at(error.valid_up_to());
            let good = String::from_utf8_lossy(good);
            let at = Lines::new(&good).position(good.len());
            let problem = Syntax::NotUtf8(bad.first().copied().unwrap_or_default()).into();
            Fault::new(self.place(Some(at)), problem)
        })
    }

    fn text(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let text = self.utf8(bytes)?;
        // Lists are put together with `cat`, which leaves byte order marks in the middle.
        let blank = |ch: char| ch.is_whitespace() || ch == '\u{FEFF}';
        for (number, line) in Lines::new(text).iter() {
            let name = line.trim_matches(blank);
            if name.is_empty() || name.starts_with('#') {
                continue;
            }
            let before = line.chars().take_while(|ch| blank(*ch)).count() as u64;
            let at = Some(Position { line: number, column: before + 1 });
            if let Some((format, suffix)) = other_format(name) {
                let hint = format!("give it a name that ends in {suffix}");
                return Err(Fault::new(self.place(at), Problem::LooksLike(format)).hint(hint));
            }
            self.recipe(name.to_owned(), at);
        }
        Ok(())
    }

    fn structured(&mut self, layout: Layout) {
        match layout {
            Layout::Array(entries) => self.entries(entries),
            Layout::Dict { recipes, members } => {
                let has_recipes = recipes.is_some() || members.iter().any(|member| member.name == RECIPES);
                self.entries(recipes.unwrap_or_default());
                let slips = members.into_iter().filter(|member| self.member(member)).count();
                if !has_recipes && slips == 0 {
                    self.fault(None, Problem::NoRecipes, None);
                }
            }
            Layout::Other(found) => {
                let what = "the whole file".to_owned();
                self.fault(None, Problem::Shape { what, expected: "array", found }, None);
            }
        }
    }

    fn entries(&mut self, entries: Vec<Entry>) {
        for (number, Entry { value, at }) in (1..).zip(entries) {
            let what = format!("entry {number} of the list");
            match value {
                Value::String(name) if name.trim().is_empty() => {
                    self.fault(at, Problem::EmptyEntry(what), None);
                }
                Value::String(name) => self.recipe(name.trim().to_owned(), at),
                other => {
                    let scalar = !matches!(other, Value::Array(_) | Value::Dict(_));
                    let hint =
                        scalar.then(|| "put it in quotes to have it taken as it is written".to_owned());
                    let found = other.kind_name();
                    self.fault(at, Problem::Shape { what, expected: "string", found }, hint);
                }
            }
        }
    }

    /// Whether the name of this member is a slip, and has become a fault.
    fn member(&mut self, member: &Member) -> bool {
        let Member { name, at, value } = member;
        if PROCESSORS.contains(&name.as_str()) {
            let place = self.place(*at);
            self.list.notes.push(Note::Ignored { key: name.clone(), place });
        } else if name == RECIPES {
            let what = format!("`{RECIPES}`");
            self.fault(*at, Problem::Shape { what, expected: "array", found: value.kind_name() }, None);
        } else if let Some(meant) = nearest(name, [RECIPES].into_iter().chain(PROCESSORS.iter().copied())) {
            let hint = format!("did you mean `{meant}`?");
            self.fault(*at, Problem::UnknownKey(name.clone()), Some(hint));
            return true;
        } else {
            let located = Located { value: value.clone(), place: self.place(*at) };
            self.list.variables.insert(name.clone(), located);
        }
        false
    }

    fn recipe(&mut self, name: String, at: Option<Position>) {
        let place = self.place(at);
        if name.contains(acts) {
            self.fault(at, Problem::ControlCharacter(name), None);
        } else if let Some(first) = self.seen.get(&name).and_then(|first| self.list.recipes.get(*first)) {
            let first = Some(first.place.clone());
            self.list.notes.push(Note::Duplicate { recipe: name, place: Some(place), first });
        } else {
            self.seen.insert(name.clone(), self.list.recipes.len());
            self.list.recipes.push(Located { value: name, place });
        }
    }
}

/// What the first line of another format looks like; no recipe has such a name.
fn other_format(line: &str) -> Option<(&'static str, &'static str)> {
    match line {
        "[" | "{" => Some(("JSON", ".json")),
        "---" | "recipes:" => Some(("YAML", ".yaml")),
        _ if line.starts_with("- ") => Some(("YAML", ".yaml")),
        _ if line.starts_with("[\"") || line.starts_with("{\"") => Some(("JSON", ".json")),
        _ => None,
    }
}
