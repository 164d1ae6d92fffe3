//! Markup that shows nothing until its scripts run, and markup that does.

use super::{Reason, needs_script};

fn judged(html: &str) -> Option<Reason> {
    needs_script(&crate::markup::parse(html).expect("a tree"))
}

fn root(name: &str) -> Option<Reason> {
    Some(Reason::EmptyRoot { root: name.to_owned() })
}

fn template(mark: &str) -> Option<Reason> {
    Some(Reason::Template { mark: mark.to_owned() })
}

#[test]
fn pages_that_show_nothing_without_scripts_are_told() {
    let script = "<script src=/a.js></script>";
    for (html, expected) in [
        (format!("<div id=root></div>{script}"), root("root")),
        (format!("<div id=__next><div class=spinner></div></div>{script}"), root("__next")),
        (
            format!("<div id=app><nav></nav><table></table><button hidden>Try again</button></div>{script}"),
            root("app"),
        ),
        (format!("<app-root>Loading...</app-root>{script}"), root("app-root")),
        (
            format!("<noscript>You need to enable JavaScript</noscript><div id=app></div>{script}"),
            root("app"),
        ),
        (
            format!("<noscript>Bitte JavaScript aktivieren</noscript><img src=logo.png>{script}"),
            Some(Reason::AsksForScript),
        ),
        ("<body><script type=module src=/m.js></script>".to_owned(), Some(Reason::NoText)),
        (format!("<div v-cloak>{}</div>{script}", "text ".repeat(100)), template("cloak")),
        (format!("<p>{{{{ product.name }}}}</p>{script}"), template("{{ }}")),
        (
            format!(
                "<p>{}</p><script>(self.__next_f=self.__next_f||[]).push([0])</script>",
                "text ".repeat(100)
            ),
            Some(Reason::NextJs),
        ),
        (
            format!(
                "<p>{}</p>{script}<script id=__NEXT_DATA__ type=application/json>{{}}</script>",
                "text ".repeat(100)
            ),
            Some(Reason::NextJs),
        ),
    ] {
        assert_eq!(judged(&html), expected, "{html}");
    }
}

#[test]
fn pages_that_say_something_are_taken_as_they_are() {
    let text = "words that a visitor reads ".repeat(20);
    let script = "<script src=/a.js></script>";
    for html in [
        format!("<div id=root><h1>Rendered by the server</h1><p>{text}</p></div>{script}"),
        format!("<p>{text}</p><noscript>Please enable JavaScript</noscript><div id=app></div>{script}"),
        format!(
            "<div id=app><nav><a href=/>Home</a></nav><h1>A short page</h1></div><p>that a server made as it stands</p>{script}"
        ),
        "<div id=root></div>".to_owned(),
        "<div id=app></div><script type=application/ld+json>{}</script>".to_owned(),
        format!("<img src=poster.jpg>{script}"),
        format!("<h1>A short page that says enough to be one</h1>{script}"),
        format!("<p>{text}</p><script>let a = '{{{{ x }}}}'</script>"),
        String::new(),
    ] {
        assert_eq!(judged(&html), None, "{html}");
    }
}
