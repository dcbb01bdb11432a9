//! DIMSE command sets: group 0000, always implicit VR little endian.
//!
//! Source: PS3.7 §6.3.1 and §E.1.

use std::collections::BTreeMap;

/// Elements of group 0000 that we use.
pub(super) mod element {
    pub(in super::super) const AFFECTED_SOP_CLASS: u16 = 0x0002;
    pub(in super::super) const COMMAND_FIELD: u16 = 0x0100;
    pub(in super::super) const MESSAGE_ID: u16 = 0x0110;
    pub(in super::super) const RESPONDED_TO: u16 = 0x0120;
    pub(in super::super) const PRIORITY: u16 = 0x0700;
    pub(in super::super) const DATA_SET_TYPE: u16 = 0x0800;
    pub(in super::super) const STATUS: u16 = 0x0900;
    pub(in super::super) const ERROR_COMMENT: u16 = 0x0902;
    pub(in super::super) const AFFECTED_SOP_INSTANCE: u16 = 0x1000;
    pub(in super::super) const REMAINING: u16 = 0x1020;
    pub(in super::super) const COMPLETED: u16 = 0x1021;
    pub(in super::super) const FAILED: u16 = 0x1022;
    pub(in super::super) const WARNING: u16 = 0x1023;
}

/// Values of Command Field (0000,0100).
pub(super) mod field {
    pub(in super::super) const STORE_RQ: u16 = 0x0001;
    pub(in super::super) const STORE_RSP: u16 = 0x8001;
    pub(in super::super) const GET_RQ: u16 = 0x0010;
    pub(in super::super) const GET_RSP: u16 = 0x8010;
    pub(in super::super) const FIND_RQ: u16 = 0x0020;
    pub(in super::super) const FIND_RSP: u16 = 0x8020;
    pub(in super::super) const ECHO_RQ: u16 = 0x0030;
    pub(in super::super) const CANCEL_RQ: u16 = 0x0FFF;
}

/// Data Set Type (0000,0800) meaning that none follows.
const NO_DATA: u16 = 0x0101;

/// A command set: element numbers of group 0000 and their raw values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Command(BTreeMap<u16, Vec<u8>>);

impl Command {
    /// A request or response of a kind, without a data set until [`Self::with_data`].
    pub(super) fn new(command_field: u16) -> Self {
        Self::default().number(element::COMMAND_FIELD, command_field).number(element::DATA_SET_TYPE, NO_DATA)
    }

    /// The response to a request: same message id, class and instance, with a status.
    pub(super) fn response(request: &Self, status: u16) -> Self {
        let mut out = Self::new(request.u16(element::COMMAND_FIELD).unwrap_or(0) | 0x8000)
            .number(element::RESPONDED_TO, request.u16(element::MESSAGE_ID).unwrap_or(0))
            .number(element::STATUS, status);
        for same in [element::AFFECTED_SOP_CLASS, element::AFFECTED_SOP_INSTANCE] {
            if let Some(value) = request.0.get(&same) {
                out.0.insert(same, value.clone());
            }
        }
        out
    }

    pub(super) fn number(mut self, element: u16, value: u16) -> Self {
        self.0.insert(element, value.to_le_bytes().to_vec());
        self
    }

    /// A UID, padded with a zero byte to even length.
    pub(super) fn uid(mut self, element: u16, value: &str) -> Self {
        let mut bytes = value.as_bytes().to_vec();
        if bytes.len() % 2 == 1 {
            bytes.push(0);
        }
        self.0.insert(element, bytes);
        self
    }

    /// Error Comment; nothing when empty.
    pub(super) fn comment(mut self, text: &str) -> Self {
        if !text.is_empty() {
            let mut bytes = text.as_bytes().to_vec();
            if bytes.len() % 2 == 1 {
                bytes.push(b' ');
            }
            self.0.insert(element::ERROR_COMMENT, bytes);
        }
        self
    }

    pub(super) fn with_data(self) -> Self {
        self.number(element::DATA_SET_TYPE, 1)
    }

