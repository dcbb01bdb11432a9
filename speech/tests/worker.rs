//! The program itself, over its pipes and by its command line.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking, as tests do")]

use mj_link::speech::{FromSpeech, ToSpeech};
use mj_link::{Event, Events, Lang, Worker};
use mj_speech::{Error, ModelFile};
use mj_testdata::whisper::{Spec, tiny_model};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_mingjing-speech");

fn model(folder: &Path, spec: Spec) -> PathBuf {
    let path = folder.join(format!("model-{}-{}.bin", spec.ftype, spec.n_vocab));
    fs::write(&path, tiny_model(spec)).unwrap();
    path
}

/// A WAV file: noise in bursts like syllables, or silence.
fn wav(folder: &Path, seconds: f32, is_loud: bool) -> PathBuf {
    let path = folder.join(format!("sound-{seconds}-{is_loud}.wav"));
    let spec = hound::WavSpec { channels: 1, sample_rate: 44_100, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
    let mut writer = hound::WavWriter::create(&path, spec).unwrap();
    let mut random = 1_u32;
    for n in 0..(seconds * 44_100.0) as u32 {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let is_syllable = n / 8820 % 3 != 2;
        writer.write_sample(if is_loud && is_syllable { (random >> 16) as i16 / 4 } else { 0_i16 }).unwrap();
    }
    writer.finalize().unwrap();
    path
}

fn start() -> (Worker, Events<FromSpeech>) {
    let (mut worker, events) = Worker::spawn(Path::new(PROGRAM), &[]).unwrap();
    let hello = next(&events);
    assert!(matches!(hello, FromSpeech::Hello { .. }), "{hello:?}");
    worker.send(&ToSpeech::Hello { lang: Lang::En, journal: None }).unwrap();
    (worker, events)
}

fn next(events: &Events<FromSpeech>) -> FromSpeech {
    let start = Instant::now();
    loop {
        match events.next_within(Duration::from_secs(120)) {
            Some(Event::Message(FromSpeech::Level { .. })) => {}
            Some(Event::Message(message)) => return message,
            other => panic!("{other:?} after {:?}", start.elapsed()),
        }
    }
}

fn code(message: &FromSpeech) -> &str {
    match message {
        FromSpeech::Failed { error, .. } => &error.code,
        other => panic!("{other:?}"),
    }
}

fn run(args: &[&str], paths: &[(&str, &Path)]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.args(args);
    for (option, path) in paths {
        command.arg(option).arg(path);
    }
    command.output().unwrap()
}

#[test]
fn a_model_of_16_bits_runs_in_every_language() {
    let folder = tempfile::tempdir().unwrap();
    let (mut worker, events) = start();
    worker.send(&ToSpeech::LoadModel { path: model(folder.path(), Spec::default()) }).unwrap();
    let FromSpeech::ModelReady { about } = next(&events) else { panic!("not ready") };
    assert_eq!((about["weights"].as_str(), about["n_tensors"].as_u64()), (Some("f16"), Some(167)));
    // Longer than the model's window of 5.12 s, so that it comes in pieces.
    let sound = wav(folder.path(), 8.0, true);
    for (request, language) in ["zh", "en", "auto"].into_iter().enumerate() {
        let request = request as u64;
        worker.send(&ToSpeech::Transcribe { request, wav: sound.clone(), language: language.into() }).unwrap();
        let words = loop {
            match next(&events) {
                FromSpeech::Partial { request: of, .. } => assert_eq!(of, request),
                FromSpeech::Final { request: of, words, .. } => {
                    assert_eq!(of, request);
                    break words;
                }
                other => panic!("{other:?}"),
            }
        };
        for word in words {
            assert!(word.start_s >= 0.0 && word.end_s >= word.start_s && word.end_s <= 8.1, "{word:?}");
            assert!((0.0..=1.0).contains(&word.confidence), "{word:?}");
        }
    }
    worker.send(&ToSpeech::Quit).unwrap();
    assert_eq!(events.next_within(Duration::from_secs(20)), Some(Event::Ended));
}

#[test]
fn silence_is_empty_and_faults_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let (mut worker, events) = start();
    let silence = wav(folder.path(), 2.0, false);
    let transcribe = |wav: &Path, language: &str| ToSpeech::Transcribe { request: 7, wav: wav.into(), language: language.into() };
    worker.send(&transcribe(&silence, "en")).unwrap();
    let failed = next(&events);
    assert_eq!(code(&failed), "speech.no_model");
    assert!(matches!(&failed, FromSpeech::Failed { request: Some(7), error } if error.hint.contains("Import")), "{failed:?}");

    let english = model(folder.path(), Spec { n_vocab: 51_864, ..Spec::default() });
    worker.send(&ToSpeech::LoadModel { path: english }).unwrap();
    assert!(matches!(next(&events), FromSpeech::ModelReady { .. }));
    worker.send(&transcribe(&silence, "en")).unwrap();
    assert_eq!(next(&events), FromSpeech::Final { request: 7, text: String::new(), words: Vec::new() });

    let text = folder.path().join("notes.wav");
    fs::write(&text, "not a sound").unwrap();
    for (wav, language, expected) in [
        (&silence, "zh", "speech.language_not_in_model"),
        (&silence, "fr", "speech.language_unknown"),
        (&text, "en", "speech.sound_unreadable"),
        (&folder.path().join("absent.wav"), "en", "speech.sound_unreadable"),
    ] {
        worker.send(&transcribe(wav, language)).unwrap();
        assert_eq!(code(&next(&events)), expected);
    }
    worker.send(&ToSpeech::StopMicrophone { request: 9 }).unwrap();
    assert_eq!(code(&next(&events)), "speech.not_listening");
}

