//! What comes out of a queue, whoever put it there: headers and a body. It is read as a hint or a note that says the same
//! when it is said again, or it is told as what it is, in a form that can be kept.
#![no_main]

// The envelope by itself: the crate that it is part of would bring a database's client along.
#[path = "../../../crates/bus/src/message.rs"]
mod message;
#[path = "../../../crates/bus/src/amqp/message.rs"]
mod wire;

pub use message::{EventNote, JobHint};

use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldArray, FieldTable},
};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let end = data.windows(2).position(|two| two == b"\n\n").unwrap_or(0);
    let (head, body) = data.split_at(end);
    let properties = properties(head);
    if let Ok(hint) = wire::read_hint(body, &properties) {
        assert_eq!(wire::read_hint(&wire::hint_body(&hint), &wire::hint_properties(&hint)), Ok(hint));
    }
    if let Ok(note) = wire::read_note(body, &properties) {
        assert_eq!(wire::read_note(&wire::note_body(&note), &wire::note_properties(&note)), Ok(note));
    }
    let kept = wire::evidence(&properties).to_string();
    assert!(kept.len() <= 500 + 8 * data.len(), "{} bytes of {}", kept.len(), data.len());
});

/// `name=value` on each line; what the value begins with says which sort of value it is.
fn properties(head: &[u8]) -> BasicProperties {
    let mut headers = FieldTable::default();
    for line in head.split(|byte| *byte == b'\n') {
        let line = String::from_utf8_lossy(line);
        let Some((name, text)) = line.split_once('=') else { continue };
        let long = || AMQPValue::LongString(text.into());
        let value = match text.as_bytes().first() {
            Some(b'[') => AMQPValue::FieldArray(FieldArray::from(vec![long(), AMQPValue::Void])),
            Some(b'#') => AMQPValue::Double(text[1..].parse().unwrap_or(f64::NAN)),
            Some(b'?') => AMQPValue::Boolean(text.len() % 2 == 0),
            Some(b'!') => AMQPValue::ByteArray(text.as_bytes().to_vec().into()),
            _ => long(),
        };
        // A longer name cannot be sent.
        if name.len() < 256 {
            headers.insert(name.into(), value);
        }
    }
    BasicProperties::default().with_headers(headers)
}
