//! The Kubernetes manifests are what the API server takes: validated against its own schemas, strictly, so that
//! a misspelt field fails here and not in a cluster. And what they tell the services, the services' programs take.

use crate::{stack::binary, tree};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::{Command, Output},
};
use tempfile::TempDir;

const SERVICES: [&str; 3] = ["api-gateway", "migration-worker", "realtime-broadcaster"];
const SECRETS: &str = "/run/secrets/resettle";

fn schemas() -> Value {
    let path = tree::root().join("tests/it/manifests/kubernetes-1.34.schema.json");
    serde_json::from_str(&fs::read_to_string(path).expect("the schemas are checked in")).expect("JSON")
}

/// Every document of every manifest: (file, document). The kustomization is no manifest.
fn manifests() -> Vec<(String, Value)> {
    let root = tree::root().join("k8s");
    let files = tree::files_below(&root, ".yaml").into_iter().filter(|p| !p.ends_with("kustomization.yaml"));
    let documents = files.flat_map(|path| {
        let name = path.strip_prefix(&root).unwrap_or(&path).display().to_string();
        let text = fs::read_to_string(&path).expect("a manifest is text");
        let read = |document| Value::deserialize(document).unwrap_or_else(|error| panic!("{name}: {error}"));
        let found: Vec<Value> = serde_yaml_ng::Deserializer::from_str(&text).map(read).collect();
        found.into_iter().map(move |document| (name.clone(), document))
    });
    documents.collect()
}

fn of_kind(kind: &str) -> Vec<Value> {
    manifests().into_iter().map(|(_, document)| document).filter(|d| d["kind"] == kind).collect()
}

fn problems(schemas: &Value, document: &Value) -> Vec<String> {
    let id = format!("{}/{}", text(&document["apiVersion"]), text(&document["kind"]));
    let Some(definition) = schemas["kinds"][&id].as_str() else {
        return vec![format!("{id}: no schema for this kind is checked in")];
    };
    let schema = json!({"$ref": format!("#/$defs/{definition}"), "$defs": schemas["$defs"]});
    let validator = jsonschema::validator_for(&schema).expect("the schemas compile");
    validator.iter_errors(document).map(|e| format!("{id} at {}: {e}", e.instance_path())).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[test]
fn every_manifest_is_valid() {
    let schemas = schemas();
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for (file, document) in manifests() {
        assert_eq!(problems(&schemas, &document), Vec::<String>::new(), "{file}");
        *kinds.entry(text(&document["kind"]).to_owned()).or_default() += 1;
    }
    for (kind, count) in [("Deployment", 3), ("Job", 1), ("Service", 3), ("PodDisruptionBudget", 3)] {
        assert_eq!(kinds.get(kind), Some(&count), "{kind}");
    }
}

#[test]
fn what_is_misspelt_or_of_the_wrong_type_is_found() {
    let schemas = schemas();
    let deployment = of_kind("Deployment").remove(0);
    let refused = |change: fn(&mut Value), told: &str| {
        let mut changed = deployment.clone();
        change(&mut changed);
        let found = problems(&schemas, &changed);
        assert!(found.iter().any(|problem| problem.contains(told)), "{told} in {found:?}");
    };
    refused(
        |d| d["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = json!({}),
        "readynessProbe",
    );
    refused(|d| d["spec"]["replicas"] = json!("two"), "/spec/replicas");
    refused(|d| d["spec"]["template"]["spec"]["containers"][0]["resources"]["limit"] = json!({}), "limit");
    refused(|d| d["kind"] = json!("Deploymint"), "no schema");
}

#[test]
fn the_base_lists_every_file_of_its_folder() {
    let base = tree::root().join("k8s/base");
    let text_of = |name: &str| fs::read_to_string(base.join(name)).expect("a file of the base");
    let kustomization: Value = serde_yaml_ng::from_str(&text_of("kustomization.yaml")).expect("YAML");
    let listed: BTreeSet<String> =
        list(&kustomization["resources"]).map(|name| text(name).to_owned()).collect();
    let there = tree::files_below(&base, ".yaml").into_iter();
    let there = there.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()));
    assert_eq!(listed, there.filter(|name| name != "kustomization.yaml").collect());
}

