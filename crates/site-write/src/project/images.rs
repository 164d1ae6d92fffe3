//! Which images `next/image` shows: files of the site whose size is known, where saying it leaves their box as it is. Every other one
//! stays `<img>`, for a reason that the owner is told.
//!
//! It decides by the tree and the style sheets, and never looks at a picture. Whether a box is what it was is measured in the end, when
//! pages are compared; a page where it is not keeps its `<img>`.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    num::NonZeroUsize,
};

use site_read::Snapshot;

use crate::{
    Bodies, Plan, Result,
    css::{
        boxes::{AutoHeight, Boxes},
        selectors::{Named, Place},
    },
    dom::{Element, Node, Space},
    jsx,
    page::{self, Page, Style, address, handlers, hoisted},
    parallel,
    plan::Group,
    snapshot::{self, Site},
};

/// Types that Next.js can scale.
const SCALED: &[&str] = &["image/avif", "image/gif", "image/jpeg", "image/png", "image/webp"];
/// Elements whose images a browser chooses among, or shows at times only.
const APART: &[&str] = &["noscript", "picture", "template"];
/// Attributes that mean something to the component and nothing to HTML.
const OF_THE_COMPONENT: &[&str] =
    &["fill", "layout", "loader", "natural", "placeholder", "preload", "priority", "quality", "unoptimized"];

/// Hosts whose style sheets hold nothing but fonts.
const FONTS: &[&str] = &["fonts.googleapis.com", "fonts.bunny.net"];

/// Why an image stays `<img>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stays {
    /// A set of files, or a place where none may show.
    Chosen,
    /// Not a file of its own under `public/` that can be scaled.
    Elsewhere,
    /// Its size is not known, or the HTML says something else than whole pixels.
    NoSize,
    /// A component shows it in several sizes.
    Differs,
    /// Saying its size could change its box.
    Laid,
    /// The component has to have words for who does not see it.
    NoWords,
    /// An attribute that the component reads in its own way.
    Misread,
    /// The page was not the same with the component.
    Kept,
}

impl Stays {
    /// For people.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Chosen => {
                "a browser chooses among several files (`srcset`, `<picture>`), or shows them at times only"
            }
            Self::Elsewhere => {
                "the file is drawn (SVG), stands in the page itself, has a query, is another host's, or was not found"
            }
            Self::NoSize => "their size is not known in whole pixels, by the HTML or by the file",
            Self::Differs => "what repeats as one component has them in several sizes",
            Self::Laid => {
                "style sheets say their size, or lay them out; saying it here could change their box"
            }
            Self::NoWords => "they have no `alt`, which `next/image` asks for",
            Self::Misread => "they have an attribute that means something else to `next/image`",
            Self::Kept => "the page was not the same with `next/image`",
        }
    }
}

/// How images are shown, each counted where it is written.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    /// By `next/image`.
    pub(super) by_next: usize,
    /// As `<img>`.
    pub(super) stay: BTreeMap<Stays, usize>,
}

impl Shown {
    pub(super) fn take_in(&mut self, other: &Self) {
        self.by_next += other.by_next;
        for (reason, count) in &other.stay {
            *self.stay.entry(*reason).or_default() += count;
        }
    }

    fn of(all: impl Iterator<Item = Told>) -> Self {
        let mut shown = Self::default();
        for told in all {
            match told {
                Ok(_) => shown.by_next += 1,
                Err(reason) => *shown.stay.entry(reason).or_default() += 1,
            }
        }
        shown
    }
}

/// Shown by `next/image`, with this size if its HTML says none; or why not.
pub(super) type Told = std::result::Result<Option<(u32, u32)>, Stays>;

/// The site's style sheets, by the address that pages say.
type Sheets<'p> = BTreeMap<&'p str, Sheet>;

/// A style sheet, read once for all pages that link it.
struct Sheet {
    css: String,
    boxes: Boxes,
    certain: AutoHeight,
}

