//! The Kubernetes manifests are what the API server takes: validated against its own schemas, strictly, so that
//! a misspelt field fails here and not in a cluster.

use crate::tree::root;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs};

fn schemas() -> Value {
    let path = root().join("tests/it/manifests/kubernetes-1.34.schema.json");
    serde_json::from_str(&fs::read_to_string(path).expect("the schemas are checked in")).expect("JSON")
}

/// Every document of every manifest: (file name, document).
fn manifests() -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root().join("k8s")).expect("k8s/ is there") {
        let path = entry.expect("an entry can be read").path();
        if path.extension().is_none_or(|e| e != "yaml") {
            continue;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).expect("a manifest is text");
        for document in serde_yaml_ng::Deserializer::from_str(&text) {
            found.push((name.clone(), Value::deserialize(document).expect("a manifest is YAML")));
        }
    }
    found
}

fn problems(schemas: &Value, document: &Value) -> Vec<String> {
    let id = format!(
        "{}/{}",
        document["apiVersion"].as_str().unwrap_or_default(),
        document["kind"].as_str().unwrap_or_default()
    );
    let Some(definition) = schemas["kinds"][&id].as_str() else {
        return vec![format!("{id}: no schema for this kind is checked in")];
    };
    let schema = json!({"$ref": format!("#/$defs/{definition}"), "$defs": schemas["$defs"]});
    let validator = jsonschema::validator_for(&schema).expect("the schemas compile");
    validator.iter_errors(document).map(|e| format!("{id} at {}: {e}", e.instance_path())).collect()
}

#[test]
fn every_manifest_is_valid() {
    let schemas = schemas();
    let found = manifests();
    for (file, document) in &found {
        assert_eq!(problems(&schemas, document), Vec::<String>::new(), "{file}");
    }
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, document) in &found {
        *kinds.entry(document["kind"].as_str().unwrap_or_default()).or_default() += 1;
    }
    assert_eq!((kinds["Deployment"], kinds["Job"], kinds["Service"]), (3, 1, 3));
}

#[test]
fn a_misspelt_field_is_found() {
    let schemas = schemas();
    let (_, mut document) = deployments().remove(0);
    document["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = json!({});
    assert!(problems(&schemas, &document).iter().any(|p| p.contains("readynessProbe")));
}

fn deployments() -> Vec<(String, Value)> {
    manifests().into_iter().filter(|(_, d)| d["kind"] == "Deployment").collect()
}

#[test]
fn every_deployment_is_probed_confined_and_given_time_to_stop() {
    for (file, document) in deployments() {
        let pod = &document["spec"]["template"]["spec"];
        let container = &pod["containers"][0];
        for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
            assert!(container[probe]["httpGet"]["path"].is_string(), "{file} has no {probe}");
        }
        assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true, "{file}");
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true, "{file}");
        assert!(container["resources"]["limits"]["memory"].is_string(), "{file} has no memory limit");
        let pre_stop = container["lifecycle"]["preStop"]["sleep"]["seconds"].as_u64().expect("a pre-stop wait");
        let granted = pod["terminationGracePeriodSeconds"].as_u64().expect("a grace period");
        let name = document["metadata"]["name"].as_str().expect("a name");
        assert!(granted > pre_stop + grace_seconds(name), "{file}: the pod is killed before it could stop");
    }
}

/// The service's own grace period, from the ConfigMap that it is deployed with.
fn grace_seconds(service: &str) -> u64 {
    let config = manifests().into_iter().find(|(_, d)| d["kind"] == "ConfigMap").expect("a ConfigMap").1;
    let text = config["data"][format!("{service}.toml")].as_str().expect("the service's configuration").to_owned();
    let table: toml::Table = text.parse().expect("TOML");
    let grace = table["grace"].as_str().expect("a grace period is set").to_owned();
    grace.strip_suffix('s').and_then(|s| s.parse().ok()).expect("in seconds, like \"30s\"")
}

#[test]
fn services_and_ingress_name_what_exists() {
    let all = manifests();
    let services: Vec<&str> =
        all.iter().filter(|(_, d)| d["kind"] == "Service").filter_map(|(_, d)| d["metadata"]["name"].as_str()).collect();
    let ingress = &all.iter().find(|(_, d)| d["kind"] == "Ingress").expect("an ingress").1;
    let paths = ingress["spec"]["rules"][0]["http"]["paths"].as_array().expect("paths");
    for path in paths {
        let backend = path["backend"]["service"]["name"].as_str().expect("a backend");
        assert!(services.contains(&backend), "the ingress names {backend}, which is no Service");
    }
}
