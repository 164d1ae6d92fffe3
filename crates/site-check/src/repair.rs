//! Mends a project whose pages are not what they were, where a mending is known: the page keeps more of what the site had, and
//! is measured again. Rounds are bounded, and the same measurements ask for the same mendings.
//!
//! It never decides that a page is good: the comparison does. What made a page worse anywhere is taken back, so what comes out
//! was measured as it is. Who writes, builds and shows is told by a [`Bench`].

mod made;

use std::collections::BTreeSet;

use site_write::{
    Keeps, Plan, Project,
    plan::{Keep, Route},
};

use crate::{
    Comparison,
    compare::{ComparedPage, Repair},
};

/// What is kept of the pages that differ: a project is built and shown again twice for each, at most.
#[derive(Clone, Copy)]
enum Round {
    /// What was sent, where a browser showed something else and other words stand there now: most scripts that fill a page fill
    /// it again, whatever is in it.
    Filled,
    /// What the reasons suggest.
    Suggested,
    /// All of what the page has, as it was read.
    Everything,
    /// What was sent, whatever else differs. It leaves the page to its scripts, so it comes last.
    Sent,
}

const ROUNDS: [Round; 4] = [Round::Filled, Round::Suggested, Round::Everything, Round::Sent];

/// A project and what was measured of it.
#[derive(Clone, Debug)]
pub struct Tried {
    /// What it was written from.
    pub plan: Plan,
    /// Its files.
    pub project: Project,
    /// What the browser saw.
    pub comparison: Comparison,
}

/// Where projects are written and measured.
pub trait Bench {
    /// Why nothing can be written or measured at all.
    type Error;

    /// The plan with these exceptions, and the project that it describes; nothing if that fails a check.
    fn write(
        &self,
        plan: &Plan,
        keeps: &Keeps,
    ) -> impl Future<Output = Result<Option<(Plan, Project)>, Self::Error>> + Send;

    /// Builds the project and shows these pages of it, and no others; nothing if it does not build.
    fn measure(
        &self,
        plan: &Plan,
        project: &Project,
        pages: &BTreeSet<String>,
    ) -> impl Future<Output = Result<Option<Comparison>, Self::Error>> + Send;
}

/// Mends what it can. Without a page that differs and may be mended nothing is written or built; what comes out is what went
/// in, or better.
///
/// # Errors
/// What the bench answers when it can do nothing at all.
pub async fn repair<B: Bench + Sync>(bench: &B, first: Tried) -> Result<Tried, B::Error> {
    let at_first = first.comparison.clone();
    let mut tried = Keeps::default();
    let mut best = first;
    for round in ROUNDS {
        if let Some(better) = attempt(bench, &best, round, &mut tried).await? {
            best = better;
        }
    }
    best.comparison.repairs = told(&at_first, &best.comparison, &tried);
    Ok(best)
}

/// The project with a round's exceptions, if it is better. Where they make another page worse, those alone that they helped get
/// them, once; and where pages would be left to their scripts for nothing.
async fn attempt<B: Bench + Sync>(
    bench: &B,
    best: &Tried,
    round: Round,
    tried: &mut Keeps,
) -> Result<Option<Tried>, B::Error> {
    let mut keeps = known(best, round);
    let mut better = None;
    for _ in 0..2 {
        if keeps.pages.is_empty() {
            break;
        }
        let Some((plan, project)) = bench.write(&best.plan, &with_unseen(best, &keeps)).await? else { break };
        let pages = changed(best, &plan, &project);
        for (url, kept) in keeps.pages.iter().filter(|(url, _)| pages.contains(*url)) {
            tried.pages.entry(url.clone()).or_default().extend(kept);
        }
        if pages.is_empty() {
            break;
        }
        let Some(again) = bench.measure(&plan, &project, &pages).await? else { break };
        let comparison = best.comparison.updated(again);
        let (asked, failing) = (keeps.pages.len(), failing(&comparison));
        keeps.pages.retain(|url, _| !failing.contains(url.as_str()));
        let (is_better, all) = (is_better(&comparison, &best.comparison), keeps.pages.len() == asked);
        let no_worse = |it: &Tried| failing.len() <= self::failing(&it.comparison).len();
        if is_better && better.as_ref().is_none_or(no_worse) {
            better = Some(Tried { plan, project, comparison });
        }
        if all || (is_better && !matches!(round, Round::Filled)) {
            break;
        }
    }
    Ok(better)
}

