//! The table of hostile URLs and DNS answers against real sockets.
//!
//! The test runs itself again inside a network namespace of its own, whose loopback carries the cloud's
//! metadata address, private networks and the rest, and a few public addresses too. Listeners wait at every
//! one of them, and a name server of the test answers as each row says, differently from look-up to
//! look-up. At the end no forbidden listener may have seen a connection.

mod dns;
mod listeners;
mod namespace;

use std::sync::Arc;
use std::time::Duration;

use site_fetch::{Error, Fetched, Fetcher, Options, SystemResolver};
use url::Url;

use dns::NameServer;
use listeners::Listeners;

/// A public listener that redirects to where its query says.
const REDIRECTING: &str = "http://93.184.216.34/to?";

struct Row {
    outcomes: Vec<String>,
    url: String,
    answers: Option<String>,
}

fn table() -> Vec<Row> {
    let lines = include_str!("hostile.tsv").lines();
    let rows = lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(|line| {
        let mut columns = line.split('\t');
        let outcomes = columns.next().expect("an outcome").split(" > ").map(str::to_owned).collect();
        let url = unescaped(columns.next().expect("a URL"));
        Row { outcomes, url, answers: columns.next().map(str::to_owned) }
    });
    rows.collect()
}

/// `\t`, `\r`, `\n`, `\xHH` and `\uHHHH`; any other backslash is one.
fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let code = |digits: Option<&str>| u32::from_str_radix(digits?, 16).ok().and_then(char::from_u32);
        let (character, used) = match rest.as_bytes().first() {
            Some(b't') => ('\t', 1),
            Some(b'r') => ('\r', 1),
            Some(b'n') => ('\n', 1),
            Some(b'x') => (code(rest.get(1..3)).expect("two digits"), 3),
            Some(b'u') => (code(rest.get(1..5)).expect("four digits"), 5),
            _ => ('\\', 0),
        };
        out.push(character);
        rest = &rest[used..];
    }
    out.push_str(rest);
    out
}

#[test]
fn the_table_reaches_no_forbidden_listener() {
    if !namespace::is_inside() {
        return namespace::run_again_inside("hostile::the_table_reaches_no_forbidden_listener");
    }
    let rows = table();
    assert!(rows.len() >= 200, "{} rows", rows.len());
    let (public, forbidden) = namespace::addresses();
    namespace::bring_up(&public, &forbidden);
    let listeners = Listeners::start(&public);
    listeners.prove(&forbidden);
    let names = NameServer::start("127.0.0.1:53");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut wrong = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        runtime.block_on(
            Trial { names: &names, row, status: [301, 302, 303, 307, 308][at % 5] }.run(&mut wrong),
        );
    }
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
    let controls = rows.iter().flat_map(|row| &row.outcomes).filter(|outcome| *outcome == "ok").count();
    assert!(listeners.answered() >= controls, "the public listeners were reached");
    assert_eq!(listeners.forbidden(), Vec::<String>::new());
    println!("{} rows, {} answers by public listeners, none by others", rows.len(), listeners.answered());
}

/// One row, tried in every way in which a fetch can come by an address.
struct Trial<'a> {
    names: &'a NameServer,
    row: &'a Row,
    status: u16,
}

impl Trial<'_> {
    async fn run(&self, wrong: &mut Vec<String>) {
        let parsed = Url::parse(&self.row.url);
        let Ok(url) = parsed else {
            self.compare("as it is", &["not a URL".to_owned()], wrong);
            return self.by_redirect(None, wrong).await;
        };
        let fetcher = self.fetcher();
        let mut found = Vec::new();
        for _ in &self.row.outcomes {
            found.push(outcome(fetcher.get(&url).await));
        }
        self.compare("fetched", &found, wrong);
        if self.row.answers.is_some() && !self.row.outcomes.iter().any(|outcome| outcome == "unresolved") {
            let looked_up = self.names.look_ups();
            let all_by_name = self.row.outcomes.len() as u32;
            if looked_up > all_by_name {
                wrong.push(format!("{}: {looked_up} look-ups for {all_by_name} fetches", self.row.url));
            }
        }
        // The address is only checked, and its robots.txt is asked for: the same first outcome.
        let fetcher = self.fetcher();
        let vetted = fetcher.vet(&url).await.map_or_else(|error| named(&error), |()| "ok".to_owned());
        self.compare("vetted", &[vetted], wrong);
        let fetcher = self.fetcher();
        let robots = fetcher.robots(&url).await.map_or_else(|error| named(&error), |_| "ok".to_owned());
        self.compare("robots", &[robots], wrong);
        self.by_redirect(Some(&url), wrong).await;
    }

    /// A public site that sends us there.
    async fn by_redirect(&self, url: Option<&Url>, wrong: &mut Vec<String>) {
        let base = Url::parse(REDIRECTING).expect("a URL");
        // Some spellings mean something else beside a base, and some cannot stand in a header.
        if base.join(&self.row.url).ok().as_ref() != url || self.row.url.chars().any(|c| (c as u32) < 33) {
            return;
        }
        let location: String = self.row.url.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let from = Url::parse(&format!("{REDIRECTING}{}{location}", self.status)).expect("a URL");
        let fetcher = self.fetcher();
        let mut found = Vec::new();
        for _ in &self.row.outcomes {
            found.push(outcome(fetcher.get(&from).await));
        }
        self.compare("redirected to", &found, wrong);
    }

    /// A new one for each trial: nothing is known, and each fetch looks the name up again.
    fn fetcher(&self) -> Fetcher {
        self.names.answer(self.row.answers.as_deref());
        let options = Options { pin: Duration::ZERO, retries: 0, ..Options::default() };
        let resolver = SystemResolver::with_server(self.names.address());
        Fetcher::with_resolver(options, Arc::new(resolver)).expect("a fetcher")
    }

    fn compare(&self, way: &str, found: &[String], wrong: &mut Vec<String>) {
        let expected = &self.row.outcomes[..found.len().min(self.row.outcomes.len())];
        let same = found.iter().zip(expected).all(|(found, expected)| found.starts_with(expected.as_str()));
        if !same {
            wrong.push(format!("{} {way}: {found:?} instead of {expected:?}", self.row.url));
        }
    }
}

fn outcome(result: Result<Fetched, Error>) -> String {
    match result {
        Ok(answer) if answer.status == 200 && &answer.body[..] == b"public" => "ok".to_owned(),
        Ok(answer) => format!("status {}", answer.status),
        Err(error) => named(&error),
    }
}

fn named(error: &Error) -> String {
    match error {
        Error::Refused(refused) => refused.rule().to_owned(),
        Error::Unresolved { .. } => "unresolved".to_owned(),
        Error::BadRedirect { .. } => "not a URL".to_owned(),
        other => format!("{other:?}"),
    }
}
