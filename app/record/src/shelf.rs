//! The department's own report templates: files in the record's folder that are read again whenever they change.

use crate::Record;
use mj_report::Template;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Where the department's templates lie in the record's folder. They hold no patient data and are not sealed.
const FOLDER: &str = "templates";

/// More than any template needs, in any encoding. Units: bytes.
const MOST_BYTES: u64 = 4 << 20;

/// A file as it was read last.
#[derive(Debug, Clone)]
struct Kept {
    seen: (SystemTime, u64),
    /// The template, or why there is none.
    template: Result<Template, String>,
}

/// The templates as they were read last.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    files: BTreeMap<PathBuf, Kept>,
}

impl Shelf {
    /// Reads what is new or changed. A file that cannot be used stops no other.
    fn look(&mut self, folder: &Path) {
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                self.files.clear();
                return;
            }
            // What was read before serves on while the folder cannot be looked at.
            Err(_busy) => return,
        };
        let mut there = BTreeMap::new();
        for path in entries.flatten().map(|entry| entry.path()).filter(|path| Form::of(path).is_some()) {
            let Ok(meta) = std::fs::metadata(&path) else { continue };
            let seen = (meta.modified().unwrap_or(SystemTime::UNIX_EPOCH), meta.len());
            let known = self.files.remove(&path).filter(|kept| kept.seen == seen);
            let kept = known.unwrap_or_else(|| Kept { seen, template: read_template(&path).map(|(template, _)| template) });
            there.insert(path, kept);
        }
        self.files = there;
    }

    /// The templates by their files' names. Of two files with a template of one name only the first serves.
    fn served(&self) -> BTreeMap<&str, (&Path, &Template)> {
        let mut served = BTreeMap::new();
        for (path, kept) in &self.files {
            if let Ok(template) = &kept.template {
                served.entry(template.name.as_str()).or_insert((path.as_path(), template));
            }
        }
        served
    }

    /// Why a file does not serve, if it does not.
    fn problem(&self, path: &Path, kept: &Kept) -> Option<String> {
        let template = match &kept.template {
            Err(why) => return Some(why.clone()),
            Ok(template) => template,
        };
        let (first, _) = self.served().get(template.name.as_str()).copied()?;
        (first != path).then(|| format!("its name {} is that of {}", template.name, first.display()))
    }
}

/// The forms that a template may have, by the end of the file's name.
enum Form {
    Toml,
    Mrrt,
}

impl Form {
    fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "toml" => Some(Self::Toml),
            "html" | "htm" | "xhtml" => Some(Self::Mrrt),
            _ => None,
        }
    }
}

/// Reads a template's file: TOML as the program's own, or the HTML of IHE MRRT. Gives also what could not be carried.
///
/// # Errors
/// A sentence that says why the file is of no use.
pub fn read_template(path: &Path) -> Result<(Template, Vec<String>), String> {
    let form = Form::of(path).ok_or("neither .toml nor .html")?;
    if std::fs::metadata(path).map_err(|e| e.to_string())?.len() > MOST_BYTES {
        return Err(format!("longer than {} MiB", MOST_BYTES >> 20));
    }
    let bytes = std::fs::read(path).map_err(|e| e.to_string())?;
    match form {
        Form::Toml => {
            let text = String::from_utf8(bytes).map_err(|_bad| "not UTF-8".to_owned())?;
            Template::parse(&text).map(|template| (template, Vec::new())).map_err(|e| e.why())
        }
        Form::Mrrt => {
            let text = mj_report::mrrt::decode(&bytes);
            mj_report::mrrt::read(&text).map(|imported| (imported.template, imported.left_out)).map_err(|e| e.why())
        }
    }
}

/// A template as it was taken into the department's folder.
#[derive(Debug, Clone, PartialEq)]
pub struct TemplateTaken {
    /// The template.
    pub template: Template,
    /// True where it takes the place of another of its name: an earlier file, or one that comes with the program.
    pub replaced: bool,
    /// What the file holds that a report has no place for, a sentence each.
    pub left_out: Vec<String>,
}

impl Record {
    /// The folder in which the department keeps its own templates; it need not be there.
    #[must_use]
    pub fn templates_folder(&self) -> PathBuf {
        self.dir().join(FOLDER)
    }

    /// All templates: those that come with the program, and the department's own, which take the place of one of their name.
    #[must_use]
    pub fn templates(&self) -> Vec<Template> {
        let own = self.own_templates();
        let builtin = Template::all().iter().filter(|t| !own.iter().any(|o| o.name == t.name)).cloned();
        let mut all: Vec<Template> = builtin.collect();
        all.extend(own);
        all
    }

    /// A template by its name.
    #[must_use]
    pub fn template(&self, name: &str) -> Option<Template> {
        let own = self.shelf_now().served().get(name).map(|(_, template)| (*template).clone());
        own.or_else(|| Template::builtin(name))
    }

    /// Files of the department's templates that cannot be used, and why.
    #[must_use]
    pub fn template_problems(&self) -> Vec<(PathBuf, String)> {
        let shelf = self.shelf_now();
        shelf.files.iter().filter_map(|(path, kept)| Some((path.clone(), shelf.problem(path, kept)?))).collect()
    }

    /// The department's own templates.
    #[must_use]
    pub fn own_templates(&self) -> Vec<Template> {
        self.shelf_now().served().into_values().map(|(_, template)| template.clone()).collect()
    }

    /// Takes a template's file as it is into the department's folder. An earlier file of the same name and form is replaced.
    ///
    /// # Errors
    /// A sentence that says why not: the file is of no use, another file has its template's name, or the folder cannot be
    /// written.
    pub fn take_template(&self, path: &Path) -> Result<TemplateTaken, String> {
        let (template, left_out) = read_template(path)?;
        let end = path.extension().and_then(|e| e.to_str()).unwrap_or("html").to_ascii_lowercase();
        let folder = self.templates_folder();
        let to = folder.join(format!("{}.{end}", template.name));
        if let Some((holder, _)) = self.shelf_now().served().get(template.name.as_str()).filter(|(holder, _)| *holder != to) {
            return Err(format!("{} has its name {}", holder.display(), template.name));
        }
        let replaced = to.exists() || Template::builtin(&template.name).is_some();
        self.exchange(path, &folder, &to).map_err(|e| format!("{}: {e}", to.display()))?;
        Ok(TemplateTaken { template, replaced, left_out })
    }

    /// Puts a copy of a file in the place of another. Whoever reads the folder meanwhile, and after a power cut, sees the old
    /// file or the new one, never half of it.
    fn exchange(&self, from: &Path, folder: &Path, to: &Path) -> std::io::Result<()> {
        let disk = self.inner.disk.as_ref();
        let content = std::fs::read(from)?;
        std::fs::create_dir_all(folder)?;
        let draft = folder.join(format!("{}.part", uuid::Uuid::new_v4()));
        let written = disk.write_synced(&draft, &content).and_then(|()| disk.rename(&draft, to));
        if written.is_err() && std::fs::remove_file(&draft).is_err() {
            tracing::debug!("no draft of a template to remove");
        }
        written.and_then(|()| disk.sync_dir(folder))
    }

    fn shelf_now(&self) -> std::sync::MutexGuard<'_, Shelf> {
        let mut shelf = self.inner.shelf.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        shelf.look(&self.templates_folder());
        shelf
    }
}
