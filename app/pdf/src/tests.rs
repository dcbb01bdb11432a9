//! Reports on paper, looked at with the tools a hospital's archive would use.

use crate::{Error, Fonts, typeset};
use mj_model::{Lang, Moment, Phi};
use mj_report::sheet::{Amended, Hospital, PatientLines, Picture, Section, Sheet, Signer, StudyLines};
use mj_report::{BlockKind, State};
use std::path::PathBuf;
use std::process::Command;

/// A grey picture that looks a little like a slice.
fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let shade = |x: u32, y: u32| {
        let (dx, dy) = (f64::from(x) / f64::from(width) - 0.5, f64::from(y) / f64::from(height) - 0.5);
        let body = (dx * dx * 1.2 + dy * dy * 2.0).sqrt();
        let lung = ((dx.abs() - 0.2).powi(2) * 2.0 + dy * dy).sqrt();
        if body > 0.45 {
            0
        } else if lung < 0.17 {
            30 + ((x * 7 + y * 13) % 17) as u8
        } else {
            140
        }
    };
    let pixels: Vec<u8> = (0..height).flat_map(|y| (0..width).map(move |x| shade(x, y))).collect();
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    bytes
}

fn sheet(lang: Lang) -> Sheet {
    let at = |text: &str| Moment::parse(text).unwrap();
    let zh = lang == Lang::Zh;
    let pick = |z: &str, e: &str| if zh { z.to_owned() } else { e.to_owned() };
    let section = |kind, title: String, text: String| Section { kind, title, text };
    Sheet {
        lang,
        title: pick("胸部CT检查报告单", "Chest CT report"),
        hospital: Hospital {
            name: pick("示范医院", "Demonstration Hospital"),
            department: pick("医学影像科", "Department of Radiology"),
            contact: pick("联系电话 000-0000", "Tel. 000-0000"),
        },
        patient: PatientLines {
            name: Phi::new(pick("演示甲", "Demo Patient A")),
            sex: "F".into(),
            age: "065Y".into(),
            birth_date: Phi::new("1961-03-04".into()),
            id: Phi::new("MJ000001".into()),
            inpatient_number: Phi::new("ZY20261120".into()),
            outpatient_number: Phi::default(),
            ward: pick("呼吸内科二病区", "Respiratory ward 2"),
            bed: "12".into(),
        },
        study: StudyLines {
            accession: Phi::new("CT20261120001".into()),
            date: "2026-11-20 09:32".into(),
            modality: "CT".into(),
            description: pick("胸部至上腹部CT增强（门静脉期）", "CT chest to upper abdomen with contrast (portal venous phase)"),
            requesting_department: pick("呼吸内科", "Respiratory medicine"),
            referring_physician: String::new(),
        },
        sections: vec![
            section(
                BlockKind::History,
                pick("临床病史", "Clinical history"),
                pick("咳嗽、痰中带血2周，吸烟史30年。", "Cough and blood-streaked sputum for two weeks; smoker for 30 years."),
            ),
            section(
                BlockKind::Technique,
                pick("检查技术", "Technique"),
                pick(
                    "胸部CT容积扫描，肺窗、纵隔窗及多平面重建观察。",
                    "Volumetric CT of the chest, read in lung and mediastinal windows with multiplanar reconstructions.",
                ),
            ),
            section(BlockKind::Comparison, pick("对比检查", "Comparison"), String::new()),
            section(
                BlockKind::Findings,
                pick("检查所见", "Findings"),
                pick(
                    "双肺纹理清晰，走行自然，右肺上叶见肺结节，长度约12.3\u{2009}mm，边缘分叶，邻近胸膜牵拉，双肺未见实变及磨玻璃影。\n气管及主支气管通畅，支气管管壁未见增厚，未见扩张。\n双侧胸膜未见增厚，双侧胸腔未见积液，双侧胸腔未见积气。\n纵隔居中，纵隔及双侧肺门未见肿大淋巴结，纵隔未见占位。\n心影不大，心包未见积液，胸主动脉及肺动脉未见增宽。\n胸廓对称，胸壁软组织未见异常，所示骨质未见破坏。\n肝右叶见类圆形低强化灶，大小约41.5×38.2 mm，CT值约62 HU。",
                    "Lungs: lung markings normal; solitary nodule of lung in the upper lobe of right lung, length 12.3\u{2009}mm; no consolidation or ground-glass opacity.\nAirways: trachea and main bronchi patent; no bronchial wall thickening or bronchiectasis.\nPleura: no pleural thickening; no pleural effusion; no pneumothorax.\nMediastinum: mediastinum central; no enlarged mediastinal or hilar lymph nodes; no mediastinal mass.",
                ),
            ),
            section(
                BlockKind::Impression,
                pick("诊断意见", "Impression"),
                pick(
                    "1. 右肺上叶结节（12.3 mm），考虑周围型肺癌可能，建议进一步检查。\n2. 肝右叶占位，转移瘤待排，建议增强MRI。",
                    "1. Nodule of the right upper lobe, 12.3 mm, suspicious for carcinoma; further work-up recommended.\n2. Lesion of the right lobe of liver; metastasis to be excluded, MRI recommended.",
                ),
            ),
        ],
        pictures: vec![
            Picture {
                png: png(512, 512),
                caption: pick("横断面，肺窗：右肺上叶结节", "Axial, lung window: nodule of the right upper lobe"),
            },
            Picture { png: png(512, 400), caption: pick("冠状面", "Coronal") },
        ],
        state: State::Final,
        reporting: Some(Signer { name: pick("医师甲", "Physician A"), at: at("2026-11-20T10:12:33+08:00") }),
        reviewing: Some(Signer { name: pick("医师乙", "Physician B"), at: at("2026-11-20T11:05:02+08:00") }),
        report_id: "R7F3A21".into(),
        content_sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into(),
        amends: None,
        printed_at: at("2026-11-20T11:05:03+08:00"),
    }
}

