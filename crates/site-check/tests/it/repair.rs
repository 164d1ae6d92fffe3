//! What is mended, what cannot be, and what it takes: with projects that are really written, and a measure that reads them
//! instead of showing them. In the browser it is tested in `compare.rs`.

use crate::{
    server::{keeping, written},
    snapshot::Site,
};
use site_check::{
    Comparison,
    compare::{ComparedPage, Reason, Repair},
    repair::{Bench, Tried, repair},
};
use site_read::Finding;
use site_write::{Contents, Keeps, Plan, Project, plan::Keep};
use std::{collections::BTreeSet, convert::Infallible, sync::Mutex};

/// A shop whose lists show the same card.
fn shop() -> Site {
    let item = |name: &str| {
        format!(
            "<li class=product><h3><a href=/{name}.html>{name}</a></h3> <b class=price>{name} euro</b></li>"
        )
    };
    let list = |title: &str, names: [&str; 3]| {
        format!(
            "<!doctype html><html lang=en><head><title>{title}</title></head><body><header><nav><a href=/>Home</a> \
             <a href=/b.html>B</a> <a href=/c.html>C</a></nav></header><main><h1>{title}</h1><ul>{}</ul></main></body></html>",
            names.map(item).concat()
        )
    };
    Site::new()
        .page("/", &list("Home", ["one", "two", "three"]))
        .page("/b.html", &list("Bees", ["four", "five", "six"]))
        .page("/c.html", &list("Seas", ["seven", "eight", "nine"]))
}

/// Writes with a fault of its own, and finds it by reading.
struct Reader<'a> {
    site: &'a Site,
    spoil: fn(&mut Project),
    /// The pages of each look.
    shown: Mutex<Vec<Vec<String>>>,
}

impl<'a> Reader<'a> {
    fn new(site: &'a Site, spoil: fn(&mut Project)) -> Self {
        Self { site, spoil, shown: Mutex::default() }
    }

    fn first(&self) -> Tried {
        let (plan, mut project) = written(self.site);
        (self.spoil)(&mut project);
        let all = plan.routes.iter().map(|route| route.url.clone()).collect();
        Tried { comparison: self.read(&plan, &project, &all), plan, project }
    }

    fn read(&self, plan: &Plan, project: &Project, pages: &BTreeSet<String>) -> Comparison {
        let report = site_check::verify(plan, &self.site.snapshot, &self.site.bodies, project);
        let text = report.checks.iter().find(|check| check.name == "text").expect("text is checked");
        let look = |url: &String| {
            let file = &plan.route(url).expect("a route").file;
            let differs = text.problems.iter().filter(|problem| problem.file == *file);
            let reason = |note: &str| Reason { code: "text".into(), width: None, note: note.to_owned() };
            let reasons: Vec<Reason> = differs.map(|problem| reason(&problem.message)).collect();
            ComparedPage { url: url.clone(), passed: reasons.is_empty(), reasons, ..ComparedPage::default() }
        };
        let pages: Vec<ComparedPage> = pages.iter().map(look).collect();
        Comparison { passed: pages.iter().all(|page| page.passed), pages, ..Comparison::default() }
    }
}

impl Bench for Reader<'_> {
    type Error = Infallible;

    async fn write(&self, plan: &Plan, keeps: &Keeps) -> Result<Option<(Plan, Project)>, Infallible> {
        let (plan, mut project) = keeping(self.site, plan, keeps);
        (self.spoil)(&mut project);
        Ok(Some((plan, project)))
    }

    async fn measure(
        &self,
        plan: &Plan,
        project: &Project,
        pages: &BTreeSet<String>,
    ) -> Result<Option<Comparison>, Infallible> {
        self.shown.lock().expect("not poisoned").push(pages.iter().cloned().collect());
        Ok(Some(self.read(plan, project, pages)))
    }
}

fn edit(project: &mut Project, path: &str, from: &str, to: &str) {
    if let Some(Contents::Text(text)) = project.files.get_mut(path) {
        *text = text.replace(from, to);
    }
}