/// What is known of the site's images.
pub(super) struct Images {
    /// The files that can be scaled, by their address as pages say it, with their size in pixels where it is known.
    files: BTreeMap<String, Option<(u32, u32)>>,
    boxes: Boxes,
    /// By the name of a group of pages, the rules that apply to its images for certain; none where a style sheet was not read.
    certain: BTreeMap<String, Option<AutoHeight>>,
}

/// Where a tree stands whose images are looked at.
pub(super) struct Scope<'i> {
    images: &'i Images,
    /// What applies for certain in each group of pages that it may stand in; none where one has a style sheet that was not read.
    certain: Option<Vec<&'i AutoHeight>>,
    /// What it stands in on a page; none where that may be anything.
    around: Option<[Element; 2]>,
}

impl Sheet {
    fn read(css: String) -> Self {
        let (mut boxes, mut certain) = (Boxes::default(), AutoHeight::default());
        boxes.add(&css);
        certain.add(&css);
        Self { css, boxes, certain }
    }
}

impl Images {
    pub(super) fn of(
        threads: NonZeroUsize,
        plan: &Plan,
        snapshot: &Snapshot,
        bodies: &dyn Bodies,
        site: &Site,
    ) -> Result<Self> {
        let mut files = BTreeMap::new();
        let mut linked = Vec::new();
        for asset in &plan.assets {
            let Some(stored) = snapshot.assets.get(&asset.url) else { continue };
            let kind = stored.content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            if snapshot::is_css(&kind) {
                linked.push((asset.path.as_str(), snapshot::text(bodies, &asset.body, &asset.url)?));
            } else if SCALED.contains(&kind.as_str())
                && asset.file.strip_prefix("public") == Some(asset.path.as_str())
            {
                files.insert(asset.path.clone(), stored.width.zip(stored.height));
            }
        }
        let sheets: Sheets<'_> =
            parallel::map(threads, linked, |(path, css)| (path, Sheet::read(css))).into_iter().collect();
        let mut boxes = Boxes::default();
        sheets.values().for_each(|sheet| boxes.take_in(&sheet.boxes));
        in_pages(site).iter().for_each(|css| boxes.add(css));
        if let Some((_, css)) = hoisted::file(site.every_page().map(|page| &page.hoisted)) {
            boxes.add(&css);
        }
        let certain = |group: &Group| {
            let routes = plan.routes.iter().filter(|route| route.group == group.name);
            let mut pages = routes.filter_map(|route| site.pages.get(&route.url)).peekable();
            // Its pages have the same style sheets in their heads.
            let rules = pages.peek().and_then(|page| applying(page, &sheets));
            (group.name.clone(), rules.filter(|_| pages.all(|page| body_is_read(page, &sheets))))
        };
        let certain = plan.groups.iter().map(certain).collect();
        Ok(Self { files, boxes, certain })
    }

    /// In a page of a group.
    pub(super) fn on(&self, page: &Page, group: &Group) -> Scope<'_> {
        let certain = self.certain.get(&group.name).and_then(Option::as_ref).map(|rules| vec![rules]);
        let element = |name: &str, attributes: &[(String, String)]| Element {
            attributes: attributes.to_vec(),
            ..Element::new(name)
        };
        let around = [element("html", &page.html), element("body", &page.body_attributes)];
        Scope { images: self, certain, around: Some(around) }
    }

    /// Anywhere in the site.
    pub(super) fn anywhere(&self) -> Scope<'_> {
        Scope { images: self, certain: self.certain.values().map(Option::as_ref).collect(), around: None }
    }

    fn told(&self, place: &Place<'_>, certain: Option<&[&AutoHeight]>) -> Told {
        let image = place.element();
        let is_chosen = image.has("srcset") || image.has("sizes") || address::is_lazy(image);
        if is_chosen || place.ancestors.iter().any(|it| is_apart(it.element)) {
            return Err(Stays::Chosen);
        }
        let file = image.get("src").and_then(|src| self.files.get(src)).ok_or(Stays::Elsewhere)?;
        let said = ["width", "height"].map(|name| image.get(name));
        let size = size(said, *file).ok_or(Stays::NoSize)?;
        // Its own handlers may give it another file, whose size nobody knows here.
        let stays =
            || !image.has(handlers::ATTRIBUTE) && certain.is_some_and(|rules| self.boxes.stays(place, rules));
        if said.contains(&None) && !stays() || self.boxes.asks(place) {
            return Err(Stays::Laid);
        }
        if !image.has("alt") {
            return Err(Stays::NoWords);
        }
        let in_its_way = image.get("loading").is_some_and(|word| !matches!(word, "lazy" | "eager"));
        if in_its_way || OF_THE_COMPONENT.iter().any(|name| image.has(name)) {
            return Err(Stays::Misread);
        }
        let is_said = said.into_iter().flatten().filter(|text| is_pixels(text)).count() == 2;
        Ok((!is_said).then_some(size))
    }
}

