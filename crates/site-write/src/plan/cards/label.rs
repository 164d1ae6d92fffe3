//! What cards and their properties are called: by the words that the site itself has for them.

use std::collections::BTreeSet;

use super::shape::Place;
use crate::{
    dom::Element,
    plan::{edited::is_reserved, routes::capital},
};

/// Classes that say how something looks or where it stands, not what it is.
const LOOKS: &[&str] = &[
    "active",
    "align",
    "animate",
    "animated",
    "aos",
    "bg",
    "block",
    "border",
    "btn",
    "center",
    "clearfix",
    "col",
    "column",
    "columns",
    "container",
    "d",
    "fade",
    "first",
    "flex",
    "float",
    "fluid",
    "font",
    "g",
    "gap",
    "grid",
    "gx",
    "gy",
    "h",
    "hidden",
    "hover",
    "inline",
    "is",
    "items",
    "justify",
    "last",
    "left",
    "lg",
    "m",
    "mb",
    "md",
    "me",
    "media",
    "ml",
    "mr",
    "ms",
    "mt",
    "mx",
    "my",
    "no",
    "odd",
    "even",
    "one",
    "two",
    "three",
    "four",
    "p",
    "pb",
    "pl",
    "position",
    "pr",
    "pt",
    "pull",
    "px",
    "py",
    "reveal",
    "right",
    "rounded",
    "row",
    "shadow",
    "sm",
    "span",
    "text",
    "u",
    "w",
    "wow",
    "wrap",
    "wrapper",
    "xl",
    "xs",
    "inner",
    "outer",
    "content",
    "body",
];
/// Words after which a component's name needs no other one to say what sort of thing it is.
const SORTS: &[&str] = &[
    "Article",
    "Banner",
    "Block",
    "Box",
    "Card",
    "Cell",
    "Column",
    "Entry",
    "Feature",
    "Figure",
    "Item",
    "Link",
    "Member",
    "Panel",
    "Pod",
    "Post",
    "Preview",
    "Quote",
    "Slide",
    "Step",
    "Teaser",
    "Testimonial",
    "Thumbnail",
    "Tile",
];
/// Names that no property can have.
const KEYWORDS: &[&str] = &[
    "arguments",
    "await",
    "break",
    "case",
    "catch",
    "children",
    "class",
    "const",
    "continue",
    "current",
    "default",
    "delete",
    "do",
    "else",
    "enum",
    "eval",
    "export",
    "extends",
    "false",
    "finally",
    "for",
    "function",
    "if",
    "implements",
    "import",
    "in",
    "instanceof",
    "interface",
    "key",
    "let",
    "new",
    "null",
    "package",
    "private",
    "protected",
    "public",
    "ref",
    "return",
    "static",
    "super",
    "switch",
    "this",
    "throw",
    "true",
    "try",
    "typeof",
    "undefined",
    "var",
    "void",
    "while",
    "with",
    "yield",
    "css",
    "classes",
];

/// The words of an element's id and classes that say what it is: `product-card` of `col-4 product-card mb-2`.
pub(super) fn words(element: &Element) -> String {
    let classes = element.get("class").unwrap_or_default().split_ascii_whitespace();
    let told = classes.chain(element.get("id")).find(|class| says_what(class));
    told.unwrap_or_default().to_owned()
}

fn says_what(class: &str) -> bool {
    let mut words = class.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty());
    let first = words.next().unwrap_or_default().to_ascii_lowercase();
    first.len() > 2 && !LOOKS.contains(&first.as_str()) && !class.contains([':', '[', '/'])
}

/// A component's name: by its own words, or by those of what it stands in, or by its element.
pub(super) fn component(element: &Element, around: &[String], taken: &mut BTreeSet<String>) -> String {
    let own = words(element);
    let name = if own.is_empty() {
        match around.iter().rev().find(|words| !words.is_empty()) {
            Some(words) => format!("{}Item", pascal(words)),
            None => unnamed(&element.name).to_owned(),
        }
    } else {
        let name = pascal(&own);
        if SORTS.iter().any(|sort| name.ends_with(sort)) { name } else { format!("{name}Card") }
    };
    let unique = (1..).map(|n| if n == 1 { name.clone() } else { format!("{name}{n}") });
    let free = |one: &String| !taken.contains(&one.to_lowercase()) && !is_reserved(one);
    let chosen = unique.into_iter().find(free).unwrap_or(name);
    taken.insert(chosen.to_lowercase());
    chosen
}

/// A card of which the site says nothing but its element.
fn unnamed(element: &str) -> &'static str {
    match element {
        "a" => "LinkCard",
        "article" => "ArticleCard",
        "blockquote" => "Quote",
        "figure" => "Figure",
        "li" => "ListItem",
        _ => "ContentCard",
    }
}

