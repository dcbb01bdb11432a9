use crate::support::{Image, new_record};
use mj_record::{Record, Sort, StateFilter, StudyQuery, Watch};

async fn found(record: &Record, query: StudyQuery) -> Vec<String> {
    let page = record.studies(&query).await.unwrap();
    assert_eq!(page.total as usize, page.rows.len());
    page.rows.into_iter().map(|row| row.accession.into_shown()).collect()
}

#[tokio::test]
async fn any_part_of_anything_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let record = new_record(dir.path()).await;
    let images = [
        Image { name: "Shili^Yihao=示例^一号".into(), date: "20260101".into(), ..Image::new(1, 1) },
        Image { name: "Fanli^Er=范例^二".into(), date: "20260301".into(), description: "腹部增强".into(), ..Image::new(2, 1) },
        Image { name: "Prüfling^Zwölf".into(), date: "20260201".into(), accession: "CN-2026/0042".into(), ..Image::new(3, 1) },
    ];
    crate::support::write(&dir.path().join("in"), &images);
    record.import(&[dir.path().join("in")], &Watch::default()).await.unwrap();
    let (a, b, c) = ("A00001", "A00002", "CN-2026/0042");
    for (text, wanted) in [
        ("", vec![b, c, a]),
        ("示", vec![a]),
        ("一号", vec![a]),
        ("示例一号", vec![a]),
        ("号一", vec![]),
        ("shili", vec![a]),
        ("iliyih", vec![a]),
        ("YIHAO", vec![a]),
        ("li er", vec![b]),
        ("强", vec![b]),
        ("部增", vec![b]),
        ("prüfl", vec![c]),
        ("cn-2026", vec![c]),
        ("0042", vec![c]),
        ("P2", vec![b]),
        ("2026-02-01", vec![c]),
        ("20260301", vec![b]),
        ("ct", vec![b, c, a]),
        ("zzz", vec![]),
        ("\"*:", vec![]),
        ("示 范", vec![]),
    ] {
        assert_eq!(found(&record, StudyQuery::text(text)).await, wanted, "{text}");
    }
    assert_eq!(found(&record, StudyQuery { sort: Sort::DateAsc, ..StudyQuery::default() }).await, [a, c, b]);
    assert_eq!(found(&record, StudyQuery { sort: Sort::Name, ..StudyQuery::default() }).await, [b, c, a]);
    assert_eq!(found(&record, StudyQuery { modality: Some("MR".into()), ..StudyQuery::default() }).await, Vec::<String>::new());
    assert_eq!(found(&record, StudyQuery { modality: Some("CT".into()), text: "er".into(), ..StudyQuery::default() }).await, [b]);
    record.mark_opened(&images[1].study_uid(), "u1").await.unwrap();
    assert_eq!(found(&record, StudyQuery { state: Some(StateFilter::Unread), ..StudyQuery::default() }).await, [c, a]);
    assert_eq!(found(&record, StudyQuery { state: Some(StateFilter::Opened), ..StudyQuery::default() }).await, [b]);
    let json = serde_json::to_value(record.study_row(&images[0].study_uid()).await.unwrap()).unwrap();
    assert_eq!(json["patient"]["name_ideographic"], "示例^一号");
    assert_eq!(json["state"]["report"], "none");
    assert_eq!(json["series"][0]["instances"], 1);
}