impl Scope<'_> {
    /// Marks the images that `next/image` shows, and says their size where the page did not.
    pub(super) fn mark(&self, nodes: &mut [Node]) -> Shown {
        mark(nodes, self.told(nodes))
    }

    /// Of a page that keeps its `<img>`: only counts.
    pub(super) fn kept(&self, nodes: &[Node]) -> Shown {
        Shown::of(self.told(nodes).into_iter().map(|told| told.and(Err(Stays::Kept))))
    }

    /// What is told of each image, in their order.
    pub(super) fn told(&self, nodes: &[Node]) -> Vec<Told> {
        let (mut all, whole) = (Vec::new(), self.around.is_some());
        let mut ancestors: Vec<Named<'_>> = self.around.iter().flatten().map(Named::of).collect();
        look(nodes, &mut ancestors, &mut |image, ancestors| {
            let place = Place { named: &Named::of(image), ancestors, whole };
            all.push(self.images.told(&place, self.certain.as_deref()));
        });
        all
    }
}

/// Every `<img>`, and what it stands in.
fn look<'n>(
    nodes: &'n [Node],
    ancestors: &mut Vec<Named<'n>>,
    visit: &mut impl FnMut(&Element, &[Named<'_>]),
) {
    for node in nodes {
        let Node::Element(element) = node else { continue };
        if element.is_html("img") {
            visit(element, ancestors);
        } else if !element.children.is_empty() {
            ancestors.push(Named::of(element));
            look(&element.children, ancestors, visit);
            ancestors.pop();
        }
    }
}

/// Marks the images for which this is told, in their order.
pub(super) fn mark(nodes: &mut [Node], told: Vec<Told>) -> Shown {
    fn each(nodes: &mut [Node], told: &mut impl Iterator<Item = Told>) {
        for node in nodes {
            let Node::Element(element) = node else { continue };
            if element.is_html("img") {
                told.next().into_iter().for_each(|told| set(element, told));
            } else {
                each(&mut element.children, told);
            }
        }
    }
    let shown = Shown::of(told.iter().copied());
    if shown.by_next > 0 {
        each(nodes, &mut told.into_iter());
    }
    shown
}

/// Says of an image what is told.
fn set(image: &mut Element, told: Told) {
    let Ok(size) = told else { return };
    let is_said = image.has("width") && image.has("height");
    if let Some((width, height)) = size {
        image.set("width", width.to_string());
        image.set("height", height.to_string());
    }
    image.set(jsx::BY_NEXT, if is_said { "" } else { jsx::NATURAL });
}

/// An inline style sheet for screens.
fn inline(style: &Style) -> Option<&str> {
    match style {
        Style::Inline { css, .. } => Some(css),
        Style::Linked { .. } => None,
    }
}

/// The style sheets in the pages themselves, each once: those in the templates of shadow trees, too.
fn in_pages(site: &Site) -> BTreeSet<Cow<'_, str>> {
    let mut all = BTreeSet::new();
    for page in site.every_page() {
        all.extend(page.styles.iter().filter_map(inline).map(Cow::Borrowed));
        page::each(&page.body, &mut |element| {
            if element.name == "style" {
                all.insert(Cow::Owned(element.text()));
            }
        });
    }
    all
}

