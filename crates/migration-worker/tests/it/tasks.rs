//! Jobs of kinds that are bound to endpoints, programs and containers: done, failed, retried, called off, and ended with
//! their worker.

mod containers;

use crate::{
    process::{program, settings},
    world::{BOUND, Bell, Running, World, small_site},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{
    CorrelationId, JobId, failure::Reason, job::JobState, schedule::Missed, task::Needs, trace::TraceContext,
};
use hmac::{Hmac, KeyInit, Mac};
use migration_worker::{Config, TasksOptions};
use serde_json::{Value, json};
use sha2::Sha256;
use std::{fs, net::SocketAddr, process::Command, time::Duration};
use store::{EnqueueOutcome, EnqueueRequest, JobRecord, NewSchedule, NewTask, StopOutcome, StopRequest};
use testkit::wait;
use time::OffsetDateTime;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::AbortHandle,
};
use uuid::Uuid;

const SECRET: &str = "a secret of 24 or more characters";

impl World {
    async fn enqueue(&self, kind: &str, payload: Value, max_attempts: u32) -> JobId {
        self.enqueue_needing(Needs::default(), kind, payload, max_attempts).await
    }

    async fn enqueue_needing(&self, needs: Needs, kind: &str, payload: Value, max_attempts: u32) -> JobId {
        let id = JobId(Uuid::now_v7());
        let task = NewTask {
            id,
            kind: kind.to_owned(),
            payload,
            priority: 0,
            run_at: None,
            max_attempts,
            unique_key: None,
            destination: None,
            needs,
        };
        let wish = EnqueueRequest {
            tenant: self.member.tenant,
            user: self.member.user,
            tasks: vec![task],
            correlation: CorrelationId(Uuid::now_v7()),
            trace: TraceContext::default(),
            idempotency: None,
            answer: |_| Value::Null,
        };
        let came = self.gateway.enqueue_tasks(&wish).await.expect("an answer");
        assert!(matches!(came, EnqueueOutcome::Enqueued(_)), "{came:?}");
        id
    }

    async fn job(&self, id: JobId) -> JobRecord {
        self.gateway.job(self.member.tenant, id).await.expect("a look").expect("it was enqueued")
    }

    async fn ends(&self, id: JobId, state: JobState) -> JobRecord {
        wait::until_true(&format!("the job to be {state}"), BOUND, || async {
            self.job(id).await.state == state
        })
        .await;
        self.job(id).await
    }

    async fn stop_job(&self, job: JobId) -> StopOutcome {
        let (tenant, user) = (self.member.tenant, self.member.user);
        let wish = StopRequest { tenant, user, job, trace: TraceContext::default() };
        self.gateway.stop_job(&wish).await.expect("an answer")
    }
}

/// A worker that is bound to these kinds.
async fn bound(world: &World, kinds: &str) -> Running {
    Running::start(config(world, kinds)).await
}

fn config(world: &World, kinds: &str) -> Config {
    let mut config = world.config(Bell::Notify, SocketAddr::from(([127, 0, 0, 1], 1)));
    config.jobs = toml::from_str::<TasksOptions>(kinds).expect("kinds");
    config.lease.heartbeat = Duration::from_millis(200);
    config
}

fn script(name: &str, text: &str, more: &str) -> String {
    format!("[kinds.{name}]\nexecutor = 'subprocess'\ncommand = ['/bin/sh', '-c', '''{text}''']\n{more}\n")
}

/// Is a process whose command line holds this text alive on this machine?
fn lives(marker: &str) -> bool {
    command_lines().any(|line| line.contains(marker))
}

/// The program itself, not what makes its cell: that binds the cell to its worker's life before the program begins.
fn runs(marker: &str) -> bool {
    command_lines().any(|line| line.starts_with("/bin/sh\0") && line.contains(marker))
}

fn command_lines() -> impl Iterator<Item = String> {
    let processes = fs::read_dir("/proc").expect("Linux").filter_map(Result::ok);
    processes.map(|one| {
        String::from_utf8_lossy(&fs::read(one.path().join("cmdline")).unwrap_or_default()).into_owned()
    })
}

