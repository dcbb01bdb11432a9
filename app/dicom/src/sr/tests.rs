use super::*;
use crate::outside;
use mj_model::finding::{Origin, OriginKind};
use mj_model::uid::TrackingUid;
use mj_model::{FindingState, FrameOfReferenceUid, Geometry, Measurement, PointLps, Quantity, Shape, Side, Unit};

static NO_MODALITIES: std::sync::OnceLock<BTreeMap<SeriesUid, String>> = std::sync::OnceLock::new();

fn dataset(relative: &str) -> Option<Dataset> {
    Some(Dataset::from_vec(std::fs::read(mj_testdata::path(relative)?).unwrap()).unwrap())
}

fn moment() -> Moment {
    Moment::parse("2026-11-21T08:10:00+08:00").unwrap()
}

fn finding(context: &Dataset, geometry: Geometry) -> Finding {
    let header = context.header().unwrap();
    let quantity = geometry.sizes().into_iter().next().unwrap_or(Quantity {
        what: mj_model::code::known::volume(),
        value: 1.0 / 3.0,
        unit: Unit::ml(),
    });
    Finding {
        id: "f1".into(),
        tracking_uid: TrackingUid::parse("2.25.77").unwrap(),
        revision: 1,
        study: header.study.uid,
        series: header.series.uid,
        frame_of_reference: FrameOfReferenceUid::parse("2.25.5").ok(),
        images: vec![ImageRef { instance: header.instance, sop_class: header.sop_class, frame: None }],
        state: FindingState::Accepted,
        kind: Code::new("SCT", "27925004", "Nodule", "结节"),
        label: None,
        site: Some(Code::new("SCT", "45653009", "Upper lobe of lung", "肺上叶")),
        side: Side::Right,
        geometry,
        measurements: vec![Measurement::new("m1".into(), quantity)],
        certainty_percent: None,
        reason: None,
        held: None,
        proposed_by: None,
        origin: Origin { who: OriginKind::Person, name: "p1".into(), version: String::new() },
        at: moment(),
    }
}

fn input<'a>(context: &'a Dataset, findings: &'a [Finding]) -> SrInput<'a> {
    SrInput {
        context,
        instance: InstanceUid::parse("2.25.21").unwrap(),
        series: SeriesUid::parse("2.25.22").unwrap(),
        series_number: 990,
        title: "胸部CT报告",
        lang: Lang::Zh,
        sections: vec![
            Section::new("临床病史", "咳嗽两周。"),
            Section::new("检查所见", "右肺上叶见一结节，长径 12.3 mm。\n余肺野清晰。"),
            Section::new("诊断意见", "右肺上叶结节，建议随访。"),
        ],
        findings: findings.iter().collect(),
        modalities: NO_MODALITIES.get_or_init(BTreeMap::new),
        reporting: Some(Observer { name: "报告医师甲".into(), at: moment() }),
        authors: vec!["住院医师丙".into(), "报告医师甲".into()],
        reviewing: Some(Observer { name: "审核医师乙".into(), at: moment() }),
        at: moment(),
        is_complete: true,
        is_verified: true,
        is_final: true,
        predecessor: None,
        device: Device { name: "Mingjing".into(), version: "0.1.0".into(), serial: "1".into(), uid: "2.25.31".into() },
    }
}

