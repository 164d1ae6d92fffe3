//! Parts that repeat with other content: one component, the same page.

use crate::{
    roundtrip::differences,
    server::{text, written},
    snapshot::Site,
};
use site_write::Contents;

fn product(name: &str, price: &str, old: bool) -> String {
    let mark = if old { "sale" } else { "plain" };
    format!(
        "<li class=\"product {mark}\" data-sku=\"{name}-1\"><a href=\"/{name}.html\"><img src=\"/{name}.png\" alt=\"{name} & co\" \
         width=9 height=9></a><h3>{name} & co</h3><p>Only <b class=price>{price}</b> {{today}}</p></li>"
    )
}

fn page(main: &str, script: &str) -> String {
    format!(
        "<!doctype html><html lang=en><head><title>Shop</title></head><body><header class=top><nav><a href=\"/a.html\">a</a> \
         <a href=\"/list.html\">List</a></nav></header><main>{main}</main>{script}</body></html>"
    )
}

/// Two lists, a page for each thing, and one page with a script.
fn shop() -> Vec<(String, String)> {
    let list = ["a", "b", "c"].map(|name| product(name, "1 €", name == "b")).concat();
    let more = [product("a", "2 €", true), product("d", "\"3\" €", false)].concat();
    let mut pages = vec![
        ("/list.html".to_owned(), page(&format!("<ul class=shelf>{list}</ul>"), "")),
        ("/more.html".to_owned(), page(&format!("<h1>More</h1><ul>{more}</ul>"), "")),
    ];
    pages.extend(
        ["a", "b", "c", "d"].map(|name| (format!("/{name}.html"), page(&format!("<h1>{name}</h1>"), ""))),
    );
    pages
}

fn site(pages: &[(String, String)]) -> Site {
    pages.iter().fold(Site::new(), |site, (path, html)| site.page(path, html))
}

#[test]
fn cards_show_what_stood_there_and_take_what_differs() {
    let pages = shop();
    assert_eq!(differences(&pages), Vec::<String>::new());
    let site = site(&pages);
    let (plan, project) = written(&site);
    let [card] = plan.cards.as_slice() else { panic!("one card: {:?}", plan.cards) };
    assert_eq!((card.name.as_str(), card.uses, card.pages), ("ProductCard", 5, 2));
    let component = text(&project, "components/ProductCard.tsx");
    for said in [
        "export function ProductCard({ className, sku, href, title, src, price }: ProductCardProperties) {",
        "    <li className={className} data-sku={sku}>\n",
        "<Link href={href}><img alt={title} height=\"9\" src={src} width=\"9\" /></Link>\n",
        "<b className=\"price\">{price}</b>\n        {\" {today}\"}\n",
    ] {
        assert!(component.contains(said), "{said} is not in\n{component}");
    }
    let list = text(&project, "app/list.html/page.tsx");
    assert_eq!(list.matches("<ProductCard").count(), 3, "{list}");
    assert!(!list.contains("<li"), "{list}");
    let report = site_check::verify(&plan, &site.snapshot, &site.bodies, &project);
    assert!(report.passed(), "{report:?}");
}

#[test]
fn a_card_shows_its_pictures_by_next_image_where_it_may_all_of_them() {
    let component = |pictures: &[(&str, u32)]| {
        let site = pictures.iter().fold(site(&shop()), |site, (path, width)| site.image(path, *width, 8));
        text(&written(&site).1, "components/ProductCard.tsx").to_owned()
    };
    let all = [("/a.png", 8), ("/b.png", 8), ("/c.png", 9), ("/d.png", 8)];
    let image = "<Image alt={title} height=\"9\" src={src} width=\"9\" />";
    assert!(component(&all).contains(image), "{}", component(&all));
    // One of them, on another page, is not the site's.
    assert!(!component(&all[..3]).contains("<Image"), "{}", component(&all[..3]));
}

#[test]
fn a_card_that_says_something_else_is_found_when_the_project_is_checked() {
    let site = site(&shop());
    let (plan, mut project) = written(&site);
    let list = text(&project, "app/list.html/page.tsx").replace("a & co", "something else");
    project.files.insert("app/list.html/page.tsx".into(), Contents::Text(list));
    let report = site_check::verify(&plan, &site.snapshot, &site.bodies, &project);
    let told = format!("{report:?}");
    assert!(!report.passed() && told.contains("its text differs"), "{told}");
}

#[test]
fn links_of_shared_parts_are_near_where_they_are_near_from_every_page() {
    let header = |pages: &[(String, String)]| {
        let (plan, project) = written(&site(pages));
        let part = plan.shared.iter().find(|part| part.name == "SiteHeader").expect("all have a header");
        text(&project, &part.file).to_owned()
    };
    let near = header(&shop());
    assert!(near.contains("<Link href=\"/list.html\">List</Link>"), "{near}");
    // A page with a script is entered and left by full loads, and the header of the layout stands around it, too.
    let mut pages = shop();
    pages.push(("/scripted.html".into(), page("<h1>s</h1>", "<script>window.x = 1;</script>")));
    let far = header(&pages);
    assert!(far.contains("<a href=\"/list.html\">List</a>") && !far.contains("Link"), "{far}");
}
