//! The shell's core as a program of its own: commands as JSON lines in, answers and events as JSON lines out.

use mj_desk::desk::{Desk, Sink};
use mj_desk::page::dto::{Cursor, EditSent, Event};
use serde_json::{Value, json};
use std::io::{BufRead as _, Write as _};
use std::path::PathBuf;

struct Out;

impl Sink for Out {
    fn emit(&self, event: Event) {
        say(&json!({ "event": event }));
    }
}

fn say(value: &Value) {
    let mut out = std::io::stdout().lock();
    // The test may be gone already.
    let _gone = writeln!(out, "{value}").and_then(|()| out.flush());
}

pub(crate) fn run() {
    let folder = PathBuf::from(std::env::var_os("PROOF_FOLDER").expect("PROOF_FOLDER"));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let desk = runtime.block_on(async {
        let desk = Desk::new(&folder.join("record"), &folder.join("settings.toml"), Out);
        desk.unlock("correct horse".into()).await.unwrap();
        desk
    });
    say(&json!({ "ready": true }));
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        let command: Value = serde_json::from_str(&line).unwrap();
        let answer = runtime.block_on(answer(&desk, &command)).unwrap_or_else(|error| json!({ "error": error.to_string() }));
        say(&json!({ "answer": answer }));
    }
    runtime.block_on(desk.lock());
}

async fn answer(desk: &Desk, command: &Value) -> mj_desk::desk::error::Result<Value> {
    let text = |name: &str| command[name].as_str().unwrap_or_default().to_owned();
    Ok(match command["do"].as_str().unwrap_or_default() {
        "open_study" => serde_json::to_value(desk.open_study(&text("study")).await?).unwrap(),
        "new_report" => serde_json::to_value(desk.new_report(&text("study"), "chest_ct", mj_model::Lang::Zh).await?).unwrap(),
        "report" => serde_json::to_value(desk.report(&text("id")).await?).unwrap(),
        "edit" => {
            let sent: EditSent = serde_json::from_value(command["sent"].clone()).unwrap();
            serde_json::to_value(desk.edit(sent).await?).unwrap()
        }
        "cursor" => {
            let cursor: Cursor = serde_json::from_value(command["cursor"].clone()).unwrap();
            desk.cursor_moved(cursor);
            json!({})
        }
        "show_viewer" => {
            desk.show_viewer().await?;
            json!({})
        }
        other => panic!("unknown command {other}"),
    })
}
