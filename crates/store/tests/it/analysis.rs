//! Analyses, pages and the journal of a crawl: kept whole, seen when they are complete, bounded, and tidied away.

use crate::world::{World, carried, done, event, site_analysis, site_page, visit};
use domain::{analysis::Depth, phase::Phase};
use serde_json::json;
use store::{Lease, PageFilter, PhaseStart};

fn first(limit: u32) -> PageFilter {
    PageFilter { limit, ..PageFilter::default() }
}

async fn numbers(world: &World, lease: &Lease, filter: &PageFilter) -> Vec<i32> {
    let pages =
        world.gateway.site_pages(lease.tenant, carried(lease).migration, carried(lease).run, filter).await;
    pages.expect("a look").iter().map(|page| page.number).collect()
}

#[tokio::test]
async fn pages_are_seen_when_the_deep_analysis_is_complete_and_not_before() {
    let world = World::new().await;
    let (_, lease) = world.running("https://example.com/").await;
    let read = || world.gateway.analysis(lease.tenant, carried(&lease).migration, carried(&lease).run);
    assert_eq!(read().await.expect("a look"), None);
    done(world.worker.keep_analysis(&lease, &site_analysis(Depth::Shallow)).await);
    let shallow = read().await.expect("a look").expect("there");
    assert_eq!((shallow.run, shallow.analysis), (1, site_analysis(Depth::Shallow)));

    let pages = [
        site_page("/", "home", &[]),
        site_page("/a", "article", &["missing-alt"]),
        site_page("/b", "article", &["missing-alt", "missing-title"]),
    ];
    done(world.worker.write_site_pages(&lease, 1, &pages).await);
    assert!(numbers(&world, &lease, &first(10)).await.is_empty());
    let one = || world.gateway.site_page(lease.tenant, carried(&lease).migration, carried(&lease).run, 2);
    assert_eq!(one().await.expect("a look"), None);

    let deep = site_analysis(Depth::Deep);
    let result = json!({"snapshot": "x"});
    done(world.worker.complete_analysis(&lease, &deep, &result, &[event(9)]).await);
    assert_eq!(read().await.expect("a look").expect("there").analysis, deep);
    let (page, facts) = one().await.expect("a look").expect("there");
    assert_eq!((page.url.as_str(), page.title.as_deref()), ("https://example.com/a", Some("Page /a")));
    assert_eq!(facts, json!({"title": "Page /a"}), "U+0000 cannot be stored");
    let again = world.worker.begin_phase(&lease, Phase::Analyze, &[]).await;
    assert_eq!(done(again), PhaseStart::AlreadyComplete(result.clone()));

    // Said again after a lost answer, it is done and tells nothing twice.
    let told = world.told(carried(&lease).migration).await;
    done(world.worker.complete_analysis(&lease, &deep, &result, &[event(9)]).await);
    assert_eq!(world.told(carried(&lease).migration).await, told);
}

#[tokio::test]
async fn pages_are_paged_and_filtered_in_canonical_order() {
    let world = World::new().await;
    let (_, lease) = world.running("https://example.com/").await;
    let pages: Vec<_> = (0..25)
        .map(|n| {
            let problems: &[&str] = if n % 5 == 0 { &["missing-alt", "no-title"] } else { &[] };
            site_page(&format!("/{n:02}"), if n % 2 == 0 { "article" } else { "listing" }, problems)
        })
        .collect();
    for (batch, from) in pages.chunks(10).zip([1, 11, 21]) {
        done(world.worker.write_site_pages(&lease, from, batch).await);
    }
    done(world.worker.complete_analysis(&lease, &site_analysis(Depth::Deep), &json!({}), &[]).await);
    let mut seen = Vec::new();
    loop {
        let filter = PageFilter { after: seen.last().copied().unwrap_or(0), ..first(7) };
        let page = numbers(&world, &lease, &filter).await;
        if page.is_empty() {
            break;
        }
        seen.extend(page);
    }
    assert_eq!(seen, (1..=25).collect::<Vec<_>>());
    let filtered = |kind: Option<&str>, problem: Option<&str>| PageFilter {
        kind: kind.map(str::to_owned),
        problem: problem.map(str::to_owned),
        ..first(100)
    };
    let listings = numbers(&world, &lease, &filtered(Some("listing"), None)).await;
    assert_eq!(listings, (2..=25).step_by(2).collect::<Vec<_>>());
    assert_eq!(numbers(&world, &lease, &filtered(None, Some("no-title"))).await, [1, 6, 11, 16, 21]);
    assert_eq!(numbers(&world, &lease, &filtered(Some("article"), Some("no-title"))).await, [1, 11, 21]);
    assert!(numbers(&world, &lease, &filtered(Some("home"), None)).await.is_empty());
}

#[tokio::test]
async fn an_attempt_replaces_the_pages_that_another_one_left() {
    let world = World::new().await;
    let (_, first_lease) = world.running("https://example.com/").await;
    let old: Vec<_> = (0..5).map(|n| site_page(&format!("/old{n}"), "article", &[])).collect();
    done(world.worker.write_site_pages(&first_lease, 1, &old).await);
    let lease = world.take_over(first_lease.job).await;
    done(world.worker.begin_job(&lease, &[]).await);
    done(world.worker.begin_phase(&lease, Phase::Analyze, &[]).await);
    // The same addresses in another place: none stands in the way of the other.
    done(world.worker.write_site_pages(&lease, 1, &[old[3].clone(), old[0].clone()]).await);
    done(world.worker.complete_analysis(&lease, &site_analysis(Depth::Deep), &json!({}), &[]).await);
    let pages = world
        .gateway
        .site_pages(lease.tenant, carried(&lease).migration, carried(&lease).run, &first(10))
        .await;
    let urls: Vec<_> = pages.expect("a look").into_iter().map(|page| page.url).collect();
    assert_eq!(urls, ["https://example.com/old3", "https://example.com/old0"]);
    // No page twice in a run.
    let twice = world.worker.write_site_pages(&lease, 1, &[old[0].clone(), old[0].clone()]).await;
    assert!(twice.is_err(), "{twice:?}");
}

