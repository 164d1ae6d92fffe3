//! What is around every page: head, banner, ways around, the other language.

use super::{Visitor, assets, words::Words};
use maud::{DOCTYPE, Markup, html};

/// A whole page. `path` is where it is, so that the other language is one step away; `visitor` if somebody is signed in.
pub(super) fn page(
    words: &Words,
    title: &str,
    path: &str,
    visitor: Option<&Visitor>,
    content: &Markup,
) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(words.code) dir=(words.direction) {
            head {
                meta charset="utf-8";
                title { (title) " · Resettle" }
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                link rel="icon" href=(assets::path("mark.svg"));
                link rel="stylesheet" href=(assets::path("style.css"));
                @if visitor.is_some() {
                    script type="module" src=(assets::path("js/pages/main.js")) {}
                }
            }
            body {
                a.skip href="#content" { (words.skip) }
                header.banner {
                    a.brand href=(words.home()) {
                        img src=(assets::path("mark.svg")) alt="" width="28" height="28";
                        span { "Resettle" }
                    }
                    (ways(words, path, visitor))
                }
                main #content tabindex="-1" { (content) }
                footer.foot {
                    p { (words.tagline) }
                    a href=(words.elsewhere(path)) lang=(words.other_code) hreflang=(words.other_code) {
                        (words.other_language)
                    }
                }
            }
        }
    }
}

fn ways(words: &Words, path: &str, visitor: Option<&Visitor>) -> Markup {
    let Some(visitor) = visitor else { return html! {} };
    let (home, list) = (words.home(), words.at("/migrations"));
    let operations = words.at("/admin/");
    let current = |to: &str| (to == path).then_some("page");
    html! {
        nav aria-label=(words.ways) {
            a href=(home) aria-current=[current(home)] { (words.nav_start) }
            a href=(list) aria-current=[current(&list)] { (words.nav_list) }
            @if visitor.operates {
                a href=(words.at("/admin/queues")) aria-current=[path.starts_with(&operations).then_some("true")] {
                    (words.ops_title)
                }
            }
            form method="post" action=(words.at("/sign-out")) {
                (visitor.token_field())
                button.quiet type="submit" { (words.sign_out) }
            }
        }
    }
}
