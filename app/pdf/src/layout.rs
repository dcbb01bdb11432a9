//! From a sheet to data for the template, and from there to PDF.

use crate::error::{Error, Result};
use crate::fonts::Fonts;
use crate::world::PageWorld;
use mj_model::{Lang, Moment};
use mj_report::Sheet;
use mj_report::render::Line;
use mj_report::wording::word;
use serde::Serialize;
use typst::diag::SourceDiagnostic;
use typst::foundations::{Datetime, Smart};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards, Timestamp};

/// The page of a report.
const REPORT: &str = include_str!("report.typ");

/// Longest side of a picture. Units: pixels.
const MAX_SIDE: u32 = 8192;

/// What typst needs to know of any page besides its template and data.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// The template, typst source of ours.
    pub template: &'a str,
    /// Identifies the document for good; never a patient's name.
    pub ident: &'a str,
    /// When the page was made.
    pub at: Moment,
}

/// Typesets a report as PDF/A-2a (PDF/A-2b where its characters allow no more): A4, tagged, all fonts embedded, its text extractable.
///
/// # Errors
/// [`Error`]; nothing is printed by halves.
pub fn typeset(sheet: &Sheet, fonts: &Fonts) -> Result<Vec<u8>> {
    let pictures: Vec<&[u8]> = sheet.pictures.iter().map(|picture| picture.png.as_slice()).collect();
    let ident = format!("{} {}", sheet.report_id, sheet.content_sha256);
    typeset_data(&Page { template: REPORT, ident: &ident, at: sheet.printed_at }, &Data::of(sheet)?, &pictures, fonts)
}

/// Typesets any page: `data` is what the template reads from `data.json` (its `fonts` are ours to add: the
/// template reads `fonts.json`), picture `n` is `picture-n.png`.
///
/// # Errors
/// [`Error`].
pub fn typeset_data(page: &Page<'_>, data: &impl Serialize, pictures: &[&[u8]], fonts: &Fonts) -> Result<Vec<u8>> {
    for (i, png) in pictures.iter().enumerate() {
        check_picture(png).ok_or(Error::BadPicture { number: i + 1 })?;
    }
    let json = serde_json::to_string(data).map_err(Error::Data)?;
    let fonts = fonts.covering(&json)?;
    let families = serde_json::to_vec(&fonts.families()).map_err(Error::Data)?;
    let pictures = pictures.iter().enumerate().map(|(i, png)| (format!("picture-{i}.png"), png.to_vec()));
    let files = pictures.chain([("data.json".to_owned(), json.into_bytes()), ("fonts.json".to_owned(), families)]).collect();
    let world = PageWorld::new(page.template, files, &fonts);
    // A fault in the typesetter must not take the report's desk with it.
    let pdf = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| compile(&world, page)))
        .unwrap_or_else(|_payload| Err(Error::Typesetting { count: 1, why: "the typesetter panicked".into() }));
    // The typesetter's memory of this page is a patient's report: it is forgotten at once.
    typst::comemo::evict(0);
    pdf
}

fn compile(world: &PageWorld, page: &Page<'_>) -> Result<Vec<u8>> {
    let document: PagedDocument = typst::compile(world).output.map_err(|errors| stopped(&errors))?;
    // A character from the private use area, as some hospital systems write rare names, cannot be in PDF/A-2a;
    // the page is then still made for the archive, as PDF/A-2b.
    export(&document, page, PdfStandard::A_2a).or_else(|_too_strict| export(&document, page, PdfStandard::A_2b))
}

fn export(document: &PagedDocument, page: &Page<'_>, standard: PdfStandard) -> Result<Vec<u8>> {
    let standards = PdfStandards::new(&[standard]).map_err(|hinted| Error::Typesetting { count: 1, why: hinted.message().to_string() })?;
    let options = PdfOptions {
        ident: Smart::Custom(page.ident.to_owned()),
        creator: Smart::Custom(Some(format!("Mingjing {}", env!("CARGO_PKG_VERSION")))),
        timestamp: timestamp(page.at),
        page_ranges: None,
        standards,
        tagged: true,
        pretty: false,
    };
    typst_pdf::pdf(document, &options).map_err(|errors| stopped(&errors))
}

fn stopped(errors: &[SourceDiagnostic]) -> Error {
    let why = errors.first().map(|e| e.message.to_string()).unwrap_or_default();
    Error::Typesetting { count: errors.len(), why }
}

fn timestamp(at: Moment) -> Option<Timestamp> {
    let t = at.local().datetime();
    let part = |n: i8| u8::try_from(n).ok();
    let datetime = Datetime::from_ymd_hms(
        i32::from(t.year()),
        part(t.month())?,
        part(t.day())?,
        part(t.hour())?,
        part(t.minute())?,
        part(t.second())?,
    )?;
    Timestamp::new_local(datetime, at.offset_s / 60)
}

