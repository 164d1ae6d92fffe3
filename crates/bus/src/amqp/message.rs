//! How hints and notes travel in AMQP: a JSON body, the trace context in the headers `traceparent` and
//! `tracestate` as W3C's AMQP draft names them, and a message id that stays the same when one is sent twice.

use crate::{EventNote, JobHint};
use domain::trace::TraceContext;
use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";
const PERSISTENT: u8 = 2;
const TRANSIENT: u8 = 1;

pub(super) fn hint_body(hint: &JobHint) -> Vec<u8> {
    body(&JobHint { trace: TraceContext::default(), ..hint.clone() })
}

pub(super) fn note_body(note: &EventNote) -> Vec<u8> {
    body(&EventNote { trace: TraceContext::default(), ..note.clone() })
}

fn body(message: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(message).expect("strings and numbers always serialise")
}

pub(super) fn hint_properties(hint: &JobHint) -> BasicProperties {
    properties(&hint.message_id(), PERSISTENT, &hint.trace)
}

/// A note is worth nothing after a restart: its subscribers look anyway.
pub(super) fn note_properties(note: &EventNote) -> BasicProperties {
    properties(&note.message_id(), TRANSIENT, &note.trace)
}

fn properties(id: &str, delivery_mode: u8, trace: &TraceContext) -> BasicProperties {
    let mut headers = FieldTable::default();
    for (name, value) in [(TRACEPARENT, &trace.traceparent), (TRACESTATE, &trace.tracestate)] {
        if let Some(value) = value {
            headers.insert(name.into(), AMQPValue::LongString(value.as_str().into()));
        }
    }
    BasicProperties::default()
        .with_message_id(id.into())
        .with_content_type("application/json".into())
        .with_delivery_mode(delivery_mode)
        .with_app_id("resettle".into())
        .with_headers(headers)
}

/// Reads a body; the trace comes from the headers. The error is for people.
pub(super) fn read_hint(body: &[u8], properties: &BasicProperties) -> Result<JobHint, String> {
    read::<JobHint>(body).map(|hint| JobHint { trace: trace(properties), ..hint })
}

pub(super) fn read_note(body: &[u8], properties: &BasicProperties) -> Result<EventNote, String> {
    read::<EventNote>(body).map(|note| EventNote { trace: trace(properties), ..note })
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

fn trace(properties: &BasicProperties) -> TraceContext {
    let header = |name: &str| {
        let value = properties.headers().as_ref()?.inner().get(name)?;
        match text(value) {
            Value::String(text) => Some(text),
            _ => None,
        }
    };
    TraceContext { traceparent: header(TRACEPARENT), tracestate: header(TRACESTATE) }
}

/// Everything that came with a message that cannot be read, for whoever looks into it later.
pub(super) fn evidence(properties: &BasicProperties) -> Value {
    let short = |name: &Option<lapin::types::ShortString>| name.as_ref().map(|text| text.to_string());
    json!({
        "messageId": short(properties.message_id()),
        "contentType": short(properties.content_type()),
        "contentEncoding": short(properties.content_encoding()),
        "appId": short(properties.app_id()),
        "type": short(properties.kind()),
        "headers": properties.headers().as_ref().map(table),
    })
}

fn table(fields: &FieldTable) -> Value {
    Value::Object(
        fields.inner().iter().map(|(name, value)| (name.to_string(), text(value))).collect::<Map<_, _>>(),
    )
}

fn text(value: &AMQPValue) -> Value {
    match value {
        AMQPValue::Boolean(flag) => json!(flag),
        AMQPValue::ShortShortInt(number) => json!(number),
        AMQPValue::ShortShortUInt(number) => json!(number),
        AMQPValue::ShortInt(number) => json!(number),
        AMQPValue::ShortUInt(number) => json!(number),
        AMQPValue::LongInt(number) => json!(number),
        AMQPValue::LongUInt(number) => json!(number),
        AMQPValue::LongLongInt(number) => json!(number),
        AMQPValue::Timestamp(seconds) => json!(seconds),
        AMQPValue::Float(number) => json!(number),
        AMQPValue::Double(number) => json!(number),
        AMQPValue::ShortString(text) => json!(text.as_str()),
        AMQPValue::LongString(text) => json!(String::from_utf8_lossy(text.as_bytes())),
        AMQPValue::ByteArray(bytes) => json!(String::from_utf8_lossy(bytes.as_slice())),
        AMQPValue::FieldTable(fields) => table(fields),
        AMQPValue::FieldArray(values) => Value::Array(values.as_slice().iter().map(self::text).collect()),
        AMQPValue::DecimalValue(decimal) => json!(format!("{decimal:?}")),
        AMQPValue::Void => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{JobId, MigrationId, TenantId};
    use uuid::Uuid;

    fn traced() -> TraceContext {
        TraceContext { traceparent: Some("00-aa-bb-01".into()), tracestate: Some("k=v".into()) }
    }

    #[test]
    fn a_hint_reads_back_with_its_trace_from_the_headers() {
        let hint = JobHint { queue: "migrations".into(), job: JobId(Uuid::nil()), trace: traced() };
        let body = hint_body(&hint);
        assert_eq!(
            String::from_utf8(body.clone()).expect("JSON is text"),
            r#"{"queue":"migrations","job":"00000000-0000-0000-0000-000000000000"}"#
        );
        let properties = hint_properties(&hint);
        assert_eq!(properties.message_id().as_ref().map(|id| id.to_string()), Some(hint.message_id()));
        assert_eq!(read_hint(&body, &properties), Ok(hint));
    }

    #[test]
    fn a_note_reads_back_and_unknown_fields_do_not_disturb() {
        let nil = Uuid::nil();
        let note = EventNote { tenant: TenantId(nil), migration: MigrationId(nil), seq: 7, trace: traced() };
        let mut value: Value = serde_json::from_slice(&note_body(&note)).expect("JSON");
        value["later"] = json!("a field of a newer release");
        let body = serde_json::to_vec(&value).expect("JSON");
        assert_eq!(read_note(&body, &note_properties(&note)), Ok(note));
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        assert!(read_hint(b"\xff\x00", &BasicProperties::default()).is_err());
        assert!(read_hint(b"{\"queue\":\"q\"}", &BasicProperties::default()).is_err());
    }
}
