//! Speech in the real shell, with the real worker and a tiny model of random weights: the words it makes up must
//! stand in the report they were spoken for, wherever the reader has gone meanwhile.

use crate::station::Station;
use crate::windows::{Desk, begin_report, shots, turn};
use mj_testdata::whisper::{Spec, tiny_model};
use std::path::{Path, PathBuf};

/// What the talkative model says to any sound.
const SAID: &str = "w1 w2 w3 w4";

/// A WAV file of noise in bursts like syllables. Units of `seconds`: s.
fn wav(folder: &Path, seconds: u32) -> PathBuf {
    let samples = noise(seconds);
    let bytes = samples.len() as u32 * 2;
    let mut file = Vec::new();
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(36 + bytes).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend_from_slice(&16_000_u32.to_le_bytes());
    file.extend_from_slice(&32_000_u32.to_le_bytes());
    file.extend_from_slice(b"\x02\0\x10\0data");
    file.extend_from_slice(&bytes.to_le_bytes());
    file.extend(samples.iter().flat_map(|s| s.to_le_bytes()));
    let path = folder.join("speech.wav");
    std::fs::write(&path, file).unwrap();
    path
}

/// Samples at 16,000 a second.
fn noise(seconds: u32) -> Vec<i16> {
    let mut random = 1_u32;
    let sample = |n: u32| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        if n / 3200 % 3 == 2 { 0 } else { (random >> 16) as i16 / 4 }
    };
    (0..seconds * 16_000).map(sample).collect()
}

/// Leaves in the record what a dictation leaves that a fault interrupted: one sealed record of sound.
fn leave_sound(station: &Station) -> PathBuf {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let key = runtime.block_on(async {
        let passphrase = mj_record::Passphrase::from_file(&station.passphrase_file()).unwrap();
        let record = mj_record::Record::open(&station.record(), &passphrase).await.unwrap();
        let key = mj_seal::Key::from_hex(&record.grant().object_key).unwrap();
        record.close().await;
        key
    });
    let mut plain = b"MJSOUND1\0\0\0\0".to_vec();
    plain.extend(noise(3).iter().flat_map(|s| s.to_le_bytes()));
    let sealed = mj_seal::seal(&key, &plain).unwrap();
    let folder = station.record().join("sound");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("dictation-1-0.mjsound");
    std::fs::write(&path, [&(sealed.len() as u32).to_le_bytes()[..], &sealed].concat()).unwrap();
    path
}

fn load_model(desk: &Desk) {
    let model = desk.station.dir().join("model.bin");
    std::fs::write(&model, tiny_model(Spec { is_talkative: true, ..Spec::default() })).unwrap();
    desk.shell.click("nav-models");
    desk.shell.type_into("model-path", &model.display().to_string());
    desk.shell.click("model-load");
}

fn state(desk: &Desk) -> String {
    desk.shell.script("return document.querySelector(\"[data-testid='model-state']\")?.dataset.state ?? ''").as_str().unwrap().to_owned()
}

/// Words that wait for a person, on whatever page.
fn unplaced(desk: &Desk) -> Option<String> {
    let text = desk.shell.script("return document.querySelector(\"[data-testid='unplaced-text']\")?.textContent ?? null");
    text.as_str().map(str::to_owned)
}

/// What the findings of the newest report hold on disk.
fn findings(desk: &Desk) -> String {
    let study = desk.station.json(&["list"])[0]["study_uid"].as_str().unwrap().to_owned();
    let reports = desk.station.json(&["report", "list", &study]);
    let report = desk.station.json(&["report", "show", reports[0]["id"].as_str().unwrap()]);
    let fields = report["fields"].as_array().unwrap();
    fields.iter().find(|f| f["id"] == "findings").unwrap()["text"].as_str().unwrap().to_owned()
}

#[test]
fn words_reach_their_report_and_a_cut_off_dictation_is_recovered() {
    let _turn = turn();
    let station = Station::new();
    let folder = station.phantom(64, 20);
    station.import(&folder.join("current"));
    let left = leave_sound(&station);
    let Some(desk) = Desk::open_alone(station, false, shots("dictation")) else { return };
    desk.shell.find("study-row");
    begin_report(&desk);
    let before = findings(&desk);

    load_model(&desk);
    // What was left over comes first, and waits for a person.
    let words = desk.shell.until("recovered words", || unplaced(&desk));
    assert!(left.exists(), "the sound must stay until a person has decided");
    assert_eq!(words.trim(), SAID);
    desk.shot("01-recovered");
    desk.shell.click("nav-study");
    desk.shell.click("unplaced-insert");
    desk.shell.until("recovered words on disk", || (findings(&desk).len() > before.len()).then_some(()));
    desk.shell.until("sound forgotten", || (!left.exists()).then_some(()));
    assert!(findings(&desk).contains(words.trim()), "{words:?} is not in {:?}", findings(&desk));

    // Words of a dictation go to the report they were spoken for while the reader looks at another page.
    let before = findings(&desk);
    desk.shell.click("nav-models");
    desk.shell.until("a ready model", || (state(&desk) == "ready").then_some(()));
    let sound = wav(desk.station.dir(), 4);
    desk.shell.type_into("wav-path", &sound.display().to_string());
    desk.shell.click("transcribe");
    desk.shell.until("words on disk", || (findings(&desk).len() > before.len()).then_some(()));
    let after = findings(&desk);
    assert_eq!(after.matches(SAID).count(), 2, "{before:?} became {after:?}");
    desk.shell.click("nav-study");
    let shown = desk.shell.text_of("[data-testid='block-findings']");
    assert!(shown.contains(after.trim()), "the editor shows {shown:?}, on disk is {after:?}");
    desk.shot("02-dictated");
}
