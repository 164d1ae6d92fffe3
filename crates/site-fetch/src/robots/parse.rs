//! Lines into groups. Lenient as crawlers are: unknown lines are skipped and end no group (RFC 9309,
//! section 2.2.4), case of names is ignored, any line ending counts, a colon may be missing, and the
//! misspellings that big crawlers take are taken, since their authors meant what they wrote.

use std::time::Duration;

use super::{Pattern, Robots, Rule, Standing};

const MAX_SITEMAPS: usize = 200;
/// Longer pauses are kept as this one: nobody waits for hours between two pages.
const MAX_DELAY: f64 = 3600.0;

#[derive(Default)]
struct Group {
    agents: Vec<String>,
    rules: Vec<Rule>,
    crawl_delay: Option<Duration>,
}

pub(super) fn parse(file: &[u8], user_agent: &str) -> Robots {
    let text = String::from_utf8_lossy(file);
    // A byte order mark, whole or with its last byte lost.
    let text = text.trim_start_matches(['\u{feff}', '\u{fffd}']);
    let (groups, sitemaps) = groups(text);
    let product = product_token(user_agent);
    let mut chosen: Vec<Group> = Vec::new();
    let mut fallback: Vec<Group> = Vec::new();
    for group in groups {
        if group.agents.contains(&product) {
            chosen.push(group);
        } else if group.agents.iter().any(|agent| agent == "*") {
            fallback.push(group);
        }
    }
    // Groups for the same crawler count as one; the `*` groups only when there is none for us.
    let groups = if chosen.is_empty() { fallback } else { chosen };
    let crawl_delay = groups.iter().find_map(|group| group.crawl_delay);
    Robots {
        standing: Standing::Read,
        rules: groups.into_iter().flat_map(|group| group.rules).collect(),
        crawl_delay,
        sitemaps,
    }
}

fn groups(text: &str) -> (Vec<Group>, Vec<String>) {
    let mut groups: Vec<Group> = Vec::new();
    let mut sitemaps = Vec::new();
    let mut naming = false;
    for line in text.split(['\n', '\r']) {
        let Some((field, value)) = field(line) else {
            continue;
        };
        match field {
            Field::UserAgent => {
                if !naming {
                    groups.push(Group::default());
                }
                naming = true;
                if let Some(group) = groups.last_mut() {
                    group.agents.push(agent_name(value));
                }
            }
            Field::Rule { allow } => {
                naming = false;
                // An empty path is no rule: `Disallow:` forbids nothing.
                if let Some(group) = groups.last_mut().filter(|_| !value.is_empty()) {
                    group.rules.push(Rule { pattern: Pattern::new(value), allow });
                }
            }
            Field::CrawlDelay => {
                let seconds = value.parse::<f64>().ok().filter(|s| *s >= 0.0);
                if let (Some(group), Some(seconds)) = (groups.last_mut(), seconds) {
                    group.crawl_delay = Some(Duration::from_secs_f64(seconds.min(MAX_DELAY)));
                }
            }
            Field::Sitemap => {
                if sitemaps.len() < MAX_SITEMAPS && !value.is_empty() {
                    sitemaps.push(value.to_owned());
                }
            }
        }
    }
    (groups, sitemaps)
}

enum Field {
    UserAgent,
    Rule { allow: bool },
    CrawlDelay,
    Sitemap,
}

/// What a line says: a name, a colon or just a gap, and a value.
fn field(line: &str) -> Option<(Field, &str)> {
    let line = line.split('#').next().unwrap_or_default().trim();
    let (name, value) = line.split_once(':').or_else(|| {
        let (name, value) = line.split_once(char::is_whitespace)?;
        // Without a colon only a line of two words is one.
        (!value.trim().contains(char::is_whitespace)).then_some((name, value))
    })?;
    let field = match name.trim().to_ascii_lowercase().as_str() {
        "user-agent" | "useragent" | "user agent" => Field::UserAgent,
        "allow" => Field::Rule { allow: true },
        "disallow" | "dissallow" | "dissalow" | "disalow" | "diasllow" | "disallaw" => {
            Field::Rule { allow: false }
        }
        "crawl-delay" | "crawldelay" => Field::CrawlDelay,
        "sitemap" | "site-map" => Field::Sitemap,
        _ => return None,
    };
    Some((field, value.trim()))
}

/// `*` counts with whatever follows it behind a gap.
fn agent_name(value: &str) -> String {
    let is_star =
        value.strip_prefix('*').is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace));
    if is_star { "*".to_owned() } else { product_token(value) }
}

/// The name that groups are matched by: letters, `_` and `-` at the start of the header.
fn product_token(user_agent: &str) -> String {
    let end = user_agent.find(|c: char| !(c.is_ascii_alphabetic() || c == '_' || c == '-'));
    user_agent[..end.unwrap_or(user_agent.len())].to_ascii_lowercase()
}
