//! One small site for each sort that is met outside, read over HTTP by the real crawl: what has to be found in it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use encoding_rs::{EUC_KR, SHIFT_JIS, WINDOWS_1251};
use site_fetch::{Fetcher, Options};
use site_read::analysis::{
    Direction, Keeper, PageAnalysis, PageKind, PartRole, ScriptKind, SiteAnalysis, SizeBounds, SizeClass,
    of_reading, shallow,
};
use site_read::journal::MemoryJournal;
use site_read::render::Reason;
use site_read::{Limits, MemoryArchive, Page, Snapshot};

use crate::server::{Reply, Site};

/// A site as it was read.
struct Golden {
    origin: String,
    snapshot: Snapshot,
    site: SiteAnalysis,
    pages: BTreeMap<String, PageAnalysis>,
}

struct Kept(BTreeMap<String, PageAnalysis>);

#[async_trait::async_trait]
impl Keeper for Kept {
    async fn keep(&mut self, url: &str, read: &Page, page: PageAnalysis) -> std::io::Result<()> {
        assert_eq!(read.status, 200, "{url}");
        self.0.insert(url.to_owned(), page);
        Ok(())
    }
}

impl Golden {
    async fn read(site: &Site) -> Self {
        Self::from(site, "/").await
    }

    async fn from(site: &Site, start: &str) -> Self {
        let fetcher = fetcher(site);
        let (archive, journal) = (MemoryArchive::new(), MemoryJournal::default());
        let limits = Limits { max_pages: 2_000, ..Limits::default() };
        let read = site_read::gather(&fetcher, &archive, &journal, &site.url(start), &limits, &|_| {}).await;
        let mut gathered = read.expect("it was read");
        let mut kept = Kept(BTreeMap::new());
        let analysed = of_reading(&journal, &mut gathered, SizeBounds::default(), &mut kept).await;
        let snapshot = gathered.into_snapshot().expect("a snapshot");
        assert!(kept.0.keys().eq(snapshot.pages.keys()), "each page once");
        Self {
            origin: format!("http://{}", site.address),
            site: analysed.expect("an analysis"),
            snapshot,
            pages: kept.0,
        }
    }

    fn page(&self, path: &str) -> &PageAnalysis {
        let url = format!("{}{path}", self.origin);
        self.pages.get(&url).unwrap_or_else(|| panic!("{path} in {:?}", self.pages.keys()))
    }

    fn technologies(&self) -> Vec<&str> {
        self.site.technologies.iter().map(|technology| technology.name.as_str()).collect()
    }

    fn problem(&self, code: &str) -> Option<u32> {
        self.site.problems.iter().find(|problem| problem.code == code).map(|problem| problem.places)
    }
}

fn fetcher(site: &Site) -> Fetcher {
    let options = Options { allow: vec![site.address], retries: 0, ..Options::default() };
    Fetcher::new(options).expect("a fetcher")
}

fn page(title: &str, body: &str) -> Reply {
    Reply::html(format!(
        "<!doctype html><html lang=en><head><title>{title}</title><meta name=viewport content='width=device-width'></head><body>{body}</body></html>"
    ))
}

/// A text of its own for each number.
fn text(number: usize, words: usize) -> String {
    let mut text = String::new();
    for word in 0..words {
        let _ = write!(text, "word{} ", (word * 31 + number * 977) % 4_001);
    }
    text
}

/// One pixel.
const GIF: &[u8] = b"GIF89a\x02\0\x03\0\x80\0\0\0\0\0\xff\xff\xff!\xf9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";

