use super::*;

fn check(declared: &str, raw: &[u8], shape: Shape, text: &str, is_repaired: bool) {
    let read = CharacterSet::declared(declared.as_bytes()).decode(raw, shape);
    assert_eq!(read, Text { text: text.into(), is_repaired }, "{declared}");
}

fn gbk(text: &str) -> Vec<u8> {
    encoding_rs::GBK.encode(text).0.into_owned()
}

#[test]
fn single_sets() {
    check("ISO_IR 100", b"\xC4neas^R\xFCdiger", Shape::Name, "Äneas^Rüdiger", false);
    check("ISO_IR 144", b"\xBB\xEE", Shape::Values, "Лю", false);
    check("ISO_IR 13", b"\xD4\xCF\xC0\xDE^\xC0\xDB\xB3", Shape::Name, "ﾔﾏﾀﾞ^ﾀﾛｳ", false);
    check("ISO_IR 203", b"\xA4", Shape::Values, "€", false);
    check("ISO_IR 166", b"\xA1", Shape::Values, "ก", false);
    check("iso-ir 100 ", b"\xE9", Shape::Values, "é", false);
}

#[test]
fn whole_sets() {
    check("GB18030", b"Wang^XiaoDong=\xCD\xF5^\xD0\xA1\xB6\xAB", Shape::Name, "Wang^XiaoDong=王^小东", false);
    check("GBK", &gbk("镕，李"), Shape::Values, "镕，李", false);
    check("ISO_IR 192", "Wang^XiaoDong=王^小東".as_bytes(), Shape::Name, "Wang^XiaoDong=王^小東", false);
    // The second byte of this character is a backslash.
    check("GB18030", b"\x81\x5C", Shape::Values, "乗", false);
}

#[test]
fn code_extensions() {
    // PS3.5 §H.3.1, §I.2, §K.2.
    check("\\ISO 2022 IR 87", b"Yamada^Tarou=\x1B$B;3ED\x1B(B^\x1B$BB@O:\x1B(B", Shape::Name, "Yamada^Tarou=山田^太郎", false);
    check(
        "\\ISO 2022 IR 149",
        b"Hong^Gildong=\x1B$)C\xFB\xF3^\x1B$)C\xD1\xCE\xD4\xD7=\x1B$)C\xC8\xAB^\x1B$)C\xB1\xE6\xB5\xBF",
        Shape::Name,
        "Hong^Gildong=洪^吉洞=홍^길동",
        false,
    );
    check("\\ISO 2022 IR 58", b"Zhang^XiaoDong=\x1B$)A\xD5\xC5^\x1B$)A\xD0\xA1\xB6\xAB=", Shape::Name, "Zhang^XiaoDong=张^小东=", false);
    check("ISO 2022 IR 100\\ISO 2022 IR 144", b"\xE9\x1B-L\xBB", Shape::Values, "éЛ", false);
    check("ISO 2022 IR 6\\ISO 2022 IR 159", b"\x1B$(D0!\x1B(B", Shape::Values, "丂", false);
}

#[test]
fn delimiters_end_a_designation() {
    // Behind `^` the set of the first value holds again; the same in several values, not in long text.
    check("ISO 2022 IR 100\\ISO 2022 IR 144", b"\x1B-L\xBB^\xE9", Shape::Name, "Л^é", false);
    check("ISO 2022 IR 100\\ISO 2022 IR 144", b"\x1B-L\xBB\\\xE9", Shape::Values, "Л\\é", false);
    check("ISO 2022 IR 100\\ISO 2022 IR 144", b"\x1B-L\xBB\\\xBB", Shape::Long, "Л\\Л", false);
    check("ISO 2022 IR 100\\ISO 2022 IR 144", b"\x1B-L\xBB\n\xE9", Shape::Long, "Л\né", false);
}

#[test]
fn wrong_sets_are_repaired_and_told() {
    check("", &gbk("示^例"), Shape::Name, "示^例", true);
    check("ISO_IR 100", &gbk("示例一"), Shape::Name, "示例一", true);
    check("ISO_IR 100", "王".as_bytes(), Shape::Name, "王", true);
    check("ISO_IR 192", &gbk("右肺上叶"), Shape::Values, "右肺上叶", true);
    check("", b"J\xE9r\xF4me", Shape::Name, "Jérôme", true);
    check("\\ISO 2022 IR 58", &gbk("示例"), Shape::Name, "示例", true);
    check("NONSENSE", &gbk("示例"), Shape::Name, "示例", true);
}

#[test]
fn nothing_makes_it_fail() {
    let mut state = 1_u64;
    for declared in
        ["", "ISO_IR 100", "ISO_IR 192", "GB18030", "\\ISO 2022 IR 87", "ISO 2022 IR 13\\ISO 2022 IR 159", "\\ISO 2022 IR 58", "x\\\\\u{1}"]
    {
        let set = CharacterSet::declared(declared.as_bytes());
        for length in 0..64_usize {
            let raw: Vec<u8> = (0..length)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    if state >> 60 == 0 { 0x1B } else { (state >> 33) as u8 }
                })
                .collect();
            for shape in [Shape::Name, Shape::Values, Shape::Long] {
                let _text = set.decode(&raw, shape);
            }
        }
    }
}