#[test]
fn a_signed_report_is_written_read_back_and_valid() {
    let Some(context) = dataset("seg_sr/liver_ct3slice/ct/01.dcm") else { return };
    let line = Geometry::line(PointLps::new(-20.25, 31.5, -128.75), PointLps::new(-12.75, 38.5, -128.75));
    let mut bare = finding(&context, Geometry::whole_image());
    bare.site = None;
    bare.kind = mj_model::code::known::unclassified_finding();
    let mut gone = finding(&context, line.clone());
    gone.state = FindingState::Rejected;
    let findings = [finding(&context, line.clone()), bare, gone];
    let written = write(&input(&context, &findings)).unwrap();
    assert_eq!(written.sop_class.as_str(), COMPREHENSIVE_3D_SR);
    assert_eq!(written.bytes, write(&input(&context, &findings)).unwrap().bytes);

    let back = read(&Dataset::read(&written.bytes).unwrap()).unwrap();
    assert_eq!((back.template.as_str(), back.lang.as_str(), back.is_complete, back.is_verified), ("1500", "zh", true, true));
    assert_eq!((back.observers[0].as_str(), back.verifiers[0].as_str()), ("报告医师甲=报告医师甲", "审核医师乙=审核医师乙"));
    assert_eq!(back.authors, ["报告医师甲=报告医师甲", "住院医师丙=住院医师丙"]);
    let texts: Vec<_> = back.sections.iter().map(|s| (s.kind, s.text.as_str())).collect();
    assert_eq!(texts[1], (SectionKind::Findings, "右肺上叶见一结节，长径 12.3 mm。\n余肺野清晰。"));
    assert_eq!(back.findings.len(), 2);
    let first = &back.findings[0];
    assert_eq!(
        (first.side, first.geometry.clone(), first.tracking_uid.as_str()),
        (Side::Right, Some(Geometry::line(PointLps::new(-20.25, 31.5, -128.75), PointLps::new(-12.75, 38.5, -128.75))), "2.25.77")
    );
    // The number in full precision, whatever the decimal string holds.
    assert_eq!(first.measurements[0].quantity.value, findings[0].measurements[0].quantity.value);
    assert_eq!(first.measurements[0].quantity.unit, Unit::mm());
    assert_eq!(back.findings[1].measurements[0].quantity.value, 1.0 / 3.0);
    assert_eq!(back.evidence.len(), 1);

    outside::keep(&written.bytes, "sr");
    outside::dciodvfy(&written.bytes, "sr");
    outside::pixelmed_sr(&written.bytes, "sr");
}

#[test]
fn a_line_in_pixels_is_selected_from_its_image() {
    let Some(context) = dataset("xray/chest_rsna_1.dcm") else { return };
    let line = Geometry::OnImage(Shape::Line { a: [10.0, 20.0], b: [110.0, 20.0] });
    let mut one = finding(&context, line.clone());
    one.frame_of_reference = None;
    let findings = [one];
    let draft =
        SrInput { lang: Lang::En, reviewing: None, is_verified: false, is_final: false, is_complete: false, ..input(&context, &findings) };
    let written = write(&draft).unwrap();
    assert_eq!(written.sop_class.as_str(), COMPREHENSIVE_SR);
    let back = read(&Dataset::read(&written.bytes).unwrap()).unwrap();
    assert_eq!(back.findings[0].geometry, Some(line));
    assert_eq!(back.findings[0].measurements[0].quantity.unit, Unit::px());
    assert_eq!(back.findings[0].images, findings[0].images);
    assert!(!back.is_verified && !back.is_complete);
    outside::dciodvfy(&written.bytes, "sr-pixels");
    outside::pixelmed_sr(&written.bytes, "sr-pixels");
}

#[test]
fn a_report_without_findings_still_refers_to_its_image() {
    let Some(context) = dataset("seg_sr/liver_ct3slice/ct/01.dcm") else { return };
    let before = ObjectRef {
        study: StudyUid::parse("2.25.1").unwrap(),
        series: SeriesUid::parse("2.25.2").unwrap(),
        instance: InstanceUid::parse("2.25.3").unwrap(),
        sop_class: SopClassUid::parse(COMPREHENSIVE_SR).unwrap(),
    };
    let corrected = SrInput { predecessor: Some(before), ..input(&context, &[]) };
    let written = write(&corrected).unwrap();
    let back = read(&Dataset::read(&written.bytes).unwrap()).unwrap();
    assert_eq!(back.evidence[0].instance, context.header().unwrap().instance);
    outside::dciodvfy(&written.bytes, "sr-text");
}