/// Is every style sheet read that stands in the page's body?
fn body_is_read(page: &Page, sheets: &Sheets<'_>) -> bool {
    let mut read = true;
    page::each(&page.body, &mut |element| {
        let is_sheet = element.is_html("link")
            && element.get("rel").is_some_and(|rel| rel.to_ascii_lowercase().contains("stylesheet"));
        let href = element.get("href").unwrap_or_default();
        read &= !is_sheet
            || is_of_fonts(href)
            || sheets.get(href).is_some_and(|sheet| imports_are_read(&sheet.css, sheets));
        read &= element.name != "style" || imports_are_read(&element.text(), sheets);
    });
    read
}

/// The rules that apply to the images of a page for certain. None if it has a style sheet that was not read.
fn applying(page: &Page, sheets: &Sheets<'_>) -> Option<AutoHeight> {
    let mut all = AutoHeight::default();
    for style in &page.styles {
        let (css, sheet, media) = match style {
            Style::Linked { href, .. } if is_of_fonts(href) => continue,
            Style::Linked { href, media, .. } => {
                let sheet = sheets.get(href.as_str())?;
                (&sheet.css, Some(sheet), media)
            }
            Style::Inline { css, media } => (css, None, media),
        };
        if !imports_are_read(css, sheets) {
            return None;
        }
        if media.as_deref().is_none_or(|media| matches!(media.trim(), "" | "all" | "screen")) {
            match sheet {
                Some(sheet) => all.take_in(&sheet.certain),
                None => all.add(css),
            }
        }
    }
    Some(all)
}

/// Does the site have every style sheet that this one takes in, and those that they take in? A file is known by its name alone.
fn imports_are_read(css: &str, sheets: &Sheets<'_>) -> bool {
    let (mut seen, mut open) = (BTreeSet::new(), vec![css]);
    while let Some(css) = open.pop() {
        for import in imports(css) {
            let mut words = import.split(['"', '\'', '(', ')']);
            if words.clone().any(is_of_fonts) {
                continue;
            }
            let file =
                words.find_map(|word| word.trim().rsplit('/').next().filter(|name| name.contains(".css")));
            let named = |file: &str| {
                let name = file.split(['?', '#']).next().unwrap_or_default();
                sheets
                    .iter()
                    .filter(move |(path, _)| path.rsplit('/').next() == Some(name))
                    .collect::<Vec<_>>()
            };
            let found = file.filter(|_| !import.contains("//")).map(named).unwrap_or_default();
            if found.is_empty() {
                return false;
            }
            open.extend(
                found
                    .into_iter()
                    .filter(|(path, _)| seen.insert(**path))
                    .map(|(_, sheet)| sheet.css.as_str()),
            );
        }
    }
    true
}

/// What stands between each `@import` and its end.
fn imports(css: &str) -> Vec<&str> {
    const WORD: &str = "@import";
    let (mut all, mut rest) = (Vec::new(), css);
    while let Some(at) = rest.find('@') {
        rest = &rest[at..];
        if rest.get(..WORD.len()).is_some_and(|word| word.eq_ignore_ascii_case(WORD)) {
            let import = rest.split([';', '}']).next().unwrap_or_default();
            all.push(&import[WORD.len()..]);
            rest = &rest[import.len()..];
        } else {
            rest = &rest[1..];
        }
    }
    all
}

/// Is it an address whose style sheets hold nothing but fonts?
fn is_of_fonts(address: &str) -> bool {
    let rest = address.trim().split_once("//").map_or("", |(_, rest)| rest);
    FONTS.contains(&rest.split('/').next().unwrap_or_default())
}

