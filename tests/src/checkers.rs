//! Outside checkers of what we write. Each gives `None` when its tool is not installed: the skip has been
//! printed, and is a failure under `MINGJING_STRICT=1`.

use crate::process::{installed, run};
use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

const LIMIT: Duration = Duration::from_secs(180);

/// What a checker of DICOM objects said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// Lines that name an error.
    pub errors: Vec<String>,
    /// Lines that name a warning.
    pub warnings: Vec<String>,
    /// Lines that name what was recognised, such as an IOD or a root template.
    pub found: Vec<String>,
}

impl Findings {
    fn of(text: &str) -> Self {
        let lines = |word: &str| text.lines().filter(|l| l.starts_with(word)).map(str::to_owned).collect();
        Self { errors: lines("Error"), warnings: lines("Warning"), found: lines("Found") }
    }

    /// Fails the test when there is an error.
    ///
    /// # Panics
    /// When there is one.
    pub fn assert_clean(&self, what: &str) {
        assert!(self.errors.is_empty(), "{what}:\n{}", self.errors.join("\n"));
    }
}

fn text(command: &mut Command) -> String {
    let output = run(command, LIMIT);
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

/// dicom3tools' `dciodvfy`: modules and attributes of an object's IOD. It does not check the templates of an
/// SR, see [`pixelmed_sr`].
#[must_use]
pub fn dciodvfy(object: &Path) -> Option<Findings> {
    installed("dciodvfy").then(|| Findings::of(&text(Command::new("dciodvfy").arg("-new").arg(object))))
}

/// PixelMed's validator of structured reports, which knows TID 1500.
///
/// # Panics
/// When the validator did not run to its end: silence would look like a clean object.
#[must_use]
pub fn pixelmed_sr(object: &Path) -> Option<Findings> {
    let jar = Path::new("/usr/share/java/pixelmed.jar");
    if !installed("java") {
        return None;
    }
    if !jar.is_file() {
        mj_testdata::skip("libpixelmed-java is not installed");
        return None;
    }
    // Its stylesheets are larger than what newer Java versions allow by default.
    let limits = ["-Djdk.xml.xpathExprGrpLimit=0", "-Djdk.xml.xpathExprOpLimit=0", "-Djdk.xml.xpathTotalOpLimit=0"];
    let said = text(Command::new("java").args(limits).arg("-cp").arg(jar).arg("com.pixelmed.validate.DicomSRValidator").arg(object));
    assert!(said.contains("IOD validation complete"), "the validator did not run to its end: {said}");
    Some(Findings::of(&said))
}

/// `qpdf --check`: the structure of a PDF.
///
/// # Errors
/// What it complains of.
#[must_use]
pub fn qpdf(pdf: &Path) -> Option<Result<(), String>> {
    installed("qpdf").then(|| {
        let output = run(Command::new("qpdf").arg("--check").arg(pdf), LIMIT);
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        if output.status.success() { Ok(()) } else { Err(said) }
    })
}

/// A font that a PDF uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Font {
    /// Its name, with the subset's prefix.
    pub name: String,
    /// Whether its glyphs are in the file.
    pub is_embedded: bool,
}

/// `pdffonts`: every font of a PDF.
#[must_use]
pub fn pdffonts(pdf: &Path) -> Option<Vec<Font>> {
    installed("pdffonts").then(|| fonts(&text(Command::new("pdffonts").arg(pdf))))
}

fn fonts(table: &str) -> Vec<Font> {
    // name, type, encoding, emb, sub, uni, object ID: the columns are found from the right, for names and
    // types hold blanks.
    let rows = table.lines().skip_while(|l| !l.starts_with("---")).skip(1);
    rows.filter_map(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let embedded = columns.len().checked_sub(5).and_then(|i| columns.get(i))?;
        Some(Font { name: (*columns.first()?).to_owned(), is_embedded: *embedded == "yes" })
    })
    .collect()
}

/// `pdftotext`: the text of a PDF in reading order.
#[must_use]
pub fn pdftotext(pdf: &Path) -> Option<String> {
    installed("pdftotext").then(|| text(Command::new("pdftotext").args(["-enc", "UTF-8"]).arg(pdf).arg("-")))
}

/// `pdftoppm`: the pages of a PDF as PNG files in a folder, sorted.
#[must_use]
pub fn pdf_pages(pdf: &Path, dots_per_inch: u32, into: &Path) -> Option<Vec<PathBuf>> {
    if !installed("pdftoppm") {
        return None;
    }
    let said = text(Command::new("pdftoppm").args(["-png", "-r", &dots_per_inch.to_string()]).arg(pdf).arg(into.join("page")));
    let mut pages: Vec<_> = std::fs::read_dir(into)
        .into_iter()
        .flatten()
        .filter_map(|e| Some(e.ok()?.path()))
        .filter(|p| p.extension().is_some_and(|x| x == "png"))
        .collect();
    pages.sort();
    assert!(!pages.is_empty(), "pdftoppm made no page: {said}");
    Some(pages)
}