#[test]
fn reports_of_others_are_read() {
    for (file, groups, numbers) in [
        ("qin_headneck_0003_tid1500/sr.dcm", 1, 5),
        ("highdicom/sr_document.dcm", 1, 1),
        ("comprehensive_sr.dcm", 0, 0),
        ("basic_text_sr.dcm", 0, 0),
        ("enhanced_sr_dcmjs.dcm", 0, 0),
        ("enhanced_sr_pd1_lung.dcm", 0, 0),
    ] {
        let Some(dataset) = dataset(&format!("seg_sr/{file}")) else { return };
        let content = read(&dataset).unwrap_or_else(|error| panic!("{file}: {error}"));
        let found: usize = content.findings.iter().map(|f| f.measurements.len()).sum();
        println!("{file}: {} groups, {found} numbers, {} texts, {}", content.findings.len(), content.sections.len(), content.lang);
        assert!(content.findings.len() >= groups && found >= numbers, "{file}");
    }
}

#[test]
fn headings_name_their_kind() {
    for (title, kind) in [
        ("检查所见", SectionKind::Findings),
        ("诊断意见", SectionKind::Impression),
        ("IMPRESSION", SectionKind::Impression),
        ("检查技术", SectionKind::Technique),
        ("Clinical history", SectionKind::History),
        ("随便", SectionKind::Other),
    ] {
        assert_eq!(Section::new(title, "").kind, kind, "{title}");
    }
}

/// A group of the image library for each series, each with its own modality; and a side is told without a site too.
#[test]
fn each_series_has_its_own_modality_and_a_side_needs_no_site() {
    let Some(context) = dataset("seg_sr/liver_ct3slice/ct/01.dcm") else { return };
    let line = Geometry::line(PointLps::new(-20.25, 31.5, -128.75), PointLps::new(-12.75, 38.5, -128.75));
    let of = |series: &str, instance: &str, tracking: &str| {
        let mut one = finding(&context, line.clone());
        one.tracking_uid = TrackingUid::parse(tracking).unwrap();
        one.series = SeriesUid::parse(series).unwrap();
        one.images[0].instance = InstanceUid::parse(instance).unwrap();
        one.site = None;
        one.side = Side::Left;
        one
    };
    let findings = [finding(&context, line.clone()), of("2.25.61", "2.25.71", "2.25.81"), of("2.25.62", "2.25.72", "2.25.82")];
    let modalities = BTreeMap::from([(SeriesUid::parse("2.25.61").unwrap(), "MR".to_owned())]);
    let written = write(&SrInput { modalities: &modalities, ..input(&context, &findings) }).unwrap();
    let dataset = Dataset::read(&written.bytes).unwrap();
    let concept = |item: &crate::View<'_>| item.item(tags::CONCEPT_NAME_CODE_SEQUENCE).map_or(String::new(), |c| c.text(tags::CODE_VALUE));
    let library = dataset.root().items(tags::CONTENT_SEQUENCE).find(|item| concept(item) == "111028").unwrap();
    let mut told: Vec<Option<String>> = library
        .items(tags::CONTENT_SEQUENCE)
        .map(|group| {
            let modality = group.items(tags::CONTENT_SEQUENCE).find(|item| concept(item) == "121139")?;
            Some(modality.item(tags::CONCEPT_CODE_SEQUENCE)?.text(tags::CODE_VALUE))
        })
        .collect();
    told.sort();
    assert_eq!(told, [None, Some("CT".to_owned()), Some("MR".to_owned())], "the third series is not known to be anything");
    let back = read(&dataset).unwrap();
    let sides: Vec<_> = back.findings.iter().map(|f| (f.site.is_some(), f.side)).collect();
    assert_eq!(sides, [(true, Side::Right), (false, Side::Left), (false, Side::Left)]);
    outside::dciodvfy(&written.bytes, "sr-series");
    outside::pixelmed_sr(&written.bytes, "sr-series");
}