/// A strategic merge, as far as the overlay needs one: objects by their keys, lists of what has a name by the names.
fn merge(base: &mut Value, patch: &Value) {
    match (base, patch) {
        (Value::Object(base), Value::Object(patch)) => {
            for (key, value) in patch {
                merge(base.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (Value::Array(base), Value::Array(patch)) if patch.iter().all(|one| one["name"].is_string()) => {
            for one in patch {
                let known = base.iter_mut().find(|known| known["name"] == one["name"]);
                merge(known.unwrap_or_else(|| panic!("the base has no {}", one["name"])), one);
            }
        }
        (base, patch) => *base = patch.clone(),
    }
}

#[test]
fn workers_that_build_may_make_cells_and_are_confined_otherwise_as_the_others() {
    let folder = tree::root().join("k8s/building");
    let text_of = |name: &str| fs::read_to_string(folder.join(name)).expect("a file of the overlay");
    let kustomization: Value = serde_yaml_ng::from_str(&text_of("kustomization.yaml")).expect("YAML");
    assert_eq!(kustomization["resources"], json!(["../base"]));
    let [patch] = list(&kustomization["patches"]).collect::<Vec<_>>()[..] else { panic!("one patch") };
    let patch: Value = serde_yaml_ng::from_str(text(&patch["patch"])).expect("YAML");
    let named = |one: &Value| one["metadata"]["name"] == patch["metadata"]["name"];
    let mut worker = of_kind("Deployment").into_iter().find(named).expect("the base has it");
    merge(&mut worker, &patch);
    assert_eq!(problems(&schemas(), &worker), Vec::<String>::new());

    let pod = &worker["spec"]["template"]["spec"];
    let of_container = &pod["containers"][0]["securityContext"];
    assert_eq!((&pod["hostUsers"], &of_container["procMount"]), (&json!(false), &json!("Unmasked")));
    assert_eq!(of_container["capabilities"], json!({"drop": ["ALL"]}));
    assert_eq!(of_container["allowPrivilegeEscalation"], false);
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    assert_eq!(pod["securityContext"]["seccompProfile"]["localhostProfile"], "resettle/cells.json");
    let profile: Value = serde_json::from_str(&text_of("cells.seccomp.json")).expect("JSON");
    let refused: BTreeSet<&str> =
        list(&profile["syscalls"]).flat_map(|rule| list(&rule["names"])).map(text).collect();
    for needed in ["clone", "clone3", "unshare", "mount", "umount2", "pivot_root", "seccomp", "sethostname"] {
        assert!(!refused.contains(needed), "{needed} makes cells");
    }
    assert!(refused.contains("bpf") && refused.contains("kexec_load"), "{refused:?}");
}

#[test]
fn every_deployment_is_probed_confined_and_given_time_to_stop() {
    for document in of_kind("Deployment") {
        let name = text(&document["metadata"]["name"]);
        let pod = &document["spec"]["template"]["spec"];
        let container = &pod["containers"][0];
        for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
            assert!(container[probe]["httpGet"]["path"].is_string(), "{name} has no {probe}");
        }
        assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true, "{name}");
        assert_eq!(container["securityContext"]["allowPrivilegeEscalation"], false, "{name}");
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true, "{name}");
        assert_eq!(pod["automountServiceAccountToken"], false, "{name}");
        assert!(container["resources"]["limits"]["memory"].is_string(), "{name} has no memory limit");
        assert!(list(&pod["topologySpreadConstraints"]).count() > 0, "{name} is not spread");
        let pre_stop =
            container["lifecycle"]["preStop"]["sleep"]["seconds"].as_u64().expect("a pre-stop wait");
        let granted = pod["terminationGracePeriodSeconds"].as_u64().expect("a grace period");
        let own = grace_seconds(&configuration(name));
        assert!(granted > pre_stop + own, "{name}: the pod is killed before it could stop");
    }
}

