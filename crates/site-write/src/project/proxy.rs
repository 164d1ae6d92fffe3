//! Addresses that only their queries tell apart, where Next's configuration cannot: it gives every redirect the query of the
//! address that it came from, and does not see a parameter without a value. A proxy of the project's own can.

use std::collections::BTreeMap;

use crate::{
    Plan,
    jsx::string,
    plan::{Redirect, Rewrite},
};

/// Does the proxy lead it on, and not the configuration?
pub(super) fn moves(redirect: &Redirect) -> bool {
    !redirect.matcher.query.is_empty()
}

/// Does the proxy answer it, and not the configuration?
pub(super) fn serves(rewrite: &Rewrite) -> bool {
    rewrite.matcher.query.values().any(String::is_empty)
}

/// The proxy, if the plan needs one.
pub(super) fn write(plan: &Plan) -> Option<String> {
    let mut by_path: BTreeMap<&str, Vec<(&str, String)>> = BTreeMap::new();
    let mut sources: Vec<&str> = Vec::new();
    for redirect in plan.redirects.iter().filter(|redirect| moves(redirect)) {
        let (path, query) = split(&redirect.from);
        let rest = format!("to: {}, status: {}", string(&redirect.to), redirect.status);
        by_path.entry(path).or_default().push((query, rest));
        sources.push(&redirect.matcher.source);
    }
    for rewrite in plan.rewrites.iter().filter(|rewrite| serves(rewrite)) {
        let (path, query) = split(&rewrite.from);
        by_path.entry(path).or_default().push((query, format!("to: {}", string(&rewrite.to))));
        sources.push(&rewrite.matcher.source);
    }
    if by_path.is_empty() {
        return None;
    }
    let mut rules = String::new();
    for (path, mut of_path) in by_path {
        // The address with more parameters is the more particular one.
        of_path.sort_by_key(|(query, _)| std::cmp::Reverse(query.matches('&').count()));
        rules.push_str(&format!("  [\n    {},\n    [\n", string(path)));
        for (query, rest) in of_path {
            rules.push_str(&format!("      {{ query: {}, {rest} }},\n", string(query)));
        }
        rules.push_str("    ],\n  ],\n");
    }
    sources.sort_unstable();
    sources.dedup();
    let sources: String = sources.iter().map(|source| format!("    {},\n", string(source))).collect();
    Some(format!(
        "{HEAD}const rules = new Map<string, Rule[]>([\n{rules}]);\n{TAIL}  matcher: [\n{sources}  ],\n}};\n"
    ))
}

/// Path, without a slash at its end, and query.
fn split(from: &str) -> (&str, &str) {
    let (path, query) = from.split_once('?').unwrap_or((from, ""));
    (path.trim_end_matches('/'), query)
}

const HEAD: &str = r#"// Old addresses that only their queries tell apart. Where they lead, the query is left behind.
import { type NextRequest, NextResponse } from "next/server";

/** With a status it is a redirect; without one, the page at `to` answers. */
type Rule = { query: string; to: string; status?: number };

"#;

const TAIL: &str = r#"
export function proxy(request: NextRequest) {
  const asked = new URL(request.url);
  const rule = rules.get(asked.pathname.replace(/\/+$/, ""))?.find(({ query }) => has(asked.searchParams, query));
  if (!rule) return NextResponse.next();
  const to = new URL(rule.to, request.url);
  return rule.status ? NextResponse.redirect(to, rule.status) : NextResponse.rewrite(to);
}

function has(asked: URLSearchParams, query: string) {
  return [...new URLSearchParams(query)].every(([name, value]) => asked.getAll(name).includes(value));
}

export const config = {
"#;
