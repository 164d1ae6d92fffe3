//! JSON on its way into a `jsonb` column, which cannot hold U+0000 in a string: text of the sites that we
//! read can, and must not make a statement fail for ever.

use domain::{task::Needs, trace::TraceContext};
use serde_json::{Map, Value, json};

/// The value without U+0000.
pub(crate) fn storable(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(text_storable(text)),
        Value::Array(items) => Value::Array(items.iter().map(storable).collect()),
        Value::Object(map) => Value::Object(map_storable(map)),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// The object without U+0000.
pub(crate) fn map_storable(map: &Map<String, Value>) -> Map<String, Value> {
    map.iter().map(|(key, value)| (text_storable(key), storable(value))).collect()
}

/// The text without U+0000, which a `text` column cannot hold either.
pub(crate) fn text_storable(text: &str) -> String {
    text.replace('\0', "")
}

/// A trace context as it is stored; absent parts are left out.
pub(crate) fn trace(context: &TraceContext) -> Value {
    let mut map = Map::new();
    for (name, part) in [("traceparent", &context.traceparent), ("tracestate", &context.tracestate)] {
        if let Some(text) = part {
            map.insert(name.to_owned(), json!(text_storable(text)));
        }
    }
    Value::Object(map)
}

/// A trace context as it was stored. One that cannot be read is none: a trace must never stop the work.
pub(crate) fn read_trace(stored: Value) -> TraceContext {
    serde_json::from_value(stored).unwrap_or_default()
}

/// What a job needs, as it is stored: nothing for nothing.
pub(crate) fn needs(needs: Needs) -> Option<Value> {
    let Needs { memory, disk } = needs;
    (needs != Needs::default()).then(|| json!({"memory": memory, "disk": disk}))
}

/// What a job needs, as it was stored; what another release wrote beside it is for others.
pub(crate) fn read_needs(stored: Option<Value>) -> Needs {
    let of = |name: &str| stored.as_ref().and_then(|needs| needs.get(name)?.as_u64()).unwrap_or(0);
    Needs { memory: of("memory"), disk: of("disk") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nul_is_dropped_wherever_it_hides() {
        let told = json!({"a\0": ["x\0y", {"b": "\0"}], "n": 1, "z": null});
        assert_eq!(storable(&told), json!({"a": ["xy", {"b": ""}], "n": 1, "z": null}));
    }

    #[test]
    fn needs_come_back_and_none_take_no_room() {
        let some = Needs { memory: 1, disk: 0 };
        assert_eq!((read_needs(needs(some)), needs(Needs::default())), (some, None));
        assert_eq!(
            read_needs(Some(json!({"disk": 2, "memory": "x", "gpu": 1}))),
            Needs { memory: 0, disk: 2 }
        );
    }

    #[test]
    fn a_trace_comes_back_as_it_was() {
        let context = TraceContext { traceparent: Some("00-a-b-01".to_owned()), tracestate: None };
        assert_eq!(trace(&context), json!({"traceparent": "00-a-b-01"}));
        assert_eq!(read_trace(trace(&context)), context);
        assert_eq!(read_trace(json!(7)), TraceContext::default());
    }
}