/// Fonts, or `None` with the reason printed.
fn fonts() -> Option<Fonts> {
    match Fonts::find() {
        Ok(fonts) => Some(fonts),
        Err(error) => {
            mj_testdata::skip(&error.to_string());
            None
        }
    }
}

/// A PDF in a folder that goes away with the test; with `MINGJING_KEEP` it is put there to be looked at.
struct Kept {
    path: PathBuf,
    _folder: tempfile::TempDir,
}

fn write(name: &str, pdf: &[u8]) -> Kept {
    let folder = tempfile::tempdir().unwrap();
    let path = std::env::var_os("MINGJING_KEEP").map_or_else(|| folder.path().to_path_buf(), PathBuf::from).join(name);
    std::fs::write(&path, pdf).unwrap();
    Kept { path, _folder: folder }
}

/// What a tool prints, or `None` where it is not installed.
fn tool(program: &str, args: &[&str]) -> Option<(bool, String)> {
    match Command::new(program).args(args).output() {
        Ok(out) => Some((out.status.success(), String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr))),
        Err(error) => {
            mj_testdata::skip(&format!("{program}: {error}"));
            None
        }
    }
}

/// The text of a PDF without blanks, which the tool guesses from distances. Pages end with a form feed.
fn text_of(path: &str) -> Option<String> {
    let is_kept = |c: &char| *c == '\u{c}' || !c.is_whitespace();
    tool("pdftotext", &["-layout", path, "-"]).map(|(_, text)| text.chars().filter(is_kept).collect())
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect()
}

/// Sound for `qpdf`, all fonts embedded.
fn assert_sound(path: &str) {
    if let Some((ok, said)) = tool("qpdf", &["--check", path]) {
        assert!(ok && !said.contains("WARNING"), "{said}");
    }
    if let Some((ok, said)) = tool("pdffonts", &[path]) {
        assert!(ok);
        let fonts: Vec<&str> = said.lines().skip(2).collect();
        assert!(!fonts.is_empty(), "{said}");
        for font in fonts {
            let flags: Vec<&str> = font.split_whitespace().filter(|word| matches!(*word, "yes" | "no")).collect();
            assert_eq!(flags, ["yes", "yes", "yes"], "embedded, subset, with Unicode: {said}");
        }
    }
}