fn pascal(words: &str) -> String {
    let words = words.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let name: String = words.map(capital).take(4).collect();
    let name: String = name.chars().take(40).collect();
    // A name begins with a letter; classes of cards need not.
    if name.starts_with(|c: char| c.is_ascii_uppercase()) { name } else { format!("Card{name}") }
}

/// A property's name: that of its text if it has one, else that of its attribute.
pub(super) fn property<'a>(places: impl Iterator<Item = &'a Place>, taken: &mut BTreeSet<String>) -> String {
    let places: Vec<&Place> = places.collect();
    let text = places.iter().find(|place| place.attribute.is_none());
    let name = match (text, places.first()) {
        (Some(place), _) => of_text(place),
        (None, Some(place)) => of_attribute(place.attribute.as_deref().unwrap_or_default()),
        (None, None) => "text".to_owned(),
    };
    let unique = (1..).map(|n| if n == 1 { name.clone() } else { format!("{name}{n}") });
    let chosen = unique.into_iter().find(|one| !taken.contains(one)).unwrap_or(name);
    taken.insert(chosen.clone());
    chosen
}

fn of_text(place: &Place) -> String {
    let by_element = match place.element.as_str() {
        "h2" | "h3" | "h4" | "h5" | "h6" => Some("title"),
        "time" => Some("date"),
        "figcaption" => Some("caption"),
        "cite" => Some("source"),
        _ => None,
    };
    if let Some(name) = by_element {
        return name.to_owned();
    }
    // `card__price` → `price`: what comes last says most.
    let class = place.class.as_deref().filter(|class| says_what(class)).unwrap_or_default();
    let word =
        class.rsplit(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default().to_ascii_lowercase();
    let fits = word.len() > 2 && !KEYWORDS.contains(&word.as_str()) && !LOOKS.contains(&word.as_str());
    match place.element.as_str() {
        _ if fits => word,
        "a" => "label".to_owned(),
        _ => "text".to_owned(),
    }
}

fn of_attribute(name: &str) -> String {
    match name {
        "class" => "className".to_owned(),
        "title" => "tooltip".to_owned(),
        "aria-label" => "label".to_owned(),
        "datetime" => "dateTime".to_owned(),
        "srcset" => "srcSet".to_owned(),
        other => {
            let words = other.trim_start_matches("data-").split('-').filter(|word| !word.is_empty());
            let name: String = words.map(capital).collect();
            let mut chars = name.chars().filter(char::is_ascii_alphanumeric);
            let first = chars.next().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_lowercase());
            let name: String = first.into_iter().chain(chars).collect();
            let fits = !name.is_empty() && !KEYWORDS.contains(&name.as_str());
            if fits { name } else { format!("data{}", capital(&name)) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn element(name: &str, class: &str) -> Element {
        let mut element = Element::new(name);
        element.set("class", class);
        element
    }

    #[rstest]
    #[case("div", "col-md-4 product-card mb-2", "", "ProductCard")]
    #[case("article", "product_pod", "", "ProductPod")]
    #[case("li", "", "blog-posts", "BlogPostsItem")]
    #[case("div", "col-4", "", "ContentCard")]
    #[case("div", "team", "", "TeamCard")]
    #[case("a", "md:w-1/2", "", "LinkCard")]
    fn cards_are_called_what_the_site_calls_them(
        #[case] tag: &str,
        #[case] class: &str,
        #[case] around: &str,
        #[case] name: &str,
    ) {
        let mut taken = BTreeSet::new();
        assert_eq!(component(&element(tag, class), &[around.to_owned()], &mut taken), name);
        assert_eq!(component(&element(tag, class), &[around.to_owned()], &mut taken), format!("{name}2"));
    }

    #[rstest]
    #[case("h3", None, None, "title")]
    #[case("span", Some("card__price"), None, "price")]
    #[case("span", Some("new"), None, "text")]
    #[case("a", None, None, "label")]
    #[case("img", Some("photo"), Some("src"), "src")]
    #[case("div", None, Some("data-product-id"), "productId")]
    #[case("div", None, Some("data-key"), "dataKey")]
    #[case("div", None, Some("data-1"), "data")]
    fn properties_are_called_what_they_hold(
        #[case] tag: &str,
        #[case] class: Option<&str>,
        #[case] attribute: Option<&str>,
        #[case] name: &str,
    ) {
        let place = Place {
            element: tag.into(),
            class: class.map(str::to_owned),
            attribute: attribute.map(str::to_owned),
        };
        assert_eq!(property([&place].into_iter(), &mut BTreeSet::new()), name);
    }
}
