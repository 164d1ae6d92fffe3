//! The page for addresses that do not exist, as the site itself had it. It stands outside every layout, so it is a whole
//! document.

use std::collections::BTreeSet;

use super::{
    Press, imports, layout,
    metadata::{self, Viewport},
    page_file,
};
use crate::{
    jsx::{self, Needs},
    page::{Page, Style},
};

pub(super) fn write(press: &mut Press<'_>, page: &Page) -> String {
    let mut needs = Needs::default();
    let html = jsx::document_attributes("html", &page.html, &mut needs);
    let body = jsx::document_attributes("body", &page.body_attributes, &mut needs);
    press.take_in(&needs);
    let mut nodes = metadata::elements(&page.head, Viewport::Own);
    nodes.extend(crate::plan::shared::replace(&page.body, &press.parts));
    let (content, more) = press.print(&nodes, 4, &BTreeSet::new());
    needs.css |= more.css;
    needs.template |= more.template;
    needs.parts.extend(more.parts);
    let (mut more, first, islands) = page_file::islands(page);
    more.insert(0, metadata::type_import(&page.head, Viewport::Own));
    let styles: Vec<Style> = page.styles.iter().map(Style::printable).collect();
    format!(
        "// What unknown addresses answer, with the status 404.\n{imports}{metadata}export default function NotFound() {{\n  return (\n    \
         <html{html}>\n{head}      <body{body}>\n{first}{content}{islands}      </body>\n    </html>\n  );\n}}\n",
        imports = imports(&needs, &more),
        metadata = metadata::exports(&page.head, Viewport::Own),
        head = layout::head(&styles),
    )
}
