//! How fast the worklist filters; a measurement.

use crate::Record;
use crate::worklist::{StateFilter, StudyQuery};
use std::time::Instant;

const FAMILY: [&str; 10] =
    ["Shili=示例", "Yangli=样例", "Fanli=范例", "Lizi=例子", "Yanshi=演示", "Ceshi=测试", "Moni=模拟", "Xuni=虚拟", "Wuren=无人", "Jia=甲"];
const GIVEN: [&str; 10] =
    ["Yi=一", "Er=二", "San=三", "Si=四", "Wu=五", "Shiyi=十一", "Shier=十二", "Shisan=十三", "Shisi=十四", "Shiwu=十五"];

async fn insert(conn: &mut sqlx::SqliteConnection, i: u32) {
    let (family, given) = (FAMILY[i as usize % 10].split_once('=').unwrap(), GIVEN[i as usize / 10 % 10].split_once('=').unwrap());
    let pk = i64::from(i) + 1;
    sqlx::query(
        "INSERT INTO patient (patient_pk, issuer, patient_id, name_alphabetic, name_ideographic, sex) VALUES (?, 'H', ?, ?, ?, 'F')",
    )
    .bind(pk)
    .bind(format!("{i:08}"))
    .bind(format!("{}^{}", family.0, given.0))
    .bind(format!("{}^{}", family.1, given.1))
    .execute(&mut *conn)
    .await
    .unwrap();
    let date = format!("20{:02}-{:02}-{:02}", 10 + i % 16, 1 + i % 12, 1 + i % 28);
    sqlx::query(
        "INSERT INTO study (study_pk, study_uid, patient_pk, date, description, accession, sort_date, sort_name, received_at)
         VALUES (?1, ?2, ?1, ?3, 'Chest CT with contrast', ?4, ?3, ?5, '')",
    )
    .bind(pk)
    .bind(format!("1.2.826.0.1.{i}"))
    .bind(&date)
    .bind(format!("A{i:07}"))
    .bind(format!("{}^{}", family.0, given.0))
    .execute(&mut *conn)
    .await
    .unwrap();
    sqlx::query("INSERT INTO series (series_uid, study_pk, modality, n_instances) VALUES (?, ?, ?, 300)")
        .bind(format!("1.2.826.0.1.{i}.1"))
        .bind(pk)
        .bind(["CT", "MR", "DX", "US"][i as usize % 4])
        .execute(&mut *conn)
        .await
        .unwrap();
    crate::ingest::index_study(conn, pk).await.unwrap();
}

/// Filter as you type over 100,000 studies.
#[tokio::test]
#[ignore = "a measurement: cargo xtask bench"]
async fn bench_worklist_of_a_hundred_thousand_studies() {
    let dir = tempfile::tempdir().unwrap();
    let record = Record::init(dir.path().join("record"), &crate::Passphrase::new("x").unwrap()).await.unwrap();
    let mut n = 0;
    while n < 100_000_u32 {
        let mut tx = record.write().await.unwrap();
        for i in n..n + 5_000 {
            insert(tx.conn(), i).await;
        }
        tx.commit().await.unwrap();
        n += 5_000;
    }
    // The first question of each is asked of a cold cache, as the first key press is.
    for text in ["", "s", "shili y", "示例一", "00031", "ct", "none at all"] {
        let (mut times_ms, mut total) = (Vec::new(), 0);
        for _ in 0..7 {
            let start = Instant::now();
            total = record.studies(&StudyQuery { text: text.into(), limit: 100, ..StudyQuery::default() }).await.unwrap().total;
            times_ms.push(start.elapsed().as_secs_f64() * 1e3);
        }
        mj_testdata::note(&format!("worklist of 100,000 studies, \"{text}\""), "mingjing", "ms", &times_ms, &format!("{total} found"));
    }
    let unread = StudyQuery {
        state: Some(StateFilter::Unread),
        modality: Some("CT".into()),
        text: "fanli".into(),
        limit: 100,
        ..StudyQuery::default()
    };
    let start = Instant::now();
    let total = record.studies(&unread).await.unwrap().total;
    let ms = start.elapsed().as_secs_f64() * 1e3;
    mj_testdata::note("worklist of 100,000 studies, \"fanli\", unread, CT", "mingjing", "ms", &[ms], &format!("{total} found"));
}
