//! Kinds of work besides a website's move: how they are named, and which payloads they take. Who offers a kind and who
//! accepts its jobs are two services: both judge by what is written here.

use serde::Deserialize;
use serde_json::Value;
use std::fmt;

/// The longest payload and the longest result that any kind may have, in bytes of JSON text.
pub const MAX_DOCUMENT: u32 = 1 << 20;
/// The longest schema, in bytes of JSON text.
pub const MAX_SCHEMA: usize = 64 * 1024;
/// The most attempts that any kind may have.
pub const MAX_ATTEMPTS: u32 = 100;
/// Names that are our own.
const RESERVED: [&str; 2] = [crate::job::MIGRATION_QUEUE, crate::job::MIGRATE_WEBSITE];
/// Misfits that are told of one payload; the first ones tell enough.
const TOLD: usize = 5;
/// Characters of one of them: it may quote what was sent.
const LONGEST_TOLD: usize = 300;

/// The most that a job may need of anything, in bytes: more is a mistake.
pub const MAX_NEED: u64 = 1 << 44;

/// What one job needs of its worker's machine, in bytes; it is begun only where that is left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Needs {
    /// Of memory.
    pub memory: u64,
    /// Of the scratch files' disk.
    pub disk: u64,
}

impl Needs {
    /// Of each what the one needs that needs more.
    pub fn or_more(self, other: Self) -> Self {
        Self { memory: self.memory.max(other.memory), disk: self.disk.max(other.disk) }
    }
}

/// May a kind be called so? A lower-case letter, then up to 62 lower-case letters, digits, `_` or `-`; not one of our
/// own names.
pub fn is_kind_name(name: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-');
    name.len() <= 63
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(inner)
        && !RESERVED.contains(&name)
}

/// The bytes of a document's JSON text, as it is stored and sent.
pub fn length(document: &Value) -> usize {
    struct Count(usize);
    impl fmt::Write for Count {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0 += text.len();
            Ok(())
        }
    }
    let mut count = Count(0);
    fmt::write(&mut count, format_args!("{document}")).expect("counting cannot fail");
    count.0
}

/// What the payloads of a kind have to look like: a JSON Schema, compiled.
#[derive(Debug)]
pub struct PayloadSchema(jsonschema::Validator);

/// A schema that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the payload schema cannot be used: {0}")]
pub struct BadSchema(String);

/// Where a payload does not fit, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// A JSON Pointer (RFC 6901); empty for the payload as a whole.
    pub path: String,
    /// What is wrong there. May quote what was sent.
    pub told: String,
}

impl PayloadSchema {
    /// Compiles a schema (draft 2020-12, unless it names another). It may refer to nothing outside itself, and its
    /// patterns are matched in linear time, so that no payload can make them slow.
    pub fn compile(schema: &Value) -> Result<Self, BadSchema> {
        let length = length(schema);
        if length > MAX_SCHEMA {
            return Err(BadSchema(format!("it has {length} bytes, more than {MAX_SCHEMA}")));
        }
        let options = jsonschema::options().with_pattern_options(jsonschema::PatternOptions::regex());
        options.build(schema).map(Self).map_err(|error| BadSchema(error.to_string()))
    }

    /// The first places where a payload does not fit; none: it does.
    pub fn misfits(&self, payload: &Value) -> Vec<Misfit> {
        let told = |error: jsonschema::ValidationError<'_>| Misfit {
            path: error.instance_path().to_string(),
            told: error.to_string().chars().take(LONGEST_TOLD).collect(),
        };
        self.0.iter_errors(payload).take(TOLD).map(told).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_are_short_plain_and_not_our_own() {
        for good in ["a", "resize", "send-mail_2", &"x".repeat(63)] {
            assert!(is_kind_name(good), "{good}");
        }
        for bad in ["", "Resize", "2nd", "a b", "é", "a.b", "migrations", "migrate_website", &"x".repeat(64)]
        {
            assert!(!is_kind_name(bad), "{bad}");
        }
    }

    #[test]
    fn a_documents_length_is_that_of_its_text() {
        for document in [json!({"a": [1, "é\n", null]}), json!(""), json!({})] {
            assert_eq!(length(&document), document.to_string().len());
        }
    }

    #[test]
    fn a_payload_that_does_not_fit_is_told_where() {
        let schema = json!({"type": "object", "required": ["to"], "properties": {
            "to": {"type": "string", "pattern": "^[^@]+@[^@]+$"}, "copies": {"type": "integer", "maximum": 9}}});
        let schema = PayloadSchema::compile(&schema).expect("a schema");
        assert_eq!(schema.misfits(&json!({"to": "a@b.example", "copies": 9})), []);
        let paths =
            |payload: Value| schema.misfits(&payload).into_iter().map(|one| one.path).collect::<Vec<_>>();
        assert_eq!(paths(json!([])), [""]);
        assert_eq!(paths(json!({})), [""]);
        assert_eq!(paths(json!({"to": "nobody", "copies": 10})).len(), 2);
        assert_eq!(paths(json!({"to": "x".repeat(100_000)})), ["/to"]);
        assert!(schema.misfits(&json!({"to": "x".repeat(100_000)}))[0].told.chars().count() <= LONGEST_TOLD);
    }

    #[test]
    fn a_schema_is_whole_small_and_quick_or_refused() {
        let refused = |schema| PayloadSchema::compile(&schema).expect_err("must be refused").to_string();
        assert!(refused(json!({"type": "objekt"})).contains("objekt"));
        refused(json!({"$ref": "https://schemas.example/x.json"}));
        refused(json!({"$ref": "file:///etc/passwd"}));
        // Backtracking is not to be had.
        refused(json!({"pattern": "(a)\\1"}));
        assert!(refused(json!({"enum": ["x".repeat(MAX_SCHEMA)]})).contains("bytes"));
    }
}
