//! Why something could not be signed.

use openssl::error::ErrorStack;

use mj_model::Coded;

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something could not be signed or a certificate not be used. `Display` names nobody.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The PKCS#12 file cannot be opened: another passphrase, or no such file.
    #[error("the certificate file does not open")]
    NotOpened(#[source] ErrorStack),
    /// There is no key or no certificate in it.
    #[error("key or certificate is missing")]
    Incomplete,
    /// The key is not the one of the certificate.
    #[error("the key does not fit the certificate")]
    OtherKey,
    /// Neither RSA of 2048 bits or more nor ECDSA on P-256 or P-384.
    #[error("the kind of key is not used for signing")]
    KindOfKey,
    /// The certificate's key usage does not allow signatures.
    #[error("the certificate is not for signing")]
    Usage,
    /// The certificate was not valid yet.
    #[error("the certificate is not valid yet")]
    NotYetValid,
    /// The certificate was not valid any more.
    #[error("the certificate has expired")]
    Expired,
    /// The PDF's structure is not one that this program writes.
    #[error("the PDF cannot be signed: {0}")]
    Pdf(&'static str),
    /// The certificates cannot be read.
    #[error("the trusted certificates cannot be read")]
    Trust(#[source] ErrorStack),
    /// The cryptographic library refused.
    #[error("the cryptographic library refused")]
    Library(#[from] ErrorStack),
}

impl Coded for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::Trust(_) => "signature.trust_file",
            Self::NotOpened(_) | Self::Incomplete => "signature.not_opened",
            Self::OtherKey | Self::KindOfKey | Self::Usage => "signature.unfit",
            Self::NotYetValid | Self::Expired => "signature.not_in_time",
            Self::Pdf(_) | Self::Library(_) => "signature.not_made",
        }
    }

    fn args(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}
