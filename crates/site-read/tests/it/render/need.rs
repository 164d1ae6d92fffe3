//! The judgement that a page needs a browser, from outside.

use site_read::render::needs_script;

use super::SHELL;

#[test]
fn the_shell_of_the_shop_needs_a_browser_and_what_it_renders_to_does_not() {
    assert!(needs_script(&site_read::markup::parse(SHELL).expect("a tree")).is_some());
    let rendered = SHELL.replace("<div id=root>", &format!("<div id=root><p>{}</p>", "A chair. ".repeat(60)));
    assert_eq!(needs_script(&site_read::markup::parse(&rendered).expect("a tree")), None);
}