fn check_picture(png: &[u8]) -> Option<()> {
    let reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().ok()?;
    let info = reader.info();
    let fits = |side: u32| side > 0 && side <= MAX_SIDE;
    (fits(info.width) && fits(info.height)).then_some(())
}

/// The sheet as the template reads it.
#[derive(Serialize)]
struct Data {
    lang: &'static str,
    title: String,
    hospital: String,
    department: String,
    contact: String,
    state: Option<String>,
    watermark: Option<String>,
    amends: Option<String>,
    identity: Vec<[String; 2]>,
    /// Who it is about, in short, for the following pages.
    running: Vec<String>,
    sections: Vec<DataSection>,
    pictures: Vec<DataPicture>,
    signers: Vec<[String; 2]>,
    report_id: String,
    content_sha256: String,
    printed_at: String,
    words: Words,
}

#[derive(Serialize)]
struct DataSection {
    title: String,
    lines: Vec<String>,
    is_impression: bool,
}

#[derive(Serialize)]
struct DataPicture {
    file: String,
    caption: String,
    /// Width over height.
    aspect: f64,
}

/// Words of the page, in the language of the sheet.
#[derive(Serialize)]
struct Words {
    report_no: String,
    content_hash: String,
    printed_at: String,
    page: String,
    for_clinicians: String,
    not_certified: String,
    key_images: String,
}

impl Data {
    fn of(sheet: &Sheet) -> Result<Self> {
        let w = |name: &str| word(name, sheet.lang);
        let pairs = |lines: Vec<Line>| lines.into_iter().map(|line| [tidy(&line.label), tidy(&line.value)]).collect();
        let pictures = sheet.pictures.iter().enumerate().map(|(i, picture)| {
            let aspect = aspect(&picture.png).ok_or(Error::BadPicture { number: i + 1 })?;
            Ok(DataPicture { file: format!("picture-{i}.png"), caption: tidy(&sheet.caption(i + 1, &picture.caption)), aspect })
        });
        Ok(Self {
            lang: if sheet.lang == Lang::Zh { "zh" } else { "en" },
            title: tidy(&sheet.title),
            hospital: tidy(&sheet.hospital.name),
            department: tidy(&sheet.hospital.department),
            contact: tidy(&sheet.hospital.contact),
            state: (sheet.state != mj_report::State::Final).then(|| sheet.state_word()),
            watermark: sheet.watermark(),
            amends: sheet.amends_sentence(),
            identity: pairs(sheet.identity()),
            running: running(sheet),
            sections: sheet.printed_sections().map(DataSection::of).collect(),
            pictures: pictures.collect::<Result<_>>()?,
            signers: pairs(sheet.signers()),
            report_id: tidy(&sheet.report_id),
            content_sha256: sheet.content_sha256.clone(),
            printed_at: sheet.printed_at.to_the_minute(),
            words: Words {
                report_no: w("report_no"),
                content_hash: w("content_hash"),
                printed_at: w("printed_at"),
                page: w("page"),
                for_clinicians: w("for_clinicians"),
                not_certified: w("not_certified"),
                key_images: w("key_images"),
            },
        })
    }
}

impl DataSection {
    fn of(section: &mj_report::sheet::Section) -> Self {
        let lines = section.text.trim_end().lines().map(tidy).collect();
        Self { title: tidy(&section.title), lines, is_impression: section.kind == mj_report::BlockKind::Impression }
    }
}

/// Name, sex, age and the numbers that tell patients of one name apart.
fn running(sheet: &Sheet) -> Vec<String> {
    let p = &sheet.patient;
    let bare = [p.name.show().clone(), mj_report::render::sex(&p.sex, sheet.lang), mj_report::render::age(&p.age, sheet.lang)];
    let numbered = [("patient_id", p.id.show()), ("accession", sheet.study.accession.show())];
    let numbers = numbered.into_iter().filter(|(_, value)| !value.trim().is_empty());
    let numbers = numbers.map(|(name, value)| format!("{} {value}", word(name, sheet.lang)));
    bare.into_iter().chain(numbers).map(|text| tidy(&text)).filter(|text| !text.trim().is_empty()).collect()
}

fn aspect(png: &[u8]) -> Option<f64> {
    check_picture(png)?;
    let reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().ok()?;
    Some(f64::from(reader.info().width) / f64::from(reader.info().height))
}

/// Text as it can be set: thin and other odd blanks become one that keeps number and unit together, tabs
/// become blanks, and what has no shape (zero width, direction marks, other control characters) is left out.
fn tidy(text: &str) -> String {
    let shaped = text.chars().filter_map(|c| match c {
        '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{205F}' | '\u{A0}' => Some('\u{A0}'),
        '\t' | '\n' | '\r' => Some(' '),
        '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}' | '\u{FFFC}' => None,
        c if c.is_control() => None,
        c => Some(c),
    });
    shaped.collect()
}