/// With pages that nobody looked at: where all that were shown of a layout's pages that a browser showed otherwise are written as
/// they were sent, so are its others.
fn with_unseen(best: &Tried, keeps: &Keeps) -> Keeps {
    let seen: BTreeSet<&str> = best.comparison.pages.iter().map(|page| page.url.as_str()).collect();
    let is_sent = |route: &Route| {
        let asked = keeps.pages.get(&route.url).is_some_and(|kept| kept.contains(&Keep::Sent));
        asked || route.kept.contains(&Keep::Sent)
    };
    let mut all = keeps.clone();
    for group in &best.plan.groups {
        let members = best.plan.routes.iter().filter(|route| route.rendered && route.group == group.name);
        let (shown, unseen): (Vec<&Route>, Vec<&Route>) =
            members.partition(|route| seen.contains(route.url.as_str()));
        if !shown.is_empty() && shown.iter().all(|route| is_sent(route)) {
            all.pages.extend(unseen.into_iter().map(|route| (route.url.clone(), [Keep::Sent].into())));
        }
    }
    all
}

/// What may help the pages that differ.
fn known(best: &Tried, round: Round) -> Keeps {
    let differing = best.comparison.pages.iter().filter(|page| !page.passed);
    let by_next = made::with(&best.plan, &best.project, site_write::IMAGE);
    let pages = differing.filter_map(|page| {
        let suggested: BTreeSet<Keep> =
            page.reasons.iter().flat_map(|reason| suggestions(&reason.code)).copied().collect();
        let shown =
            best.plan.route(&page.url).is_some_and(|it| it.rendered && !it.kept.contains(&Keep::Sent));
        let helps = |keep: &Keep| *keep != Keep::Images || by_next.contains(&page.url);
        let keeps: BTreeSet<Keep> = match round {
            Round::Filled if shown && page.reasons.iter().any(|reason| reason.code == "text") => sent(page),
            Round::Sent if shown => sent(page),
            Round::Filled | Round::Sent => BTreeSet::new(),
            Round::Suggested => suggested,
            Round::Everything if suggested.is_empty() => suggested,
            Round::Everything => Keep::ALL.into_iter().filter(|keep| *keep != Keep::Sent).collect(),
        };
        let keeps: BTreeSet<Keep> = keeps.into_iter().filter(helps).collect();
        (!keeps.is_empty()).then(|| (page.url.clone(), keeps))
    });
    Keeps { pages: pages.collect() }
}

/// What was sent, if the page differs by what it was written from.
fn sent(page: &ComparedPage) -> BTreeSet<Keep> {
    let of_markup = |code: &str| !matches!(code, "status" | "unmeasured");
    page.reasons.iter().all(|reason| of_markup(&reason.code)).then_some(Keep::Sent).into_iter().collect()
}

/// What is kept first of a page that is refused for this; nothing where keeping does not help.
fn suggestions(code: &str) -> &'static [Keep] {
    match code {
        "text" | "frames" | "forms" => &[Keep::Copies],
        "images" | "elements" | "accessibility" => &[Keep::Copies, Keep::Images],
        "links" | "address" => &[Keep::Copies, Keep::Links],
        "requests" | "bytes" => &[Keep::Copies, Keep::Links, Keep::Images],
        "console" | "hydration" => &[Keep::Copies, Keep::Images, Keep::Scripts],
        _ => &[],
    }
}

/// The pages that were shown and may look otherwise in the other project.
fn changed(before: &Tried, plan: &Plan, project: &Project) -> BTreeSet<String> {
    let (old, new) = (made::of(&before.plan, &before.project), made::of(plan, project));
    let shown = before.comparison.pages.iter().map(|page| &page.url);
    shown.filter(|url| old.get(*url) != new.get(*url)).cloned().collect()
}

/// Does a page pass that did not, and none fail that passed?
fn is_better(new: &Comparison, old: &Comparison) -> bool {
    let (now, before) = (failing(new), failing(old));
    now.is_subset(&before)
        && now.len() < before.len()
        && new.wrong_addresses.len() <= old.wrong_addresses.len()
}

fn failing(comparison: &Comparison) -> BTreeSet<&str> {
    comparison.pages.iter().filter(|page| !page.passed).map(|page| page.url.as_str()).collect()
}

fn told(at_first: &Comparison, now: &Comparison, tried: &Keeps) -> Vec<Repair> {
    let repairs = tried.pages.iter().filter_map(|(url, kept)| {
        let reasons = page(at_first, url)?.reasons.clone();
        let passed = page(now, url)?.passed;
        Some(Repair { url: url.clone(), reasons, tried: kept.iter().copied().collect(), passed })
    });
    repairs.collect()
}

fn page<'a>(comparison: &'a Comparison, url: &str) -> Option<&'a ComparedPage> {
    comparison.pages.iter().find(|page| page.url == url)
}
