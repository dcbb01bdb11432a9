//! The world the typesetter sees: one template, its data, its pictures, our fonts. Nothing else exists there.

use crate::fonts::Fonts;
use std::collections::HashMap;
use typst::diag::{FileError, FileResult};
use typst::foundations::{Bytes, Datetime, Duration};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World};

pub(crate) struct PageWorld {
    library: LazyHash<Library>,
    book: LazyHash<FontBook>,
    fonts: Vec<Font>,
    main: Source,
    files: HashMap<FileId, Bytes>,
}

/// The id of a file of the world. `None` for a name that is no path.
fn id(name: &str) -> Option<FileId> {
    VirtualPath::new(name).ok().map(|path| RootedPath::new(VirtualRoot::Project, path).intern())
}

impl PageWorld {
    /// A world of a template and files by name. File names are interned for good by typst, so they must come
    /// from a small set (`picture-0.png`, …), never from a patient.
    pub(crate) fn new(template: &str, files: Vec<(String, Vec<u8>)>, fonts: &Fonts) -> Self {
        let main = match id("page.typ") {
            Some(id) => Source::new(id, template.into()),
            None => Source::detached(template),
        };
        let files = files.into_iter().filter_map(|(name, bytes)| Some((id(&name)?, Bytes::new(bytes)))).collect();
        Self {
            library: LazyHash::new(Library::default()),
            book: LazyHash::new(FontBook::from_fonts(fonts.all())),
            fonts: fonts.all().to_vec(),
            main,
            files,
        }
    }
}

impl World for PageWorld {
    fn library(&self) -> &LazyHash<Library> {
        &self.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &self.book
    }

    fn main(&self) -> FileId {
        self.main.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == self.main.id() { Ok(self.main.clone()) } else { Err(FileError::AccessDenied) }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        self.files.get(&id).cloned().ok_or(FileError::AccessDenied)
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.fonts.get(index).cloned()
    }

    /// The time of a page is data like everything else on it.
    fn today(&self, _offset: Option<Duration>) -> Option<Datetime> {
        None
    }
}
