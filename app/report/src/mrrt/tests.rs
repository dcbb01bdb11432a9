mod files;

use super::{decode, read, write};
use crate::check::{CheckContext, Severity, check};
use crate::document::{BlockKind, Document};
use crate::template::{AtSigning, FieldKind, Template};
use mj_model::{Coded as _, Lang, StudyUid};
use proptest::prelude::*;

const FORM: &str = r#"<!DOCTYPE html><html><head><meta charset="UTF-8"><title>x</title>
<meta name="dcterms.title" content="CT Thorax &amp; Abdomen"><meta name="dcterms.identifier" content="1.2/CT Thorax">
<meta name="dcterms.subject" content="CT; CH;"><script>alert(1)</script>
<script type="text/xml"><!-- <template_attributes><coded_content><entry ORIGTXT="a"><term><code meaning="Clinical information" value="RID13166" scheme="RadLex"/></term></entry>
<entry ORIGTXT="p"><term><code meaning="Pleura" value="RID1362" scheme="RadLex"/></term></entry>
<entry ORIGTXT="o2"><term><code meaning="Effusion" value="60046008" scheme="SNOMEDCT"/></term></entry></coded_content></template_attributes> --></script></head><body>
<section data-section-name="Clinical information"><header class="level1">Klinische Angaben</header><textarea id="a"></textarea></section>
<section data-section-name="Findings"><header>Befund</header>
  <table><tr><td>Pleura:</td><td><select id="p"><option value="unauffällig">unauffällig</option><option id="o2">Erguss</option></select></td></tr></table>
  <p><label for="n">Größe</label> <input type="number" id="n" min="0" max="300" data-field-units="mm" data-field-completion-action="PROHIBIT"></p>
  <section data-section-name="Liver"><header>Leber</header>
    <label><input type="checkbox" id="c" checked> Zyste</label>
    <p>Seite: <label><input type="radio" name="s" value="l"> links</label> <label><input type="radio" name="s" value="r" checked> rechts</label></p>
    <label for="w">Vergleich</label><select id="w"><option value=""></option><option>gleich</option></select>
  </section>
  <p><label for="z">Sonstiges</label><textarea id="z">keine</textarea></p>
</section>
<section data-section-name="Impression"><header>Beurteilung</header><textarea data-field-completion-action="ALERT">Kein Befund.</textarea></section>
</body></html>"#;

#[test]
fn sections_become_fields_and_inputs_lines() {
    let imported = read(FORM).unwrap();
    let template = &imported.template;
    assert_eq!((template.name.as_str(), template.title.en.as_str()), ("1_2_ct_thorax", "CT Thorax & Abdomen"));
    assert_eq!(template.applies.modality, ["CT"]);
    let titles: Vec<(&str, BlockKind)> = template.blocks.iter().map(|b| (b.title.en.as_str(), b.kind)).collect();
    let wanted = [
        ("Klinische Angaben", BlockKind::History),
        ("Befund", BlockKind::Findings),
        ("Befund / Leber", BlockKind::Findings),
        ("Beurteilung", BlockKind::Impression),
    ];
    assert_eq!(titles, wanted);
    let findings = &template.blocks[1];
    let fields: Vec<(&str, FieldKind, usize, &str)> =
        findings.fields.iter().map(|f| (f.title.en.as_str(), f.kind, f.choices.len(), f.text.en.as_str())).collect();
    assert_eq!(
        fields,
        [("Pleura", FieldKind::One, 2, ""), ("Größe", FieldKind::Number, 0, ""), ("Sonstiges", FieldKind::Text, 0, "keine")]
    );
    assert_eq!((findings.fields[1].at_signing, findings.fields[1].unit.as_str()), (AtSigning::Block, "mm"));
    let liver: Vec<(&str, &str)> = template.blocks[2].fields.iter().map(|f| (f.title.en.as_str(), f.text.en.as_str())).collect();
    assert_eq!(liver, [("Zyste", "Zyste"), ("Seite", "rechts"), ("Vergleich", "")]);
    assert_eq!((findings.fields[1].min, findings.fields[1].max), (Some(0.0), Some(300.0)));
    let pleura = &findings.fields[0];
    assert_eq!(pleura.code.as_ref().map(|c| (c.scheme.as_str(), c.code.as_str())), Some(("RADLEX", "RID1362")));
    let codes: Vec<Option<&str>> = pleura.choices.iter().map(|c| c.code.as_ref().map(|c| c.code.as_str())).collect();
    assert_eq!(codes, [None, Some("60046008")]);
    // ALERT tells, and does not block.
    let impression = &template.blocks[3];
    assert!(impression.expected && !impression.required && impression.text.en == "Kein Befund.");
    let left_out = ["1 scripts: what they work out is not worked out here", "1 concepts of sections, or beyond the first of an input"];
    assert_eq!(imported.left_out, left_out);

    let document = Document::from_template(template, StudyUid::parse("1.2").unwrap(), Lang::En);
    document.validate().unwrap();
    assert_eq!(document.blocks[1].text, "Größe: ____ mm\nSonstiges: keine");
    assert_eq!(document.blocks[2].text, "Zyste\nSeite: rechts");
    let phrases: Vec<String> = template.phrases(&template.blocks[2].id, Lang::En).into_iter().map(|p| p.text).collect();
    assert_eq!(phrases, ["Zyste", "Seite: links", "Seite: rechts", "Vergleich: gleich"]);
}

