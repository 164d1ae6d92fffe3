//! What the user wants of a migration: a prompt in words or a structured brief, one of the two.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The longest prompt or brief, in bytes of its JSON form.
pub const MAX_BYTES: usize = 16 * 1024;

/// The user's wish, as it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "value", rename_all = "snake_case")]
pub enum Brief {
    /// Free text, from `userPrompt`.
    Prompt(String),
    /// Text or an object, from `userBrief`.
    Brief(Value),
}

/// Why a brief is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Neither was given.
    #[error("give a userPrompt or a userBrief")]
    Missing,
    /// Both were given.
    #[error("give either a userPrompt or a userBrief, not both")]
    Both,
    /// Empty text or an empty object.
    #[error("the brief is empty")]
    Empty,
    /// Neither text nor an object.
    #[error("a userBrief is text or an object")]
    WrongType,
    /// Over [`MAX_BYTES`].
    #[error("the brief is longer than {MAX_BYTES} bytes")]
    TooLong,
}

impl Brief {
    /// Takes the one that was given.
    pub fn from_request(prompt: Option<String>, brief: Option<Value>) -> Result<Self, Refused> {
        let taken = match (prompt, brief) {
            (None, None) => return Err(Refused::Missing),
            (Some(_), Some(_)) => return Err(Refused::Both),
            (Some(text), None) => Self::Prompt(text),
            (None, Some(value)) => Self::Brief(value),
        };
        taken.check()?;
        Ok(taken)
    }

    fn check(&self) -> Result<(), Refused> {
        let (empty, bytes) = match self {
            Self::Prompt(text) | Self::Brief(Value::String(text)) => (text.trim().is_empty(), text.len()),
            Self::Brief(value @ Value::Object(map)) => (map.is_empty(), value.to_string().len()),
            Self::Brief(_) => return Err(Refused::WrongType),
        };
        if empty {
            return Err(Refused::Empty);
        }
        if bytes > MAX_BYTES { Err(Refused::TooLong) } else { Ok(()) }
    }

    /// The blake3 hash, in hexadecimal, of the brief's canonical JSON: same wish, same hash.
    pub fn hash(&self) -> String {
        let canonical = serde_json::to_vec(self).expect("strings and JSON values always serialise");
        blake3::hash(&canonical).to_hex().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn exactly_one_wish_is_taken() {
        assert_eq!(Brief::from_request(None, None), Err(Refused::Missing));
        assert_eq!(Brief::from_request(Some("a".into()), Some(json!("b"))), Err(Refused::Both));
        assert_eq!(Brief::from_request(Some("  ".into()), None), Err(Refused::Empty));
        assert_eq!(Brief::from_request(None, Some(json!({}))), Err(Refused::Empty));
        assert_eq!(Brief::from_request(None, Some(json!([1]))), Err(Refused::WrongType));
        assert_eq!(Brief::from_request(Some("x".repeat(MAX_BYTES + 1)), None), Err(Refused::TooLong));
        assert!(Brief::from_request(None, Some(json!({"tone": "calm"}))).is_ok());
    }

    #[test]
    fn the_hash_does_not_depend_on_the_order_of_keys() {
        let one = Brief::from_request(None, serde_json::from_str(r#"{"a":1,"b":2}"#).ok()).expect("valid");
        let two = Brief::from_request(None, serde_json::from_str(r#"{"b":2,"a":1}"#).ok()).expect("valid");
        assert_eq!(one.hash(), two.hash());
    }
}