fn reasons(comparison: &Comparison, url: &str) -> Vec<Reason> {
    let pages = comparison.pages.iter().filter(|page| page.url == url);
    pages.flat_map(|page| page.reasons.clone()).collect()
}

fn failing(comparison: &Comparison) -> Vec<&str> {
    comparison.pages.iter().filter(|page| !page.passed).map(|page| page.url.as_str()).collect()
}

const B: &str = "http://old.example/b.html";

#[tokio::test]
async fn a_page_that_a_card_spoils_keeps_its_own_copies_and_the_others_stay_as_they_were() {
    let site = shop();
    // The card is right; what this page gives to it is not.
    let reader =
        Reader::new(&site, |project| edit(project, "app/b.html/page.tsx", "price=\"five", "price=\"5"));
    let first = reader.first();
    assert_eq!(failing(&first.comparison), [B]);
    assert_eq!(first.plan.cards.len(), 1, "{:?}", first.plan.cards);
    let repaired = repair(&reader, first.clone()).await.expect("it cannot fail");
    assert!(repaired.comparison.passed, "{:?}", repaired.comparison);
    let reasons = reasons(&first.comparison, B);
    assert!(reasons[0].code == "text" && reasons[0].note.contains("five"), "{reasons:?}");
    let told = Repair { url: B.into(), reasons, tried: vec![Keep::Copies], passed: true };
    assert_eq!(repaired.comparison.repairs, [told]);
    let text = |path: &str| match &repaired.project.files[path] {
        Contents::Text(text) => text.clone(),
        Contents::Stored(_) => panic!("{path} is text"),
    };
    let card = format!("<{}", first.plan.cards[0].name);
    assert!(!text("app/b.html/page.tsx").contains(&card) && text("app/b.html/page.tsx").contains("<nav>"));
    assert!(text("app/page.tsx").contains(&card) && text("app/c.html/page.tsx").contains(&card));
    assert_eq!((repaired.plan.cards[0].uses, repaired.plan.cards[0].pages), (6, 2));
    assert!(text("MIGRATION.md").contains("- its own copies of parts that repeat: `/b.html`"));
    // The same measurements ask for the same mendings, and those for the same bytes.
    let again = repair(&reader, first).await.expect("it cannot fail");
    assert_eq!((again.plan.hash(), again.project), (repaired.plan.hash(), repaired.project));
    // A plan with exceptions can be stored, read and written again.
    let stored = serde_json::to_vec(&repaired.plan).expect("JSON");
    assert_eq!(Plan::read(&stored).expect("a plan"), repaired.plan);
}

#[tokio::test]
async fn a_page_that_next_image_spoils_keeps_its_images_and_the_others_do_not() {
    let page =
        |title: &str| format!("<!doctype html><title>{title}</title><p>{title}<img src=/a.png alt=''></p>");
    let site = Site::new().page("/", &page("Home")).page("/b.html", &page("Bees")).image("/a.png", 8, 8);
    let reader =
        Reader::new(&site, |project| edit(project, "app/b.html/page.tsx", "<Image alt", "Wasps <Image alt"));
    let first = reader.first();
    assert_eq!(failing(&first.comparison), [B]);
    let repaired = repair(&reader, first).await.expect("it cannot fail");
    assert!(repaired.comparison.passed, "{:?}", repaired.comparison);
    assert!(repaired.plan.route(B).is_some_and(|route| route.kept.contains(&Keep::Images)));
    let says = |path: &str, word: &str| {
        let Contents::Text(text) = &repaired.project.files[path] else { panic!("{path} is text") };
        text.contains(word)
    };
    assert!(says("app/b.html/page.tsx", "<img alt") && says("app/page.tsx", "<Image alt"));
    assert!(says("MIGRATION.md", "- 1 image as `<img>`: the page was not the same with `next/image`"));
}

