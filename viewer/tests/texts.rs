//! Every error of the viewer has its sentences.

#[test]
fn every_code_has_message_and_hint() {
    for code in mj_viewer::Error::CODES.iter().chain(mj_render::Error::CODES) {
        for part in ["message", "hint"] {
            let key = format!("error.{code}.{part}");
            assert!(mj_lang::find(&key).is_some(), "{key} has no text");
        }
    }
}
