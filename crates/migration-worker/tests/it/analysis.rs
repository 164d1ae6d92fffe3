//! What ANALYZE leaves: a first look at once, the whole when it is whole, and a record that the next attempt goes on
//! from.

use crate::{
    process::{program, settings},
    world::{BOUND, Bell, Running, World, page, small_site},
};
use domain::analysis::{Depth, SizeClass};
use std::{collections::BTreeMap, time::Duration};
use store::PageFilter;
use testkit::{
    site::{Answer, StaticSite},
    wait,
};

const PAGES: usize = 40;
const STALLED: &str = "/page20.html";

fn path(n: usize) -> String {
    format!("/page{n:02}.html")
}

/// A front page that links to forty others, one of which never answers.
async fn forty_pages() -> StaticSite {
    let links: String = (0..PAGES).map(|n| format!("<a href=\"{}\">{n}</a> ", path(n))).collect();
    let mut pages =
        BTreeMap::from([("/".to_owned(), Answer::html(format!("<title>Home</title><p>Hello</p>{links}")))]);
    for n in 0..PAGES {
        pages.insert(path(n), page(&format!("Page {n}"), &format!("This is what page {n} says.")));
    }
    let site = StaticSite::serve(pages).await;
    site.answer(STALLED, Answer::stalled("text/html"));
    site
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_look_is_there_while_the_site_is_still_read_and_the_whole_when_it_is_done() {
    let (world, site) = (World::new().await, small_site().await);
    site.answer("/about.html", Answer::stalled("text/html"));
    let mut config = world.config(Bell::Away, site.addr());
    config.finish_within = Duration::ZERO;
    let running = Running::start(config).await;
    let (migration, _) = world.start(&site).await;
    let tenant = world.member.tenant;
    let seen = || async { world.gateway.analysis(tenant, migration, 1).await.expect("a look") };
    let shallow = wait::until("a first look", BOUND, seen).await;
    assert_eq!(shallow.analysis.depth, Depth::Shallow);
    assert!(shallow.analysis.facts["frontPage"].is_object(), "{}", shallow.analysis.facts);
    let pages = || async {
        let filter = PageFilter { limit: 100, ..PageFilter::default() };
        world.gateway.site_pages(tenant, migration, 1, &filter).await.expect("a look")
    };
    assert!(pages().await.is_empty(), "the site is still being read");
    running.stop().await;

    site.answer("/about.html", page("About", "Here now."));
    let running = Running::start(world.config(Bell::Away, site.addr())).await;
    world.reaches(migration, "completed").await;
    let deep = seen().await.expect("kept").analysis;
    let pages = pages().await;
    assert_eq!((deep.depth, deep.size_class), (Depth::Deep, SizeClass::Small));
    assert_eq!(usize::try_from(deep.pages).expect("a count"), pages.len());
    assert!(deep.ai_seconds > 0);
    assert_eq!(pages[0].kind, "home");
    let urls: Vec<&str> = pages.iter().map(|page| page.url.as_str()).collect();
    assert!(urls.is_sorted() && urls.iter().any(|url| url.ends_with("/about.html")), "{urls:?}");
    let about = pages.iter().find(|page| page.url.ends_with("/about.html")).expect("listed");
    assert_eq!((about.title.as_deref(), about.status), (Some("About"), 200));
    let (_, facts) =
        world.gateway.site_page(tenant, migration, 1, about.number).await.expect("a look").expect("there");
    assert_eq!(facts["title"], "About");
    wait::until_true("the journal to be removed", BOUND, || async {
        world.count("SELECT count(*) FROM crawl_visits").await == 0
            && world.count("SELECT count(*) FROM crawl_journals").await == 0
    })
    .await;
    running.stop().await;
}

/// kill -9 in the middle of a crawl: the next worker asks for nothing that was answered before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crawl_goes_on_where_a_killed_worker_left_it() {
    let (world, site) = (World::new().await, forty_pages().await);
    let lease = "[lease]\nttl = \"3s\"\nheartbeat = \"500ms\"\nmargin = \"1s\"\n";
    let mut first = program(&world, &(settings(&world, Bell::Away, &site, "") + lease), &[], &[]);
    let (migration, _) = world.start(&site).await;
    let recorded = "SELECT count(*) FROM crawl_visits WHERE key LIKE 'Page %/page%'";
    wait::until_true("all pages but one to be recorded", BOUND, || async {
        world.count(recorded).await == PAGES as i64 - 1
    })
    .await;
    first.kill();
    let front_page = site.hits("/");
    assert_eq!(site.hits(STALLED), 1);

    site.answer(STALLED, page("Page 20", "It was only slow."));
    let mut config = world.config(Bell::Away, site.addr());
    config.lease.ttl = Duration::from_secs(3);
    config.lease.heartbeat = Duration::from_millis(500);
    config.lease.margin = Duration::from_secs(1);
    let second = Running::start(config).await;
    world.reaches(migration, "completed").await;
    for n in 0..PAGES {
        let in_flight = usize::from(path(n) == STALLED);
        assert_eq!(site.hits(&path(n)), 1 + in_flight, "{}", path(n));
    }
    assert_eq!(site.hits("/"), front_page, "nor was the front page read again");
    let starts: Vec<i32> = world.phases(migration).await.iter().map(|phase| phase.starts).collect();
    assert_eq!(starts, [2, 1, 1, 1, 1]);
    let deep =
        world.gateway.analysis(world.member.tenant, migration, 1).await.expect("a look").expect("kept");
    assert_eq!((deep.analysis.depth, deep.analysis.pages), (Depth::Deep, PAGES as i32 + 1));
    second.stop().await;
}