#[tokio::test]
async fn plain_static() {
    let frame = |here: &str, body: &str| {
        let class = |path: &str| if path == here { " class=active" } else { "" };
        page(
            here,
            &format!(
                "<header><b>Kiln</b><nav><a href=/{}>Home</a><a href=/about.html{}>About</a></nav></header><main><h1>{here}</h1>{body}</main><footer>2026</footer>",
                "",
                class("/about.html")
            ),
        )
    };
    let site = Site::with(vec![
        ("/", frame("/", &text(1, 60))),
        ("/about.html", frame("/about.html", &format!("{}<img src=/a.gif alt=a>", text(2, 200)))),
        ("/a.gif", Reply::new("image/gif", GIF)),
    ]);
    let golden = Golden::read(&site).await;
    assert_eq!((golden.site.pages.total, golden.site.size_class), (2, SizeClass::Small));
    assert_eq!(golden.page("/").kind, PageKind::Home);
    assert_eq!(golden.page("/about.html").kind, PageKind::Document);
    assert_eq!(golden.page("/about.html").images[0].real, Some((2, 3)), "as the image itself says");
    let roles: Vec<_> = golden.site.shared_parts.iter().map(|part| (part.role, part.coverage)).collect();
    for role in [PartRole::Header, PartRole::Navigation, PartRole::Footer] {
        assert!(roles.contains(&(role, 100)), "{role:?} in {roles:?}");
    }
    let menu: Vec<_> = golden.site.navigation.iter().map(|entry| entry.text.as_str()).collect();
    assert_eq!(menu, ["Home", "About"]);
    assert!(!golden.site.single_page_application);
    assert_eq!(golden.site.soft_404s.probe_status, Some(404));
    assert_eq!(golden.site.problem_counts.errors, 0, "{:?}", golden.site.problems);
}

#[tokio::test]
async fn jquery() {
    let body = "<p id=m>x</p><script src=/js/jquery-1.12.4.min.js></script><script>$('#m').slideToggle()</script><a href='javascript:go()' onclick='go()'>go</a>";
    let site = Site::with(vec![
        ("/", page("j", body)),
        ("/js/jquery-1.12.4.min.js", Reply::new("text/javascript", "/* jQuery */")),
    ]);
    let golden = Golden::read(&site).await;
    let jquery = golden.site.technologies.iter().find(|it| it.name == "jQuery").expect("it is named");
    assert_eq!((jquery.sort.as_str(), jquery.version.as_deref()), ("library", Some("1.12.4")));
    let kinds: Vec<_> = golden.page("/").scripts.iter().map(|script| script.kind).collect();
    assert_eq!(kinds, [ScriptKind::Library, ScriptKind::DomMutation]);
    assert_eq!(golden.page("/").inline_handlers, 1);
}

#[tokio::test]
async fn bootstrap() {
    let cards = "<div class=card><h2>c</h2><a class=btn href=/x>more</a></div>".repeat(3);
    let body = format!(
        "<nav class='navbar navbar-expand'><a class=active href=/>H</a></nav><div class=row>{cards}</div><script src=/vendor/bootstrap@5.3.2/bootstrap.bundle.min.js></script>"
    );
    let site = Site::with(vec![
        ("/", page("b", &body)),
        ("/x", page("x", &body)),
        ("/vendor/bootstrap@5.3.2/bootstrap.bundle.min.js", Reply::new("text/javascript", "1")),
    ]);
    let golden = Golden::read(&site).await;
    assert_eq!(golden.technologies(), ["Bootstrap"]);
    assert_eq!(golden.site.technologies[0].version.as_deref(), Some("5.3.2"));
    let card = golden.site.shared_parts.iter().find(|part| part.role == PartRole::Card);
    assert_eq!(card.map(|card| (card.pages, card.elements)), Some((2, 3)));
    assert_eq!(golden.site.duplicates.exact.len(), 1, "both pages say the same");
}

#[tokio::test]
async fn cookie_wall() {
    let wall = "<div id=cookie-consent class=overlay><p>We use cookies<button>Accept</button></div><p>behind";
    let golden = Golden::read(&Site::with(vec![("/", page("c", wall))])).await;
    assert_eq!(golden.site.cookie_walls, ["cookie-consent"]);
}

