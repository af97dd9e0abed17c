//! The certificates: a CA made at start and one leaf for this machine's loopback names.
//! Every client of Entra and ARM refuses plain http, so there is no listener without TLS.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::TlsAcceptor;

/// What the listeners and their clients need of TLS.
pub(crate) struct Identity {
    pub(crate) ca_pem: String,
    pub(crate) acceptor: TlsAcceptor,
}

/// Why no certificate could be made.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A certificate could not be made or signed.
    #[error("making a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// rustls refuses the certificate just made.
    #[error("loading the certificate: {0}")]
    Rustls(#[from] rustls::Error),
}

/// Makes a CA and, signed by it, a certificate for `localhost`, `127.0.0.1` and `::1`.
pub(crate) fn make() -> Result<Identity, TlsError> {
    // reqwest and rustls are built without a default provider; whoever comes first installs it.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();

    let mut ca = CertificateParams::default();
    ca.distinguished_name
        .push(DnType::CommonName, "Azure emulator, this run only");
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    let ca_key = KeyPair::generate()?;
    let ca_certificate = ca.self_signed(&ca_key)?;

    let mut leaf = CertificateParams::new(vec![
        "localhost".to_owned(),
        "127.0.0.1".to_owned(),
        "::1".to_owned(),
    ])?;
    leaf.distinguished_name.push(DnType::CommonName, "localhost");
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // OpenSSL 3's strict checks (Python 3.13 turns them on) want to know which key signed.
    leaf.use_authority_key_identifier_extension = true;
    let leaf_key = KeyPair::generate()?;
    let issuer = Issuer::new(ca, ca_key);
    let certificate = leaf.signed_by(&leaf_key, &issuer)?;

    let mut server = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(leaf_key.serialize_der()).into(),
        )?;
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Identity {
        ca_pem: ca_certificate.pem(),
        acceptor: TlsAcceptor::from(Arc::new(server)),
    })
}
