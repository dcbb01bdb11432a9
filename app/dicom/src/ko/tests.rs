use super::*;
use crate::dataset::Dataset;
use crate::outside;
use mj_model::SopClassUid;
use mj_testdata::Random;
use serde_json::Value;
use std::process::Command;

fn context() -> Option<Context> {
    let path = mj_testdata::path("seg_sr/liver_ct3slice/ct/01.dcm")?;
    Some(Context::of(&Dataset::from_vec(std::fs::read(path).unwrap()).unwrap()).unwrap())
}

fn device() -> Device {
    Device { name: "Mingjing".into(), version: "0.1.0".into(), serial: "1".into(), uid: "2.25.1".into() }
}

fn image(n: usize, frame: Option<u32>) -> ImageRef {
    let class = if frame.is_some() { "1.2.840.10008.5.1.4.1.1.2.1" } else { "1.2.840.10008.5.1.4.1.1.2" };
    ImageRef { instance: InstanceUid::parse(&format!("2.25.{n}")).unwrap(), sop_class: SopClassUid::parse(class).unwrap(), frame }
}

fn input<'a>(context: &'a Context, device: &'a Device, title: &'a Code, images: &'a [(SeriesUid, Vec<ImageRef>)]) -> KoInput<'a> {
    KoInput {
        context,
        instance: InstanceUid::parse("2.25.61").unwrap(),
        series: SeriesUid::parse("2.25.62").unwrap(),
        series_number: 985,
        title,
        description: "",
        images,
        person: None,
        at: Moment::parse("2026-11-21T08:10:00+08:00").unwrap(),
        device,
    }
}

/// Images of one to five series, some of them frames.
fn images(random: &mut Random) -> Vec<(SeriesUid, Vec<ImageRef>)> {
    let mut n = 100;
    let mut one = |random: &mut Random| {
        n += 1;
        if random.chance(0.2) { (1..=3).map(|frame| image(n, Some(frame))).collect() } else { vec![image(n, None)] }
    };
    (0..1 + random.below(5))
        .map(|s| {
            let images = (0..1 + random.below(20)).flat_map(|_| one(random)).collect();
            (SeriesUid::parse(&format!("2.25.70{s}")).unwrap(), images)
        })
        .collect()
}

const TEXTS: [&str; 3] = ["", "右肺上叶结节，层厚 1 mm。\n第二行", "Nodule of the right upper lobe"];
const PERSONS: [Option<&str>; 3] = [None, Some("报告医师甲"), Some("Reader^One")];

/// Read by highdicom, which resolves every reference through the evidence.
const HIGHDICOM: &str = r#"
import json, sys, highdicom
from pydicom import dcmread
def read(path):
    document = highdicom.ko.KeyObjectSelectionDocument.from_dataset(dcmread(path))
    content = document.content
    objects = []
    for item in content.get_references():
        reference = item.ReferencedSOPSequence[0]
        study, series, uid = document.resolve_reference(item.referenced_sop_instance_uid)
        objects.append([series, uid, reference.get("ReferencedFrameNumber")])
    texts = [i.TextValue for i in content[0].ContentSequence if i.ValueType == "TEXT" and i.ConceptNameCodeSequence[0].CodeValue == "113012"]
    names = [str(i.PersonName) for i in content[0].ContentSequence if i.ValueType == "PNAME"]
    return {"title": content[0].ConceptNameCodeSequence[0].CodeValue, "objects": objects, "texts": texts, "names": names, "observers": len(content.get_observer_contexts())}
print(json.dumps([read(p) for p in sys.argv[1:]]))
"#;

/// A small object, to be damaged.
#[cfg(feature = "pixels")]
pub(crate) fn sample() -> Option<Vec<u8>> {
    let (context, device, images) = (context()?, device(), images(&mut Random::new(1)));
    Some(write(&input(&context, &device, &titles()[0], &images)).unwrap().bytes)
}

#[test]
fn random_selections_are_the_same_for_us_and_for_highdicom() {
    let Some(context) = context() else { return };
    let (device, all_titles) = (device(), titles());
    let folder = tempfile::tempdir().unwrap();
    let mut wanted = Vec::new();
    for seed in 0..100 {
        let mut random = Random::new(seed);
        let (images, title) = (images(&mut random), random.pick(&all_titles));
        let (description, person) = (*random.pick(&TEXTS), *random.pick(&PERSONS));
        let input = KoInput { description, person, ..input(&context, &device, title, &images) };
        let written = write(&input).unwrap();
        assert_eq!(written.bytes, write(&input).unwrap().bytes);
        assert_as_written(&written.bytes, &input).unwrap_or_else(|error| panic!("{seed}: {error}"));
        if seed % 20 == 0 {
            outside::dciodvfy(&written.bytes, &format!("ko-{seed}"));
        }
        std::fs::write(folder.path().join(format!("{seed}.dcm")), &written.bytes).unwrap();
        let objects: Vec<Value> = images
            .iter()
            .flat_map(|(series, of)| of.iter().map(move |i| serde_json::json!([series.as_str(), i.instance.as_str(), i.frame])))
            .collect();
        let texts: Vec<&str> = Some(description).filter(|d| !d.is_empty()).into_iter().collect();
        let names: Vec<String> = person.map(crate::sr::person_name).into_iter().collect();
        wanted.push(serde_json::json!({"title": title.code, "objects": objects, "texts": texts, "names": names, "observers": 1}));
    }
    let Some(python) = outside::python() else { return };
    let files = (0..100).map(|seed| folder.path().join(format!("{seed}.dcm")));
    let output = Command::new(python).args(["-c", HIGHDICOM]).args(files).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    for (seed, (told, wanted)) in told.iter().zip(&wanted).enumerate() {
        assert_eq!(told, wanted, "{seed}");
    }
    assert_eq!(told.len(), 100);
}

