//! Whom to believe: one TLS set-up for all hosts of a fetcher.
//!
//! Reading the system's certificate authorities takes milliseconds, so it is done once and shared; with
//! it, sessions can be resumed over clients. Nothing here may be told to skip a check.

use std::sync::{Arc, OnceLock};

use rustls::ClientConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls_platform_verifier::Verifier;

use crate::error::{Error, Result};

pub(crate) struct Trust {
    extra: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
    full: OnceLock<ClientConfig>,
}

impl Trust {
    pub(crate) fn new(extra: Vec<CertificateDer<'static>>) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        Self { extra, provider, full: OnceLock::new() }
    }

    /// The set-up for one host. A host that is asked without encryption gets one that trusts nobody, so
    /// that plain sites are read on a machine without authorities too.
    pub(crate) fn config(&self, secure: bool) -> Result<ClientConfig> {
        if let Some(config) = self.full.get() {
            return Ok(config.clone());
        }
        if !secure {
            let nobody = self.builder()?.with_root_certificates(rustls::RootCertStore::empty());
            return Ok(nobody.with_no_client_auth());
        }
        let verifier = Verifier::new_with_extra_roots(self.extra.iter().cloned(), self.provider.clone());
        let verifier = Arc::new(verifier.map_err(Error::Roots)?);
        let custom = self.builder()?.dangerous().with_custom_certificate_verifier(verifier);
        let mut config = custom.with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(self.full.get_or_init(|| config).clone())
    }

    fn builder(&self) -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>> {
        let builder = ClientConfig::builder_with_provider(self.provider.clone());
        builder.with_safe_default_protocol_versions().map_err(Error::Roots)
    }
}

/// What is wrong with a certificate, if that is why a request failed.
pub(crate) fn problem(error: &reqwest::Error) -> Option<String> {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(rustls::Error::InvalidCertificate(problem)) = error.downcast_ref() {
            return Some(match problem {
                rustls::CertificateError::UnknownIssuer => "no trusted authority signed it".to_owned(),
                other => other.to_string(),
            });
        }
        // An I/O error shows what it wraps only to those who ask for it.
        next = match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}