#[tokio::test]
async fn huge_redirects() {
    let site = Site::of(|path| {
        let number = |prefix: &str| path.strip_prefix(prefix)?.trim_end_matches(".php").parse::<usize>().ok();
        match (path, number("/old-"), number("/chain-")) {
            ("/", ..) => {
                let links: String = (0..120).map(|n| format!("<a href=/old-{n}.php>{n}</a>")).collect();
                page("r", &format!("{links}<a href=/chain-5>c</a><a href=/loop-a>l</a>"))
            }
            (_, Some(n), _) => Reply::redirect(301, &format!("/new-{n}")),
            (_, _, Some(0)) => Reply::redirect(302, "/new-1"),
            (_, _, Some(n)) => Reply::redirect(302, &format!("/chain-{}", n - 1)),
            ("/loop-a", ..) => Reply::redirect(302, "/loop-b"),
            ("/loop-b", ..) => Reply::redirect(302, "/loop-a"),
            _ => {
                let Some(n) = number("/new-") else { return Reply::status(404) };
                page(path, &format!("<p>{}", text(n, 40)))
            }
        }
    });
    let golden = Golden::read(&site).await;
    let redirects = &golden.site.redirects;
    assert_eq!((golden.site.pages.total, redirects.permanent), (121, 120));
    assert_eq!(redirects.total, 126);
    assert_eq!((redirects.chains, redirects.longest), (5, 6));
    assert_eq!(redirects.loops.len(), 2, "{:?}", redirects.loops);
    assert!(golden.problem("redirect-loop").is_some());
}

#[tokio::test]
async fn image_heavy() {
    let images: String = (0..30).map(|n| format!("<img src=/i{n}.gif>")).collect();
    let gallery = page("g", &format!("<h1>Pots</h1>{images}"));
    let site = Site::of(move |path| match path {
        "/" => page("h", "<a href=/gallery>g</a>"),
        "/gallery" => gallery.clone(),
        _ if path.ends_with(".gif") => Reply::new("image/gif", GIF),
        _ => Reply::status(404),
    });
    let golden = Golden::read(&site).await;
    assert_eq!(golden.page("/gallery").kind, PageKind::Gallery);
    assert_eq!(golden.page("/gallery").accessibility.images_without_alt, 30);
    assert!(golden.page("/gallery").images.iter().all(|image| image.real == Some((2, 3))));
    assert_eq!(golden.site.pages.images, 30);
}

#[tokio::test]
async fn soft_404s() {
    let nothing = page("Oops", &format!("<h1>Nothing here</h1>{}", text(5, 40)));
    let site = Site::of(move |path| match path {
        "/" => page("h", "<a href=/real>r</a><a href=/gone>g</a><a href=/away>a</a>"),
        "/real" => page("Real", &text(6, 60)),
        "/robots.txt" | "/sitemap.xml" | "/favicon.ico" => Reply::status(404),
        _ => nothing.clone(),
    });
    let golden = Golden::read(&site).await;
    assert_eq!((golden.site.soft_404s.probe_status, golden.site.soft_404s.pages), (Some(200), 2));
    let examples = ["/away", "/gone"].map(|path| format!("{}{path}", golden.origin));
    assert_eq!(golden.site.soft_404s.examples, examples);
}

#[tokio::test]
async fn form_heavy() {
    let fields = "<label>Name<input name=name required></label><label>Mail<input type=email name=mail></label><textarea name=text></textarea>";
    let site = Site::with(vec![
        ("/", page("h", "<a href=/contact>c</a><a href=/login>l</a><a href=/order>o</a>")),
        ("/contact", page("c", &format!("<form method=post action=/send>{fields}</form>"))),
        (
            "/login",
            page("l", "<form method=post action=/in><input name=u><input type=password name=p></form>"),
        ),
        (
            "/order",
            page("o", "<form action=/buy><input name=a><input name=b><select name=c></select></form>"),
        ),
    ]);
    let golden = Golden::read(&site).await;
    let kind = |path| golden.page(path).kind;
    assert_eq!(
        (kind("/contact"), kind("/login"), kind("/order")),
        (PageKind::Contact, PageKind::Login, PageKind::Form)
    );
    assert_eq!(golden.page("/contact").forms[0].action, format!("{}/send", golden.origin));
    assert_eq!(golden.page("/contact").forms[0].fields.len(), 3);
    assert_eq!(golden.site.pages.forms, 3);
    assert_eq!(golden.page("/login").accessibility.fields_without_label, 2);
}

