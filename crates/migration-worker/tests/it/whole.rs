//! One migration from its start to its artefact.

use crate::world::{BOUND, Bell, Running, World, detail, small_site};
use domain::{
    event::{Event, EventType},
    phase::Phase,
};
use migration_worker::{CompareOptions, CompareWhen};
use serde_json::{Value, json};
use std::{collections::BTreeMap, io::Read, path::Path};
use testkit::{
    site::{Answer, StaticSite},
    wait,
};

async fn completes(bell: Bell) {
    let (world, site) = (World::new().await, small_site().await);
    let running = Running::start(world.config(bell, site.addr())).await;
    let (migration, job) = world.start(&site).await;
    world.reaches(migration, "completed").await;

    let events = world.events(migration).await;
    let last = events.last().expect("a history");
    assert_eq!((last.event_type, last.progress), (EventType::Done, 100));
    assert_eq!(detail(last, "success"), true);
    let completed: Vec<_> =
        events.iter().filter(|e| detail(e, "status") == "completed").map(|e| e.phase).collect();
    assert_eq!(completed, Phase::ALL.map(Some));
    assert!(events.windows(2).all(|pair| pair[0].progress <= pair[1].progress), "progress never falls");
    assert!(events.windows(2).all(|pair| pair[0].phase <= pair[1].phase), "phases come in order");

    // No toolchain is configured here, and that is said.
    let unchecked =
        |event: &&Event| detail(event, "notes").as_str().is_some_and(|n| n.contains("not type-checked"));
    assert_eq!(events.iter().filter(unchecked).map(|e| e.event_type).collect::<Vec<_>>(), [EventType::Log]);

    let phases = world.phases(migration).await;
    assert!(phases.iter().all(|phase| phase.completed && phase.starts == 1), "{phases:?}");
    let record =
        world.gateway.migration(world.member.tenant, migration).await.expect("a look").expect("there");
    assert_eq!(record.project_id.map(|id| id.to_string()).as_deref(), detail(last, "projectId").as_str());
    assert_eq!(
        world.moves(job).await,
        [
            ">PENDING enqueued 0",
            "PENDING>PREPARING claimed 1",
            "PREPARING>RUNNING started 1",
            "RUNNING>COMPLETED completed 1"
        ]
    );
    assert_eq!(world.count("SELECT count(*) FROM leases").await, 0);
    assert_eq!(running.metric("resettle_job_wait_seconds", None), 1.0);
    wait::until_true("the run to be measured", BOUND, || async {
        running.metric("resettle_job_run_seconds", Some(("outcome", "completed"))) == 1.0
    })
    .await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migration_completes_over_rabbitmq() {
    completes(Bell::Amqp).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migration_completes_over_notify() {
    completes(Bell::Notify).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migration_completes_by_polling_alone() {
    completes(Bell::Away).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_artefact_holds_what_its_manifest_says_and_the_same_site_gives_the_same_bytes() {
    let (world, site) = (World::new().await, small_site().await);
    let running = Running::start(world.config(Bell::Away, site.addr())).await;
    let mut results = Vec::new();
    for _ in 0..2 {
        let (migration, _) = world.start(&site).await;
        world.reaches(migration, "completed").await;
        let phases = world.phases(migration).await;
        let deployed = phases.iter().find(|phase| phase.phase == Phase::Deploy).expect("deployed");
        results.push(deployed.result.clone().expect("a result"));
    }
    assert_eq!(results[0]["sha256"], results[1]["sha256"]);
    assert_ne!(results[0]["artifact"], results[1]["artifact"]);
    running.stop().await;

    let object = |key: &Value| {
        let path = world.folder.path().join("objects").join(key.as_str().expect("a key"));
        std::fs::read(path).expect("the object is there")
    };
    let archive = object(&results[0]["artifact"]);
    assert_eq!(results[0]["bytes"], archive.len());
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(archive)).expect("a zip");
    let manifest: Value = serde_json::from_slice(&object(&results[0]["manifest"])).expect("JSON");
    let mut contents = BTreeMap::new();
    for place in 0..zip.len() {
        let mut file = zip.by_index(place).expect("an entry");
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).expect("readable");
        contents.insert(file.name().expect("UTF-8").into_owned(), bytes);
    }
    let packed = contents.remove("manifest.json").expect("a manifest");
    assert_eq!(packed, object(&results[0]["manifest"]));
    let files = manifest["files"].as_object().expect("files");
    assert_eq!(files.len(), contents.len());
    for (path, bytes) in &contents {
        assert_eq!(files[path]["bytes"], bytes.len(), "{path}");
    }
    assert_eq!(results[0]["files"], contents.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compiler_and_browser_look_at_the_project_where_they_are() {
    let (world, site) = (World::new().await, site_with_a_viewport().await);
    let cache = std::env::var("RESETTLE_TEST_CACHE").expect("`make test` sets RESETTLE_TEST_CACHE");
    let mut config = world.config(Bell::Away, site.addr());
    config.toolchain.dir = Some(Path::new(&cache).join("toolchain"));
    config.compare = CompareOptions { when: CompareWhen::Always, pages: 2, ..CompareOptions::default() };
    let running = Running::start(config).await;
    let (migration, _) = world.start(&site).await;
    // The packages may have to be fetched first.
    wait::until_true("the migration to complete", BOUND * 5, || async {
        world.migration_state(migration).await == "completed"
    })
    .await;
    let phases = world.phases(migration).await;
    let verified =
        phases.iter().find(|phase| phase.phase == Phase::Verify).and_then(|phase| phase.result.clone());
    let verified = verified.expect("a result");
    assert_eq!(verified["typeCheck"], "passed", "{verified}");
    assert_eq!(verified["findings"], json!([]));
    let checks = verified["checks"].as_array().expect("the names of the checks");
    assert!(checks.contains(&json!("types")) && checks.contains(&json!("build")), "{checks:?}");
    let compared = &verified["compared"];
    assert_eq!((&compared["passed"], &compared["pages"]), (&json!(true), &json!(2)), "{compared}");
    assert_eq!(compared["leastAlike"], 1.0, "{compared}");
    let events = world.events(migration).await;
    let told = events
        .iter()
        .find(|event| event.event_type == EventType::Metric && detail(event, "compared").is_object());
    assert_eq!(detail(told.expect("the figures are told"), "compared"), compared);
    let path = world.folder.path().join("objects").join(verified["report"].as_str().expect("a key"));
    let report: Value =
        serde_json::from_slice(&std::fs::read(path).expect("the report is there")).expect("JSON");
    assert_eq!(report["comparison"]["pages"].as_array().map(Vec::len), Some(2), "{report}");
    running.stop().await;
}

/// Two pages that say how wide they want to be: the framework says it for those that do not, which the comparison names.
async fn site_with_a_viewport() -> StaticSite {
    let page = |title: &str, body: &str| {
        Answer::html(format!(
            "<!doctype html><html lang=en><head><title>{title}</title><meta name=viewport content='width=device-width, \
             initial-scale=1'></head><body><h1>{title}</h1>{body}</body></html>"
        ))
    };
    let (home, about) = (page("Home", "<a href=/about.html>About</a>"), page("About", "<p>Two of us.</p>"));
    StaticSite::serve([("/", home), ("/about.html", about)]).await
}