/// What was read once is the same when it is written and read again, in either form.
fn comes_back(template: &Template, what: &str) {
    let again = read(&write(template, Lang::En)).unwrap_or_else(|e| panic!("{what}: {e}")).template;
    let mut wanted = template.clone();
    // A page has one language: of an impression that was added, only the English title goes out.
    for block in wanted.blocks.iter_mut().filter(|block| block.id == "impression") {
        block.title.zh = block.title.en.clone();
    }
    let fields = |t: &Template| t.blocks.iter().flat_map(|b| b.fields.clone()).collect::<Vec<_>>();
    for (got, wanted) in fields(&again).iter().zip(&fields(&wanted)) {
        assert_eq!(got, wanted, "{what}");
    }
    assert_eq!(again, wanted, "{what}");
    assert_eq!(&Template::parse(&template.to_toml().unwrap()).unwrap(), template, "{what}");
}

#[test]
fn a_template_comes_back_as_it_was_written() {
    comes_back(&read(FORM).unwrap().template, "the form");
    for template in Template::all() {
        for lang in [Lang::Zh, Lang::En] {
            let again = read(&write(template, lang)).unwrap().template;
            assert_eq!(again.title.get(lang), template.title.get(lang));
            let begins = |t: &Template| -> Vec<(String, String, BlockKind)> {
                t.blocks.iter().map(|b| (b.id.clone(), b.title.get(lang).to_owned(), b.kind)).collect()
            };
            assert_eq!(begins(&again), begins(template), "{} {lang:?}", template.name);
            // Every statement of normality is there.
            let normal = |t: &Template| Document::from_template(t, StudyUid::parse("1.2").unwrap(), lang).plain();
            for part in template.blocks.iter().flat_map(|b| &b.parts) {
                assert!(normal(&again).contains(part.normal(lang).trim_end_matches('.')), "{} {}", template.name, part.id);
            }
        }
    }
}

#[test]
fn what_is_no_template_is_refused() {
    for text in
        ["", "plain words", "<html><body><p>nothing to fill in</p></body></html>", "\u{0}\u{1}<select>", "<input type=hidden name=a>"]
    {
        assert!(read(text).is_err(), "{text:?}");
    }
    let deep = format!("<body>{}<input id=a name=b>", "<div>".repeat(5000));
    assert!(read(&deep).unwrap_err().args().iter().any(|(_, why)| why.contains("deep")));
    assert!(read(&"a".repeat(50 << 20)).is_err());
    // Deep XML, and a bomb of entities, in the list of concepts.
    for xml in [
        format!("<template_attributes><coded_content>{}", "<td>".repeat(100_000)),
        format!("<!DOCTYPE a [<!ENTITY b \"{}\">]><coded_content>&b;</coded_content>", "&b;".repeat(9)),
    ] {
        let page = format!("<script type=text/xml>{xml}</script><section data-section-name=a><label for=a>A</label><input id=a></section>");
        assert!(read(&page).unwrap().left_out.iter().any(|what| what.contains("not well-formed")));
    }
}

#[test]
fn the_bytes_of_a_page_become_its_text() {
    let page = "<meta charset=\"iso-8859-1\"><label for=a>Größe</label><input id=a>";
    let latin: Vec<u8> = page.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let wide = |mark: [u8; 2], of: fn(u16) -> [u8; 2]| -> Vec<u8> { mark.into_iter().chain(page.encode_utf16().flat_map(of)).collect() };
    let marked = [&[0xEF, 0xBB, 0xBF], page.as_bytes()].concat();
    for bytes in [latin, marked, page.into(), wide([0xFF, 0xFE], u16::to_le_bytes), wide([0xFE, 0xFF], u16::to_be_bytes)] {
        assert_eq!(decode(&bytes), page);
    }
    let chinese = [&b"<meta charset=gb18030>"[..], &[0xB8, 0xCE]].concat();
    assert!(decode(&chinese).ends_with('肝'));
}

