//! A CT image of a few pixels, written by hand: the record needs a study, the proof needs no more.

/// A part-10 file. `number` tells the slices apart.
pub(crate) fn image(study: &str, number: u32) -> Vec<u8> {
    let instance = format!("{study}.1.{number}");
    let mut meta = Vec::new();
    put(&mut meta, (2, 1), b"OB", &[0, 1]);
    put(&mut meta, (2, 2), b"UI", CT.as_bytes());
    put(&mut meta, (2, 3), b"UI", instance.as_bytes());
    put(&mut meta, (2, 0x10), b"UI", b"1.2.840.10008.1.2.1");
    put(&mut meta, (2, 0x12), b"UI", b"2.25.1");
    let mut out = vec![0; 128];
    out.extend_from_slice(b"DICM");
    let length = u32::try_from(meta.len()).unwrap();
    put(&mut out, (2, 0), b"UL", &length.to_le_bytes());
    out.extend(meta);
    let position = format!("0\\0\\{number}");
    let number = number.to_string();
    let texts: &[((u16, u16), &[u8; 2], &str)] = &[
        ((8, 5), b"CS", "ISO_IR 192"),
        ((8, 0x16), b"UI", CT),
        ((8, 0x18), b"UI", &instance),
        ((8, 0x20), b"DA", "20261121"),
        ((8, 0x50), b"SH", "A1"),
        ((8, 0x60), b"CS", "CT"),
        ((8, 0x1030), b"LO", "Chest"),
        ((0x10, 0x10), b"PN", "Demo^One=演^示"),
        ((0x10, 0x20), b"LO", "D1"),
        ((0x10, 0x40), b"CS", "M"),
        ((0x20, 0xd), b"UI", study),
        ((0x20, 0xe), b"UI", &format!("{study}.1")),
        ((0x20, 0x11), b"IS", "1"),
        ((0x20, 0x13), b"IS", &number),
        ((0x20, 0x32), b"DS", &position),
        ((0x20, 0x37), b"DS", "1\\0\\0\\0\\1\\0"),
    ];
    for (tag, vr, text) in texts {
        put(&mut out, *tag, vr, text.as_bytes());
    }
    let shorts: &[((u16, u16), u16)] = &[
        ((0x28, 2), 1),
        ((0x28, 0x10), 4),
        ((0x28, 0x11), 4),
        ((0x28, 0x100), 16),
        ((0x28, 0x101), 16),
        ((0x28, 0x102), 15),
        ((0x28, 0x103), 1),
    ];
    put(&mut out, (0x28, 4), b"CS", b"MONOCHROME2");
    for (tag, value) in shorts {
        put(&mut out, *tag, b"US", &value.to_le_bytes());
    }
    put(&mut out, (0x7fe0, 0x10), b"OW", &[0; 32]);
    out
}

const CT: &str = "1.2.840.10008.5.1.4.1.1.2";

fn put(out: &mut Vec<u8>, (group, element): (u16, u16), vr: &[u8; 2], value: &[u8]) {
    let padded = value.len() + value.len() % 2;
    out.extend(group.to_le_bytes());
    out.extend(element.to_le_bytes());
    out.extend(vr);
    if matches!(vr, b"OB" | b"OW") {
        out.extend([0, 0]);
        out.extend(u32::try_from(padded).unwrap().to_le_bytes());
    } else {
        out.extend(u16::try_from(padded).unwrap().to_le_bytes());
    }
    out.extend(value);
    if padded > value.len() {
        out.push(if vr == b"UI" || vr == b"OB" { 0 } else { b' ' });
    }
}