#[test]
fn a_chinese_report_as_a_hospital_prints_it() {
    let Some(fonts) = fonts() else { return };
    let clock = std::time::Instant::now();
    let pdf = typeset(&sheet(Lang::Zh), &fonts).unwrap();
    eprintln!("typeset in {:?}, {} bytes", clock.elapsed(), pdf.len());
    let path = write("report_zh.pdf", &pdf);
    let path = path.path.to_str().unwrap();
    assert_sound(path);
    if let Some(text) = text_of(path) {
        for wanted in [
            "示范医院",
            "胸部CT检查报告单",
            "演示甲",
            "65岁",
            "CT20261120001",
            "检查所见",
            "诊断意见",
            "12.3",
            "医师甲",
            "2026-11-20 10:12",
            "审核医师",
            "第 1 页",
            "共 1 页",
            "9f86d081",
        ] {
            assert!(text.contains(&squeezed(wanted)), "{wanted}\n{text}");
        }
        assert!(!text.contains("对比检查") && !text.contains("草稿"));
    }
    let again = typeset(&sheet(Lang::Zh), &fonts).unwrap();
    assert!(pdf == again, "the same sheet gives the same bytes");
}

#[test]
fn an_english_preliminary_report_says_so_across_the_page() {
    let Some(fonts) = fonts() else { return };
    let sheet = Sheet { state: State::Preliminary, reviewing: None, pictures: vec![], ..sheet(Lang::En) };
    let path = write("report_en.pdf", &typeset(&sheet, &fonts).unwrap());
    let path = path.path.to_str().unwrap();
    assert_sound(path);
    if let Some(text) = text_of(path) {
        for wanted in ["Demo Patient A", "65 years", "Findings", "Page 1 of 1", "Preliminary"] {
            assert!(text.contains(&squeezed(wanted)), "{wanted}\n{text}");
        }
    }
}

#[test]
fn a_long_report_names_its_patient_on_every_page() {
    let Some(fonts) = fonts() else { return };
    let mut sheet = sheet(Lang::Zh);
    let line = sheet.sections[3].text.clone();
    sheet.sections[3].text = vec![line; 12].join("\n\n");
    sheet.state = State::Corrected;
    sheet.amends = Some(Amended { report_id: "R7F3A20".into(), signed_at: sheet.printed_at });
    sheet.pictures = (0..5).map(|_| Picture { png: png(300, 300), caption: "横断面".into() }).collect();
    let path = write("report_long.pdf", &typeset(&sheet, &fonts).unwrap());
    let path = path.path.to_str().unwrap();
    assert_sound(path);
    if let Some(text) = text_of(path) {
        let pages: Vec<&str> = text.split('\u{c}').filter(|page| !page.trim().is_empty()).collect();
        assert!(pages.len() >= 3, "{}", pages.len());
        for (i, page) in pages.iter().enumerate() {
            assert!(page.contains("演示甲") && page.contains("CT20261120001"), "page {i}:\n{page}");
            assert!(page.contains(&format!("第{}页共{}页", i + 1, pages.len())), "{page}");
        }
        assert!(pages[0].contains("更正并取代报告R7F3A20"));
        assert!(pages.last().unwrap().contains("报告医师"));
    }
}

#[test]
fn typed_text_is_never_markup() {
    let Some(fonts) = fonts() else { return };
    let nasty =
        "#read(\"/etc/passwd\") #import \"@preview/x:1.0.0\" *bold* _it_ $x^2$ `raw` <label> @ref // comment \\ = heading - list + enum";
    let mut sheet = sheet(Lang::En);
    sheet.sections[3].text = format!("{nasty}\n\n= {nasty}\n\u{FFFC}\u{200B}");
    sheet.patient.name = Phi::new("#panic(\"x\")".into());
    sheet.hospital.name = "]#let x = [".into();
    let path = write("report_nasty.pdf", &typeset(&sheet, &fonts).unwrap());
    if let Some((_, text)) = tool("pdftotext", &["-raw", path.path.to_str().unwrap(), "-"]) {
        let text = text.replace('\n', " ");
        for wanted in ["#read(\"/etc/passwd\")", "*bold*", "$x^2$", "#panic(\"x\")", "]#let x = ["] {
            assert!(text.contains(wanted), "{wanted}\n{text}");
        }
    }
}

