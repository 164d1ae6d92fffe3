//! A root layout: the document around its pages, their style sheets, and the parts that all of them have.

use super::{Press, Printed, images::Shown, imports};
use crate::{
    Result,
    dom::{Node, Use},
    jsx::{self, Links, Needs, string},
    page::{Page, Style},
    plan::{Group, routes::capital},
};

pub(super) fn write(press: &Press<'_>, group: &Group, page: &Page) -> Result<Printed> {
    let mut needs = Needs::default();
    let html = jsx::document_attributes("html", &page.html, &mut needs);
    let body = jsx::document_attributes("body", &page.body_attributes, &mut needs);
    let around = press.around(group)?;
    let part = |name: &String| Node::Part(Use { name: name.clone(), given: Vec::new() });
    let mut before = around.head.clone();
    before.extend(group.before.iter().map(part));
    let no_links = Links::default();
    let before = jsx::print(&before, 4, &no_links, &mut needs);
    let after = jsx::print(&group.after.iter().map(part).collect::<Vec<_>>(), 4, &no_links, &mut needs);
    let head = head(&page.styles.iter().map(Style::printable).collect::<Vec<_>>(), &mut needs);
    let mut types = vec!["import type { ReactNode } from \"react\";".to_owned()];
    if around.viewport.is_some() {
        types.insert(0, "import type { Viewport } from \"next\";".to_owned());
    }
    let text = format!(
        "{about}\n\
         {imports}{viewport}export default function {name}({{ children }}: {{ children: ReactNode }}) {{\n  return (\n    <html{html}>\n\
         {head}      <body{body}>\n{before}        {{children}}\n{after}      </body>\n    </html>\n  );\n}}\n",
        imports = imports(&needs, &types),
        about = about(group),
        viewport = around.viewport.as_deref().unwrap_or_default(),
        name = name(group),
    );
    Ok(Printed { file: group.layout.clone(), text, needs, images: Shown::default() })
}

/// What the file says of itself.
fn about(group: &Group) -> String {
    let pages = match group.pages {
        1 => "one page has around it".to_owned(),
        pages => format!("{pages} pages have around them"),
    };
    let is_shared = !(group.before.is_empty() && group.after.is_empty());
    let parts = if is_shared {
        ", its style sheets, and the parts that all of them share"
    } else {
        " and its style sheets"
    };
    format!("// What {pages}: the document{parts}.")
}

fn name(group: &Group) -> String {
    if group.layout == "app/layout.tsx" {
        return "RootLayout".into();
    }
    let words: String = group.name.split('-').map(capital).collect();
    // A name begins with a letter; a folder need not.
    let digit = words.starts_with(|c: char| c.is_ascii_digit());
    format!("{}{words}Layout", if digit { "Layout" } else { "" })
}

/// The style sheets as React's own resources: their precedence keeps their order, and no bundler reads them.
pub(super) fn head(styles: &[Style], needs: &mut Needs) -> String {
    if styles.is_empty() {
        return String::new();
    }
    let mut lines = String::new();
    let mut run = 1;
    for (at, style) in styles.iter().enumerate() {
        // React prints all links of one precedence before its inline styles: a change of kind begins another one.
        if at > 0 && is_inline(style) != is_inline(&styles[at - 1]) {
            run += 1;
        }
        lines.push_str(&line(style, &format!("site-{run}"), needs));
    }
    format!("      <head>\n{lines}      </head>\n")
}

fn is_inline(style: &Style) -> bool {
    matches!(style, Style::Inline { .. })
}

fn line(style: &Style, precedence: &str, needs: &mut Needs) -> String {
    match style {
        Style::Linked { href, media, marks } => {
            let address = [("href".to_owned(), href.clone())];
            let media = media.iter().map(|media| ("media".to_owned(), media.clone()));
            let given: Vec<_> = address.into_iter().chain(media).chain(marks.iter().cloned()).collect();
            let given = jsx::document_attributes("link", &given, needs);
            format!("        <link rel=\"stylesheet\"{given} precedence=\"{precedence}\" />\n")
        }
        Style::Inline { css, media } => {
            let css = match media {
                Some(media) => format!("@media {media} {{\n{css}\n}}"),
                None => css.clone(),
            };
            let hash = blake3::hash(css.as_bytes()).to_hex();
            let css = string(&css.replace("</style", "<\\/style"));
            let href = &hash[..8];
            format!("        <style href=\"inline-{href}\" precedence=\"{precedence}\">{{{css}}}</style>\n")
        }
    }
}