/// The files that whisper.cpp itself answers by ending the process, and some that it would refuse.
#[test]
fn bad_models_are_refused_by_their_header_and_the_worker_lives_on() {
    let folder = tempfile::tempdir().unwrap();
    let good = model(folder.path(), Spec::default());
    let bytes = fs::read(&good).unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let changed = |at: usize, value: i32| {
        let mut bytes = bytes.clone();
        bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
        bytes
    };
    let cases = [
        (model(folder.path(), Spec { ftype: 0, ..Spec::default() }), "model.would_abort"),
        (model(folder.path(), Spec { n_vocab: 2000, ..Spec::default() }), "model.would_abort"),
        (file("truncated", &bytes[..bytes.len() - 1]), "model.truncated"),
        (file("half", &bytes[..bytes.len() / 2]), "model.truncated"),
        (file("header", &bytes[..20]), "model.truncated"),
        (file("no-tensors", &bytes[..48 + 8 + 80 * 201 * 4 + 4]), "model.truncated"),
        (file("text", "这不是模型 this is a text file".as_bytes()), "model.not_a_model"),
        (file("empty", b""), "model.not_a_model"),
        (folder.path().join("absent"), "model.unreadable"),
        (file("huge-layers", &changed(4 + 4 * 4, i32::MAX)), "model.would_abort"),
        (file("negative", &changed(8, -1)), "model.would_abort"),
        (file("ftype-99", &changed(4 + 4 * 10, 99)), "model.would_abort"),
        (file("words", &changed(48 + 8 + 80 * 201 * 4, -5)), "model.would_abort"),
    ];
    let (mut worker, events) = start();
    for (path, expected) in cases {
        let checked = ModelFile::check(&path).map_err(|e| mj_link::Coded::code(&e));
        assert_eq!(checked, Err(expected), "{}", path.display());
        worker.send(&ToSpeech::LoadModel { path }).unwrap();
        assert_eq!(code(&next(&events)), expected);
    }
    worker.send(&ToSpeech::LoadModel { path: good }).unwrap();
    assert!(matches!(next(&events), FromSpeech::ModelReady { .. }));
}

#[test]
fn no_byte_of_a_header_makes_the_check_panic() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = tiny_model(Spec::default());
    let path = folder.path().join("model");
    for at in 0..96 {
        let mut broken = bytes[..70_000].to_vec();
        broken[at] ^= 0xff;
        fs::write(&path, broken).unwrap();
        assert!(ModelFile::check(&path).is_err(), "byte {at}");
    }
    let first_tensor = 48 + 8 + 80 * 201 * 4 + 4 + 300 * 4 + (1 + 10 * 3 + 90 * 4 + 199 * 5);
    for at in first_tensor..first_tensor + 24 {
        let mut broken = bytes.clone();
        broken[at] ^= 0xff;
        fs::write(&path, broken).unwrap();
        // A changed letter of a name is whisper.cpp's to refuse, which it does cleanly.
        match ModelFile::check(&path) {
            Ok(_) | Err(Error::ModelWouldAbort { .. } | Error::ModelTruncated { .. }) => {}
            Err(other) => panic!("byte {at}: {other}"),
        }
    }
}

