//! Writing in the real shell: a real Chinese input method, leaving the page and coming back, closing the window.

use crate::station::Station;
use crate::windows::{Desk, begin_report, shots, turn, type_into_editor};

fn open(with_pinyin: bool) -> Option<Desk> {
    let station = Station::new();
    let folder = station.phantom(64, 20);
    station.import(&folder.join("current"));
    let desk = Desk::open_alone(station, with_pinyin, shots("writing"))?;
    desk.shell.find("study-row");
    begin_report(&desk);
    Some(desk)
}

fn is_chinese(c: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&c)
}

fn shown(desk: &Desk) -> String {
    desk.shell.text_of("[data-testid='block-findings']")
}

/// The shell's window gets the keyboard.
pub(crate) fn to_the_front(desk: &Desk) {
    desk.shell.until("the shell's window", || {
        let found = desk.screen.xdotool(&["search", "--onlyvisible", "--name", "Mingjing"]);
        let window = found.lines().last()?.to_owned();
        drop(desk.screen.xdotool(&["windowactivate", "--sync", &window]));
        Some(())
    });
}

/// The shell's window gets the keyboard, and the findings the cursor.
pub(crate) fn activate(desk: &Desk) {
    to_the_front(desk);
    desk.shell.click("block-findings");
}

#[test]
fn chinese_comes_through_a_real_input_method() {
    let _turn = turn();
    let Some(desk) = open(true) else { return };
    activate(&desk);
    let before: usize = shown(&desk).chars().filter(|c| is_chinese(*c)).count();
    // The input method may still be starting: whatever it has not taken stays latin and is taken back.
    let written = desk.shell.until("a composed word", || {
        drop(desk.screen.xdotool(&["type", "--delay", "120", "feibu"]));
        drop(desk.screen.xdotool(&["key", "--delay", "200", "space"]));
        let until = std::time::Instant::now() + std::time::Duration::from_secs(3);
        while std::time::Instant::now() < until {
            let now = shown(&desk);
            if now.chars().filter(|c| is_chinese(*c)).count() >= before + 2 && !now.contains("feibu") {
                return Some(now);
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        drop(desk.screen.xdotool(&["key", "--delay", "60", "--repeat", "6", "BackSpace"]));
        None
    });
    let word: String = written.chars().rev().skip_while(|c| !is_chinese(*c)).take_while(|c| is_chinese(*c)).collect();
    let word: String = word.chars().rev().collect();
    desk.shot("01-pinyin");
    desk.shell.until("the word on disk", || desk.reports().contains(&word).then_some(()));
}

#[test]
fn text_is_there_after_another_page_and_on_disk_when_the_window_closes() {
    let _turn = turn();
    let Some(desk) = open(false) else { return };
    type_into_editor(&desk.shell, "示例文字一。");
    desk.shell.click("nav-outbox");
    desk.shell.find("outbox-page");
    desk.shell.click("nav-study");
    assert!(shown(&desk).contains("示例文字一。"), "{}", shown(&desk));
    activate(&desk);
    // Typed and closed at once: the window waits for the disk.
    type_into_editor(&desk.shell, "示例文字二。");
    drop(desk.screen.xdotool(&["key", "alt+F4"]));
    let is_open = || !desk.screen.xdotool(&["search", "--onlyvisible", "--name", "Mingjing"]).is_empty();
    let start = std::time::Instant::now();
    while is_open() {
        assert!(start.elapsed() < std::time::Duration::from_secs(30), "the window does not close\n{}", desk.shell.log());
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    for typed in ["示例文字一。", "示例文字二。"] {
        assert!(desk.reports().contains(typed), "{typed}: {}", desk.reports());
    }
}