#[tokio::test]
async fn what_cannot_be_mended_is_named_and_nothing_is_kept_for_it() {
    let site = shop();
    let reader = Reader::new(&site, |project| edit(project, "app/b.html/page.tsx", "Bees", "Wasps"));
    let first = reader.first();
    let repaired = repair(&reader, first.clone()).await.expect("it cannot fail");
    assert_eq!(failing(&repaired.comparison), [B]);
    assert!(repaired.comparison.pages[1].reasons[0].note.contains("Bees"), "{:?}", repaired.comparison);
    // It was written as it was sent all along, and has no images.
    let none = |keep: &Keep| matches!(keep, Keep::Sent | Keep::Images);
    let tried = Keep::ALL.into_iter().filter(|keep| !none(keep)).collect();
    let told = Repair { url: B.into(), reasons: reasons(&first.comparison, B), tried, passed: false };
    assert_eq!(repaired.comparison.repairs, [told]);
    assert_eq!(
        (repaired.plan, repaired.project),
        (first.plan, first.project),
        "what did not help is not kept"
    );
    assert_eq!(reader.shown.lock().expect("not poisoned").len(), 2, "rounds are bounded");
}

#[tokio::test]
async fn what_passes_is_not_written_again_and_what_makes_another_page_worse_is_taken_back() {
    let site = shop();
    let whole = Reader::new(&site, |_| {});
    let first = whole.first();
    assert!(first.comparison.passed);
    let same = repair(&whole, first.clone()).await.expect("it cannot fail");
    assert_eq!((same.project, same.comparison.repairs.len()), (first.project, 0));
    assert_eq!(*whole.shown.lock().expect("not poisoned"), Vec::<Vec<String>>::new());
    // With its own copies this page is right, and another one is not any more.
    let greedy = Reader::new(&site, |project| {
        edit(project, "app/b.html/page.tsx", "price=\"five", "price=\"5");
        if !matches!(&project.files["app/b.html/page.tsx"], Contents::Text(text) if text.contains("price=\""))
        {
            edit(project, "app/c.html/page.tsx", "Seas", "Lakes");
        }
    });
    let first = greedy.first();
    let repaired = repair(&greedy, first.clone()).await.expect("it cannot fail");
    assert_eq!((failing(&repaired.comparison), repaired.project), (vec![B], first.project));
}

/// The site's project, with these pages to be written as they were sent.
fn as_sent(site: &Site, names: &[&str]) -> (Plan, Project) {
    let pages = names.iter().map(|name| (format!("{}/{name}", crate::snapshot::ORIGIN), [Keep::Sent].into()));
    keeping(site, &written(site).0, &Keeps { pages: pages.collect() })
}

#[test]
fn a_page_that_is_written_as_it_was_sent_has_the_layout_that_was_sent() {
    let shell = |class: &str, made: &str| {
        format!(
            "<!doctype html><html lang=en><head><title>App</title></head><body class='{class}'>\
             <div id=app>{made}</div><script>fill();</script></body></html>"
        )
    };
    let (sent, shown) = (shell("empty", ""), shell("ready", "<p>Made</p>"));
    let apps = || Site::new().rendered("/a", &sent, &shown).rendered("/b", &sent, &shown);
    let told = |site: &Site, names: &[&str]| {
        let (plan, project) = as_sent(site, names);
        let text = |file: &str| match &project.files[file] {
            Contents::Text(text) => text.clone(),
            other => panic!("{file}: {other:?}"),
        };
        let pages = plan.routes.iter().map(|route| {
            let group = plan.groups.iter().find(|group| group.name == route.group).expect("its group");
            let folder = group.layout.trim_end_matches("layout.tsx");
            assert!(route.file.starts_with(folder), "{} lies beside {}", route.file, group.layout);
            let is_empty = text(&group.layout).contains("className=\"empty\"");
            (route.path.clone(), is_empty, text(&route.file).contains("Made"), group.pages)
        });
        let mut pages: Vec<_> = pages.collect();
        pages.sort();
        pages
    };
    let row = |path: &str, is_empty: bool, pages: u64| (path.to_owned(), is_empty, !is_empty, pages);
    assert_eq!(told(&apps(), &["a"]), [row("/a", true, 1), row("/b", false, 1)], "one moves out");
    assert_eq!(told(&apps(), &["a", "b"]), [row("/a", true, 2), row("/b", true, 2)], "the layout changes");
    let empty = apps().page("/c", &sent.replace("id=app", "id=app data-x"));
    let moved = [row("/a", true, 2), row("/b", false, 1), ("/c".to_owned(), true, false, 2)];
    assert_eq!(told(&empty, &["a"]), moved, "it moves in where there is one");
}

