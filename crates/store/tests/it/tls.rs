//! TLS to a Postgres that shows a self-made certificate.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::{net::Ipv4Addr, path::PathBuf};
use store::{Error, Options, Store, TlsMode};
use testkit::postgres::{Cluster, Database};

/// An authority, and what it signed for a host: certificates as PEM, and the host's key.
fn certificates(host: &str) -> (String, String, String) {
    let mut params = CertificateParams::new([]).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key"));
    let authority = authority.expect("it signs itself");
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new([host.to_owned()]).expect("a host");
    let certificate = params.signed_by(&key, &authority).expect("it is signed");
    (authority.pem(), certificate.pem(), key.serialize_pem())
}

/// A pair of the loopback's addresses that no other test has: from this process's number.
fn addresses() -> [Ipv4Addr; 2] {
    let [_, high, middle, low] = std::process::id().to_be_bytes();
    [Ipv4Addr::new(127, 64 | (high & 63), middle, low), Ipv4Addr::new(127, 128 | (high & 63), middle, low)]
}

/// Does the one connection of the store speak TLS, as the server sees it?
async fn is_encrypted(db: &Database) -> bool {
    let sql = "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
               WHERE application_name = 'resettle' AND datname = current_database()";
    db.sql().await.query_one(sql, &[]).await.expect("one connection").get(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_configured_is_what_is_spoken_or_there_is_no_connection() {
    let [named, other] = addresses();
    let (authority, certificate, key) = certificates(&named.to_string());
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, pem: &str| -> PathBuf {
        let path = folder.path().join(name);
        std::fs::write(&path, pem).expect("written");
        path
    };
    let ours = file("ours.pem", &authority);
    let theirs = file("theirs.pem", &certificates("db.example").0);

    let mut cluster = Cluster::start().await;
    let db = cluster.database().await;
    cluster.stop().await;
    cluster.speak_tls(&[named, other], &certificate, &key);
    cluster.start_again().await;
    let options = |host: Ipv4Addr, tls, tls_ca_file: Option<&PathBuf>| Options {
        url: format!("postgres://resettle_gateway@{host}/{}", db.name()),
        tls,
        tls_ca_file: tls_ca_file.cloned(),
        ..Options::default()
    };
    for (host, tls, file) in [
        (named, TlsMode::Disable, None),
        (named, TlsMode::Require, None),
        (other, TlsMode::Require, None), // whoever that is
        (named, TlsMode::VerifyFull, Some(&ours)),
    ] {
        let store = Store::connect(&options(host, tls, file)).await.expect("it connects");
        assert_eq!(is_encrypted(&db).await, tls != TlsMode::Disable, "{host} {tls:?}");
        drop(store);
        let gone = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'resettle'";
        testkit::wait::until_true("it to be gone", std::time::Duration::from_secs(20), || async {
            db.sql().await.query_one(gone, &[]).await.expect("a look").get::<_, i64>(0) == 0
        })
        .await;
    }
    for (host, file, why) in [
        (named, Some(&theirs), "another authority"),
        (other, Some(&ours), "another host"),
        (named, None, "an authority that this machine does not know"),
    ] {
        let refused = Store::connect(&options(host, TlsMode::VerifyFull, file)).await;
        assert!(matches!(refused, Err(Error::Unavailable { .. })), "{why}: {refused:?}");
    }

    // A server that cannot speak TLS is not spoken to in plain text.
    cluster.stop().await;
    cluster.listen_in_plain_text(&[named]);
    cluster.start_again().await;
    let refused = Store::connect(&options(named, TlsMode::Require, None)).await;
    assert!(matches!(refused, Err(Error::Unavailable { .. })), "{refused:?}");
    Store::connect(&options(named, TlsMode::Disable, None)).await.expect("plain text works");
}
