//! A root layout: the document around its pages, their style sheets, and the parts that all of them have.

use std::collections::BTreeSet;

use super::{Press, imports};
use crate::{
    dom::Node,
    jsx::{self, Needs, string},
    page::{Page, Style},
    plan::Group,
};

pub(super) fn write(press: &mut Press<'_>, group: &Group, page: &Page) -> String {
    let mut needs = Needs::default();
    let html = jsx::document_attributes("html", &page.html, &mut needs);
    let body = jsx::document_attributes("body", &page.body_attributes, &mut needs);
    press.take_in(&needs);
    let part = |name: &String| Node::Part(name.clone());
    let (before, more) = press.print(&group.before.iter().map(part).collect::<Vec<_>>(), 4, &BTreeSet::new());
    needs.parts.extend(more.parts);
    let (after, more) = press.print(&group.after.iter().map(part).collect::<Vec<_>>(), 4, &BTreeSet::new());
    needs.parts.extend(more.parts);
    let head = head(&page.styles);
    let imports = imports(&needs, &["import type { ReactNode } from \"react\";".to_owned()]);
    format!(
        "// What {pages} pages have around them: the document, its style sheets, and the parts that all of them share.\n\
         {imports}export default function {name}({{ children }}: {{ children: ReactNode }}) {{\n  return (\n    <html{html}>\n\
         {head}      <body{body}>\n{before}        {{children}}\n{after}      </body>\n    </html>\n  );\n}}\n",
        pages = group.pages,
        name = name(group),
    )
}

fn name(group: &Group) -> String {
    let number = group.name.rsplit('-').next().unwrap_or_default();
    if group.layout == "app/layout.tsx" { "RootLayout".into() } else { format!("RootLayout{number}") }
}

/// The style sheets as React's own resources: one precedence keeps their order, and no bundler reads them.
fn head(styles: &[Style]) -> String {
    if styles.is_empty() {
        return String::new();
    }
    let lines: String = styles.iter().map(line).collect();
    format!("      <head>\n{lines}      </head>\n")
}

fn line(style: &Style) -> String {
    match style {
        Style::Linked { href, media } => {
            let media =
                media.as_ref().map(|media| format!(" media={{{}}}", string(media))).unwrap_or_default();
            format!(
                "        <link rel=\"stylesheet\" href={{{}}} precedence=\"site\"{media} />\n",
                string(href)
            )
        }
        Style::Inline { css, media } => {
            let css = match media {
                Some(media) => format!("@media {media} {{\n{css}\n}}"),
                None => css.clone(),
            };
            let hash = blake3::hash(css.as_bytes()).to_hex();
            let css = string(&css.replace("</style", "<\\/style"));
            format!("        <style href=\"inline-{}\" precedence=\"site\">{{{css}}}</style>\n", &hash[..8])
        }
    }
}