#[test]
fn what_stands_around_all_pages_of_a_layout_stands_once_around_a_page_that_moves_out() {
    let page = |class: &str, made: &str| {
        format!(
            "<!doctype html><html lang=en><head><title>App</title></head><body class={class}><header><nav><a href=/one>One</a> \
             <a href=/two>Two</a> <a href=/three>Three</a></nav></header><main>{made}<script>fill();</script>\
             </main><footer><p>Made by hand, in the town that the river runs through.</p> <ul><li><a href=/one>First</a></li></ul></footer></body></html>"
        )
    };
    let names = ["one", "two", "three"];
    let site = names.into_iter().fold(Site::new(), |site, name| {
        site.rendered(&format!("/{name}"), &page("empty", ""), &page("ready", &format!("<p>{name}</p>")))
    });
    let around = written(&site).0.groups[0].clone();
    assert!(!around.before.is_empty() && !around.after.is_empty(), "{around:?}");
    for moved in [&names[..1], &names[..2], &names[..]] {
        let (plan, project) = as_sent(&site, moved);
        let layouts = if moved.len() == names.len() { 1 } else { 2 };
        assert_eq!(plan.groups.len(), layouts, "{:?}", plan.groups);
        let report = site_check::verify(&plan, &site.snapshot, &site.bodies, &project);
        for check in report.checks {
            assert!(check.problems.is_empty(), "{moved:?}: {}: {:?}", check.name, check.problems);
        }
    }
}

/// Pages that a script fills, beside words that stand there anyway.
fn apps(names: &[&str]) -> Site {
    let app = |made: &str| {
        format!(
            "<!doctype html><html lang=en><head><title>App</title></head><body><h1>Stays</h1>\
             <div id=app>{made}</div><script>fill();</script></body></html>"
        )
    };
    let page = |site: Site, name: &&str| site.rendered(&format!("/{name}"), &app(""), &app("<p>Made</p>"));
    names.iter().fold(Site::new(), page)
}

/// The pages that are left to their scripts when all is mended, of those that are shown at all, and of the others.
async fn left_to_scripts(site: &Site, spoil: fn(&mut Project), shown: &[&str]) -> Vec<String> {
    let reader = Reader::new(site, spoil);
    let mut first = reader.first();
    first.comparison.pages.retain(|page| shown.iter().any(|name| page.url.ends_with(name)));
    let mended = repair(&reader, first).await.expect("it cannot fail");
    let sent = mended.plan.routes.into_iter().filter(|route| route.kept.contains(&Keep::Sent));
    sent.map(|route| route.path).collect()
}

#[tokio::test]
async fn pages_that_scripts_fill_twice_are_left_to_them_if_that_helps() {
    let twice = |project: &mut Project| {
        for file in ["app/a/page.tsx", "app/b/page.tsx"] {
            edit(project, file, "Made", "Made Made");
        }
    };
    let lost = |project: &mut Project| {
        edit(project, "app/a/page.tsx", "Made", "Made Made");
        edit(project, "app/b/page.tsx", "Stays", "Goes");
    };
    let site = apps(&["a", "b", "c"]);
    assert_eq!(
        left_to_scripts(&site, twice, &["/a", "/b", "/c"]).await,
        ["/a", "/b"],
        "one passed as it was"
    );
    assert_eq!(left_to_scripts(&site, lost, &["/a", "/b", "/c"]).await, ["/a"], "one is not helped by it");
    assert_eq!(
        left_to_scripts(&site, lost, &["/a", "/b"]).await,
        ["/a"],
        "nor is it for sure that others are"
    );
    assert_eq!(
        left_to_scripts(&site, twice, &["/a", "/b"]).await,
        ["/a", "/b", "/c"],
        "nobody looked at one"
    );
}