/// This machine may or may not have a microphone; both have to end well, and the worker lives on.
#[test]
fn a_microphone_or_its_absence() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal");
    let (mut worker, events) = start();
    worker.send(&ToSpeech::Hello { lang: Lang::Zh, journal: Some(("5a".repeat(32), journal.clone())) }).unwrap();
    worker.send(&ToSpeech::StartMicrophone { request: 1, language: "zh".into() }).unwrap();
    assert_eq!(code(&next(&events)), "speech.no_model");
    worker.send(&ToSpeech::LoadModel { path: model(folder.path(), Spec::default()) }).unwrap();
    assert!(matches!(next(&events), FromSpeech::ModelReady { .. }));
    worker.send(&ToSpeech::StartMicrophone { request: 2, language: "zh".into() }).unwrap();
    worker.send(&ToSpeech::StopMicrophone { request: 2 }).unwrap();
    match next(&events) {
        FromSpeech::Final { request, .. } => assert_eq!(request, 2),
        failed => {
            assert!(code(&failed).starts_with("speech.microphone_") || code(&failed) == "speech.no_microphone", "{failed:?}");
            assert_eq!(code(&next(&events)), "speech.not_listening");
            assert_eq!(fs::read_dir(&journal).unwrap().count(), 0, "a journal without a sound was left");
        }
    }
}

/// Through the system's sound library for real, on its null device, which gives silence as fast as it is asked.
#[test]
#[cfg(target_os = "linux")]
fn the_path_from_the_sound_system_to_the_final_text() {
    let Some(alsa) = Some("/usr/share/alsa/alsa.conf").filter(|file| Path::new(file).exists()) else {
        mj_testdata::skip("no ALSA configuration on this machine");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (config, journal) = (folder.path().join("asound.conf"), folder.path().join("journal"));
    fs::write(&config, format!("<{alsa}>\npcm.!default {{ type null }}\nctl.!default {{ type null }}\n")).unwrap();
    let config = format!("ALSA_CONFIG_PATH={}", config.display());
    let (mut worker, events) = Worker::spawn::<FromSpeech>(Path::new("env"), &[&config, PROGRAM]).unwrap();
    assert!(matches!(next(&events), FromSpeech::Hello { .. }));
    worker.send(&ToSpeech::Hello { lang: Lang::En, journal: Some(("5a".repeat(32), journal.clone())) }).unwrap();
    worker.send(&ToSpeech::LoadModel { path: model(folder.path(), Spec::default()) }).unwrap();
    assert!(matches!(next(&events), FromSpeech::ModelReady { .. }));
    worker.send(&ToSpeech::StartMicrophone { request: 4, language: "en".into() }).unwrap();
    match events.next_within(Duration::from_secs(60)) {
        Some(Event::Message(FromSpeech::Level { request: 4, dbfs })) => assert!(dbfs <= -90.0),
        other => panic!("{other:?}"),
    }
    let kept = fs::read_dir(&journal).unwrap().next().unwrap().unwrap().path();
    worker.send(&ToSpeech::StartMicrophone { request: 5, language: "en".into() }).unwrap();
    worker.send(&ToSpeech::StopMicrophone { request: 4 }).unwrap();
    let refused = next(&events);
    assert!(matches!(&refused, FromSpeech::Failed { request: Some(5), .. }) && code(&refused) == "speech.already_listening");
    assert_eq!(next(&events), FromSpeech::Final { request: 4, text: String::new(), words: Vec::new() });
    // The null device outruns the disk, which is told after the text; a second stop is then no fault.
    worker.send(&ToSpeech::StopMicrophone { request: 4 }).unwrap();
    worker.send(&ToSpeech::StopMicrophone { request: 6 }).unwrap();
    let mut told = next(&events);
    while code(&told) == "speech.sound_lost" {
        told = next(&events);
    }
    assert_eq!(code(&told), "speech.not_listening");
    let key = mj_seal::Key::from_hex(&"5a".repeat(32)).unwrap();
    assert!(!mj_speech::journal::recover(&kept, &key).unwrap().samples.is_empty());
    worker.send(&ToSpeech::Quit).unwrap();
    while events.next_within(Duration::from_secs(20)) != Some(Event::Ended) {}
    assert!(!kept.exists(), "the parent had the text and lived on");
}

#[test]
fn a_child_leaves_when_its_parent_is_gone() {
    let (worker, events) = start();
    drop(worker);
    assert_eq!(events.next_within(Duration::from_secs(20)), Some(Event::Ended));
}

#[test]
fn one_file_by_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let (model, sound) = (model(folder.path(), Spec::default()), wav(folder.path(), 3.0, true));
    let done = run(&["--json", "--language", "zh"], &[("--transcribe", &sound), ("--model", &model)]);
    assert!(done.status.success(), "{done:?}");
    let answer: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert!(answer["text"].is_string() && answer["words"].is_array() && answer["commands"].is_array(), "{answer}");

    let checked = run(&["--json"], &[("--check-model", &model)]);
    let about: serde_json::Value = serde_json::from_slice(&checked.stdout).unwrap();
    assert_eq!(about["n_vocab"], 51_865);

    let refused = run(&["--json", "--lang", "zh"], &[("--transcribe", &sound), ("--model", &sound)]);
    assert_eq!(refused.status.code(), Some(1));
    let error: mj_link::Told = serde_json::from_slice(&refused.stdout).unwrap();
    assert_eq!(error.code, "model.not_a_model");
    let plain = run(&["--lang", "en"], &[("--transcribe", &sound), ("--model", &sound)]);
    assert!(plain.stdout.is_empty() && String::from_utf8_lossy(&plain.stderr).contains("not a speech model"), "{plain:?}");
    assert_eq!(run(&["--transcribe"], &[]).status.code(), Some(2));
}

