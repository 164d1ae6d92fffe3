//! What must never enter Cargo.lock.

use super::root;

/// Crates that would need a C tool chain beyond a compiler, or bring a second TLS provider.
const FORBIDDEN: &[&str] = &[
    "aws-lc-sys",
    "aws-lc-rs",
    "openssl-sys",
    "openssl",
    "native-tls",
    "cmake",
    "actix-governor",
    "dssim-core",
];

#[test]
fn the_lock_file_has_one_tls_provider_and_no_second_tool_chain() {
    let lock: toml::Table = std::fs::read_to_string(root().join("Cargo.lock"))
        .expect("Cargo.lock is committed")
        .parse()
        .expect("Cargo.lock is TOML");
    let packages = lock["package"].as_array().expect("it lists packages");
    let names: Vec<&str> = packages.iter().filter_map(|p| p["name"].as_str()).collect();
    assert!(names.contains(&"ring"), "the list was read: ring is our TLS provider");
    for forbidden in FORBIDDEN {
        assert!(!names.contains(forbidden), "{forbidden} entered Cargo.lock: find it with `cargo tree -i`");
    }
    for single in ["tokio-postgres", "rustls", "opentelemetry", "tonic", "prost", "reqwest", "html5ever"] {
        assert_eq!(names.iter().filter(|n| **n == single).count(), 1, "{single} must have one version");
    }
}