#[tokio::test]
async fn only_pages_that_are_made_of_something_else_are_shown_again() {
    let page = |sheet: &str, made: &str| {
        format!(
            "<!doctype html><html lang=en><head><title>App</title><link rel=stylesheet href=/{sheet}.css></head><body>\
             <header><nav><a href=/one>A</a> <a href=/two>B</a> <a href=/three>C</a></nav></header><h1>Stays</h1>\
             <div id=app>{made}</div><script>fill();</script></body></html>"
        )
    };
    let site = ["one", "two", "three"].into_iter().fold(Site::new(), |site, name| {
        let site = site.asset(&format!("/{name}.css"), "text/css", "h1 { color: red }");
        site.rendered(&format!("/{name}"), &page(name, ""), &page(name, "<p>Made</p>"))
    });
    let shown = |spoil: fn(&mut Project)| {
        let site = &site;
        async move {
            let reader = Reader::new(site, spoil);
            let mended = repair(&reader, reader.first()).await.expect("it cannot fail");
            assert!(mended.comparison.passed, "{:?}", mended.comparison);
            let shown = reader.shown.into_inner().expect("not poisoned");
            let path = |url: &String| url.trim_start_matches(crate::snapshot::ORIGIN).to_owned();
            shown.iter().map(|pages| pages.iter().map(path).collect()).collect::<Vec<Vec<String>>>()
        }
    };
    assert_eq!(shown(twice).await, [["/one"]], "a page has its own file");
    let layout = |project: &mut Project| otherwise(project, "app/(two)/layout.tsx");
    assert_eq!(shown(layout).await, [["/one", "/two"]], "layouts count");
    let part = |project: &mut Project| otherwise(project, "components/SiteHeader.tsx");
    assert_eq!(shown(part).await, [["/one", "/three", "/two"]], "so do parts");
    let settings = |project: &mut Project| otherwise(project, "next.config.ts");
    assert_eq!(shown(settings).await, [["/one", "/three", "/two"]], "and what is for all");
    let types = |project: &mut Project| otherwise(project, "next-env.d.ts");
    assert_eq!(shown(types).await, [["/one"]], "what nobody is served does not");
}

fn twice(project: &mut Project) {
    edit(project, "app/(one)/one/page.tsx", "Made", "Made Made");
}

/// Writes the file otherwise as soon as the page that scripts fill twice is written as it was sent.
fn otherwise(project: &mut Project, file: &str) {
    twice(project);
    let text = |path: &str| match project.files.get(path) {
        Some(Contents::Text(text)) => text.clone(),
        other => panic!("{path} is text, not {other:?}"),
    };
    if !text("app/(one)/one/page.tsx").contains("Made") {
        project.files.insert(file.to_owned(), Contents::Text(format!("{}\n// otherwise\n", text(file))));
    }
}

#[test]
fn an_owner_reads_what_was_found_while_the_site_was_read() {
    let mut site = shop();
    let url = format!("{}/login", crate::snapshot::ORIGIN);
    let note = "addresses lead here first".to_owned();
    site.snapshot.findings.push(Finding { code: "gated-pages".into(), url, note });
    let (_, project) = written(&site);
    let Contents::Text(told) = &project.files["MIGRATION.md"] else { panic!("it is text") };
    assert!(
        told.contains("## What was found while reading\n\n- **gated-pages**: addresses lead here first"),
        "{told}"
    );
}
