//! Signing, and what outsiders say of it.

use crate::pdf::{Stamp, are_valid, sign, verify};
use crate::{Error, Identity, Trust, Vouched};
use mj_model::Moment;
use std::path::Path;
use std::process::Command;

/// A PDF of one empty page, as plain as the typesetter's.
fn page() -> Vec<u8> {
    let objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Count 1/Kids[3 0 R]>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Resources<<>>>>",
    ];
    let mut out = b"%PDF-1.7\n".to_vec();
    let mut rows = String::from("0000000000 65535 f \n");
    for (n, object) in objects.iter().enumerate() {
        rows += &format!("{:010} 00000 n \n", out.len());
        out.extend(format!("{} 0 obj\n{object}\nendobj\n", n + 1).into_bytes());
    }
    let table = out.len();
    out.extend(format!("xref\n0 4\n{rows}trailer\n<</Size 4/Root 1 0 R>>\nstartxref\n{table}\n%%EOF").into_bytes());
    out
}

fn stamp(name: &str) -> Stamp<'_> {
    Stamp { name, reason: "报告医师", at: mj_model::clock::now() }
}

fn signed_twice() -> (Vec<u8>, Vec<u8>) {
    let (first, second) = (Identity::self_signed("王医生").unwrap(), Identity::self_signed("Li").unwrap());
    let once = sign(&page(), &first, &stamp("王医生")).unwrap();
    let twice = sign(&once, &second, &stamp("Li")).unwrap();
    (once, twice)
}

#[test]
fn who_signed_is_read_back() {
    let (once, twice) = signed_twice();
    let one = verify(&once, &Trust::none()).unwrap();
    assert!(are_valid(&one), "{one:?}");
    assert_eq!((one.len(), one[0].signer.as_str(), one[0].vouched), (1, "王医生", Vouched::Nobody));
    let two = verify(&twice, &Trust::none()).unwrap();
    assert!(are_valid(&two), "{two:?}");
    assert_eq!(two.iter().map(|s| s.whole_file).collect::<Vec<_>>(), [false, true]);
    assert_eq!(two[0].at, one[0].at);
    assert!(verify(&page(), &Trust::none()).unwrap().is_empty());
}

#[test]
fn who_is_trusted_vouches() {
    let identity = Identity::self_signed("Wang").unwrap();
    let signed = sign(&page(), &identity, &stamp("Wang")).unwrap();
    let trust = Trust::from_pem(&identity.chain_pem().unwrap()).unwrap();
    assert_eq!(verify(&signed, &trust).unwrap()[0].vouched, Vouched::Trusted);
    let other = Trust::from_pem(&Identity::self_signed("Wang").unwrap().chain_pem().unwrap()).unwrap();
    assert_eq!(verify(&signed, &other).unwrap()[0].vouched, Vouched::Nobody);
}

#[test]
fn one_changed_byte_anywhere_is_seen() {
    let (once, twice) = signed_twice();
    for file in [once, twice] {
        // 200 places spread by a stride that shares no factor with most lengths; the zeros behind a message say nothing.
        for n in 0..200_usize {
            let at = n * 7919 % file.len();
            let mut changed = file.clone();
            changed[at] ^= 0x11;
            let is_filling =
                file[at] == b'0' && file[at.saturating_sub(40)..(at + 40).min(file.len())].iter().all(|b| *b == b'0' || *b == b'>');
            assert!(is_filling || !are_valid(&verify(&changed, &Trust::none()).unwrap()), "byte {at} of {}", file.len());
        }
        let longer = [file.as_slice(), b"\n"].concat();
        assert!(!are_valid(&verify(&longer, &Trust::none()).unwrap()));
    }
}

#[test]
fn an_update_between_two_signatures_is_seen() {
    let (first, second) = (Identity::self_signed("a").unwrap(), Identity::self_signed("b").unwrap());
    let once = sign(&page(), &first, &stamp("a")).unwrap();
    let changed = [once.as_slice(), b"% more\n"].concat();
    let found = verify(&sign(&changed, &second, &stamp("b")).unwrap(), &Trust::none()).unwrap();
    assert!(found.iter().all(|one| one.unchanged) && !found[0].only_signatures_follow && !are_valid(&found), "{found:?}");
}

#[test]
fn outside_its_time_a_certificate_does_not_sign() {
    let identity = Identity::self_signed("a").unwrap();
    for (at, is_early) in [("2001-01-01T00:00:00+08:00", true), ("2099-01-01T00:00:00+08:00", false)] {
        let refused = sign(&page(), &identity, &Stamp { name: "a", reason: "", at: Moment::parse(at).unwrap() });
        assert!(if is_early { matches!(refused, Err(Error::NotYetValid)) } else { matches!(refused, Err(Error::Expired)) });
    }
}

fn says(program: &str, arguments: &[&str], file: &Path) -> Option<String> {
    let output = Command::new(program).args(arguments).arg(file).output().ok()?;
    Some(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

#[test]
fn outsiders_find_it_valid() {
    let (once, twice) = signed_twice();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("signed.pdf");
    for (bytes, count) in [(once, 1), (twice, 2)] {
        std::fs::write(&file, bytes).unwrap();
        if let Some(said) = says("pdfsig", &["-nocert"], &file) {
            assert_eq!(said.matches("Signature is Valid").count(), count, "{said}");
            assert!(said.contains("ETSI.CAdES.detached"), "{said}");
        }
        if let Some(said) = says("qpdf", &["--check"], &file) {
            assert!(said.contains("No syntax or stream encoding errors found") && !said.contains("WARNING"), "{said}");
        }
    }
}