/// Changes bytes of a good model at places that steer, and loads and runs whatever the check lets through: the
/// child may refuse, but not die.
#[test]
#[ignore = "long: cargo xtask soak"]
fn soak_damaged_models_never_end_the_process() {
    let rounds: u32 = std::env::var("MINGJING_SOAK_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(300);
    let folder = tempfile::tempdir().unwrap();
    let bytes = tiny_model(Spec::default());
    let sound = wav(folder.path(), 1.0, true);
    let path = folder.path().join("model.bin");
    let heads = tensor_heads(&bytes);
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    let mut draw = |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % below as u64) as usize
    };
    let (mut refused, mut ran, mut died) = (0_u32, 0_u32, Vec::new());
    for round in 0..rounds {
        let mut damaged = bytes.clone();
        let what = match draw(4) {
            // One of the eleven numbers becomes another plausible one.
            0 => {
                let (field, value) = (draw(11), [0_i32, 1, 2, 3, 4, 64, 80, 128, 256, 1500, 51_864, 51_866][draw(12)]);
                damaged[4 + field * 4..8 + field * 4].copy_from_slice(&value.to_le_bytes());
                format!("field {field} = {value}")
            }
            1 => {
                let at = heads[draw(heads.len())] + draw(24);
                damaged[at] ^= 1 << draw(8);
                format!("tensor head, byte {at}")
            }
            2 => {
                let at = draw(70_000);
                damaged[at] = draw(256) as u8;
                format!("byte {at}")
            }
            _ => {
                let at = bytes.len() - draw(bytes.len());
                damaged.truncate(at);
                format!("cut at {at}")
            }
        };
        fs::write(&path, damaged).unwrap();
        let (mut worker, events) = start();
        worker.send(&ToSpeech::LoadModel { path: path.clone() }).unwrap();
        worker.send(&ToSpeech::Transcribe { request: 1, wav: sound.clone(), language: "en".into() }).unwrap();
        loop {
            match events.next_within(Duration::from_secs(120)) {
                Some(Event::Message(FromSpeech::Final { .. })) => break ran += 1,
                Some(Event::Message(FromSpeech::Failed { .. })) => break refused += 1,
                Some(Event::Ended) | None => break died.push(format!("round {round}: {what}")),
                Some(_) => {}
            }
        }
    }
    let note = format!("{refused} refused, {ran} ran all the same");
    mj_testdata::note("damaged speech models", "mingjing", "processes ended", &[died.len() as f64], &note);
    assert!(died.is_empty(), "{died:#?}");
}

/// Where the tensors of a tiny model begin.
fn tensor_heads(bytes: &[u8]) -> Vec<usize> {
    let number = |at: usize| i32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let mut at = 48 + 8 + 80 * 201 * 4;
    let n_words = number(at);
    at += 4;
    for _ in 0..n_words {
        at += 4 + number(at);
    }
    let mut heads = Vec::new();
    while at < bytes.len() {
        heads.push(at);
        let (n_dims, name, half) = (number(at), number(at + 4), number(at + 8));
        let values: usize = (0..n_dims).map(|n| number(at + 12 + n * 4)).product();
        at += 12 + n_dims * 4 + name + values * if half == 1 { 2 } else { 4 };
    }
    assert_eq!(heads.len(), 167);
    heads
}
