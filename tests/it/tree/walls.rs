//! Who may depend on whom, read from the manifests (ARCHITECTURE.md, "Walls").

use super::root;
use std::collections::{BTreeMap, BTreeSet};

const SHARED: &[&str] = &["domain", "proto", "store", "auth", "bus", "service-kit", "telemetry"];
const ENGINE: &[&str] = &["site-fetch", "site-read", "site-write", "site-check"];
const SERVICES: &[&str] = &["api-gateway", "migration-worker", "realtime-broadcaster"];

/// The crates of ours that each crate may have under `[dependencies]`.
fn allowed() -> BTreeMap<&'static str, Vec<&'static str>> {
    let below_services = [SHARED, ENGINE].concat();
    let mut edges = BTreeMap::from([
        ("domain", vec![]),
        ("proto", vec!["domain"]),
        ("store", vec!["domain"]),
        ("auth", vec!["domain", "store"]),
        ("bus", vec!["domain"]),
        ("service-kit", vec![]),
        ("telemetry", vec![]),
        ("site-fetch", vec![]),
        ("site-read", vec!["site-fetch"]),
        ("site-write", vec!["site-read"]),
        ("site-check", vec!["site-read", "site-write"]),
        ("testkit", vec!["domain", "proto", "store", "bus"]),
        ("resettle", [below_services.as_slice(), SERVICES].concat()),
    ]);
    for service in SERVICES {
        edges.insert(service, below_services.clone());
    }
    edges
}

/// Outside crates that only these crates of ours may name, in any section but `[dev-dependencies]`.
const HELD: &[(&str, &[&str])] = &[
    ("lapin", &["bus"]),
    ("tokio-postgres", &["store", "bus", "testkit"]), // bus: LISTEN needs a connection of its own
    ("deadpool-postgres", &["store"]),
    ("refinery", &["store"]),
    ("actix-web", &["api-gateway", "realtime-broadcaster", "service-kit", "telemetry", "resettle"]),
    // resettle: the command line calls a gateway its user names. migration-worker: endpoints that its operator binds.
    ("reqwest", &["site-fetch", "resettle", "migration-worker"]),
    ("hickory-resolver", &["site-fetch"]),
    ("figment", &["service-kit"]),
    ("prost", &["proto"]),
];

type Manifest = toml::Table;

fn manifests() -> BTreeMap<String, Manifest> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(root().join("crates")).expect("crates/ is there") {
        let folder = entry.expect("an entry can be read").path();
        let text = std::fs::read_to_string(folder.join("Cargo.toml")).expect("each crate has a manifest");
        let manifest: Manifest = text.parse().expect("a manifest is TOML");
        let name = manifest["package"]["name"].as_str().expect("a package has a name").to_owned();
        assert_eq!(folder.file_name().and_then(|n| n.to_str()), Some(name.as_str()), "folder = package name");
        found.insert(name, manifest);
    }
    found
}

fn names(manifest: &Manifest, section: &str) -> BTreeSet<String> {
    let table = manifest.get(section).and_then(|s| s.as_table());
    table.map(|t| t.keys().cloned().collect()).unwrap_or_default()
}

#[test]
fn the_crates_are_exactly_the_designed_ones() {
    let found: BTreeSet<String> = manifests().into_keys().collect();
    let designed: BTreeSet<String> = allowed().into_keys().map(str::to_owned).collect();
    assert_eq!(found, designed);
    let folders = ["proto", "migrations", "crates", "clients/typescript", "deploy", "k8s", "tests", "docs"];
    for folder in folders {
        assert!(root().join(folder).is_dir(), "{folder}/ is missing");
    }
}

#[test]
fn no_crate_crosses_a_wall() {
    let ours: BTreeSet<&str> = allowed().into_keys().collect();
    for (name, manifest) in manifests() {
        let may = &allowed()[name.as_str()];
        for dependency in names(&manifest, "dependencies").iter().map(String::as_str) {
            assert!(
                !ours.contains(dependency) || may.contains(&dependency),
                "{name} must not depend on {dependency}: see the walls in ARCHITECTURE.md"
            );
        }
    }
}

/// What is proved must be the protocol, not one of its implementations.
#[test]
fn the_model_knows_nothing_but_the_domain() {
    let text = std::fs::read_to_string(root().join("tests/model/Cargo.toml")).expect("the model's manifest");
    let manifest: Manifest = text.parse().expect("a manifest is TOML");
    let known = names(&manifest, "dependencies");
    assert_eq!(known, BTreeSet::from(["domain".to_owned(), "stateright".to_owned()]));
}

#[test]
fn services_do_not_know_each_other_even_in_tests() {
    for (name, manifest) in manifests() {
        if !SERVICES.contains(&name.as_str()) {
            continue;
        }
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for dependency in names(&manifest, section) {
                assert!(!SERVICES.contains(&dependency.as_str()), "{name} names {dependency} in {section}");
            }
        }
    }
}

#[test]
fn outside_crates_stay_where_they_are_held() {
    for (name, manifest) in manifests() {
        for (held, by) in HELD {
            let named =
                ["dependencies", "build-dependencies"].iter().any(|s| names(&manifest, s).contains(*held));
            let build_only = name == "proto"; // its build script compiles protobuf
            assert!(!named || by.contains(&name.as_str()) || build_only, "{name} must not name {held}");
        }
    }
}

#[test]
fn every_crate_takes_the_lints_and_the_edition_of_the_root() {
    for (name, manifest) in manifests() {
        let inherits = manifest.get("lints").and_then(|l| l.get("workspace")).and_then(|w| w.as_bool());
        assert_eq!(inherits, Some(true), "{name} needs [lints] workspace = true");
        let edition = manifest["package"].get("edition").and_then(|e| e.get("workspace"));
        assert!(edition.is_some(), "{name} needs edition.workspace = true");
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let table = manifest.get(section).and_then(|s| s.as_table()).cloned().unwrap_or_default();
            for (dependency, spec) in table {
                let central = spec.get("workspace").and_then(|w| w.as_bool()) == Some(true);
                assert!(central, "{name}: {dependency} gets its version from the root manifest");
            }
        }
    }
}
