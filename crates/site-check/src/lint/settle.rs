//! A project that was made of a site keeps what the site has: long class lists that its scripts look for, images from the
//! hosts that it takes them from. Where the lint would object, the project says why, in the comment that the lint asks for.
//! What the site did not have is not excused.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use site_read::Snapshot;
use site_write::{Bodies, Contents, Plan, Project};

use super::{
    Options,
    file::{Edit, Finding},
    fix,
    run::{self, Looked},
    suppress,
};

/// Writes the reasons into a project that was just written; says how many. Without anything to excuse, nothing changes.
pub fn settle(plan: &Plan, snapshot: &Snapshot, bodies: &dyn Bodies, project: &mut Project) -> usize {
    let mut site = Site { plan, snapshot, bodies, pages: HashMap::new(), known: HashMap::new() };
    let mut settled: BTreeMap<String, String> = BTreeMap::new();
    let mut count = 0;
    {
        let texts = project.files.iter().filter_map(|(path, contents)| match contents {
            Contents::Text(text) if run::is_linted(path) => Some((path.as_str(), text.as_str())),
            Contents::Text(_) | Contents::Stored(_) => None,
        });
        let texts: BTreeMap<&str, &str> = texts.collect();
        let options = run::with_hosts(&texts, &Options::default());
        for looked in run::look(&texts, &options) {
            let edits: Vec<Edit> =
                looked.findings.iter().filter_map(|it| excuse(it, &looked, &mut site)).collect();
            if edits.is_empty() {
                continue;
            }
            count += edits.len();
            settled.insert(looked.path.to_owned(), fix::apply(looked.text, edits.iter().collect()));
        }
    }
    for (path, text) in settled {
        project.files.insert(path, Contents::Text(text));
    }
    count
}

fn excuse(finding: &Finding, looked: &Looked<'_>, site: &mut Site<'_>) -> Option<Edit> {
    let culprit = finding.culprit.as_ref()?;
    let reason = reason(finding.rule.name)?;
    let (at, text) = (culprit.excuse_at?, &culprit.text);
    if !site.had(looked.path, text) {
        return None;
    }
    let comment = format!("/* {} {}: {reason} */", suppress::WORD, finding.rule.name);
    // Behind the name of a tag there is a space to come, elsewhere one was before.
    let behind_name =
        looked.text.get(at as usize..).is_some_and(|rest| rest.starts_with([' ', '\n', '/', '>']));
    Some(Edit::insert(at, if behind_name { format!(" {comment}") } else { format!("{comment} ") }))
}

/// Why a project keeps this; none for what no site's having it excuses.
fn reason(rule: &str) -> Option<&'static str> {
    Some(match rule {
        "tailwind_overflow" => "the site's own scripts and styles look for these classes",
        "img_element" => "the site takes this image from there, too",
        "secret" => "the site shows it to everybody; make it void",
        "stylesheet_without_precedence" => "the site loads it here, behind what comes before",
        "javascript_url" => "the site's own address; React does not run it",
        _ => return None,
    })
}

/// What the site itself had.
struct Site<'a> {
    plan: &'a Plan,
    snapshot: &'a Snapshot,
    bodies: &'a dyn Bodies,
    /// The pages' HTML as it is looked through, by address.
    pages: HashMap<&'a str, String>,
    known: HashMap<String, bool>,
}

impl<'a> Site<'a> {
    /// Is this text on the page that the file is of, or else on any?
    fn had(&mut self, file: &str, text: &str) -> bool {
        let wanted = evened(text);
        if let Some(known) = self.known.get(&wanted) {
            return *known;
        }
        let plan = self.plan;
        let own = plan.routes.iter().find(|route| route.file == file).map(|route| route.url.as_str());
        let snapshot = self.snapshot;
        let urls = own.into_iter().chain(snapshot.pages.keys().map(String::as_str));
        let had = urls.into_iter().any(|url| self.page(url).contains(&wanted));
        self.known.insert(wanted, had);
        had
    }

    fn page(&mut self, url: &'a str) -> &str {
        let (snapshot, bodies) = (self.snapshot, self.bodies);
        self.pages.entry(url).or_insert_with(|| {
            let page = snapshot.pages.get(url).into_iter();
            let html = page.flat_map(|page| BTreeSet::from([&page.html, page.sent()]));
            html.filter_map(|hash| bodies.get(hash))
                .map(|html| evened(&String::from_utf8_lossy(&html)))
                .collect()
        })
    }
}

/// Without the differences between HTML and what it says: entities, white space.
fn evened(text: &str) -> String {
    let plain = text.replace("&quot;", "\"").replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&");
    plain.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}