/// The service's configuration in the ConfigMap that it is deployed with.
fn configuration(service: &str) -> String {
    let map = of_kind("ConfigMap").remove(0);
    let found = map["data"][format!("{service}.toml")].as_str();
    found.unwrap_or_else(|| panic!("the ConfigMap holds no {service}.toml")).to_owned()
}

fn grace_seconds(configuration: &str) -> u64 {
    let table: toml::Table = configuration.parse().expect("TOML");
    let grace = table["grace"].as_str().expect("a grace period is set");
    grace.strip_suffix('s').and_then(|s| s.parse().ok()).expect("in seconds, like \"30s\"")
}

#[test]
fn services_budgets_and_ingress_name_what_exists() {
    let deployed: BTreeSet<String> =
        of_kind("Deployment").iter().map(|d| text(&d["metadata"]["name"]).to_owned()).collect();
    assert_eq!(deployed, SERVICES.map(str::to_owned).into());
    for service in of_kind("Service") {
        let selected = text(&service["spec"]["selector"]["app.kubernetes.io/name"]).to_owned();
        assert!(deployed.contains(&selected), "a Service selects {selected}");
    }
    for budget in of_kind("PodDisruptionBudget") {
        let selected = text(&budget["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"]).to_owned();
        assert!(deployed.contains(&selected), "a budget selects {selected}");
    }
    for ingress in of_kind("Ingress") {
        for path in list(&ingress["spec"]["rules"][0]["http"]["paths"]) {
            let backend = text(&path["backend"]["service"]["name"]);
            assert!(deployed.contains(backend), "the ingress names {backend}, which is no Service");
        }
    }
}

/// Figures and readiness tell strangers how the service is doing, and cost the database a question each.
#[test]
fn what_operators_ask_is_closed_at_both_ingresses() {
    let nobody = "nginx.ingress.kubernetes.io/whitelist-source-range";
    let ingresses = of_kind("Ingress");
    let closed = ingresses.iter().filter(|one| one["metadata"]["annotations"][nobody] == "127.0.0.1/32");
    let closed: BTreeSet<&str> = closed
        .flat_map(|one| list(&one["spec"]["rules"][0]["http"]["paths"]))
        .map(|path| text(&path["path"]))
        .collect();
    assert_eq!(closed, BTreeSet::from(["/metrics", "/readyz"]));
    let nginx = fs::read_to_string(tree::root().join("deploy/nginx.conf")).expect("the compose file's nginx");
    let blocked = |path: &str| {
        let wanted = ["location", "=", path, "{", "return", "404;", "}"];
        nginx.lines().any(|line| line.split_whitespace().eq(wanted))
    };
    assert!(blocked("/metrics") && blocked("/readyz"), "{nginx}");
}

/// A name in an upstream block, or in the text of a proxy_pass, is looked up once for as long as nginx lives.
#[test]
fn the_compose_files_nginx_finds_services_that_were_made_anew() {
    let nginx = fs::read_to_string(tree::root().join("deploy/nginx.conf")).expect("the compose file's nginx");
    let lines = || nginx.lines().map(str::trim);
    assert!(lines().any(|line| line.starts_with("resolver ")), "{nginx}");
    assert!(!lines().any(|line| line.starts_with("upstream ")), "{nginx}");
    let passed: Vec<&str> = lines().filter_map(|line| line.strip_prefix("proxy_pass ")).collect();
    assert!(!passed.is_empty() && passed.iter().all(|to| to.starts_with('$')), "{passed:?}");
}

#[test]
fn every_service_takes_what_its_deployment_tells_it() {
    for deployment in of_kind("Deployment") {
        let name = text(&deployment["metadata"]["name"]);
        let folder = tempfile::tempdir().expect("a scratch folder");
        let pod = &deployment["spec"]["template"]["spec"];
        write_secrets(&folder, pod);
        let file = folder.path().join("service.toml");
        fs::write(&file, configuration(name)).expect("written");
        let mut command = check_config(name, &file);
        for variable in list(&pod["containers"][0]["env"]) {
            let value = text(&variable["value"]).replace(SECRETS, &folder.path().display().to_string());
            command.env(text(&variable["name"]), value.replace("$(POD_IP)", "10.0.0.7"));
        }
        let output = command.output().expect("the program is built");
        assert!(output.status.success(), "{name}: {}", said(&output));
    }
}