/// Python with pydicom, highdicom and SimpleITK: `MINGJING_PYTHON`, or the `venv` in the target folder of this
/// build or of the workspace, where `cargo xtask setup` puts it.
#[must_use]
pub fn python() -> Option<PathBuf> {
    let inside = if cfg!(windows) { "venv/Scripts/python.exe" } else { "venv/bin/python" };
    let named = std::env::var_os("MINGJING_PYTHON").map(PathBuf::from);
    let beside = crate::programs::build_folder().parent().map(|target| target.join(inside));
    let found = named.into_iter().chain(beside).chain([crate::workspace().join("target").join(inside)]).find(|p| p.is_file());
    if found.is_none() {
        mj_testdata::skip("no Python environment (cargo xtask setup makes it in target/venv; or set MINGJING_PYTHON)");
    }
    found
}

/// Runs a script with that Python and gives the JSON that it prints.
///
/// # Panics
/// When the script fails or prints no JSON.
#[must_use]
pub fn python_json(script: &str, arguments: &[&Path]) -> Option<serde_json::Value> {
    let output = run(Command::new(python()?).arg("-c").arg(script).args(arguments), LIMIT);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "the Python script failed: {said}");
    Some(serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("the Python script printed no JSON: {e}\n{said}")))
}

/// Fails when `dciodvfy` finds an error in an object.
///
/// # Panics
/// When it does.
pub fn dciodvfy_is_clean(object: &Path) {
    if let Some(findings) = dciodvfy(object) {
        findings.assert_clean("dciodvfy");
    }
}

/// Fails when PixelMed's validator finds an error in a measurement report, or no TID 1500 in it.
///
/// # Panics
/// When it does.
pub fn pixelmed_is_clean(object: &Path) {
    if let Some(findings) = pixelmed_sr(object) {
        findings.assert_clean("PixelMed's SR validator");
        assert!(findings.found.iter().any(|l| l.contains("Root Template TID_1500")), "no TID 1500: {:?}", findings.found);
    }
}

/// Fails when a PDF is broken, leaves a font out, or does not give these texts back.
///
/// # Panics
/// When it does.
pub fn pdf_is_sound(pdf: &Path, texts: &[&str]) {
    if let Some(Err(complaint)) = qpdf(pdf) {
        panic!("qpdf: {complaint}");
    }
    if let Some(fonts) = pdffonts(pdf) {
        assert!(!fonts.is_empty() && fonts.iter().all(|f| f.is_embedded), "{fonts:?}");
    }
    if let Some(found) = pdftotext(pdf) {
        // A line may break anywhere in Chinese.
        let joined: String = found.split_whitespace().collect();
        for text in texts {
            let wanted: String = text.split_whitespace().collect();
            assert!(joined.contains(&wanted), "the PDF does not give back {text:?}: {found}");
        }
    }
}

/// Fails when `highdicom` does not read these lengths, in mm, from a TID 1500 report; others may be there too.
///
/// # Panics
/// When it does not.
pub fn highdicom_reads_lengths(sr: &Path, lengths_mm: &[f64]) {
    let script = r#"
import json, sys, highdicom
report = highdicom.sr.srread(sys.argv[1])
groups = report.content.get_planar_roi_measurement_groups() + report.content.get_volumetric_roi_measurement_groups() + report.content.get_image_measurement_groups()
print(json.dumps([{"name": m.name.meaning, "value": float(m.value), "unit": m.unit.value} for g in groups for m in g.get_measurements()]))
"#;
    let Some(read) = python_json(script, &[sr]) else { return };
    let in_mm: Vec<f64> = read.as_array().into_iter().flatten().filter(|m| m["unit"] == "mm").filter_map(|m| m["value"].as_f64()).collect();
    for wanted in lengths_mm {
        // A decimal string has sixteen characters.
        assert!(in_mm.iter().any(|mm| (mm - wanted).abs() < 1e-6 * wanted.abs().max(1.0)), "no {wanted} mm in {read}");
    }
}

/// Fails when the only, or the largest, segment of a SEG has another volume for `highdicom`; `within` is
/// relative, 0.005 for half a percent.
///
/// # Panics
/// When it has.
pub fn seg_volume_is(seg: &Path, ml: f64, within: f64) {
    let script = r#"
import json, sys, numpy, highdicom
seg = highdicom.seg.segread(sys.argv[1])
volume = seg.get_volume(combine_segments=False)
array = numpy.asarray(volume.array)
voxel = float(numpy.prod(volume.spacing))
print(json.dumps([float(array[..., i].sum()) * voxel / 1000 for i in range(array.shape[-1])]))
"#;
    let Some(read) = python_json(script, &[seg]) else { return };
    let found = read.as_array().into_iter().flatten().filter_map(serde_json::Value::as_f64).fold(0.0, f64::max);
    assert!((found - ml).abs() <= within * ml, "highdicom reads {found} ml, not {ml} ml");
}

