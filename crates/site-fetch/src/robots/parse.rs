//! Lines into groups. Lenient as crawlers are: unknown lines are skipped, case of names is ignored,
//! any line ending counts.

use std::time::Duration;

use super::{Pattern, Robots, Rule, Standing};

/// Rules kept at most; a file within the byte bound cannot reasonably need more.
const MAX_RULES: usize = 10_000;
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
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
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
    let mut rules = 0;
    for line in text.split(['\n', '\r']) {
        let line = line.split('#').next().unwrap_or_default();
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        let value = value.trim();
        match name.trim().to_ascii_lowercase().as_str() {
            "user-agent" => {
                if !naming {
                    groups.push(Group::default());
                }
                naming = true;
                if let Some(group) = groups.last_mut() {
                    group.agents.push(agent_name(value));
                }
            }
            "sitemap" if sitemaps.len() < MAX_SITEMAPS => sitemaps.push(value.to_owned()),
            "crawl-delay" => {
                naming = false;
                let seconds = value.parse::<f64>().ok().filter(|s| *s >= 0.0);
                if let (Some(group), Some(seconds)) = (groups.last_mut(), seconds) {
                    group.crawl_delay = Some(Duration::from_secs_f64(seconds.min(MAX_DELAY)));
                }
            }
            kind @ ("allow" | "disallow") => {
                naming = false;
                // An empty path is no rule: `Disallow:` forbids nothing.
                if let (Some(group), true) = (groups.last_mut(), !value.is_empty() && rules < MAX_RULES) {
                    rules += 1;
                    group.rules.push(Rule { pattern: Pattern::new(value), allow: kind == "allow" });
                }
            }
            _ => {}
        }
    }
    (groups, sitemaps)
}

fn agent_name(value: &str) -> String {
    if value.starts_with('*') { "*".to_owned() } else { product_token(value) }
}

/// The name that groups are matched by: letters, `_` and `-` at the start of the header.
fn product_token(user_agent: &str) -> String {
    let end = user_agent.find(|c: char| !(c.is_ascii_alphabetic() || c == '_' || c == '-'));
    user_agent[..end.unwrap_or(user_agent.len())].to_ascii_lowercase()
}