#[tokio::test]
async fn however_many_pages_an_attempt_left_no_transaction_takes_many_away() {
    let world = World::new().await;
    let (request, lease) = world.running("https://example.com/").await;
    done(world.worker.write_site_pages(&lease, 1, &[site_page("/", "home", &[])]).await);
    let many = "INSERT INTO site_pages (migration_id, run, number, tenant_id, url, url_hash, kind, status, words, depth,
                                        problems, problem_codes, body_hash, facts)
                SELECT migration_id, run, n, tenant_id, url || n, sha256(n::text::bytea), kind, status, words, depth,
                       problems, problem_codes, body_hash, facts
                FROM site_pages, generate_series(2, 4500) AS n";
    assert_eq!(world.sql.execute(many, &[]).await.expect("the owner may"), 4499);
    let watch = "CREATE FUNCTION count_gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF (SELECT count(*) FROM gone) > 2000 THEN RAISE EXCEPTION 'too many at once'; END IF;
            RETURN NULL;
        END $$;
        CREATE TRIGGER watch AFTER DELETE ON site_pages REFERENCING OLD TABLE AS gone
        FOR EACH STATEMENT EXECUTE FUNCTION count_gone()";
    world.sql.batch_execute(watch).await.expect("the owner may");
    done(world.worker.write_site_pages(&lease, 1, &[site_page("/new", "home", &[])]).await);
    let left: i64 =
        world.one("SELECT count(*) FROM site_pages WHERE migration_id = $1", request.migration.0).await;
    assert_eq!(left, 1);
}

#[tokio::test]
async fn a_journal_gives_back_what_was_recorded_last_to_whoever_holds_the_job() {
    let world = World::new().await;
    let (_, lease) = world.running("https://example.com/").await;
    assert!(world.worker.recorded_keys(&lease, None).await.expect("a look").is_empty());
    done(world.worker.record_visits(&lease, &[visit(1, b"one\0"), visit(2, b"two")]).await);
    done(world.worker.record_visits(&lease, &[visit(2, b"second"), visit(3, b"three")]).await);
    let lease = world.take_over(lease.job).await;
    assert_eq!(world.worker.recorded_keys(&lease, None).await.expect("a look"), [[1; 16], [2; 16], [3; 16]]);
    assert_eq!(world.worker.recorded_keys(&lease, Some([2; 16])).await.expect("a look"), [[3; 16]]);
    let mut found = world.worker.recall_visits(&lease, &[[2; 16], [9; 16], [1; 16]]).await.expect("a look");
    found.sort();
    assert_eq!(found, [([1; 16], b"one\0".to_vec()), ([2; 16], b"second".to_vec())]);
    let counted: i32 = world
        .one("SELECT visits FROM crawl_journals WHERE migration_id = $1", carried(&lease).migration.0)
        .await;
    assert_eq!(counted, 3);
    let full = "UPDATE crawl_journals SET visits = 1000000 WHERE migration_id = $1";
    world.sql.execute(full, &[&carried(&lease).migration.0]).await.expect("the owner may");
    assert!(world.worker.record_visits(&lease, &[visit(7, b"more")]).await.is_err(), "it is full");
}

#[tokio::test]
async fn a_journal_outlives_its_crawl_until_the_result_is_kept_and_is_removed_in_steps() {
    let world = World::new().await;
    let (_, lease) = world.running("https://example.com/").await;
    let visits: Vec<_> = (0..5).map(|n| visit(n, b"{}")).collect();
    done(world.worker.record_visits(&lease, &visits).await);
    assert!(world.worker.old_journals(10).await.expect("a look").is_empty(), "it is still needed");
    done(world.worker.complete_analysis(&lease, &site_analysis(Depth::Deep), &json!({}), &[]).await);
    let old = world.worker.old_journals(10).await.expect("a look");
    assert_eq!(old.iter().map(|journal| journal.migration).collect::<Vec<_>>(), [carried(&lease).migration]);
    let remove = async |limit| world.worker.remove_journal(&old[0], limit).await.expect("a removal");
    assert!(!remove(3).await);
    let left: i64 = world
        .one("SELECT count(*) FROM crawl_visits WHERE migration_id = $1", carried(&lease).migration.0)
        .await;
    assert_eq!(left, 2);
    assert!(remove(3).await);
    assert!(world.worker.old_journals(10).await.expect("a look").is_empty());
}

#[tokio::test]
async fn the_journal_of_a_job_that_is_over_is_old() {
    let world = World::new().await;
    let (_, lease) = world.running("https://example.com/").await;
    done(world.worker.record_visits(&lease, &[visit(1, b"{}")]).await);
    done(world.worker.cancel_job(&lease, &[]).await);
    let old = world.worker.old_journals(10).await.expect("a look");
    assert_eq!(old.iter().map(|journal| journal.migration).collect::<Vec<_>>(), [carried(&lease).migration]);
}
