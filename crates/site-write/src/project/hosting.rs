//! The site's redirects and other spellings for hosts that serve files and run no server of Next.js: `_redirects` as Netlify and
//! Cloudflare Pages read it, and a piece of nginx's configuration. What neither can say is counted and said aloud.

use crate::{
    Plan,
    plan::{By, Redirect, Rewrite},
};

/// What is written beside the project, for whom it helps.
pub(super) struct Hosting {
    /// `hosting/_redirects`.
    pub(super) redirects: String,
    /// `hosting/nginx.conf`.
    pub(super) nginx: String,
    /// Addresses that `_redirects` cannot tell apart, for the report.
    pub(super) left: Vec<String>,
}

/// Nothing if every address is a file's own.
pub(super) fn write(plan: &Plan) -> Option<Hosting> {
    let redirects: Vec<&Redirect> = plan.redirects.iter().filter(|it| it.by != By::Server).collect();
    if redirects.is_empty() && plan.rewrites.is_empty() {
        return None;
    }
    let mut left = Vec::new();
    let mut lines = String::new();
    for redirect in &redirects {
        match line(&redirect.from, &redirect.to, redirect.status) {
            Some(line) => lines.push_str(&line),
            None => left.push(redirect.from.clone()),
        }
    }
    for rewrite in &plan.rewrites {
        match line(&rewrite.from, &rewrite.to, 200) {
            Some(line) => lines.push_str(&line),
            None => left.push(rewrite.from.clone()),
        }
    }
    Some(Hosting { redirects: format!("{REDIRECTS}{lines}"), nginx: nginx(&redirects, &plan.rewrites), left })
}

const REDIRECTS: &str =
    "# Old addresses, for hosts that read this file. Copy it into the folder that is published.\n";

/// `/old?id=7 /new 301` as `/old id=7 /new 301`; hosts take a parameter without a value, or a slash alone, for none at all.
fn line(from: &str, to: &str, status: u16) -> Option<String> {
    let (path, query) = from.split_once('?').unwrap_or((from, ""));
    let pairs: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    let plain = |pair: &&str| pair.split_once('=').is_some_and(|(_, value)| !value.is_empty());
    let slash_alone = path.trim_end_matches('/') == to.split(['?', '#']).next()?.trim_end_matches('/');
    let sayable =
        !path.contains(['*', ':', '#']) && pairs.iter().all(plain) && !(slash_alone && pairs.is_empty());
    let query: String = pairs.iter().map(|pair| format!(" {pair}")).collect();
    sayable.then(|| format!("{path}{query} {to} {status}\n"))
}

/// Two maps from the whole request to where it leads: nginx tells case, slashes and queries apart.
fn nginx(redirects: &[&Redirect], rewrites: &[Rewrite]) -> String {
    let entry = |from: &str, to: &str| format!("  {} {};\n", quoted(from), quoted(to));
    let mut statuses: Vec<u16> = redirects.iter().map(|redirect| redirect.status).collect();
    statuses.sort_unstable();
    statuses.dedup();
    let (mut maps, mut rules) = (String::new(), String::new());
    for status in statuses {
        let of_it = redirects.iter().filter(|redirect| redirect.status == status);
        let entries: String = of_it.map(|redirect| entry(&redirect.from, &redirect.to)).collect();
        maps.push_str(&format!("map $request_uri $moved_{status} {{\n  default \"\";\n{entries}}}\n\n"));
        rules.push_str(&format!("#   if ($moved_{status}) {{ return {status} $moved_{status}; }}\n"));
    }
    let pages: String = rewrites.iter().map(|rewrite| entry(&rewrite.from, &rewrite.to)).collect();
    maps.push_str(&format!("map $request_uri $page {{\n  default $uri;\n{pages}}}\n"));
    format!(
        "# Old addresses, for nginx before the exported files. Include this at the level of `http`, and in the `server`:\n#\n\
         {rules}#   location / {{ try_files $page $page.html $page/index.html =404; }}\n#   error_page 404 /404.html;\n\n{maps}"
    )
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "%24"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("/old.html", "/new", 301, Some("/old.html /new 301\n"))]
    #[case("/old?id=7&x=1", "/new", 302, Some("/old id=7 x=1 /new 302\n"))]
    #[case("/list?page=2", "/list/q-page-2", 200, Some("/list page=2 /list/q-page-2 200\n"))]
    #[case::a_slash("/a", "/a/", 301, None)]
    #[case::no_value("/a?print", "/b", 301, None)]
    #[case::a_pattern("/a*", "/b", 301, None)]
    fn lines_are_such_as_hosts_read(
        #[case] from: &str,
        #[case] to: &str,
        #[case] status: u16,
        #[case] wanted: Option<&str>,
    ) {
        assert_eq!(line(from, to, status).as_deref(), wanted);
    }

    #[test]
    fn nginx_is_given_strings_that_mean_themselves() {
        assert_eq!(quoted("/a\"$b\\"), "\"/a\\\"%24b\\\\\"");
    }
}
