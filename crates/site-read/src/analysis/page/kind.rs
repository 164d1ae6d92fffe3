//! What sort of page it is, concluded from its facts. The more certain sign decides.

use url::Url;

use super::{Form, PageAnalysis, PageInput, PageKind, PartRole};

/// Words that make a text.
const TEXT: u32 = 150;
/// Images that make a gallery, with fewer words than a text.
const GALLERY: usize = 8;
/// Cards that make a listing.
const LISTING: u32 = 4;
/// Words of a page that only says that something is not there.
const SHORT: u32 = 200;

pub(super) fn kind(page: &PageAnalysis, input: &PageInput<'_>) -> PageKind {
    if matches!(page.kind, PageKind::Frames | PageKind::Redirect) {
        return page.kind;
    }
    if input.status >= 400 || says_not_found(page) {
        return PageKind::Error;
    }
    if is_front(input.url) {
        return PageKind::Home;
    }
    if page.forms.iter().any(|form| has(form, "password")) {
        return PageKind::Login;
    }
    by_data(page).or_else(|| by_forms(page, input.url)).or_else(|| by_shape(page)).unwrap_or_default()
}

fn is_front(url: &Url) -> bool {
    let path = url.path();
    url.query().is_none()
        && (path == "/" || ["/index.html", "/index.htm", "/index.php", "/default.asp"].contains(&path))
}

fn says_not_found(page: &PageAnalysis) -> bool {
    const SIGNS: [&str; 9] = [
        "404",
        "not found",
        "nicht gefunden",
        "introuvable",
        "no encontrad",
        "non trovata",
        "не найден",
        "غير موجود",
        "見つかりません",
    ];
    let first = page.headings.first().map(|heading| heading.text.as_str());
    let says = |text: &str| {
        let text = text.to_lowercase();
        SIGNS.iter().any(|sign| text.contains(sign))
    };
    page.text.main_words < SHORT && [page.title.as_deref(), first].into_iter().flatten().any(says)
}

fn by_data(page: &PageAnalysis) -> Option<PageKind> {
    let types = page.structured_data.iter().flat_map(|data| &data.types);
    let graph = page.properties.get("og:type").into_iter().flatten();
    types.chain(graph).find_map(|name| {
        let name = name.rsplit(['/', '#', ':']).next().unwrap_or_default();
        match name {
            "Product" | "product" => Some(PageKind::Product),
            "Article" | "BlogPosting" | "NewsArticle" | "TechArticle" | "Recipe" | "article" => {
                Some(PageKind::Article)
            }
            "ContactPage" => Some(PageKind::Contact),
            "SearchResultsPage" => Some(PageKind::Search),
            "CollectionPage" | "ItemList" | "Blog" => Some(PageKind::Listing),
            _ => None,
        }
    })
}

fn by_forms(page: &PageAnalysis, url: &Url) -> Option<PageKind> {
    let writes = |form: &&Form| has(form, "textarea") && (has(form, "email") || names(form, "mail"));
    if page.forms.iter().any(|form| writes(&form)) || page.forms.len() == 1 && url.path().contains("contact")
    {
        return Some(PageKind::Contact);
    }
    let searches = |form: &Form| has(form, "search") || form.fields.iter().any(|field| field.name == "q");
    if url.path().contains("search") && page.forms.iter().any(searches) {
        return Some(PageKind::Search);
    }
    let asks = |form: &Form| {
        let asked =
            form.fields.iter().filter(|field| !matches!(field.kind.as_str(), "hidden" | "submit" | "button"));
        asked.count() >= 3
    };
    page.forms.iter().any(asks).then_some(PageKind::Form)
}

fn by_shape(page: &PageAnalysis) -> Option<PageKind> {
    let words = page.text.main_words;
    if page.images.len() >= GALLERY && words < TEXT {
        return Some(PageKind::Gallery);
    }
    let cards = page.parts.iter().filter(|part| part.role == PartRole::Card).map(|part| part.times).max();
    if cards.is_some_and(|cards| cards >= LISTING) && words < TEXT * 4 && page.links.internal >= LISTING {
        return Some(PageKind::Listing);
    }
    let dated = page.properties.contains_key("article:published_time");
    if dated {
        return Some(PageKind::Article);
    }
    (words >= TEXT).then_some(PageKind::Document)
}

fn has(form: &Form, kind: &str) -> bool {
    form.fields.iter().any(|field| field.kind == kind)
}

fn names(form: &Form, piece: &str) -> bool {
    form.fields.iter().any(|field| field.name.to_ascii_lowercase().contains(piece))
}