/// Width and height, as the HTML says them and the file tells the rest; none where that gives no whole pixels.
fn size(said: [Option<&str>; 2], file: Option<(u32, u32)>) -> Option<(u32, u32)> {
    // What one side is if the other one is said.
    let follows = |said: u32, of: u32, to: u32| {
        let scaled = u64::from(said) * u64::from(to);
        let exact = of > 0 && scaled > 0 && scaled % u64::from(of) == 0;
        exact.then(|| u32::try_from(scaled / u64::from(of)).ok()).flatten()
    };
    match said {
        [None, None] => file,
        [Some(width), Some(height)] => Some((pixels(width)?, pixels(height)?)),
        [Some(width), None] => {
            let (width, file) = (pixels(width)?, file?);
            Some((width, follows(width, file.0, file.1)?))
        }
        [None, Some(height)] => {
            let (height, file) = (pixels(height)?, file?);
            Some((follows(height, file.1, file.0)?, height))
        }
    }
}

/// What an attribute says in whole pixels: HTML reads `220px` as it reads `220`.
fn pixels(text: &str) -> Option<u32> {
    let number = text.trim().strip_suffix("px").unwrap_or(text);
    is_pixels(number).then(|| number.parse().ok()).flatten()
}

/// A whole number of pixels, written as a number is.
pub(super) fn is_pixels(text: &str) -> bool {
    text.len() <= 5
        && !text.starts_with('0')
        && !text.is_empty()
        && text.bytes().all(|it| it.is_ascii_digit())
}