#[tokio::test]
async fn single_page_application() {
    let shell = "<noscript>You need to enable JavaScript to run this app.</noscript><div id=root></div><script src=/static/react-dom.production.min.js></script>";
    let made = "document.getElementById('root').innerHTML = '<h1>Made by a script</h1><a href=/two>two</a>'";
    let site = Site::with(vec![
        ("/", page("App", shell)),
        ("/two", page("Two", "<p>static")),
        ("/static/react-dom.production.min.js", Reply::new("text/javascript", made)),
    ]);
    let golden = Golden::read(&site).await;
    assert!(golden.site.single_page_application);
    assert_eq!(golden.page("/").headings[0].text, "Made by a script");
    assert_eq!(golden.site.pages.total, 2, "what scripts link to is read too");
    assert_eq!(golden.page("/").needs_script, Some(Reason::EmptyRoot { root: "root".into() }));
    assert_eq!((golden.technologies(), golden.problem("needs-script")), (vec!["React"], Some(1)));
}

#[tokio::test]
async fn mixed_locales_and_right_to_left() {
    let in_language = |language: &str, direction: &str, to: &[&str], body: &str| {
        let versions: String =
            to.iter().map(|to| format!("<link rel=alternate hreflang={to} href=/{to}/>")).collect();
        Reply::html(format!(
            "<html lang={language} dir={direction}><title>{language}</title>{versions}<body>{body}<a href=/en/>en</a><a href=/ar/>ar</a><a href=/de/>de</a>"
        ))
    };
    let site = Site::with(vec![
        ("/", Reply::redirect(302, "/en/")),
        ("/en/", in_language("en", "ltr", &["en", "ar"], "Welcome to the workshop")),
        ("/ar/", in_language("ar", "rtl", &["ar", "en", "de"], "مرحبا بكم في الورشة")),
        ("/de/", in_language("de", "ltr", &[], "Willkommen in der Werkstatt")),
    ]);
    let golden = Golden::read(&site).await;
    let languages: Vec<_> = golden
        .site
        .locales
        .languages
        .iter()
        .map(|locale| (locale.language.as_str(), locale.direction, locale.prefix.as_deref()))
        .collect();
    assert_eq!(
        languages,
        [
            ("ar", Some(Direction::Rtl), Some("/ar/")),
            ("de", Some(Direction::Ltr), Some("/de/")),
            ("en", Some(Direction::Ltr), Some("/en/"))
        ]
    );
    assert_eq!((golden.site.locales.paired_pages, golden.site.locales.one_way), (2, 1));
    assert!(golden.page("/ar/").text.words >= 4);
}

#[tokio::test]
async fn legacy_encodings() {
    let texts = [
        ("/jp", SHIFT_JIS, "私たちの工房では、毎日あたらしい器を焼いています。お気軽にお越しください。"),
        ("/kr", EUC_KR, "저희 회사 홈페이지를 방문해 주셔서 감사합니다. 자세한 내용은 아래를 참조하십시오."),
        (
            "/ru",
            WINDOWS_1251,
            "Добро пожаловать на сайт нашей компании. Здесь вы найдёте описание всех услуг.",
        ),
    ];
    let mut paths = vec![(
        "/",
        Reply::new("text/html", "<a href=/jp>j</a><a href=/kr>k</a><a href=/ru>r</a><a href=/wrong>w</a>"),
    )];
    for (path, encoding, text) in texts {
        let html = format!("<html><head><title>{text}</title></head><body><p>{text}</p></body></html>");
        paths.push((path, Reply::new("text/html", encoding.encode(&html).0.into_owned())));
    }
    paths.push(("/wrong", Reply::new("text/html; charset=iso-8859-1", "<title>w</title><p>café")));
    let site = Site::with(paths);
    let golden = Golden::read(&site).await;
    for (path, encoding, text) in texts {
        assert_eq!(golden.page(path).title.as_deref(), Some(text), "{path}");
        let key = format!("{}{path}", golden.origin);
        assert_eq!(golden.snapshot.pages[&key].charset, encoding.name());
    }
    assert_eq!(golden.problem("charset-contradicted"), Some(1));
}

