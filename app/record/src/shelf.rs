//! The department's own report templates: files in the record's folder that are read again whenever they change.

use crate::Record;
use mj_report::Template;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Where the department's templates lie in the record's folder. They hold no patient data and are not sealed.
const FOLDER: &str = "templates";

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
        let Ok(entries) = std::fs::read_dir(folder) else {
            self.files.clear();
            return;
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

    /// The templates, and the files that give none: those that cannot be read, and the second of one name.
    fn sorted(&self) -> (Vec<Template>, Vec<(PathBuf, String)>) {
        let (mut templates, mut problems): (Vec<Template>, _) = (Vec::new(), Vec::new());
        for (path, kept) in &self.files {
            match &kept.template {
                Err(why) => problems.push((path.clone(), why.clone())),
                Ok(template) if templates.iter().any(|known| known.name == template.name) => {
                    problems.push((path.clone(), format!("another file has the name {} already", template.name)));
                }
                Ok(template) => templates.push(template.clone()),
            }
        }
        (templates, problems)
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
    use mj_model::Coded as _;
    let why = |e: mj_report::Error| e.args().into_iter().find(|(name, _)| *name == "why").map_or_else(|| e.to_string(), |(_, why)| why);
    let bytes = std::fs::read(path).map_err(|e| e.to_string())?;
    match Form::of(path) {
        Some(Form::Toml) => {
            let text = String::from_utf8(bytes).map_err(|_bad| "not UTF-8".to_owned())?;
            Template::parse(&text).map(|template| (template, Vec::new())).map_err(why)
        }
        Some(Form::Mrrt) => {
            let text = mj_report::mrrt::decode(&bytes);
            mj_report::mrrt::read(&text).map(|imported| (imported.template, imported.left_out)).map_err(why)
        }
        None => Err("neither .toml nor .html".to_owned()),
    }
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
        self.own_templates().into_iter().find(|t| t.name == name).or_else(|| Template::builtin(name))
    }

    /// Files of the department's templates that cannot be used, and why.
    #[must_use]
    pub fn template_problems(&self) -> Vec<(PathBuf, String)> {
        self.shelf_now().sorted().1
    }

    fn own_templates(&self) -> Vec<Template> {
        self.shelf_now().sorted().0
    }

    fn shelf_now(&self) -> std::sync::MutexGuard<'_, Shelf> {
        let mut shelf = self.inner.shelf.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        shelf.look(&self.templates_folder());
        shelf
    }
}
