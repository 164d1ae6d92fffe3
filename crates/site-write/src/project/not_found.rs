//! The page for addresses that do not exist, as the site itself had it. It stands outside every layout, so it is a whole
//! document.

use super::{
    Press, Printed, imports, layout,
    metadata::{self, Viewport},
    page_file,
};
use crate::{
    jsx::{self, Links, Needs},
    page::{Page, Style},
};

pub(super) fn write(press: &Press<'_>, page: &Page) -> Printed {
    let mut needs = Needs::default();
    let html = jsx::document_attributes("html", &page.html, &mut needs);
    let body = jsx::document_attributes("body", &page.body_attributes, &mut needs);
    let mut nodes = metadata::elements(&page.head, Viewport::Own);
    nodes.extend(press.parts.replace(page.body.clone(), None));
    let images = press.images.anywhere().mark(&mut nodes);
    let content = jsx::print(&nodes, 4, &Links::default(), &mut needs);
    let (mut more, first, islands) = page_file::islands(page);
    more.insert(0, metadata::type_import(&page.head, Viewport::Own));
    let styles: Vec<Style> = page.styles.iter().map(Style::printable).collect();
    let head = layout::head(&styles, &mut needs);
    let text = format!(
        "// What unknown addresses answer, with the status 404.\n{imports}{metadata}export default function NotFound() {{\n  return (\n    \
         <html{html}>\n{head}      <body{body}>\n{first}{content}{islands}      </body>\n    </html>\n  );\n}}\n",
        imports = imports(&needs, &more),
        metadata = metadata::exports(&page.head, Viewport::Own),
    );
    Printed { file: press.plan.next.not_found().to_owned(), text, needs, images }
}