#[test]
fn almost_nothing_can_be_printed_too() {
    let Some(fonts) = fonts() else { return };
    let empty = Sheet {
        hospital: Hospital::default(),
        patient: PatientLines::default(),
        study: StudyLines::default(),
        sections: vec![],
        pictures: vec![],
        state: State::Draft,
        reporting: None,
        reviewing: None,
        content_sha256: String::new(),
        ..sheet(Lang::Zh)
    };
    let path = write("report_empty.pdf", &typeset(&empty, &fonts).unwrap());
    assert_sound(path.path.to_str().unwrap());
}

#[test]
fn symbols_of_everyday_reports_are_in_the_font() {
    let Some(fonts) = fonts() else { return };
    let symbols = "①②③④⑤ⅠⅡⅢⅣⅤ℃±×÷≥≤≈～–—…·μαβγδ²³→←↑↓●○◆■□√％‰°′″㎝㎜㎡【】〔〕《》“”‘’、，。；：？！éüñß㎏";
    let mut sheet = sheet(Lang::Zh);
    sheet.sections[0].text = symbols.into();
    let kept = write("report_symbols.pdf", &typeset(&sheet, &fonts).unwrap());
    if let Some(text) = text_of(kept.path.to_str().unwrap()) {
        for symbol in symbols.chars() {
            assert!(text.contains(symbol), "{symbol}\n{text}");
        }
    }
}

#[test]
fn what_cannot_be_printed_is_named() {
    let Some(fonts) = fonts() else { return };
    let mut bad = sheet(Lang::Zh);
    bad.pictures[1].png = b"not a picture".to_vec();
    assert!(matches!(typeset(&bad, &fonts), Err(Error::BadPicture { number: 2 })));
    let mut rare = sheet(Lang::Zh);
    rare.patient.name = Phi::new("演\u{10FFFD}".into());
    assert!(matches!(typeset(&rare, &fonts), Err(Error::MissingCharacters { count: 1, .. })));
    let empty = tempfile::tempdir().unwrap();
    assert!(matches!(Fonts::load(empty.path()), Err(Error::NoFonts { .. })));
}

#[test]
fn every_error_has_its_sentences() {
    let report = [
        "no_such_field",
        "bad_position",
        "forbidden_character",
        "duplicate_id",
        "too_long",
        "damaged",
        "future_revision",
        "bad_file",
        "no_such_template",
        "signed",
        "not_following",
        "wrong_role",
        "same_person",
        "blocked",
        "hash_mismatch",
    ];
    let pdf = ["no_fonts", "missing_characters", "bad_picture", "data", "typesetting"];
    let codes = report.map(|code| format!("report.{code}")).into_iter().chain(pdf.map(|code| format!("pdf.{code}")));
    for code in codes {
        for part in ["message", "hint"] {
            assert!(mj_lang::find(&format!("error.{code}.{part}")).is_some(), "{code}.{part}");
        }
    }
    let told = mj_lang::tell(&Error::BadPicture { number: 2 }, Lang::En);
    assert_eq!(told.message, "Picture 2 is not a PNG that can be printed.");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 8, failure_persistence: None, ..Default::default() })]

    /// Whatever is typed, a page comes out or the characters are named that no font has.
    #[test]
    fn no_text_breaks_the_page(text in "[ -~一-龥，。；：（）×μ]{0,80}[\n\t\u{A0}\u{200B}\u{3000}]{0,3}[#$*_`\\[\\]{}<>@=+~-]{0,12}[ -~一-龥𠮷\u{301}ﬁ]{0,8}") {
        let Some(fonts) = fonts() else { return Ok(()) };
        let mut sheet = sheet(Lang::Zh);
        sheet.pictures.truncate(1);
        sheet.pictures.iter_mut().for_each(|p| p.caption.clone_from(&text));
        sheet.patient.name = Phi::new(text.clone());
        sheet.sections.iter_mut().for_each(|section| section.text.clone_from(&text));
        match typeset(&sheet, &fonts) {
            Ok(pdf) => proptest::prop_assert!(pdf.starts_with(b"%PDF-")),
            Err(Error::MissingCharacters { .. }) => {}
            Err(other) => proptest::prop_assert!(false, "{other:?}"),
        }
    }
}