fn is_apart(element: &Element) -> bool {
    element.space == Space::Html && APART.contains(&element.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dom::parse;
    use rstest::rstest;

    fn told(html: &str, css: &str) -> Told {
        let mut rules = AutoHeight::default();
        rules.add(css);
        told_under(html, css, Some(rules))
    }

    fn told_under(html: &str, css: &str, certain: Option<AutoHeight>) -> Told {
        let mut images = Images {
            files: [("/a.png", Some((64, 32))), ("/unread.png", None)]
                .map(|(path, size)| (path.to_owned(), size))
                .into(),
            boxes: Boxes::default(),
            certain: BTreeMap::from([("site".to_owned(), certain)]),
        };
        images.boxes.add(css);
        let body = parse::document(&format!("<!doctype html><body><main>{html}</main>")).body;
        let told = images.anywhere().told(&body);
        assert_eq!(told.len(), 1, "{html}");
        told[0]
    }

    #[rstest]
    #[case("<img src=/a.png alt='' width=1 height=99999>", Ok(None))]
    #[case("<p><a href=/><img src=/unread.png alt=a width=64 height=32 loading=lazy class=x></a>", Ok(None))]
    #[case("<img src=/a.png alt=''>", Ok(Some((64, 32))))]
    #[case("<img src=/a.png alt='' width=64 height=32 srcset='/a.png 2x'>", Err(Stays::Chosen))]
    #[case("<picture><img src=/a.png alt='' width=64 height=32></picture>", Err(Stays::Chosen))]
    #[case("<template><img src=/a.png alt='' width=64 height=32></template>", Err(Stays::Chosen))]
    #[case("<img src=/b.png alt='' width=64 height=32>", Err(Stays::Elsewhere))]
    #[case("<img alt='' width=64 height=32>", Err(Stays::Elsewhere))]
    #[case("<img src=/unread.png alt=''>", Err(Stays::NoSize))]
    #[case("<img src=/a.png alt='' width=32px>", Ok(Some((32, 16))))]
    #[case("<img src=/a.png alt='' height=16>", Ok(Some((32, 16))))]
    #[case("<img src=/a.png alt='' width=32px height=99>", Ok(Some((32, 99))))]
    #[case("<img src=/a.png alt='' width=33>", Err(Stays::NoSize))]
    #[case("<img src=/unread.png alt='' width=33>", Err(Stays::NoSize))]
    #[case("<img src=/a.png alt='' width=100% height=32>", Err(Stays::NoSize))]
    #[case("<img src=/a.png alt='' width=064 height=32>", Err(Stays::NoSize))]
    #[case("<img src=/a.png alt='' width=0 height=32>", Err(Stays::NoSize))]
    #[case("<img src=/a.png width=64 height=32>", Err(Stays::NoWords))]
    #[case("<img src=/a.png alt='' width=64 height=32 loading=auto>", Err(Stays::Misread))]
    #[case("<img src=/a.png alt='' width=64 height=32 placeholder=blur>", Err(Stays::Misread))]
    fn an_image_of_the_sites_own_whose_size_is_known_is_shown_by_next_image(
        #[case] html: &str,
        #[case] wanted: Told,
    ) {
        assert_eq!(told(html, ""), wanted);
    }

    #[test]
    fn a_size_is_said_where_no_box_changes() {
        let image = "<img src=/a.png alt=''>";
        assert_eq!(told(image, "img { max-width: 100% }"), Err(Stays::Laid));
        assert_eq!(told(image, "img { max-width: 100%; height: auto }"), Ok(Some((64, 32))));
        assert_eq!(told(image, "main { display: flex }"), Err(Stays::Laid));
        assert_eq!(told(&format!("<p>{image}</p>"), "main { display: flex }"), Ok(Some((64, 32))));
        assert_eq!(told_under(image, "", None), Err(Stays::Laid), "a style sheet was not read");
        let said = "<img src=/a.png alt='' width=9 height=9>";
        assert_eq!(told_under(said, "", None), Ok(None));
        assert_eq!(told(said, "main { display: flex } img { max-width: 100% }"), Ok(None));
    }

    #[rstest]
    #[case("<img class=lazyload src=/a.png data-src=/b.png alt=''>", Err(Stays::Chosen))]
    #[case("<img src=/a.png alt='' width=64 height=32 layout=fill>", Err(Stays::Misread))]
    #[case("<img src=/a.png alt='' natural=x>", Err(Stays::Misread))]
    #[case("<img src=/a.png alt='' data-legacy-on=x>", Err(Stays::Laid))]
    #[case("<img src=/a.png alt='' width=64 height=32 data-legacy-on=x>", Ok(None))]
    fn what_scripts_or_the_component_would_make_something_else_of_stays(
        #[case] html: &str,
        #[case] wanted: Told,
    ) {
        assert_eq!(told(html, ""), wanted);
    }

    #[test]
    fn a_rule_that_asks_for_what_the_component_adds_keeps_the_image() {
        let image = "<img src=/a.png alt='' width=64 height=32>";
        assert_eq!(told(image, "img:not([style]) { height: auto }"), Err(Stays::Laid));
        assert_eq!(told(image, "p [WIDTH='64'], main img[ loading ] { color: red }"), Err(Stays::Laid));
        assert_eq!(told(image, "p[style], img[src$='.png'] { color: red }"), Ok(None));
    }

    #[test]
    fn a_style_sheet_that_was_not_read_makes_nothing_certain() {
        let linked = |href: &str| format!("<link rel=stylesheet href={href}>");
        let certain = |head: &str| {
            let url = url::Url::parse("https://a.example/").expect("a URL");
            let html = format!("<!doctype html><head>{head}</head><body>");
            let page = crate::page::read(&html, &url, &Default::default(), &Default::default());
            let sheets = [
                (
                    "/a.css",
                    "@import url(x/b.css?v=1) screen; @import \"//fonts.googleapis.com/css?family=A\"; img { height: auto }",
                ),
                ("/x/b.css", "@import url('../a.css'); @media x {}"),
                ("/c.css", "@Import url(https://cdn.example/c.css);"),
                ("/d.css", "@import 'c.css'"),
                ("/e.css", "@import 'gone.css'"),
            ];
            let sheets = sheets.map(|(path, css)| (path, Sheet::read(css.to_owned()))).into();
            applying(&page, &sheets).is_some()
        };
        assert!(certain(&format!("{}{}", linked("/a.css"), linked("https://fonts.bunny.net/css?family=a"))));
        for href in ["/c.css", "/d.css", "/e.css", "https://cdn.example/a.css", "/gone.css"] {
            assert!(!certain(&linked(href)), "{href}");
        }
    }
}
