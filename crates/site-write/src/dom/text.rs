//! The words that a page shows.

use super::{Node, Space, parse};

/// Elements whose text is not shown as part of the page.
const SILENT: &[&str] =
    &["script", "style", "template", "noscript", "title", "iframe", "noframes", "noembed", "head"];

/// The visible words of a page, in order; what is compared when a page is checked against the project.
pub fn visible_text(html: &str) -> Vec<String> {
    let mut text = String::new();
    walk(&parse::document(html).body, &mut text);
    text.split_whitespace().map(str::to_owned).collect()
}

fn walk(nodes: &[Node], out: &mut String) {
    for node in nodes {
        match node {
            Node::Text(text) => out.push_str(text),
            Node::Element(element) => {
                // In a drawing, only a script shows nothing.
                let is_silent = element.space == Space::Html && SILENT.contains(&element.name.as_str());
                if is_silent || element.name == "script" {
                    continue;
                }
                // A boundary between elements need not be one between words, but counting it as one on both sides
                // of a comparison is what makes it independent of style sheets.
                out.push(' ');
                walk(&element.children, out);
                out.push(' ');
            }
            Node::Part(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawing_says_its_title_and_not_its_script() {
        let html =
            "<p>a</p><svg><title>b</title><script>c()</script><text>d</text></svg><script>e()</script>";
        assert_eq!(visible_text(html), ["a", "b", "d"]);
    }
}
