//! A certificate for `localhost`, made at start, and the authority that signed it.

use crate::error::Error;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;
use std::path::Path;
use std::sync::Arc;

/// File of the authority's certificate.
pub const CA: &str = "ca.pem";

/// TLS as the SDK's servers speak it: no HTTP/2, the client's favourite cipher.
pub fn config(folder: &Path) -> Result<Arc<ServerConfig>, Error> {
    let ca_key = KeyPair::generate().map_err(Error::tls)?;
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    ca.distinguished_name.push(DnType::CommonName, "pkgferry bench");
    let pem = ca.self_signed(&ca_key).map_err(Error::tls)?.pem();
    std::fs::write(folder.join(CA), pem).map_err(Error::io("the sink cannot write its certificate"))?;

    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let key = KeyPair::generate().map_err(Error::tls)?;
    let mut own = CertificateParams::new(names).map_err(Error::tls)?;
    own.use_authority_key_identifier_extension = true;
    let certificate = own.signed_by(&key, &Issuer::new(ca, ca_key)).map_err(Error::tls)?;
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(Error::tls)?
        .with_no_client_auth();
    Ok(Arc::new(builder.with_single_cert(vec![certificate.der().clone()], key).map_err(Error::tls)?))
}
