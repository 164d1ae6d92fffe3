//! A whole project as its owner finds it, short enough to be read in a review. What every project has alike (the packages, the
//! islands that run a site's scripts) is named and not shown.

use crate::{
    server::{text, written},
    snapshot::Site,
};
use site_write::{Contents, Project};

/// Lines that a reviewer reads.
const AT_MOST: usize = 480;

/// A page of a bakery: what is in its `head` and its `main`, under the entry of the menu that is marked.
fn page(marked: &str, title: &str, head: &str, main: &str) -> String {
    let entry = |path: &str, name: &str| {
        let class = if path == marked { " class=active" } else { "" };
        format!("<li{class}><a href=\"{path}\">{name}</a></li>")
    };
    let menu = [entry("/", "Home"), entry("/bread.html", "Bread"), entry("/contact/", "Contact")].concat();
    format!(
        "<!DOCTYPE html><html lang=en><head><meta charset=utf-8><title>{title}</title>\
         <meta name=viewport content=\"width=device-width, initial-scale=1\"><link rel=stylesheet href=/css/site.css>{head}</head>\
         <body><header class=top><a href=/><img src=/img/logo.png alt=\"Mill &amp; Oven\" width=96 height=32></a>\
         <nav><ul>{menu}</ul></nav></header><main>{main}</main>\
         <footer><p>&copy; 2020 Mill &amp; Oven</p><p><a href=/about.html>About us</a></p></footer></body></html>"
    )
}

fn loaf(name: &str, price: &str) -> String {
    let height = 40 + name.len();
    format!(
        "<li class=loaf><img src=/img/{name}.jpg alt={name} width=64 height={height}><h3>{name}</h3><p>{price} a loaf</p></li>"
    )
}

fn bakery() -> Site {
    let loaves =
        [("rye", "4.20"), ("spelt", "4.80"), ("wheat", "3.60")].map(|(name, price)| loaf(name, price));
    let home = page(
        "/",
        "Mill & Oven",
        "<meta name=description content=\"Bread from a stone oven\"><link rel=canonical href=http://old.example/>\
         <meta property=og:title content=\"Mill &amp; Oven\">",
        "<h1>Bread, {daily}</h1><p style=\"color: brown !important\">Since <b>1911</b>.</p><p><a href=/bread.html#rye>Our rye</a></p>\
         <script async src=\"https://www.googletagmanager.com/gtag/js?id=G-1\"></script>",
    );
    let about = page(
        "",
        "About",
        "",
        "<h1>About</h1><img src=/img/rye.jpg alt=Rye><p>Ask for our <a href=/bread.html>bread</a>.</p>",
    );
    let bread = page("/bread.html", "Bread", "", &format!("<h1>Bread</h1><ul>{}</ul>", loaves.concat()));
    let contact = page(
        "/contact/",
        "Contact",
        "<script src=/js/jquery.js></script><script src=/js/site.js></script>",
        "<h1>Contact</h1><form action=/send method=post onsubmit=\"return check(this)\"><input name=mail type=email required>\
         <textarea name=text>Dear baker,</textarea><button>Send</button></form><script>$('form').validate()</script>",
    );
    let print = "<!DOCTYPE html><html lang=en><head><title>Prices</title><link rel=stylesheet href=/css/print.css></head>\
                 <body><table><caption>Prices</caption><tr><td>Rye<td>4.20</table></body></html>";
    let not_found = page("", "Not found", "", "<h1>Sold out</h1><p>That page is gone.</p>");
    let images = ["logo.png", "rye.jpg", "spelt.jpg", "wheat.jpg"];
    let scripts = [("jquery.js", "window.$ = () => {};"), ("site.js", "function check() {}")];
    let site = Site::new()
        .page("/", &home)
        .page("/about.html", &about)
        .page("/bread.html", &bread)
        .page("/contact/", &contact)
        .page("/prices.html?list=print", print)
        .not_found(&not_found)
        .redirect("/brot.html", "/bread.html", 301)
        .asset("/css/site.css", "text/css", ".active { font-weight: bold }")
        .asset("/css/print.css", "text/css", "td { border: 1px solid }");
    let site = images.iter().fold(site, |site, name| site.image(&format!("/img/{name}"), 320, 240));
    scripts
        .iter()
        .fold(site, |site, (name, code)| site.asset(&format!("/js/{name}"), "text/javascript", code))
}

/// Is it the same in every project?
fn is_alike(path: &str) -> bool {
    path.starts_with("components/Legacy")
        || path.starts_with('.')
        || ["eslint.config.mjs", "next-env.d.ts", "package-lock.json", "package.json", "tsconfig.json"]
            .contains(&path)
}

/// The list of files, and what the written ones say.
fn shown(project: &Project) -> String {
    let names: Vec<&str> = project.files.keys().map(String::as_str).collect();
    let written = project
        .files
        .iter()
        .filter(|(path, contents)| matches!(contents, Contents::Text(_)) && !is_alike(path));
    let texts = written.map(|(path, _)| format!("== {path}\n{}", text(project, path).trim_end()));
    format!("{}\n\n{}\n", names.join("\n"), texts.collect::<Vec<_>>().join("\n\n"))
}

#[test]
fn a_bakery() {
    let site = bakery();
    let (plan, project) = written(&site);
    let report = site_check::verify(&plan, &site.snapshot, &site.bodies, &project);
    assert!(report.passed(), "{report:?}");
    let shown = shown(&project);
    let lines = shown.lines().count();
    assert!(lines <= AT_MOST, "{lines} lines are too many to be read:\n{shown}");
    insta::assert_snapshot!("bakery", shown);
}