/// The files that the pod finds at its secrets' place: those that the volume lists, and no others.
fn write_secrets(folder: &TempDir, pod: &Value) {
    let volume = list(&pod["volumes"]).find(|volume| volume["name"] == "secrets").expect("a volume");
    for item in list(&volume["secret"]["items"]) {
        let key = text(&item["key"]);
        let value = match key {
            "grpc-token" => "0123456789abcdef",
            "amqp-url" => "amqp://user:password@broker/resettle",
            _ if key.ends_with("database-url") => "postgres://role:password@database/resettle",
            _ => "something",
        };
        fs::write(folder.path().join(text(&item["path"])), format!("{value}\n")).expect("written");
    }
}

fn check_config(service: &str, file: &Path) -> Command {
    let mut command = Command::new(binary(service));
    command.env_clear().arg("--config").arg(file).arg("check-config");
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn every_service_takes_its_sample_and_refuses_a_misspelt_one() {
    for service in SERVICES {
        let sample = tree::root().join(format!("deploy/config/{service}.toml"));
        let output = check_config(service, &sample).output().expect("the program is built");
        assert!(output.status.success(), "{service}: {}", said(&output));
        let folder = tempfile::tempdir().expect("a scratch folder");
        let misspelt = folder.path().join("misspelt.toml");
        let text = fs::read_to_string(&sample).expect("a sample is text").replace("[store]", "[stroe]");
        fs::write(&misspelt, text).expect("written");
        let output = check_config(service, &misspelt).output().expect("the program is built");
        assert_eq!(output.status.code(), Some(64), "{service}: {}", said(&output));
        assert!(said(&output).contains("stroe"), "{service}: {}", said(&output));
    }
}

#[test]
fn the_compose_file_names_what_exists_and_stops_nothing_too_early() {
    let deploy = tree::root().join("deploy");
    let file = fs::read_to_string(deploy.join("compose.yaml")).expect("the compose file");
    let mut compose: serde_yaml_ng::Value = serde_yaml_ng::from_str(&file).expect("YAML");
    compose.apply_merge().expect("its anchors can be merged");
    let compose = serde_json::to_value(compose).expect("plain values");
    let services = compose["services"].as_object().expect("services");
    for (name, service) in services {
        let image = service["image"].is_string();
        let built = service["build"]["dockerfile"].as_str();
        assert!(image || built.is_some_and(|path| tree::root().join(path).is_file()), "{name} cannot be had");
        let needs: Vec<&str> = match &service["depends_on"] {
            Value::Object(needs) => needs.keys().map(String::as_str).collect(),
            needs => list(needs).map(text).collect(),
        };
        assert!(needs.iter().all(|needed| services.contains_key(*needed)), "{name} needs {needs:?}");
        for volume in list(&service["volumes"]).map(text).filter(|volume| volume.starts_with("./")) {
            let source = volume.split(':').next().unwrap_or_default();
            assert!(deploy.join(source).exists(), "{name} mounts {source}");
        }
    }
    for name in SERVICES {
        let granted =
            text(&services[name]["stop_grace_period"]).strip_suffix('s').and_then(|s| s.parse().ok());
        let sample = fs::read_to_string(deploy.join(format!("config/{name}.toml"))).expect("a sample");
        assert!(granted > Some(grace_seconds(&sample)), "{name} is killed before it could stop");
    }
}

#[test]
fn every_image_is_built_for_its_service_and_does_not_run_as_root() {
    for name in SERVICES.into_iter().chain(["resettle"]) {
        let path = tree::root().join(format!("deploy/{name}.Dockerfile"));
        let file = fs::read_to_string(path).expect("every program has a Dockerfile");
        let last = file.rfind("\nFROM ").expect("stages");
        assert!(file.contains(&format!("--bin {name} ")), "{name}");
        for line in
            ["USER 10001:10001", &format!("ENTRYPOINT [\"/usr/local/bin/{name}\"]"), "ca-certificates"]
        {
            assert!(file[last..].contains(line), "{name}: no {line}");
        }
    }
}
