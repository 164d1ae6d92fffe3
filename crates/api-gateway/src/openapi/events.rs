//! The schemas of events: the envelope, the detail of each type, and what each named thing that happens tells.
//!
//! They stand in `events.json`, each with a version (`x-version`), which is raised with every change: a reader may have
//! been made by the one before.

use serde_json::{Map, Value, json};

const SCHEMAS: &str = include_str!("events.json");

/// Adds them to the document's, and has the pages of a history refer to them.
pub(super) fn add(schemas: &mut Value) {
    let events: Map<String, Value> =
        serde_json::from_str(SCHEMAS).expect("the file is JSON: a test reads it");
    let components = schemas.as_object_mut().expect("the document has schemas");
    components.extend(events);
    if let Some(page) = components.get_mut("EventPage") {
        page["properties"]["events"]["items"] = json!({"$ref": "#/components/schemas/MigrationEvent"});
    }
}