#[test]
fn a_selection_of_another_is_told_apart_and_a_bad_one_refused() {
    let Some(context) = context() else { return };
    let (device, all) = (device(), titles());
    let images = [(SeriesUid::parse("2.25.700").unwrap(), vec![image(1, None), image(2, Some(4))])];
    let of = |images| input(&context, &device, &all[0], images);
    let written = write(&of(&images)).unwrap();
    let differs = |other: &KoInput<'_>| assert_as_written(&written.bytes, other).unwrap_err();
    let moved = [(SeriesUid::parse("2.25.701").unwrap(), images[0].1.clone())];
    let fewer = [(images[0].0.clone(), vec![image(1, None)])];
    for other in [&moved, &fewer] {
        assert_eq!(differs(&of(other)), Error::NotAsWritten { what: "images" });
    }
    assert_eq!(differs(&KoInput { title: &all[1], ..of(&images) }), Error::NotAsWritten { what: "title" });
    assert_eq!(differs(&KoInput { description: "x", ..of(&images) }), Error::NotAsWritten { what: "description" });
    assert_eq!(differs(&KoInput { person: Some("x"), ..of(&images) }), Error::NotAsWritten { what: "observer" });
    let twice = [(images[0].0.clone(), vec![image(1, None), image(1, None)])];
    let rejected = Code::new("DCM", "113001", "Rejected for Quality Reasons", "");
    let series_twice = [images[0].clone(), (images[0].0.clone(), vec![image(3, None)])];
    for bad in [of(&[]), of(&twice), of(&series_twice), KoInput { title: &rejected, ..of(&images) }] {
        assert!(matches!(write(&bad), Err(Error::CannotWrite { .. })));
    }
    let Some(report) = mj_testdata::path("seg_sr/comprehensive_sr.dcm") else { return };
    let report = Dataset::from_vec(std::fs::read(report).unwrap()).unwrap();
    assert_eq!(read(&report), Err(Error::WrongKind { wanted: "key object selection" }));
}

/// Every title is one of the standard's, in its own wording, as pydicom's dictionary has them.
#[test]
fn titles_are_those_of_the_standard() {
    let Some(python) = outside::python() else { return };
    let script = "import sys, json\nfrom pydicom.sr.codedict import codes\nprint(json.dumps([[c.value, c.meaning] for c in (getattr(codes.cid7010, n) for n in codes.cid7010.dir())]))";
    let output = Command::new(python).args(["-c", script]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let known: Vec<[String; 2]> = serde_json::from_slice(&output.stdout).unwrap();
    for title in titles() {
        assert!(known.contains(&[title.code.clone(), title.name_en.clone()]), "{title:?}");
        assert!(!title.name_zh.is_empty() && !needs_modifier(&title));
    }
}

/// Written by highdicom over two real series of a study.
const OTHERS: &str = r#"
import sys, pydicom, highdicom as hd
from pydicom.sr.codedict import codes
out, *paths = sys.argv[1:]
images = [pydicom.dcmread(p) for p in paths]
for image in images:
    image.SpecificCharacterSet = "ISO_IR 192"
images[2].SeriesInstanceUID = "2.25.33"
observer = hd.sr.ObserverContext(observer_type=codes.DCM.Person, observer_identifying_attributes=hd.sr.PersonObserverIdentifyingAttributes(name="Doe^Jane"))
content = hd.ko.KeyObjectSelection(document_title=codes.DCM.ForSurgery, referenced_objects=images, observer_person_context=observer, description="three of them")
document = hd.ko.KeyObjectSelectionDocument(evidence=images, content=content, series_instance_uid=hd.UID(), series_number=1, sop_instance_uid=hd.UID(), instance_number=1, manufacturer="m")
document.save_as(out)
"#;

#[test]
fn a_selection_of_others_is_read() {
    let Some(folder) = mj_testdata::path("seg_sr/liver_ct3slice/ct") else { return };
    let Some(python) = outside::python() else { return };
    let made = tempfile::tempdir().unwrap();
    let out = made.path().join("ko.dcm");
    let paths = ["01.dcm", "02.dcm", "03.dcm"].map(|name| folder.join(name));
    let output = Command::new(python).args(["-c", OTHERS]).arg(&out).args(&paths).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let selection = read(&Dataset::from_vec(std::fs::read(&out).unwrap()).unwrap()).unwrap();
    assert_eq!(selection.title, titles().into_iter().find(|t| t.code == "113003"));
    assert_eq!((selection.description.as_str(), selection.persons.as_slice()), ("three of them", &["Doe^Jane".to_owned()][..]));
    let headers = paths.map(|p| Dataset::from_vec(std::fs::read(p).unwrap()).unwrap().header().unwrap());
    let found: Vec<_> = selection.objects.iter().map(|o| (o.image.instance.as_str(), o.series.as_ref().unwrap().1.as_str())).collect();
    let own = headers[0].series.uid.as_str();
    let uids = headers.each_ref().map(|h| h.instance.as_str());
    assert_eq!(found, [(uids[0], own), (uids[1], own), (uids[2], "2.25.33")]);
}
