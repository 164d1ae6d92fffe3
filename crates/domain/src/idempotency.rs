//! The `Idempotency-Key` request header (draft-ietf-httpapi-idempotency-key-header-07).

/// A key as the client chose it: 1 to 255 printable ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key(String);

/// The header does not hold a usable key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an Idempotency-Key is a quoted string of 1 to 255 printable ASCII characters")]
pub struct Malformed;

impl Key {
    /// Reads the header's value: a Structured Field string (RFC 8941, `"…"`); the bare form that most clients
    /// send is taken as well.
    pub fn parse(header: &str) -> Result<Self, Malformed> {
        let trimmed = header.trim();
        let key = match trimmed.strip_prefix('"') {
            Some(rest) => unescape(rest.strip_suffix('"').ok_or(Malformed)?)?,
            None => trimmed.to_owned(),
        };
        let printable = key.bytes().all(|b| (0x20..=0x7e).contains(&b));
        if key.is_empty() || key.len() > 255 || !printable { Err(Malformed) } else { Ok(Self(key)) }
    }

    /// The key's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn unescape(inner: &str) -> Result<String, Malformed> {
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(escaped @ ('"' | '\\')) => out.push(escaped),
                _ => return Err(Malformed),
            },
            '"' => return Err(Malformed),
            other => out.push(other),
        }
    }
    Ok(out)
}

/// What the record says about a request that carries a key.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict<Answer> {
    /// Not seen: carry it out, and store the answer in the same transaction.
    Fresh,
    /// Seen with the same body: give this answer again.
    Replay(Answer),
    /// Seen with another body.
    Mismatch,
    /// Another request with this key is being carried out right now.
    InFlight,
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("\"8e03978e-40d5\"", "8e03978e-40d5")]
    #[case("bare-key", "bare-key")]
    #[case(r#""a \"quoted\" key""#, r#"a "quoted" key"#)]
    fn both_forms_are_read(#[case] header: &str, #[case] key: &str) {
        assert_eq!(Key::parse(header).expect("taken").as_str(), key);
    }

    #[rstest]
    #[case("")]
    #[case("\"\"")]
    #[case("\"open")]
    #[case("\"bad \\escape\"")]
    #[case("tab\tinside")]
    #[case("grüße")]
    fn malformed_keys_are_refused(#[case] header: &str) {
        assert_eq!(Key::parse(header), Err(Malformed));
    }
}
