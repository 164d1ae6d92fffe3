//! Addresses that Next's configuration cannot tell apart, or cannot lead to: it compares paths without regard to case and to
//! a slash at the end, gives every redirect the query of the address that it came from, does not see a parameter without a
//! value, and takes the escapes out of a destination's query. A proxy of the project's own sees them to the letter.

use std::collections::BTreeMap;

use crate::{Next, Plan, jsx::string, plan::By};

/// The proxy, if the plan needs one.
pub(super) fn write(plan: &Plan) -> Option<String> {
    let mut by_path: BTreeMap<&str, Vec<(&str, String)>> = BTreeMap::new();
    let mut sources: Vec<&str> = Vec::new();
    for redirect in plan.redirects.iter().filter(|redirect| redirect.by == By::Proxy) {
        let (path, query) = split(&redirect.from);
        let rest = format!("to: {}, status: {}", string(&redirect.to), redirect.status);
        by_path.entry(path).or_default().push((query, rest));
        sources.push(&redirect.matcher.source);
    }
    for rewrite in plan.rewrites.iter().filter(|rewrite| rewrite.by == By::Proxy) {
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
        of_path.sort_by_key(|(query, _)| std::cmp::Reverse(parameters(query)));
        let of_path: Vec<String> = of_path
            .into_iter()
            .map(|(query, rest)| {
                let query =
                    if query.is_empty() { String::new() } else { format!("query: {}, ", string(query)) };
                format!("{{ {query}{rest} }}")
            })
            .collect();
        let lines = match of_path.as_slice() {
            [only] => format!("[{only}]"),
            several => format!("[\n    {},\n  ]", several.join(",\n    ")),
        };
        rules.push_str(&format!("  [{}, {lines}],\n", string(path)));
    }
    sources.sort_unstable();
    sources.dedup();
    let sources: String = sources.iter().map(|source| format!("    {},\n", string(source))).collect();
    let tail = match plan.next {
        Next::Sixteen => TAIL.to_owned(),
        Next::Fourteen => TAIL.replace("function proxy(", "function middleware("),
    };
    Some(format!(
        "{HEAD}const rules = new Map<string, Rule[]>([\n{rules}]);\n{tail}  matcher: [\n{sources}  ],\n}};\n"
    ))
}

fn split(from: &str) -> (&str, &str) {
    from.split_once('?').unwrap_or((from, ""))
}

fn parameters(query: &str) -> usize {
    query.split('&').filter(|pair| !pair.is_empty()).count()
}

const HEAD: &str = r#"// Old addresses that only their queries, their case or a slash at the end tell apart, or that lead to a query with escapes.
import { type NextRequest, NextResponse } from "next/server";

/** With a status it is a redirect; without one, the page at `to` answers. A query that a rule names is left behind. */
type Rule = { query?: string; to: string; status?: number };

"#;

const TAIL: &str = r#"
export function proxy(request: NextRequest) {
  const asked = new URL(request.url);
  const rule = rules.get(asked.pathname)?.find(({ query }) => !query || has(asked.searchParams, query));
  if (!rule) return NextResponse.next();
  const to = new URL(rule.to, request.url);
  if (!rule.query && !to.search) to.search = asked.search;
  return rule.status ? NextResponse.redirect(to, rule.status) : NextResponse.rewrite(to);
}

function has(asked: URLSearchParams, query: string) {
  return [...new URLSearchParams(query)].every(([name, value]) => asked.getAll(name).includes(value));
}

export const config = {
"#;
