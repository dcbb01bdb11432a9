use super::{read, write};
use crate::document::{BlockKind, Document};
use crate::template::{AtSigning, FieldKind, Template};
use mj_model::{Coded as _, Lang, StudyUid};
use proptest::prelude::*;

const FORM: &str = r#"<!DOCTYPE html><html><head><meta charset="UTF-8"><title>x</title>
<meta name="dcterms.title" content="CT Thorax &amp; Abdomen"><meta name="dcterms.identifier" content="1.2/CT Thorax">
<meta name="dcterms.subject" content="CT; CH;"><script>alert(1)</script></head><body>
<section data-section-name="Clinical information"><header class="level1">Klinische Angaben</header><textarea id="a"></textarea></section>
<section data-section-name="Findings"><header>Befund</header>
  <table><tr><td>Pleura:</td><td><select id="p"><option value="unauffällig">unauffällig</option><option>Erguss</option></select></td></tr></table>
  <p><label for="n">Größe</label> <input type="number" id="n" data-field-units="mm" data-field-completion-action="PROHIBIT"></p>
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
    assert!(template.blocks[3].required && template.blocks[3].text.en == "Kein Befund.");
    assert_eq!(imported.left_out, ["1 scripts: what they work out is not worked out here"]);

    let document = Document::from_template(template, StudyUid::parse("1.2").unwrap(), Lang::En);
    document.validate().unwrap();
    assert_eq!(document.blocks[1].text, "Größe: ____ mm\nSonstiges: keine");
    assert_eq!(document.blocks[2].text, "Zyste\nSeite: rechts");
    let phrases: Vec<String> = template.phrases(&template.blocks[2].id, Lang::En).into_iter().map(|p| p.text).collect();
    assert_eq!(phrases, ["Zyste", "Seite: links", "Seite: rechts", "Vergleich: gleich"]);
}

/// What was read once is the same when it is written and read again.
fn comes_back(template: &Template, what: &str) {
    let again = read(&write(template, Lang::En)).unwrap_or_else(|e| panic!("{what}: {e}")).template;
    let shape = |t: &Template| {
        let of = |b: &crate::template::TemplateBlock| {
            let fields: Vec<_> = b
                .fields
                .iter()
                .map(|f| (f.title.en.clone(), f.kind, f.choices.clone(), f.text.en.clone(), f.unit.clone(), f.at_signing))
                .collect();
            (b.title.en.clone(), b.kind, b.required, b.text.en.clone(), fields)
        };
        (t.title.en.clone(), t.blocks.iter().map(of).collect::<Vec<_>>())
    };
    assert_eq!(shape(&again), shape(template), "{what}");
}

#[test]
fn a_template_comes_back_as_it_was_written() {
    comes_back(&read(FORM).unwrap().template, "the form");
    for template in Template::all() {
        for lang in [Lang::Zh, Lang::En] {
            let again = read(&write(template, lang)).unwrap().template;
            assert_eq!(again.title.get(lang), template.title.get(lang));
            let begins =
                |t: &Template| -> Vec<(String, BlockKind)> { t.blocks.iter().map(|b| (b.title.get(lang).to_owned(), b.kind)).collect() };
            let wanted: Vec<(String, BlockKind)> = begins(template).into_iter().filter(|(_, kind)| *kind != BlockKind::Other).collect();
            let got: Vec<(String, BlockKind)> = begins(&again).into_iter().filter(|(_, kind)| *kind != BlockKind::Other).collect();
            assert_eq!(got, wanted, "{} {lang:?}", template.name);
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
    assert!(read(&"a".repeat(3 << 20)).is_err());
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "(<(section|select|option|input|label|textarea|header|h2|p|td|tr|table)( (id|name|for|type|data-section-name)=\"?[a-c]\"?)*>|[a-z 所见<>&;]{0,6}|</(section|select|label|p|table)>){0,60}") {
        if let Ok(imported) = read(&text) {
            Document::from_template(&imported.template, StudyUid::parse("1.2").unwrap(), Lang::Zh).validate().unwrap();
        }
    }
}

/// Every file of the data, against what its source holds, counted without the reader.
#[test]
fn templates_of_others_come_in_whole() {
    let Some(folder) = mj_testdata::root().map(|root| root.join("report_templates")) else { return };
    let (mut n, mut differences) = (0, Vec::new());
    for set in ["drg_mrrt", "radreport_de"] {
        for file in std::fs::read_dir(folder.join(set)).unwrap().map(|e| e.unwrap().path()) {
            if file.extension().is_none_or(|e| e != "html") {
                continue;
            }
            n += 1;
            let html = std::fs::read_to_string(&file).unwrap();
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            let template = read(&html).unwrap_or_else(|e| panic!("{name}: {e}")).template;
            let source = without_comments(&html);
            let count = |mark: &str| source.to_lowercase().matches(mark).count();
            let fields = || template.blocks.iter().flat_map(|b| &b.fields);
            let selects = fields().filter(|f| matches!(f.kind, FieldKind::One | FieldKind::Many) && !f.id.starts_with("radio:"));
            let options = selects.clone().map(|f| f.choices.len()).sum::<usize>();
            let checks = fields().filter(|f| f.kind == FieldKind::Check).count();
            let texts = fields().filter(|f| !matches!(f.kind, FieldKind::One | FieldKind::Many | FieldKind::Check)).count();
            let (boxes, radios) = (count(" type=\"checkbox\""), count(" type=\"radio\""));
            let inputs = count("<input") - boxes - radios - count(" type=\"hidden\"") - count(" type=\"button\"");
            let choices = fields().filter(|f| f.id.starts_with("radio:")).map(|f| f.choices.len()).sum::<usize>();
            let mut wrong = |what: &str, got: usize, least: usize, most: usize| {
                if got < least || got > most {
                    differences.push(format!("{name}: {got} {what}, {least} to {most} in the file"));
                }
            };
            wrong("lists", selects.count(), count("<select"), count("<select"));
            // An empty first option is no choice.
            wrong("choices", options, count("<option").saturating_sub(count("<select")), count("<option"));
            wrong("boxes", checks, boxes, boxes);
            wrong("radio buttons", choices, radios, radios);
            wrong("inputs", texts, inputs, inputs + count("<textarea"));
            assert!(fields().all(|f| !f.title.en.is_empty()), "{name}: a field without a name");
            assert!(
                template.blocks.iter().any(|b| b.kind == BlockKind::Findings)
                    && template.blocks.iter().any(|b| b.kind == BlockKind::Impression)
            );
            Document::from_template(&template, StudyUid::parse("1.2").unwrap(), Lang::Zh).validate().unwrap();
            comes_back(&template, &name);
        }
    }
    assert_eq!((n, differences), (31, Vec::<String>::new()));
}

fn without_comments(html: &str) -> String {
    let mut out = String::new();
    let mut rest = html;
    while let Some((before, after)) = rest.split_once("<!--") {
        out.push_str(before);
        rest = after.split_once("-->").map_or("", |(_, rest)| rest);
    }
    out + rest
}