#[tokio::test]
async fn frames_and_tables() {
    let site = Site::with(vec![
        ("/", Reply::html("<frameset cols='20%,*'><frame src=/menu.htm><frame src=/main.htm></frameset>")),
        ("/menu.htm", page("m", "<a href=/one.htm target=main>one</a>")),
        ("/main.htm", page("t", &format!("<table><tr><td bgcolor=red>{}</td></tr></table>", text(3, 200)))),
        ("/one.htm", page("o", "<center><font color=blue>old</font></center>")),
    ]);
    let golden = Golden::read(&site).await;
    assert_eq!(golden.site.pages.total, 4, "what frames show belongs to the site");
    assert_eq!(golden.page("/").kind, PageKind::Frames);
    assert_eq!(golden.page("/main.htm").kind, PageKind::Document);
    assert_eq!(golden.page("/").accessibility.frames_without_title, 2);
}

#[tokio::test]
async fn five_hundred_pages_and_more() {
    const PAGES: usize = 620;
    let site = Site::of(|path| {
        let number = path.trim_start_matches("/p").parse::<usize>();
        match (path, number) {
            ("/", _) => page("h", "<a href=/p0>first</a>"),
            (_, Ok(n)) if n < PAGES => {
                let links: String = [2 * n + 1, 2 * n + 2]
                    .iter()
                    .filter(|n| **n < PAGES)
                    .map(|n| format!("<a href=/p{n}>{n}</a>"))
                    .collect();
                page(
                    &format!("Page {n}"),
                    &format!("<article><h1>{n}</h1><p>{}</p></article>{links}", text(n, 180)),
                )
            }
            _ => Reply::status(404),
        }
    });
    let golden = Golden::read(&site).await;
    assert_eq!(golden.site.pages.total as usize, PAGES + 1);
    assert_eq!(golden.site.size_class, SizeClass::Enterprise);
    assert!(golden.site.pages.templates <= 4, "{} templates", golden.site.pages.templates);
    assert_eq!(golden.site.truncated, None);
    assert!(golden.site.duplicates.exact.is_empty(), "every text is another one");
    let again = Golden::read(&site).await;
    let told = |golden: &Golden| serde_json::to_string(&golden.site).expect("JSON");
    assert_eq!(told(&golden), told(&again), "the same site gives the same analysis");
}

#[tokio::test]
async fn base_addresses_and_query_pages() {
    let site = Site::with(vec![
        (
            "/",
            Reply::html(
                "<base href=/sub/><a href=a.html>a</a><a href='/index.php?id=1'>1</a><a href='/index.php?id=2'>2</a>",
            ),
        ),
        ("/sub/a.html", page("a", "<form action=send><input name=q></form><img src=i.gif alt=i>")),
        ("/sub/i.gif", Reply::new("image/gif", GIF)),
        ("/index.php?id=1", page("One", &text(1, 40))),
        ("/index.php?id=2", page("Two", &text(2, 40))),
    ]);
    let golden = Golden::read(&site).await;
    assert_eq!(golden.site.pages.total, 4);
    assert_eq!(golden.page("/index.php?id=2").title.as_deref(), Some("Two"));
    assert_eq!(golden.page("/sub/a.html").forms[0].action, format!("{}/sub/send", golden.origin));
}

#[tokio::test]
async fn a_first_look_needs_a_handful_of_requests() {
    let site = Site::of(|path| match path {
        "/" => page("Front", &"<a href=/x>x</a>".repeat(12)),
        "/robots.txt" => Reply::new("text/plain", "User-agent: *\nCrawl-delay: 0\nSitemap: /map.xml\n"),
        "/map.xml" => {
            let urls: String = (0..33).map(|n| format!("<url><loc>/p{n}</loc></url>")).collect();
            Reply::new("application/xml", format!("<urlset>{urls}</urlset>"))
        }
        _ => Reply::status(404),
    });
    let seen = shallow(&fetcher(&site), &site.url("/"), SizeBounds::default()).await.expect("a first look");
    assert_eq!((seen.estimated_pages, seen.size_class), (33, SizeClass::Large));
    assert_eq!(seen.front_page.title.as_deref(), Some("Front"));
    assert_eq!(seen.sitemaps, [site.url("/map.xml").to_string()]);
    assert!(site.requests() <= 4, "{:?}", site.all_requests());
}
