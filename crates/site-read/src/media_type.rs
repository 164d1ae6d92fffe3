//! What a body is: as the server says, or from its first bytes when it says nothing.

/// The media type without parameters, in lower case.
pub(crate) fn essence(content_type: &str) -> String {
    let essence = content_type.split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

/// The charset parameter of a Content-Type header.
pub(crate) fn charset(content_type: &str) -> Option<&str> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches(['"', '\'']);
        (name.trim().eq_ignore_ascii_case("charset") && !value.is_empty()).then_some(value)
    })
}

pub(crate) fn is_html(essence: &str) -> bool {
    matches!(essence, "text/html" | "application/xhtml+xml")
}

/// The media type of an answer: the header's if there is a usable one, else by content and name.
pub(crate) fn of(content_type: Option<&str>, body: &[u8], path: &str) -> String {
    let sent = content_type.map(essence).unwrap_or_default();
    if sent.contains('/') && sent != "unknown/unknown" && sent != "application/unknown" {
        return sent;
    }
    sniff(body, path)
}

fn sniff(body: &[u8], path: &str) -> String {
    const IMAGES: [(&[u8], &str); 6] = [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF8", "image/gif"),
        (b"%PDF-", "application/pdf"),
        (b"wOF2", "font/woff2"),
        (b"wOFF", "font/woff"),
    ];
    if let Some((_, found)) = IMAGES.iter().find(|(magic, _)| body.starts_with(magic)) {
        return (*found).to_owned();
    }
    if body.starts_with(b"RIFF") && body.get(8..12) == Some(b"WEBP") {
        return "image/webp".to_owned();
    }
    let start = &body[..body.len().min(1024)];
    let text = String::from_utf8_lossy(start).to_ascii_lowercase();
    let text = text.trim_start_matches('\u{feff}').trim_start();
    const MARKUP: [&str; 12] = [
        "<!doctype html",
        "<html",
        "<head",
        "<body",
        "<title",
        "<meta",
        "<h1",
        "<div",
        "<p",
        "<table",
        "<a ",
        "<script",
    ];
    if MARKUP.iter().any(|tag| text.starts_with(tag)) || (text.starts_with("<!--") && text.contains("<html"))
    {
        return "text/html".to_owned();
    }
    if text.starts_with("<svg") || (text.starts_with("<?xml") && text.contains("<svg")) {
        return "image/svg+xml".to_owned();
    }
    if text.starts_with("<?xml") && text.contains("<html") {
        return "application/xhtml+xml".to_owned();
    }
    if let Some(guess) = mime_guess::from_path(path).first_raw() {
        return guess.to_owned();
    }
    // A control byte other than white space means that it is no text.
    let binary = start.iter().any(|b| *b < 0x09 || (*b > 0x0d && *b < 0x20 && *b != 0x1b));
    if binary { "application/octet-stream" } else { "text/plain" }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::{charset, of};

    #[test]
    fn the_header_decides_when_there_is_one() {
        assert_eq!(of(Some("Text/HTML; charset=x"), b"%PDF-", "/a"), "text/html");
        assert_eq!(charset("text/html; Charset=\"Shift_JIS\""), Some("Shift_JIS"));
        assert_eq!(charset("text/html; charset="), None);
        assert_eq!(charset("text/html"), None);
    }

    #[test]
    fn the_content_decides_when_there_is_none() {
        for (body, path, found) in [
            (&b" \n<!DOCTYPE HTML><p>x"[..], "/a", "text/html"),
            (b"\x89PNG\r\n\x1a\nx", "/a", "image/png"),
            (b"<?xml version='1.0'?><svg/>", "/a", "image/svg+xml"),
            (b"body{}", "/a/b.css", "text/css"),
            (b"plain words", "/readme", "text/plain"),
            (b"\x00\x01\x02", "/blob", "application/octet-stream"),
            (b"", "/x.js", "text/javascript"),
        ] {
            assert_eq!(of(None, body, path), found, "{path}");
            assert_eq!(of(Some(""), body, path), found, "{path}");
        }
    }
}