/// Pages made by copying name one input twice and another not at all; tables name by row and column.
#[test]
fn inputs_are_called_what_a_reader_would_call_them() {
    let page = r#"<body><section data-section-name="Befund"><header>Befund</header><table>
      <tr><th><label for="w">Gewicht:</label></th><td><input id="w" type="number"> kg</td></tr>
      <tr><th><label for="w">Größe:</label></th><td><input id="h" type="number"> m</td></tr>
      <tr><td><label for="x">Tumor</label></td><td><input id="t1"> x <input id="t2"> cm (Bild <input id="t3">)</td></tr></table>
      <table><tr><td>Gefäß</td><td>Plaque</td><td>Stenose</td></tr><tr><td>LCA</td><td><input id="p"></td><td><input id="s"></td></tr></table>
      <table><tr><th>Insula</th><td><input type="checkbox" id="l"><label for="l">links</label></td></tr>
      <tr><th>Thalamus</th><td><input type="checkbox" id="m"><label for="m">links</label></td></tr></table>
      <input id="only_an_id"></section></body>"#;
    let template = read(page).unwrap().template;
    let titles: Vec<&str> = template.blocks[0].fields.iter().map(|f| f.title.en.as_str()).collect();
    let wanted = [
        "Gewicht",
        "Größe",
        "Tumor",
        "Tumor (2)",
        "Tumor – Bild",
        "LCA – Plaque",
        "LCA – Stenose",
        "Insula – links",
        "Thalamus – links",
        "only_an_id",
    ];
    assert_eq!(titles, wanted);
}

#[test]
fn an_option_that_says_nothing_is_no_choice() {
    let page =
        |options: &str| format!("<section data-section-name=Findings><label for=a>A</label><select id=a>{options}</select></section>");
    let of = |options: &str| {
        let field = read(&page(options)).unwrap().template.blocks[0].fields[0].clone();
        (field.choices.into_iter().map(|c| c.en).collect::<Vec<_>>().join("|"), field.text.en)
    };
    let wanted = |choices: &str, text: &str| (choices.to_owned(), text.to_owned());
    assert_eq!(of("<option>yes<option>no"), wanted("yes|no", ""));
    assert_eq!(of("<option value=-> - <option>yes<option>no"), wanted("yes|no", ""));
    assert_eq!(of("<option value='' selected>choose<option>yes"), wanted("yes", ""));
    assert_eq!(of("<option>-<option>+<option>++"), wanted("+|++", ""));
    assert_eq!(of("<option>+<option>-"), wanted("+|-", ""));
    assert_eq!(of("<option>yes<option selected>no"), wanted("yes|no", "no"));
}

/// What a template wants of an empty place decides at signing.
#[test]
fn an_open_place_blocks_or_is_told_or_has_no_line() {
    let page = |action: &str| {
        format!(
            "<section data-section-name=Findings><label for=a>A</label><input id=a data-field-completion-action={action}>
             <label for=b>B</label><input id=b value=b></section>
             <section data-section-name=Impression><textarea data-field-completion-action={action}></textarea></section>"
        )
    };
    let of = |action: &str| -> Vec<(String, Severity)> {
        let template = read(&page(action)).unwrap().template;
        let document = Document::from_template(&template, StudyUid::parse("1.2").unwrap(), Lang::En);
        let context = CheckContext { template: Some(template), ..CheckContext::default() };
        check(&document, &[], &context).into_iter().map(|c| (c.rule, c.severity)).collect()
    };
    let both = |severity| vec![("unfilled".to_owned(), severity), ("field_empty".to_owned(), severity)];
    assert_eq!(of("PROHIBIT"), both(Severity::Block));
    assert_eq!(of("ALERT"), both(Severity::Warn));
    assert_eq!(of("NONE"), []);
}

/// Pages as long as any that is read, of what is looked at for every input.
#[test]
fn a_page_made_to_be_slow_is_read_in_a_moment() {
    let fill = |start: &str, piece: &str| format!("<section data-section-name=a>{start}{}", piece.repeat((1 << 19) / piece.len()));
    let words = "word ".repeat(100_000);
    for page in [
        fill("<table><tr><td>", "<input type=radio name=r value=v>w "),
        fill(&format!("<table><tr><td>{words}</td><td>"), "<input>"),
        fill(&format!("<label>{words}"), "<input>x"),
        fill("", "<label for=a>x</label><input id=a>"),
        fill("", "<h2>a</h2><select><option>b"),
        fill("<select>", "<option>b"),
        fill("<table>", "<tr><td>a<td>b<td><input>"),
    ] {
        let start = std::time::Instant::now();
        let _imported = read(&page);
        assert!(start.elapsed().as_secs() < 30, "{}", &page[..60]);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _imported = read(&decode(&bytes));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "(<(section|select|option|input|label|textarea|header|h2|p|td|tr|table)( (id|name|for|type|data-section-name)=\"?[a-c]\"?)*>|[a-z 所见<>&;]{0,6}|</(section|select|label|p|table)>){0,60}") {
        if let Ok(imported) = read(&text) {
            Document::from_template(&imported.template, StudyUid::parse("1.2").unwrap(), Lang::Zh).validate().unwrap();
        }
    }
}