    pub(super) fn has_data(&self) -> bool {
        self.u16(element::DATA_SET_TYPE).is_some_and(|t| t != NO_DATA)
    }

    pub(super) fn u16(&self, element: u16) -> Option<u16> {
        let bytes: [u8; 2] = self.0.get(&element)?.get(..2)?.try_into().ok()?;
        Some(u16::from_le_bytes(bytes))
    }

    pub(super) fn kind(&self) -> u16 {
        self.u16(element::COMMAND_FIELD).unwrap_or(0)
    }

    pub(super) fn status(&self) -> u16 {
        // A response without a status is broken: "unable to process".
        self.u16(element::STATUS).unwrap_or(0x0110)
    }

    /// A text value without its padding. Command sets are in the default repertoire; stray bytes become `?`.
    pub(super) fn text(&self, element: u16) -> String {
        let bytes = self.0.get(&element).map_or(&[][..], Vec::as_slice);
        let text: String = bytes
            .iter()
            .map(|&b| {
                if b.is_ascii() && !b.is_ascii_control() {
                    char::from(b)
                } else if b == 0 {
                    ' '
                } else {
                    '?'
                }
            })
            .collect();
        text.trim().to_owned()
    }

    /// The bytes as sent, group length first.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(128);
        for (element, value) in &self.0 {
            push(&mut body, *element, value);
        }
        let mut out = Vec::with_capacity(body.len() + 12);
        push(&mut out, 0, &u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes());
        out.append(&mut body);
        out
    }

    /// Reads a command set; `None` when the bytes are none.
    pub(super) fn decode(mut bytes: &[u8]) -> Option<Self> {
        let mut found = BTreeMap::new();
        while !bytes.is_empty() {
            let (head, rest) = bytes.split_at_checked(8)?;
            let (group, number) = (u16::from_le_bytes([head[0], head[1]]), u16::from_le_bytes([head[2], head[3]]));
            let length = usize::try_from(u32::from_le_bytes([head[4], head[5], head[6], head[7]])).ok()?;
            let (value, rest) = rest.split_at_checked(length)?;
            if group != 0 {
                return None;
            }
            if number != 0 {
                found.insert(number, value.to_vec());
            }
            bytes = rest;
        }
        found.contains_key(&element::COMMAND_FIELD).then_some(Self(found))
    }
}

fn push(out: &mut Vec<u8>, element: u16, value: &[u8]) {
    out.extend_from_slice(&0_u16.to_le_bytes());
    out.extend_from_slice(&element.to_le_bytes());
    out.extend_from_slice(&u32::try_from(value.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let rq = Command::new(field::STORE_RQ).uid(element::AFFECTED_SOP_CLASS, "1.2.3").number(element::MESSAGE_ID, 7).with_data();
        let back = Command::decode(&rq.encode()).unwrap();
        assert_eq!(back, rq);
        assert_eq!((back.kind(), back.has_data(), back.text(element::AFFECTED_SOP_CLASS).as_str()), (1, true, "1.2.3"));
        let rsp = Command::response(&back, 0xA700).comment("no room");
        assert_eq!((rsp.kind(), rsp.has_data(), rsp.status(), rsp.u16(element::RESPONDED_TO)), (field::STORE_RSP, false, 0xA700, Some(7)));
        assert_eq!(Command::decode(&rsp.encode()).unwrap().text(element::ERROR_COMMENT), "no room");
    }

    #[test]
    fn broken_bytes_are_none() {
        let good = Command::new(field::ECHO_RQ).encode();
        for cut in 1..good.len() {
            assert!(Command::decode(&good[..cut]).is_none_or(|c| c.encode().len() < good.len()), "{cut}");
        }
        assert!(Command::decode(&[]).is_none());
        assert!(Command::decode(&[0, 0, 0, 1, 0xFF, 0xFF, 0xFF, 0xFF]).is_none());
        assert!(Command::decode(&[8, 0, 0, 1, 0, 0, 0, 0]).is_none());
    }
}
