//! `robots.txt` (RFC 9309) as `app/robots.ts`.

use crate::jsx::string;

/// Rules for some crawlers.
#[derive(Default)]
struct Group {
    agents: Vec<String>,
    allow: Vec<String>,
    disallow: Vec<String>,
    delay: Option<String>,
    /// A rule was read: the next name of a crawler begins another group.
    ruled: bool,
}

/// The code; none if the file says something that it cannot.
pub(super) fn code(text: &str) -> Option<String> {
    let (mut groups, mut sitemaps, mut host) = (Vec::<Group>::new(), Vec::new(), None);
    for line in text.trim_start_matches('\u{feff}').lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let (key, value) = line.split_once(':').map(|(key, value)| (key.trim(), value.trim().to_owned()))?;
        match key.to_ascii_lowercase().as_str() {
            "sitemap" => sitemaps.push(value),
            "host" if host.is_none() => host = Some(value),
            "user-agent" => {
                if groups.last().is_none_or(|group| group.ruled) {
                    groups.push(Group::default());
                }
                groups.last_mut()?.agents.push(value);
            }
            "allow" | "disallow" | "crawl-delay" => {
                let group = groups.last_mut()?;
                group.ruled = true;
                group.take(key, value)?;
            }
            _ => return None,
        }
    }
    let rules: String = groups.iter().map(Group::code).collect();
    let mut out = format!("{HEAD}    rules: [\n{rules}    ],\n");
    if !sitemaps.is_empty() {
        out.push_str(&format!("    sitemap: {},\n", list(&sitemaps)));
    }
    if let Some(host) = host {
        out.push_str(&format!("    host: {},\n", string(&host)));
    }
    out.push_str("  };\n}\n");
    // Without a group, Next.js would name every crawler by itself.
    (!groups.is_empty()).then_some(out)
}

const HEAD: &str = "// What crawlers may read, as the site's robots.txt said it.\nimport type { MetadataRoute } from \"next\";\n\nexport const dynamic = \"force-static\";\n\nexport default function robots(): MetadataRoute.Robots {\n  return {\n";

impl Group {
    fn take(&mut self, key: &str, value: String) -> Option<()> {
        if key.eq_ignore_ascii_case("crawl-delay") {
            let plain =
                value.bytes().all(|b| b.is_ascii_digit()) && !value.is_empty() && !value.starts_with('0');
            self.delay = Some(value).filter(|_| plain && self.delay.is_none());
            return self.delay.is_some().then_some(());
        }
        let rules = if key.eq_ignore_ascii_case("allow") { &mut self.allow } else { &mut self.disallow };
        // An empty rule forbids nothing.
        if !value.is_empty() {
            rules.push(value);
        }
        Some(())
    }

    fn code(&self) -> String {
        let mut members = vec![format!("userAgent: {}", list(&self.agents))];
        // Without any rule it would be taken for one group with the next.
        let everything = ["/".to_owned()];
        let nothing = self.allow.is_empty() && self.disallow.is_empty() && self.delay.is_none();
        let allow: &[String] = if nothing { &everything } else { &self.allow };
        for (name, rules) in [("allow", allow), ("disallow", &self.disallow)] {
            if !rules.is_empty() {
                members.push(format!("{name}: {}", list(rules)));
            }
        }
        members.extend(self.delay.as_ref().map(|delay| format!("crawlDelay: {delay}")));
        let flat = format!("      {{ {} }},\n", members.join(", "));
        if flat.len() <= 110 {
            return flat;
        }
        let lines: String = members.iter().map(|member| format!("        {member},\n")).collect();
        format!("      {{\n{lines}      }},\n")
    }
}

fn list(values: &[String]) -> String {
    match values {
        [only] => string(only),
        several => format!("[{}]", several.iter().map(|value| string(value)).collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn groups_rules_and_sitemaps_are_said_in_code() {
        let text = "# ours\nUser-agent: a\nUser-Agent: b # both\nDisallow: /x\nAllow: /x/y$\nCrawl-delay: 5\n\n\
                    User-agent: *\nDisallow:\nSitemap: https://a.example/sitemap.xml\n";
        let code = code(text).expect("it can be said");
        assert!(
            code.contains(r#"{ userAgent: ["a", "b"], allow: "/x/y$", disallow: "/x", crawlDelay: 5 },"#),
            "{code}"
        );
        assert!(code.contains(r#"{ userAgent: "*", allow: "/" },"#), "{code}");
        assert!(code.contains(r#"sitemap: "https://a.example/sitemap.xml","#), "{code}");
    }

    #[rstest]
    #[case::unknown_rule("User-agent: *\nNoindex: /x\n")]
    #[case::no_line_of_the_format("User-agent: *\n<html>\n")]
    #[case::rules_for_nobody("Disallow: /x\nUser-agent: *\n")]
    #[case::part_of_a_second("User-agent: *\nCrawl-delay: 0.5\n")]
    #[case::no_crawler_named("Sitemap: /sitemap.xml\n")]
    fn what_code_cannot_say_stays_a_file(#[case] text: &str) {
        assert_eq!(code(text), None);
    }
}
