//! Sitemaps: lists and indexes in XML, compressed or not, and plain text.
//!
//! Lenient: what was read before an error counts. Bounded: a file after decompression, the number of
//! addresses, and by the caller the number of files.

use std::io::Read;

use quick_xml::Reader;
use quick_xml::events::Event;

/// Largest file after decompression: the protocol's own bound.
const MAX_BYTES: u64 = 50 * 1024 * 1024;
/// Most addresses of one file: the protocol's own bound.
const MAX_URLS: usize = 50_000;

/// What a sitemap names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Sitemap {
    /// Addresses of pages, as written.
    pub(crate) pages: Vec<String>,
    /// Addresses of further sitemaps.
    pub(crate) sitemaps: Vec<String>,
}

pub(crate) fn read(body: &[u8]) -> Sitemap {
    if body.starts_with(&[0x1f, 0x8b]) {
        let mut plain = Vec::new();
        let decoder = flate2::read::MultiGzDecoder::new(body);
        // A broken end leaves what came before it.
        let _ = decoder.take(MAX_BYTES).read_to_end(&mut plain);
        return read_plain(&plain);
    }
    read_plain(body)
}

fn read_plain(body: &[u8]) -> Sitemap {
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if text.starts_with('<') {
        return read_xml(text);
    }
    let lines = text.lines().map(str::trim);
    let addresses = lines.filter(|line| line.starts_with("http://") || line.starts_with("https://"));
    Sitemap { pages: addresses.take(MAX_URLS).map(str::to_owned).collect(), sitemaps: Vec::new() }
}

fn read_xml(text: &str) -> Sitemap {
    let mut found = Sitemap::default();
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = false;
    // The element that the next text belongs to, and whether it is inside <sitemap>.
    let mut in_loc = false;
    let mut in_index = false;
    let mut address = String::new();
    while found.pages.len() + found.sitemaps.len() < MAX_URLS {
        match reader.read_event() {
            Ok(Event::Start(tag)) => match tag.name().as_ref() {
                b"loc" => {
                    in_loc = true;
                    address.clear();
                }
                b"sitemap" => in_index = true,
                b"url" => in_index = false,
                b"xhtml:link" => found.pages.extend(href(&tag)),
                _ => {}
            },
            Ok(Event::Empty(tag)) if tag.name().as_ref() == b"xhtml:link" => {
                found.pages.extend(href(&tag));
            }
            Ok(Event::Text(part)) if in_loc => {
                address.push_str(&String::from_utf8_lossy(&part));
            }
            Ok(Event::CData(part)) if in_loc => {
                address.push_str(&String::from_utf8_lossy(&part));
            }
            Ok(Event::GeneralRef(name)) if in_loc => {
                address.push_str(entity(&name));
            }
            Ok(Event::End(tag)) if tag.name().as_ref() == b"loc" => {
                in_loc = false;
                let list = if in_index { &mut found.sitemaps } else { &mut found.pages };
                list.push(address.trim().to_owned());
            }
            Ok(Event::Eof) | Err(_) => break,
            Ok(_) => {}
        }
    }
    found
}

fn entity(name: &[u8]) -> &'static str {
    match name {
        b"amp" | b"#38" | b"#x26" => "&",
        b"lt" => "<",
        b"gt" => ">",
        b"quot" => "\"",
        b"apos" | b"#39" | b"#x27" => "'",
        _ => "",
    }
}

fn href(tag: &quick_xml::events::BytesStart<'_>) -> Option<String> {
    let attribute = tag.try_get_attribute("href").ok()??;
    let value = String::from_utf8_lossy(&attribute.value);
    Some(value.replace("&amp;", "&"))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::read;

    #[test]
    fn lists_indexes_and_text() {
        let list = read(
            br#"<?xml version="1.0"?><urlset xmlns:xhtml="x"><url><loc> http://e.com/a?x=1&amp;y=2 </loc>
            <xhtml:link rel="alternate" href="http://e.com/de?a=1&amp;b=2"/></url><url><loc><![CDATA[http://e.com/b]]></loc></url></urlset>"#,
        );
        assert_eq!(list.pages, ["http://e.com/a?x=1&y=2", "http://e.com/de?a=1&b=2", "http://e.com/b"]);
        let index = read(b"<sitemapindex><sitemap><loc>http://e.com/s.xml</loc></sitemap></sitemapindex>");
        assert_eq!(index.sitemaps, ["http://e.com/s.xml"]);
        assert!(index.pages.is_empty());
        let text = read(b"\xef\xbb\xbfhttp://e.com/a\r\n\nhttps://e.com/b\nnonsense");
        assert_eq!(text.pages, ["http://e.com/a", "https://e.com/b"]);
    }

    #[test]
    fn compressed_and_broken() {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(b"<urlset><url><loc>http://e.com/a</loc></url><url><loc>http://e.com/b</broken")
            .expect("written");
        let found = read(&gz.finish().expect("compressed"));
        assert_eq!(found.pages, ["http://e.com/a"]);
        assert_eq!(read(b"").pages.len(), 0);
        assert_eq!(read(b"<html><body>404</body></html>").pages.len(), 0);
    }
}
