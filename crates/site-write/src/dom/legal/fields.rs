//! Forms that stand between the parts of a table. Parsers close them at once, and yet count the fields that follow as theirs;
//! the tree alone does not tell. So each such form gets a name, and its fields say it.

use super::super::{Element, Node};

const PARTS: &[&str] = &["table", "thead", "tbody", "tfoot", "tr"];
const FIELDS: &[&str] = &["input", "button", "select", "textarea", "fieldset", "output"];

/// Says at each field of such a form whose it is.
pub(super) fn name_owners(nodes: &mut [Node]) {
    let mut owners = Owners { last: None, named: 0 };
    owners.walk(nodes, false);
}

struct Owners {
    /// The form that the parser would count fields to.
    last: Option<String>,
    named: usize,
}

impl Owners {
    fn walk(&mut self, nodes: &mut [Node], between_parts: bool) {
        for node in nodes {
            let Node::Element(element) = node else { continue };
            match element.name.as_str() {
                "form" if between_parts && element.children.is_empty() => {
                    self.last = Some(self.name(element))
                }
                // What is inside a form, or a document of its own, needs no name.
                "form" | "template" => {}
                "table" => {
                    let outer = self.last.take();
                    self.walk(&mut element.children, true);
                    self.last = outer;
                }
                name => {
                    if let Some(owner) =
                        self.last.as_ref().filter(|_| FIELDS.contains(&name) && !element.has("form"))
                    {
                        element.set("form", owner.clone());
                    }
                    let parts = PARTS.contains(&element.name.as_str());
                    self.walk(&mut element.children, parts);
                }
            }
        }
    }

    fn name(&mut self, form: &mut Element) -> String {
        if let Some(id) = form.get("id").filter(|id| !id.is_empty()) {
            return id.to_owned();
        }
        self.named += 1;
        let id = format!("form-in-table-{}", self.named);
        form.set("id", id.clone());
        id
    }
}

#[cfg(test)]
mod tests {
    use crate::dom::{Node, parse};

    /// Every field with the form that it names.
    fn owners(html: &str) -> Vec<String> {
        let document = parse::document(&format!("<!doctype html><body>{html}"));
        let mut found = Vec::new();
        crate::page::each(&document.body, &mut |element| {
            if element.is_html("input") {
                let [name, form] = ["name", "form"].map(|it| element.get(it).unwrap_or("-"));
                found.push(format!("{name} {form}"));
            }
        });
        assert!(document.body.iter().any(|node| matches!(node, Node::Element(_))));
        found
    }

    #[test]
    fn fields_that_the_tree_does_not_show_as_a_forms_say_so() {
        assert_eq!(
            owners(
                "<table><form id=f><tr><td><input name=a><input name=b form=g></form><tr><form><td><input name=c></table><input name=d>"
            ),
            ["a f", "b g", "c form-in-table-1", "d -"]
        );
        assert_eq!(owners("<form><table><tr><td><input name=a></table></form>"), ["a -"]);
    }
}