/// Fails when a binary STL in mm encloses another volume: the sum of signed tetrahedra, worked out here from
/// the file's own bytes.
///
/// # Panics
/// When it does.
pub fn stl_volume_is(stl: &Path, ml: f64, within: f64) {
    let bytes = std::fs::read(stl).unwrap_or_else(|e| panic!("{e}"));
    let found = stl_volume_ml(&bytes).unwrap_or_else(|| panic!("no binary STL"));
    assert!((found - ml).abs() <= within * ml.abs(), "the STL encloses {found} ml, not {ml} ml");
}

fn stl_volume_ml(bytes: &[u8]) -> Option<f64> {
    let count = usize::try_from(u32::from_le_bytes(bytes.get(80..84)?.try_into().ok()?)).ok()?;
    let body = bytes.get(84..)?;
    if body.len() != count * 50 {
        return None;
    }
    let number = |triangle: &[u8], i: usize| {
        triangle.get(4 * i..4 * i + 4).and_then(|b| b.try_into().ok()).map_or(f64::NAN, |b| f64::from(f32::from_le_bytes(b)))
    };
    let six_times: f64 = body
        .chunks_exact(50)
        .map(|t| {
            let [ax, ay, az, bx, by, bz, cx, cy, cz] = std::array::from_fn(|i| number(t, i + 3));
            ax * (by * cz - bz * cy) - ay * (bx * cz - bz * cx) + az * (bx * cy - by * cx)
        })
        .sum();
    Some(six_times / 6000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fonts_are_read_from_the_right() {
        let table = "name                                 type              encoding         emb sub uni object ID\n\
            ------------------------------------ ----------------- ---------------- --- --- --- ---------\n\
            ABCDEF+NotoSansSC-Regular            CID TrueType      Identity-H       yes yes yes      7  0\n\
            Helvetica                            Type 1            Custom           no  no  no      12  0\n";
        let found: Vec<_> = fonts(table).into_iter().map(|f| (f.name, f.is_embedded)).collect();
        assert_eq!(found, [("ABCDEF+NotoSansSC-Regular".to_owned(), true), ("Helvetica".to_owned(), false)]);
    }

    #[test]
    fn a_tetrahedron_of_stl() {
        let (o, x, y, z) = ([0.0_f32; 3], [30.0_f32, 0.0, 0.0], [0.0_f32, 20.0, 0.0], [0.0_f32, 0.0, 10.0]);
        let mut bytes = vec![0; 80];
        bytes.extend(4_u32.to_le_bytes());
        for triangle in [[o, y, x], [o, x, z], [o, z, y], [x, y, z]] {
            bytes.extend([0; 12]);
            bytes.extend(triangle.iter().flatten().flat_map(|v| v.to_le_bytes()));
            bytes.extend([0, 0]);
        }
        assert!((stl_volume_ml(&bytes).unwrap() - 1.0).abs() < 1e-9);
        assert_eq!(stl_volume_ml(&bytes[..100]), None);
    }

    #[test]
    fn checkers_tell_good_from_bad() {
        let folder = crate::folder();
        let good = crate::objects::ct(1, 32, "Shili^Yi=示例^一", "CN-0001").objects.remove(0).bytes;
        let path = folder.path().join("good.dcm");
        std::fs::write(&path, &good).unwrap();
        dciodvfy_is_clean(&path);
        let mut object = dicom_object::from_reader(good.as_slice()).unwrap();
        object.remove_element(dicom_dictionary_std::tags::STUDY_INSTANCE_UID);
        let path = folder.path().join("bad.dcm");
        object.write_to_file(&path).unwrap();
        assert!(dciodvfy(&path).is_none_or(|f| !f.errors.is_empty()));

        let path = folder.path().join("bad.pdf");
        std::fs::write(&path, "no PDF").unwrap();
        assert!(qpdf(&path).is_none_or(|r| r.is_err()));

        // A report of others in which the validator is known to find fault.
        let Some(report) = mj_testdata::path("seg_sr/qin_headneck_0003_tid1500/sr.dcm") else { return };
        let findings = pixelmed_sr(&report);
        assert!(findings.is_none_or(|f| !f.errors.is_empty() && f.found.iter().any(|l| l.contains("TID_1500"))));
    }

    #[test]
    fn findings_are_lines() {
        let findings = Findings::of("CTImage\nError - Missing attribute\nWarning - odd\n");
        assert_eq!((findings.errors.len(), findings.warnings.len()), (1, 1));
    }
}