/// Its kind asks for nothing: it is the job's own word that there is no room for, until there is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_needs_more_than_is_left_is_put_off_and_counts_no_attempt() {
    let world = World::new().await;
    let cgroup = tempfile::tempdir().expect("a folder");
    fs::write(cgroup.path().join("memory.max"), "1000\n").expect("written");
    fs::write(cgroup.path().join("memory.current"), "500\n").expect("written");
    let mut config = config(&world, &script("size", "cat >/dev/null; echo 1", ""));
    config.resources.cgroup = Some(cgroup.path().to_owned());
    config.resources.every = Duration::from_millis(20);
    config.resources.put_off = Duration::from_millis(100);
    config.poll = Duration::from_millis(100);
    let running = Running::start(config).await;
    let large = Needs { memory: 600, disk: 0 };
    let job = world.enqueue_needing(large, "size", json!({}), 1).await;
    let put_off = || async {
        let moves = world.moves(job).await;
        moves.iter().filter(|told| told.starts_with("RUNNING>PENDING snoozed")).count() >= 2
    };
    wait::until_true("the job to be put off again and again", BOUND, put_off).await;
    // One that fits is not held up by it.
    let small = world.enqueue_needing(Needs { memory: 300, disk: 0 }, "size", json!({}), 1).await;
    world.ends(small, JobState::Completed).await;
    let (file, next) = (cgroup.path().join("memory.current"), cgroup.path().join("next"));
    fs::write(&next, "299\n").and_then(|()| fs::rename(next, file)).expect("written");
    let ended = world.ends(job, JobState::Completed).await;
    assert_eq!((ended.attempts, ended.needs), (0, large));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_gets_the_envelope_in_a_cell_and_its_answer_is_the_result() {
    let world = World::new().await;
    let readable = world.folder.path().join("words");
    fs::write(&readable, "\"granted\"").expect("written");
    let inside = "printf '{\"interfaces\": %s, \"root\": \"%s\", \"secrets\": \"%s\", \"environment\": \"%s\"}' \
                  \"$(grep -c : /proc/net/dev)\" \"$(ls -d /root /home /work 2>/dev/null)\" \
                  \"$(cat /etc/passwd /proc/1/environ 2>/dev/null | tr -d '\\0\\n\\\"')\" \"$(env | cut -d= -f1 | sort | tr '\\n' ' ')\"";
    let kinds = [
        script("echo", "cat", ""),
        script("look", inside, ""),
        script("quiet", "true", ""),
        script(
            "granted",
            &format!("cat {}", readable.display()),
            &format!("readable = ['{}']", readable.display()),
        ),
    ]
    .concat();
    let worker = bound(&world, &kinds).await;
    let payload = json!({"text": "é\n", "n": 7});
    let id = world.enqueue("echo", payload.clone(), 3).await;
    let done = world.ends(id, JobState::Completed).await;
    let told = json!({"jobId": id, "kind": "echo", "run": 1, "attempt": 1, "epoch": 1, "payload": payload});
    assert_eq!(done.result, Some(told));
    assert_eq!(world.moves(id).await.len(), 4);
    let look = world.enqueue("look", json!(null), 1).await;
    let result = world.ends(look, JobState::Completed).await.result.expect("a result");
    assert_eq!((&result["interfaces"], &result["root"]), (&json!(1), &json!("")), "{result}");
    let environment = result["environment"].as_str().expect("text");
    assert!(
        environment
            .split(' ')
            .all(|name| matches!(name, "" | "HOME" | "LANG" | "PATH" | "PWD" | "SHLVL" | "TZ" | "_")),
        "{environment}"
    );
    assert!(!result["secrets"].as_str().expect("text").contains("root:"), "{result}");
    let quiet = world.enqueue("quiet", json!("x".repeat(60_000)), 1).await;
    assert_eq!(world.ends(quiet, JobState::Completed).await.result, Some(Value::Null));
    let granted = world.enqueue("granted", json!({}), 1).await;
    assert_eq!(world.ends(granted, JobState::Completed).await.result, Some(json!("granted")));
    // What is offered is what is bound.
    let kinds = world.gateway.job_kinds(world.member.tenant).await.expect("a look");
    assert_eq!(
        kinds.iter().map(|kind| kind.name.as_str()).collect::<Vec<_>>(),
        ["echo", "granted", "look", "quiet"]
    );
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_way_to_fail_has_its_reason_and_only_what_may_pass_is_tried_again() {
    let world = World::new().await;
    let kinds = [
        script("refuses", "echo 'no such width'; exit 65", ""),
        script("fails", "exit 3", ""),
        script("talks", "echo '<html>'", ""),
        script("floods", "head -c 1000000 /dev/zero | tr '\\0' 7", "max_result_bytes = 1000"),
        script("hangs", "sleep 600", "timeout = '400ms'"),
        // Keeps a megabyte more each time.
        script(
            "grows",
            "while :; do x=\"$x$(head -c 1000000 /dev/zero | tr '\\0' 7)\"; done",
            "memory = 33554432",
        ),
    ]
    .concat();
    let worker = bound(&world, &kinds).await;
    for (kind, attempts, reason, code, told) in [
        ("refuses", 1, Reason::InvalidInput, "task_refused", "no such width"),
        ("fails", 2, Reason::Internal, "task_failed", "status 3"),
        ("talks", 1, Reason::InvalidInput, "result_not_json", "no JSON"),
        ("floods", 1, Reason::InvalidInput, "result_too_large", "1000 bytes"),
        ("hangs", 2, Reason::ToolTimeout, "task_timeout", "longer"),
        ("grows", 2, Reason::Internal, "task_outgrew_memory", "33554432"),
    ] {
        let id = world.enqueue(kind, json!({}), 2).await;
        let failed = world.ends(id, JobState::Failed).await;
        let error = failed.last_error.expect("why");
        assert_eq!((failed.attempts, &error["reason"]), (attempts, &json!(reason)), "{kind}: {error}");
        assert_eq!(error["code"], code, "{kind}");
        assert!(error["message"].as_str().is_some_and(|message| message.contains(told)), "{kind}: {error}");
    }
    assert_eq!(world.count("SELECT count(*) FROM dead_letters WHERE state = 'open'").await, 6);
    assert_eq!(world.count("SELECT count(*) FROM leases").await, 0);
    worker.stop().await;
}

/// A server of one answer per request, which keeps what it was sent.
struct Endpoint {
    address: SocketAddr,
    heard: mpsc::UnboundedReceiver<Heard>,
    serving: AbortHandle,
}

struct Heard {
    head: String,
    body: Vec<u8>,
}

impl Heard {
    fn header(&self, name: &str) -> &str {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).expect(name).1
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Endpoint {
    /// Gives these answers in turn: status line, headers and body; then nothing more.
    async fn serve(answers: Vec<(&'static str, &'static str)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let (tell, heard) = mpsc::unbounded_channel();
        let mut answers = answers.into_iter();
        let serve = async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let Some(heard) = read(&mut stream).await else { continue };
                let Some((head, body)) = answers.next() else { return };
                let _ = tell.send(heard);
                let length = body.len();
                let answer =
                    format!("HTTP/1.1 {head}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        };
        #[expect(clippy::disallowed_methods, reason = "a server of the test, which ends with it")]
        let serving = tokio::spawn(serve).abort_handle();
        Self { address, heard, serving }
    }

    fn kind(&self, name: &str) -> String {
        format!(
            "[kinds.{name}]\nexecutor = 'http'\nurl = 'http://{}/work?a=b'\nsecret = '{SECRET}'\n",
            self.address
        )
    }

    async fn heard(&mut self) -> Heard {
        wait::within("a request", BOUND, self.heard.recv()).await.expect("it serves")
    }
}

async fn read(stream: &mut TcpStream) -> Option<Heard> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, _)) = text.split_once("\r\n\r\n") {
            let mut lines = head.lines().filter_map(|line| line.split_once(": "));
            let (_, length) = lines.find(|(key, _)| key.eq_ignore_ascii_case("content-length"))?;
            let length: usize = length.parse().ok()?;
            if bytes.len() >= head.len() + 4 + length {
                let body = bytes[head.len() + 4..].to_vec();
                return Some(Heard { head: head.to_owned(), body });
            }
        }
        let read = stream.read(&mut chunk).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&chunk[..read]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_gets_signed_requests_and_may_fail_at_first() {
    let world = World::new().await;
    let answers = vec![("500 Oh", ""), ("201 Created\r\ncontent-type: application/json", "{\"made\": [1]}")];
    let mut endpoint = Endpoint::serve(answers).await;
    let worker = bound(&world, &endpoint.kind("mail")).await;
    let id = world.enqueue("mail", json!({"to": "é"}), 3).await;
    let (first, second) = (endpoint.heard().await, endpoint.heard().await);
    let done = world.ends(id, JobState::Completed).await;
    assert_eq!((done.result, done.attempts), (Some(json!({"made": [1]})), 1));
    assert_eq!(done.last_error.expect("of the first")["reason"], "upstream_5xx");
    assert!(first.head.starts_with("POST /work?a=b HTTP/1.1"), "{}", first.head);
    for (attempt, heard) in [(1, &first), (2, &second)] {
        let told: Value = serde_json::from_slice(&heard.body).expect("JSON");
        let expected = json!({"jobId": id, "kind": "mail", "run": 1, "attempt": attempt, "epoch": attempt,
                              "payload": {"to": "é"}});
        assert_eq!(told, expected);
        assert_eq!(heard.header("webhook-id"), id.to_string());
        assert_eq!(heard.header("idempotency-key"), format!("\"{id}-1\""), "the same for both");
        let sent_at: i64 = heard.header("webhook-timestamp").parse().expect("seconds");
        assert!((OffsetDateTime::now_utc().unix_timestamp() - sent_at).abs() < 300);
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any length");
        mac.update(format!("{id}.{sent_at}.").as_bytes());
        mac.update(&heard.body);
        let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        assert_eq!(heard.header("webhook-signature"), signature);
    }
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_endpoint_refuses_is_not_tried_again_and_a_pause_is_kept() {
    let world = World::new().await;
    let answers = vec![
        ("422 No", "{\"why\": \"address unknown\"}"),
        ("302 Found\r\nlocation: http://127.0.0.1:1/elsewhere", ""),
        ("200 Ok", "<html>"),
        ("429 Slow\r\nretry-after: 120", ""),
    ];
    let mut endpoint = Endpoint::serve(answers).await;
    let away =
        "[kinds.away]\nexecutor = 'http'\nurl = 'http://127.0.0.1:1/'\nsecret = '0123456789abcdef01234567'\n";
    let worker = bound(&world, &[endpoint.kind("mail"), away.to_owned()].concat()).await;
    for (reason, code) in [
        (Reason::InvalidInput, "endpoint_refused"),
        (Reason::InvalidInput, "endpoint_redirects"),
        (Reason::InvalidInput, "result_not_json"),
    ] {
        let id = world.enqueue("mail", json!({}), 3).await;
        let failed = world.ends(id, JobState::Failed).await;
        endpoint.heard().await;
        let error = failed.last_error.expect("why");
        assert_eq!((failed.attempts, &error["reason"], &error["code"]), (1, &json!(reason), &json!(code)));
    }
    let id = world.enqueue("mail", json!({}), 3).await;
    let waits = world.ends(id, JobState::WaitingRetry).await;
    assert_eq!(waits.last_error.expect("why")["retryAfterMs"], 120_000);
    assert!(waits.run_at > OffsetDateTime::now_utc() + Duration::from_secs(60), "{}", waits.run_at);
    assert_eq!(world.stop_job(id).await, StopOutcome::Cancelled);
    let id = world.enqueue("away", json!({}), 1).await;
    let error = world.ends(id, JobState::Failed).await.last_error.expect("why");
    assert_eq!(error["code"], "endpoint_unreachable");
    assert!(!error.to_string().contains("127.0.0.1"), "the operator's address is not told: {error}");
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_is_called_off_takes_its_program_with_it_and_no_slot_of_a_sites_move() {
    let (world, site) = (World::new().await, small_site().await);
    let marker = format!("run-{}", Uuid::now_v7());
    let mut config = config(&world, &script("hangs", &format!(": {marker}; sleep 600; :"), ""));
    config.allow_addresses = vec![site.addr()];
    config.concurrency = 1;
    let worker = Running::start(config).await;
    let id = world.enqueue("hangs", json!({}), 3).await;
    wait::until_true("the program to run", BOUND, || async { runs(&marker) }).await;
    let (migration, _) = world.start(&site).await;
    world.reaches(migration, "completed").await;
    assert_eq!(world.job(id).await.state, JobState::Running);
    assert_eq!(world.stop_job(id).await, StopOutcome::Requested);
    world.ends(id, JobState::Cancelled).await;
    wait::until_true("the program to end", BOUND, || async { !lives(&marker) }).await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_stops_hands_its_job_back_and_one_that_is_killed_loses_it_with_its_program() {
    let (world, site) = (World::new().await, small_site().await);
    let marker = format!("run-{}", Uuid::now_v7());
    let kinds = script("hangs", &format!(": {marker}; sleep 600; :"), "").replace("[kinds.", "[jobs.kinds.");
    let more = "finish_within = \"100ms\"\n[lease]\nttl = \"3s\"\nheartbeat = \"1s\"\nmargin = \"500ms\"";
    let told = [settings(&world, Bell::Notify, &site, more), kinds].concat();
    let id = world.enqueue("hangs", json!({}), 3).await;
    let running = async || wait::until_true("the program to run", BOUND, || async { runs(&marker) }).await;
    let gone = async || wait::until_true("the program to end", BOUND, || async { !lives(&marker) }).await;

    let mut first = program(&world, &told, &[], &[]);
    running().await;
    first.terminate();
    assert_eq!(first.exited(BOUND).await.code(), Some(0), "{}", first.log());
    gone().await;
    let handed_back = world.job(id).await;
    assert_eq!((handed_back.state, handed_back.attempts), (JobState::Pending, 0));

    let mut second = program(&world, &told, &[], &[]);
    running().await;
    second.kill();
    second.exited(BOUND).await;
    gone().await;
    // Another worker, which does not take it, finds that it is lost.
    let mut config = config(&world, "");
    config.lease = migration_worker::LeaseOptions {
        ttl: Duration::from_secs(3),
        heartbeat: Duration::from_secs(1),
        margin: Duration::from_millis(500),
    };
    let other = Running::start(config).await;
    wait::until_true("the job to be found lost", BOUND, || async { world.job(id).await.attempts == 1 }).await;
    assert_eq!(world.job(id).await.last_error.expect("why")["reason"], "lost_worker");
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_without_the_engine_of_a_kind_does_not_start_and_says_why() {
    let (world, site) = (World::new().await, small_site().await);
    let kinds = "[jobs.kinds.render]\nexecutor = \"container\"\nimage = \"render:1\"\n";
    let file = world.folder.path().join("worker.toml");
    fs::write(&file, [settings(&world, Bell::Notify, &site, ""), kinds.to_owned()].concat())
        .expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_migration-worker"));
    command.arg("--config").arg(file).env("PATH", world.folder.path());
    let mut worker = testkit::process::Child::spawn("migration-worker", command);
    assert_ne!(worker.exited(BOUND).await.code(), Some(0));
    let log = worker.log();
    assert!(log.contains("jobs.kinds.render") && log.contains("docker") && log.contains("PATH"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schedule_whose_time_has_come_is_carried_out_without_anybody_asking() {
    let world = World::new().await;
    let worker = bound(&world, &script("echo", "cat", "")).await;
    let member = world.member;
    let offered = async || !world.gateway.job_kinds(member.tenant).await.expect("a look").is_empty();
    wait::until_true("the kind to be offered", BOUND, offered).await;
    let schedule = NewSchedule {
        tenant: member.tenant,
        user: member.user,
        name: "hourly".to_owned(),
        cron: "0 * * * *".to_owned(),
        time_zone: "UTC".to_owned(),
        missed: Missed::Once,
        kind: "echo".to_owned(),
        payload: json!({"n": 1}),
        priority: 0,
        destination: None,
        needs: Needs::default(),
        max_attempts: 1,
        paused: false,
    };
    world.gateway.set_schedule(&schedule).await.expect("an answer");
    let due = "UPDATE schedules SET next_at = next_at - interval '1 hour'";
    world.db.sql().await.execute(due, &[]).await.expect("the owner may");
    let fired = async || {
        let found =
            world.gateway.schedule(member.tenant, "hourly").await.expect("a look").expect("it stands");
        found.1.first().map(|firing| firing.job)
    };
    wait::until_true("the schedule to fire", BOUND, async || fired().await.is_some()).await;
    let done = world.ends(fired().await.expect("a job"), JobState::Completed).await;
    assert_eq!(done.result.expect("a result")["payload"], json!({"n": 1}));
    worker.stop().await;
}
