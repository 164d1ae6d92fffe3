//! A sitemap as `app/sitemap.ts`: addresses with what the protocol knows of each. Indexes of sitemaps, and extensions that
//! Next.js does not write, stay files.

use quick_xml::{Reader, events::Event};

use crate::jsx::string;

/// More entries are a list that no person keeps by hand.
const MOST: usize = 500;
const FREQUENCIES: &[&str] = &["always", "hourly", "daily", "weekly", "monthly", "yearly", "never"];

#[derive(Default)]
struct Entry {
    url: String,
    last_modified: Option<String>,
    change_frequency: Option<String>,
    priority: Option<f64>,
    images: Vec<String>,
}

/// The code; none if the file says something that it cannot.
pub(super) fn code(text: &str) -> Option<String> {
    let entries = read(text)?;
    let lines: String = entries.iter().map(Entry::code).collect();
    Some(format!("{HEAD}{lines}  ];\n}}\n"))
}

const HEAD: &str = "// The pages that the site names to search engines.\nimport type { MetadataRoute } from \"next\";\n\nexport const dynamic = \"force-static\";\n\nexport default function sitemap(): MetadataRoute.Sitemap {\n  return [\n";

fn read(text: &str) -> Option<Vec<Entry>> {
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    let (mut open, mut entries, mut value) = (Vec::<String>::new(), Vec::<Entry>::new(), String::new());
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) => {
                open.push(String::from_utf8(tag.name().as_ref().to_vec()).ok()?);
                value.clear();
                match open.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
                    ["urlset", "url"] => entries.push(Entry::default()),
                    ["urlset"] | ["urlset", "url", _] | ["urlset", "url", "image:image", "image:loc"] => {}
                    _ => return None,
                }
            }
            Event::Text(text) => value.push_str(std::str::from_utf8(&text).ok()?),
            Event::CData(text) => value.push_str(std::str::from_utf8(&text).ok()?),
            Event::GeneralRef(name) => value.push_str(character(std::str::from_utf8(&name).ok()?)?),
            Event::End(_) => {
                let names: Vec<&str> = open.iter().map(String::as_str).collect();
                if let [_, _, field @ ..] = names.as_slice()
                    && let Some(entry) = entries.last_mut()
                    && !field.is_empty()
                {
                    entry.take(field, value.trim())?;
                }
                open.pop();
                value.clear();
            }
            Event::Empty(_) => return None,
            Event::Eof => break,
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
    let whole = open.is_empty()
        && !entries.is_empty()
        && entries.len() <= MOST
        && entries.iter().all(|it| !it.url.is_empty());
    whole.then_some(entries)
}

fn character(name: &str) -> Option<&'static str> {
    Some(match name {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        _ => return None,
    })
}

impl Entry {
    fn take(&mut self, field: &[&str], value: &str) -> Option<()> {
        match field {
            ["loc"] if self.url.is_empty() => self.url = value.to_owned(),
            ["lastmod"] if self.last_modified.is_none() => self.last_modified = Some(value.to_owned()),
            ["changefreq"] if FREQUENCIES.contains(&value) => self.change_frequency = Some(value.to_owned()),
            ["priority"] => self.priority = Some(value.parse().ok().filter(|it| (0.0..=1.0).contains(it))?),
            ["image:image", "image:loc"] => self.images.push(value.to_owned()),
            ["image:image"] => {}
            _ => return None,
        }
        Some(())
    }

    fn code(&self) -> String {
        let mut members = vec![format!("url: {}", xml(&self.url))];
        members.extend(self.last_modified.as_ref().map(|time| format!("lastModified: {}", xml(time))));
        members
            .extend(self.change_frequency.as_ref().map(|word| format!("changeFrequency: {}", string(word))));
        members.extend(self.priority.map(|priority| format!("priority: {priority}")));
        if !self.images.is_empty() {
            let images: Vec<String> = self.images.iter().map(|image| xml(image)).collect();
            members.push(format!("images: [{}]", images.join(", ")));
        }
        format!("    {{ {} }},\n", members.join(", "))
    }
}

/// Next.js puts the strings into the file as they stand.
fn xml(text: &str) -> String {
    string(&text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn set(inside: &str) -> String {
        format!(
            "<?xml version='1.0'?><urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{inside}</urlset>"
        )
    }

    #[test]
    fn addresses_and_what_is_known_of_each_are_said_in_code() {
        let text = set("<url><loc>https://a.example/?a=1&amp;b=2</loc><lastmod>2024-05-01</lastmod>\
             <changefreq>weekly</changefreq><priority>0.80</priority></url><url><loc>https://a.example/x</loc>\
             <image:image><image:loc>https://a.example/i.png</image:loc></image:image></url>");
        let code = code(&text).expect("it can be said");
        let first = r#"{ url: "https://a.example/?a=1&amp;b=2", lastModified: "2024-05-01", changeFrequency: "weekly", priority: 0.8 },"#;
        assert!(code.contains(first), "{code}");
        let second = r#"{ url: "https://a.example/x", images: ["https://a.example/i.png"] },"#;
        assert!(code.contains(second), "{code}");
    }

    #[rstest]
    #[case::an_index("<sitemapindex><sitemap><loc>https://a.example/1.xml</loc></sitemap></sitemapindex>".into())]
    #[case::an_extension(set("<url><loc>/</loc><news:news>x</news:news></url>"))]
    #[case::a_caption(set(
        "<url><loc>/</loc><image:image><image:caption>x</image:caption></image:image></url>"
    ))]
    #[case::languages(set("<url><loc>/</loc><xhtml:link rel='alternate' hreflang='de' href='/de'/></url>"))]
    #[case::an_unknown_word(set("<url><loc>/</loc><changefreq>often</changefreq></url>"))]
    #[case::nothing(set(""))]
    #[case::no_xml("https://a.example/\n".into())]
    #[case::cut("<urlset><url><loc>/</loc>".into())]
    #[case::too_many(set(&"<url><loc>/x</loc></url>".repeat(MOST + 1)))]
    fn what_code_cannot_say_stays_a_file(#[case] text: String) {
        assert_eq!(code(&text), None);
    }
}
