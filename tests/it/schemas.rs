//! Events and the schemas that the API's document has for them: whatever any test here reads from a stream, and
//! whatever the record's own writers write, is what its schema says; and no schema changes under its version.

use domain::{
    CorrelationId, Failure, MigrationId,
    event::{DomainEvent, Event, EventType, NewEvent},
    failure::Reason,
    phase::Phase,
    rerun::Why,
};
use jsonschema::Validator;
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, sync::OnceLock, time::Duration};
use uuid::Uuid;

/// What each version of each schema was when it landed: name and version, and the hash of the text.
const LANDED: &str = include_str!("schemas/landed.txt");

fn schemas() -> &'static Map<String, Value> {
    static SCHEMAS: OnceLock<Map<String, Value>> = OnceLock::new();
    SCHEMAS.get_or_init(|| {
        let document = api_gateway::openapi_document();
        document["components"]["schemas"].as_object().expect("schemas").clone()
    })
}

/// Says what is wrong with an envelope.
fn judge(envelope: &Value) -> Result<(), String> {
    static VALIDATOR: OnceLock<Validator> = OnceLock::new();
    let validator = VALIDATOR.get_or_init(|| {
        let root = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$ref": "#/components/schemas/MigrationEvent",
            "components": {"schemas": schemas()},
        });
        jsonschema::options().should_validate_formats(true).build(&root).expect("the schemas are valid")
    });
    let wrong: Vec<String> = validator.iter_errors(envelope).map(|error| error.to_string()).collect();
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
}

/// Each of the envelopes is what its schema says.
pub(crate) fn assert_valid<'a>(envelopes: impl IntoIterator<Item = &'a Value>) {
    for envelope in envelopes {
        if let Err(wrong) = judge(envelope) {
            panic!("{envelope} is not what its schema says: {wrong}");
        }
    }
}

fn envelope(event: NewEvent) -> Value {
    let event = Event {
        seq: 1,
        ts: 1_790_000_000_000,
        event_type: event.event_type,
        migration_id: MigrationId(Uuid::now_v7()),
        run: 1,
        phase: event.phase,
        progress: event.progress,
        correlation_id: CorrelationId(Uuid::now_v7()),
        detail: event.detail,
    };
    serde_json::to_value(event).expect("an event is JSON")
}

#[test]
fn what_the_record_itself_writes_is_what_its_schema_says() {
    let mut written = Vec::new();
    for reason in Reason::ALL {
        let failure = Failure::of(reason, "some_code", "What happened.");
        for phase in Phase::ALL.map(Some).into_iter().chain([None]) {
            written.extend(NewEvent::failed(&failure, phase, 7));
            written.push(NewEvent::retrying(&failure, 2, Duration::from_secs(3), phase, 7));
        }
    }
    for phase in Phase::ALL.map(Some).into_iter().chain([None]) {
        written.extend(NewEvent::cancelled(phase, 7));
        written.push(NewEvent::replayed(phase, 7));
        written.push(NewEvent::plan_edited(2, "00ff", phase, 7));
        let reasons = std::iter::once(Why::UserRequest).chain(Reason::ALL.map(Why::Failed));
        written.extend(reasons.map(|why| NewEvent::queued_again(why, phase)));
    }
    written.extend([NewEvent::plan_to_review(7), NewEvent::plan_approved(2, "00ff", 7)]);
    let written: Vec<Value> = written.into_iter().map(envelope).collect();
    assert_valid(&written);
}

#[test]
fn a_schema_tells_right_from_wrong() {
    let good = envelope(
        NewEvent::new(EventType::Log, None, 0, json!({"status": "started", "attempt": 1, "notes": "x"}))
            .named(DomainEvent::MigrationStarted),
    );
    assert_valid([&good]);
    let wrong: [fn(&mut Value); 8] = [
        |e| e["seq"] = json!(0),
        |e| e["type"] = json!("news"),
        |e| e["migrationId"] = json!("seven"),
        |e| e["progress"] = json!(101),
        |e| e["phase"] = json!("SLEEP"),
        |e| e["more"] = json!(1),
        |e| e["detail"]["attempt"] = json!(2),
        |e| e["type"] = json!("done"),
    ];
    for change in wrong {
        let mut event = good.clone();
        change(&mut event);
        assert!(judge(&event).is_err(), "{event}");
    }
}

#[test]
fn everything_that_has_a_name_has_a_schema_of_that_name() {
    for name in DomainEvent::ALL {
        let told: Vec<&String> = schemas()
            .iter()
            .filter(|(_, schema)| schema["properties"]["event"]["const"] == name.as_str())
            .map(|(component, _)| component)
            .collect();
        assert_eq!(told.len(), 1, "{}", name.as_str());
    }
    let types: Vec<&str> = EventType::ALL.iter().map(|one| one.as_str()).collect();
    let mut told: Vec<&str> = schemas()["MigrationEvent"]["properties"]["type"]["enum"]
        .as_array()
        .expect("types")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    told.sort_by_key(|one| types.iter().position(|other| other == one));
    assert_eq!(told, types);
    let reasons: Vec<&str> = Reason::ALL.iter().map(|one| one.as_str()).collect();
    assert_eq!(schemas()["EventMigrationFailed"]["properties"]["reason"]["enum"], json!(reasons));
}

#[test]
fn no_schema_of_an_event_changes_without_a_new_version() {
    let landed: BTreeMap<(&str, &str), &str> = LANDED
        .lines()
        .map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            let [name, version, hash] = words[..] else { panic!("landed.txt: {line}") };
            ((name, version), hash)
        })
        .collect();
    let versioned = schemas().iter().filter(|(_, schema)| schema.get("x-version").is_some());
    for (name, schema) in versioned {
        let (version, hash) = (schema["x-version"].to_string(), hash(schema));
        match landed.get(&(name.as_str(), version.as_str())) {
            Some(known) => assert_eq!(
                *known, hash,
                "{name} has changed: raise its x-version, and add a line to tests/it/schemas/landed.txt"
            ),
            None => panic!(
                "{name} {version} is new: add \"{name} {version} {hash}\" to tests/it/schemas/landed.txt"
            ),
        }
    }
    let newest = |name: &str| schemas().get(name).and_then(|schema| schema["x-version"].as_u64());
    for (name, version) in landed.keys() {
        assert!(
            newest(name).is_some_and(|newest| Some(newest) >= version.parse().ok()),
            "{name} {version} was promised: a schema does not disappear, nor its version fall"
        );
    }
}

/// FNV-1a of the text with its members in order: what is compared is our own file with itself.
fn hash(schema: &Value) -> String {
    let text = serde_json::to_string(&sorted(schema)).expect("JSON");
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let ordered: BTreeMap<&String, Value> = members.iter().map(|(k, v)| (k, sorted(v))).collect();
            Value::Object(ordered.into_iter().map(|(k, v)| (k.clone(), v)).collect())
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}
