//! A person's key with its certificates.

use crate::{Error, Result};
use mj_model::Moment;
use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{Id, PKey, Private};
use openssl::x509::extension::{BasicConstraints, KeyUsage};
use openssl::x509::{X509, X509Builder, X509NameBuilder, X509Ref};
use std::cmp::Ordering;
use zeroize::Zeroizing;

/// A key, its certificate and what vouches for that one. The library wipes the key when it is dropped.
pub struct Identity {
    pub(crate) key: PKey<Private>,
    pub(crate) certificate: X509,
    pub(crate) chain: Vec<X509>,
}

impl Identity {
    /// Opens a PKCS#12 file (RFC 7292): key, certificate and chain.
    ///
    /// # Errors
    /// [`Error::NotOpened`], [`Error::Incomplete`], [`Error::OtherKey`], [`Error::KindOfKey`], [`Error::Usage`].
    pub fn from_pkcs12(file: &[u8], passphrase: &str) -> Result<Self> {
        let parsed = Pkcs12::from_der(file).and_then(|file| file.parse2(passphrase)).map_err(Error::NotOpened)?;
        let (Some(key), Some(certificate)) = (parsed.pkey, parsed.cert) else { return Err(Error::Incomplete) };
        let chain = parsed.ca.map(|all| all.iter().map(ToOwned::to_owned).collect()).unwrap_or_default();
        Self { key, certificate, chain }.checked()
    }

    /// A key on P-256 with a certificate for which nobody vouches but itself, good for 365 days.
    ///
    /// # Errors
    /// [`Error::Library`].
    pub fn self_signed(name: &str) -> Result<Self> {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
        let key = PKey::from_ec_key(EcKey::generate(&group)?)?;
        let mut subject = X509NameBuilder::new()?;
        // X.520 allows 64 characters of a common name.
        subject.append_entry_by_nid(Nid::COMMONNAME, &name.chars().take(64).collect::<String>())?;
        let subject = subject.build();
        let mut serial = BigNum::new()?;
        serial.rand(127, MsbOption::ONE, false)?;
        let (from, until) = (Asn1Time::days_from_now(0)?, Asn1Time::days_from_now(365)?);
        let mut builder = X509Builder::new()?;
        builder.set_version(2)?;
        builder.set_subject_name(&subject)?;
        builder.set_issuer_name(&subject)?;
        builder.set_serial_number(&*Asn1Integer::from_bn(&serial)?)?;
        builder.set_not_before(&from)?;
        builder.set_not_after(&until)?;
        builder.set_pubkey(&key)?;
        builder.append_extension(BasicConstraints::new().critical().build()?)?;
        builder.append_extension(KeyUsage::new().critical().digital_signature().non_repudiation().build()?)?;
        builder.sign(&key, MessageDigest::sha256())?;
        Self { key, certificate: builder.build(), chain: Vec::new() }.checked()
    }

    /// From what [`Identity::key_der`] and [`Identity::chain_pem`] gave.
    ///
    /// # Errors
    /// As [`Identity::from_pkcs12`].
    pub fn from_kept(key_der: &[u8], chain_pem: &[u8]) -> Result<Self> {
        let key = PKey::private_key_from_pkcs8(key_der).map_err(Error::NotOpened)?;
        let mut chain = X509::stack_from_pem(chain_pem).map_err(Error::NotOpened)?;
        if chain.is_empty() {
            return Err(Error::Incomplete);
        }
        Self { key, certificate: chain.remove(0), chain }.checked()
    }

    /// The key as PKCS#8, to be kept sealed.
    ///
    /// # Errors
    /// [`Error::Library`].
    pub fn key_der(&self) -> Result<Zeroizing<Vec<u8>>> {
        Ok(Zeroizing::new(self.key.private_key_to_pkcs8()?))
    }

    /// The certificates as PEM, the person's own first.
    ///
    /// # Errors
    /// [`Error::Library`].
    pub fn chain_pem(&self) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        for certificate in std::iter::once(&self.certificate).chain(&self.chain) {
            out.extend(certificate.to_pem()?);
        }
        Ok(out)
    }

    /// Whom the certificate names.
    #[must_use]
    pub fn subject(&self) -> String {
        named(&self.certificate)
    }

    /// Refuses a moment outside the certificate's time.
    ///
    /// # Errors
    /// [`Error::NotYetValid`], [`Error::Expired`].
    pub fn valid_at(&self, at: Moment) -> Result<()> {
        let at = Asn1Time::from_unix(at.local().timestamp().as_second())?;
        if self.certificate.not_before().compare(&at)? == Ordering::Greater {
            return Err(Error::NotYetValid);
        }
        if self.certificate.not_after().compare(&at)? == Ordering::Less {
            return Err(Error::Expired);
        }
        Ok(())
    }

    fn checked(self) -> Result<Self> {
        if !self.certificate.public_key()?.public_eq(&self.key) {
            return Err(Error::OtherKey);
        }
        let is_used = match self.key.id() {
            Id::RSA => self.key.bits() >= 2048,
            Id::EC => matches!(self.key.ec_key()?.group().curve_name(), Some(Nid::X9_62_PRIME256V1 | Nid::SECP384R1)),
            _ => false,
        };
        if !is_used {
            return Err(Error::KindOfKey);
        }
        // Without the extension a certificate allows every use (RFC 5280, 4.2.1.3).
        let allows = self.certificate.key_usage().is_none_or(|usage| usage.bits() & (DIGITAL_SIGNATURE | NON_REPUDIATION) != 0);
        if allows { Ok(self) } else { Err(Error::Usage) }
    }
}

/// Bits of the key usage as the library gives them.
const DIGITAL_SIGNATURE: u32 = 0x80;
const NON_REPUDIATION: u32 = 0x40;

/// The common name of a certificate's subject, or all of the subject where it has none.
pub(crate) fn named(certificate: &X509Ref) -> String {
    let subject = certificate.subject_name();
    let common = subject.entries_by_nid(Nid::COMMONNAME).next().and_then(|entry| entry.data().to_string().ok());
    common.map_or_else(|| format!("{subject:?}"), |name| name.to_string())
}
