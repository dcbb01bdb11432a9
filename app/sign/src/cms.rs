//! The signature itself: CMS SignedData (RFC 5652), detached, with the attributes of `CAdES` B-B.

use crate::{Error, Identity, Result, der, identity};
use openssl::cms::{CMSOptions, CmsContentInfo};
use openssl::hash::MessageDigest;
use openssl::pkcs7::{Pkcs7, Pkcs7Flags};
use openssl::pkey::Id;
use openssl::sign::Signer;
use openssl::stack::Stack;
use openssl::x509::store::{X509Store, X509StoreBuilder};
use openssl::x509::verify::{X509VerifyFlags, X509VerifyParam};
use openssl::x509::{X509, X509PurposeId, X509Ref, X509StoreContext};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];
const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 3];
const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 4];
/// RFC 5035: binds the signature to one certificate.
const SIGNING_CERTIFICATE_V2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 2, 47];
const SHA256: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
const ECDSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
/// `CMS_CADES` of libcrypto: the certificate must be the one that the signed attribute names.
const CADES: u32 = 0x10_0000;

/// Signs a content that stays outside the message. The signing time is no attribute here: PAdES has it in the PDF.
pub(crate) fn sign(content: &[u8], by: &Identity) -> Result<Vec<u8>> {
    let certificate = by.certificate.to_der()?;
    let attribute = |name, value: Vec<u8>| der::sequence(&[&der::oid(name), &der::set(vec![value])]);
    let certificate_id = der::sequence(&[&der::octets(&Sha256::digest(&certificate))]);
    let attributes = der::set(vec![
        attribute(CONTENT_TYPE, der::oid(DATA)),
        attribute(MESSAGE_DIGEST, der::octets(&Sha256::digest(content))),
        attribute(SIGNING_CERTIFICATE_V2, der::sequence(&[&der::sequence(&[&certificate_id])])),
    ]);
    let mut signer = Signer::new(MessageDigest::sha256(), &by.key)?;
    let signature = signer.sign_oneshot_to_vec(&attributes)?;
    // What is signed is the SET; in the message it stands under the tag [0] (RFC 5652, 5.4).
    let mut tagged = attributes;
    if let Some(tag) = tagged.first_mut() {
        *tag = 0xa0;
    }
    let digest = der::sequence(&[&der::oid(SHA256)]);
    let algorithm =
        if by.key.id() == Id::RSA { der::sequence(&[&der::oid(RSA), &[5, 0]]) } else { der::sequence(&[&der::oid(ECDSA_SHA256)]) };
    let serial = der::integer(&by.certificate.serial_number().to_bn()?.to_vec());
    let who = der::sequence(&[&by.certificate.issuer_name().to_der()?, &serial]);
    let one = der::integer(&[1]);
    let info = der::sequence(&[&one, &who, &digest, &tagged, &algorithm, &der::octets(&signature)]);
    let mut certificates = vec![certificate];
    for above in &by.chain {
        certificates.push(above.to_der()?);
    }
    certificates.sort();
    let content_info = der::sequence(&[&der::oid(DATA)]);
    let signed =
        der::sequence(&[&one, &der::set(vec![digest]), &content_info, &der::element(0xa0, &certificates.concat()), &der::set(vec![info])]);
    Ok(der::sequence(&[&der::oid(SIGNED_DATA), &der::element(0xa0, &signed)]))
}

/// Certificates whose word counts.
pub struct Trust {
    roots: Vec<X509>,
}

/// Who vouches for the signer's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Vouched {
    /// One of the trusted certificates.
    Trusted,
    /// None of the trusted ones, or none were named.
    Unknown,
    /// Nobody: it is signed by itself.
    Nobody,
}

impl Trust {
    /// No certificate is trusted.
    #[must_use]
    pub const fn none() -> Self {
        Self { roots: Vec::new() }
    }

    /// Roots from PEM.
    ///
    /// # Errors
    /// [`Error::Trust`].
    pub fn from_pem(pem: &[u8]) -> Result<Self> {
        Ok(Self { roots: X509::stack_from_pem(pem).map_err(Error::Trust)? })
    }

    fn vouches(&self, signer: &X509Ref, beside: &Stack<X509>) -> Result<Vouched> {
        let store = store(&self.roots, X509VerifyFlags::empty())?;
        let mut context = X509StoreContext::new()?;
        Ok(if context.init(&store, signer, beside, |c| c.verify_cert())? {
            Vouched::Trusted
        } else if signer.verify(&*signer.public_key()?)? {
            Vouched::Nobody
        } else {
            Vouched::Unknown
        })
    }
}

/// A store that asks neither for a purpose nor for the present time: the signature's own time is held against the certificate.
fn store(roots: &[X509], flags: X509VerifyFlags) -> Result<X509Store> {
    let mut builder = X509StoreBuilder::new()?;
    for root in roots {
        builder.add_cert(root.clone())?;
    }
    let mut param = X509VerifyParam::new()?;
    param.set_flags(X509VerifyFlags::NO_CHECK_TIME | flags)?;
    param.set_purpose(X509PurposeId::ANY)?;
    builder.set_param(&param)?;
    Ok(builder.build())
}

/// What a message proves.
pub(crate) struct Proof {
    pub(crate) is_whole: bool,
    pub(crate) signer: String,
    pub(crate) valid_from: String,
    pub(crate) valid_until: String,
    pub(crate) vouched: Vouched,
    pub(crate) certificate: X509,
}

/// Checks a message over its content.
pub(crate) fn check(message: &[u8], content: &[u8], trust: &Trust) -> Result<Proof> {
    let pkcs7 = Pkcs7::from_der(message)?;
    let none = Stack::<X509>::new()?;
    let signers = pkcs7.signers(&none, Pkcs7Flags::empty())?;
    // Of several signers in one message it would not be said which one counts.
    let (Some(signer), 1) = (signers.get(0), signers.len()) else { return Err(Error::Incomplete) };
    let mut beside = Stack::new()?;
    for certificate in pkcs7.signed().and_then(|signed| signed.certificates()).into_iter().flatten() {
        beside.push(certificate.to_owned())?;
    }
    let flags = CMSOptions::from_bits_retain(CADES) | CMSOptions::BINARY | CMSOptions::NO_SIGNER_CERT_VERIFY | CMSOptions::DETACHED;
    // The library checks the signed attribute only along a chain; here it ends at the signer. Who vouches is asked apart.
    let alone = store(std::slice::from_ref(&signer.to_owned()), X509VerifyFlags::PARTIAL_CHAIN)?;
    let is_whole = CmsContentInfo::from_der(message)?.verify(None, Some(&alone), Some(content), None, flags).is_ok();
    Ok(Proof {
        is_whole,
        signer: identity::named(signer),
        valid_from: signer.not_before().to_string(),
        valid_until: signer.not_after().to_string(),
        vouched: trust.vouches(signer, &beside)?,
        certificate: signer.to_owned(),
    })
}
