//! A menu that marks the page one is on: one component for all pages, and on each the tree that the site had.

use crate::{
    server::{Served, keeping, written},
    snapshot::Site,
};
use scraper::{ElementRef, Html, Selector, node::Node};
use site_write::{Contents, Keeps, Plan, Project, plan::Keep};
use std::collections::BTreeSet;

const ENTRIES: &[&str] = &["/menu/bread/", "/menu/cake/", "/menu/jam/"];
/// Entries that open the list that they stand in.
const BAKED: &[&str] = &["/menu/bread/", "/menu/cake/"];
/// A page whose entry the menu does not have.
const ELSEWHERE: &str = "/menu/jam/plum/";

fn page(current: &str) -> String {
    let entries: String = ENTRIES
        .iter()
        .map(|path| {
            let (class, mark) =
                if *path == current { ("entry on", " aria-current=page") } else { ("entry", "") };
            format!("<li class='{class}'><a href='{path}'{mark}><span data-icon=x>{path}</span></a></li>")
        })
        .collect();
    let open = if BAKED.contains(&current) { "baked open" } else { "baked" };
    format!(
        "<!doctype html><html lang=en><head><title>{current}</title></head><body class=menu>\
         <header id=top><p>Masthead &amp; <b>more</b></p><nav><ul class='{open}'>{entries}</ul></nav></header><main><p>About {current}</p></main>\
         <footer><ul><li>One</li><li>Two</li></ul></footer></body></html>"
    )
}

fn paths() -> impl Iterator<Item = &'static str> {
    ENTRIES.iter().copied().chain([ELSEWHERE])
}

pub(crate) fn with_pages(site: Site) -> Site {
    paths().fold(site, |site, path| site.page(path, &page(path)))
}

/// The header is one component that is told by each page where it stands; what every page has to the letter is in the layout.
pub(crate) fn written_once(plan: &Plan, project: &Project) {
    let route = plan.route("http://old.example/menu/cake/").expect("a route");
    let part = plan.shared.iter().find(|part| part.name == "SiteHeader").expect("one header");
    let told: Vec<Option<&str>> = part.variants.iter().map(|variant| variant.current.as_deref()).collect();
    assert_eq!(told, [Some(ENTRIES[0]), Some(ENTRIES[1]), Some(ENTRIES[2]), None]);
    assert_eq!((part.pages, route.shared.as_slice()), (4, &["SiteHeader".to_owned()][..]));
    let text = |file: &str| match &project.files[file] {
        Contents::Text(text) => text.as_str(),
        Contents::Stored(hash) => panic!("{file} is {hash}"),
    };
    assert!(text(&route.file).contains("<SiteHeader current=\"/menu/cake/\" />"), "{}", text(&route.file));
    let component = text(&part.file);
    for said in [
        "className={[\"/menu/bread/\", \"/menu/cake/\"].includes(current) ? \"baked open\" : \"baked\"}",
        "className={current === \"/menu/cake/\" ? \"entry on\" : \"entry\"}",
        "\"aria-current\": current === \"/menu/cake/\" ? \"page\" : undefined",
    ] {
        assert!(component.contains(said), "{said}:\n{component}");
    }
    let layout = &plan.groups.iter().find(|group| group.name == route.group).expect("its layout").layout;
    assert!(text(layout).contains("<SiteFooter"), "{}", text(layout));
}

#[test]
fn the_form_of_a_page_that_keeps_its_own_copy_is_none_of_the_part_any_more() {
    let spaced = |path: &str| page(path).replace("<header id=top>", "<header id=top>\n");
    let site = paths().fold(Site::new(), |site, path| site.page(path, &spaced(path)));
    let (plan, _) = written(&site);
    let address = |path: &str| format!("http://old.example{path}");
    let told = |paths: &[&str]| {
        let keeps = paths.iter().map(|path| (address(path), BTreeSet::from([Keep::Space])));
        let (plan, project) = keeping(&site, &plan, &Keeps { pages: keeps.collect() });
        let part = plan.shared.iter().find(|part| part.name == "SiteHeader").expect("one header").clone();
        let page = &project.files[&plan.route(&address(ELSEWHERE)).expect("a route").file];
        let Contents::Text(page) = page else { panic!("a page is text") };
        assert!(page.contains("<SiteHeader />"), "{page}");
        part.variants.into_iter().map(|variant| variant.current).collect::<Vec<_>>()
    };
    assert_eq!(told(&ENTRIES[1..2]), [Some(ENTRIES[0].into()), Some(ENTRIES[2].into()), None]);
    assert_eq!(told(ENTRIES), [None; 0], "one form is left, which has to be told nothing");
}

/// What differs on any page from the tree that the site had.
pub(crate) async fn complaints(served: &Served) -> Vec<String> {
    let mut wrong = Vec::new();
    for path in paths() {
        let (before, after) = (tree(&page(path)), tree(&served.get(path).await.body));
        if before != after {
            wrong.push(format!("{path} was {before} and is {after}"));
        }
    }
    wrong
}

/// The header as text: elements with their attributes in order of name, and their words.
fn tree(html: &str) -> String {
    let html = Html::parse_document(html);
    let selector = Selector::parse("header").expect("a selector");
    html.select(&selector).next().map(spelt).unwrap_or_default()
}

fn spelt(element: ElementRef<'_>) -> String {
    let mut attributes: Vec<String> =
        element.value().attrs().map(|(name, value)| format!(" {name}={value:?}")).collect();
    attributes.sort();
    let children = element.children().map(|child| match child.value() {
        Node::Element(_) => ElementRef::wrap(child).map(spelt).unwrap_or_default(),
        Node::Text(text) => text.to_string(),
        _ => String::new(),
    });
    format!("<{}{}>{}</>", element.value().name(), attributes.concat(), children.collect::<String>())
}
