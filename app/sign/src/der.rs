//! Writing DER (ITU-T X.690): only what a CMS message needs.

/// One element: tag, length, content.
pub(crate) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = content.len();
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            let bytes: Vec<u8> = length.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
            // A length of a slice has at most eight bytes.
            out.push(0x80 | bytes.len() as u8);
            out.extend(bytes);
        }
    }
    out.extend_from_slice(content);
    out
}

/// SEQUENCE of elements that are encoded already.
pub(crate) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(0x30, &parts.concat())
}

/// SET OF: DER wants its elements sorted.
pub(crate) fn set(mut parts: Vec<Vec<u8>>) -> Vec<u8> {
    parts.sort();
    element(0x31, &parts.concat())
}

/// OCTET STRING.
pub(crate) fn octets(content: &[u8]) -> Vec<u8> {
    element(0x04, content)
}

/// OBJECT IDENTIFIER from its encoded arcs.
pub(crate) fn oid(arcs: &[u8]) -> Vec<u8> {
    element(0x06, arcs)
}

/// INTEGER, not negative, from big-endian bytes.
pub(crate) fn integer(bytes: &[u8]) -> Vec<u8> {
    let is_padded = bytes.first().is_none_or(|first| first & 0x80 != 0);
    element(0x02, &[if is_padded { &[0][..] } else { &[] }, bytes].concat())
}
