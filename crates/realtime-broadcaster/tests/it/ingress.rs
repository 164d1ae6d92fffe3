//! The sample ingress of `deploy/` before a broadcaster: real nginx, with TLS and HTTP/2, as its comments say to add.

use crate::{
    client::{Stream, path},
    world::{BOUND, World},
};
use realtime_broadcaster::Options;
use reqwest::Version;
use std::{net::SocketAddr, path::Path, process::Command, time::Duration};
use testkit::process::Child;

struct Ingress {
    address: SocketAddr,
    process: Child,
    _folder: tempfile::TempDir,
}

impl Ingress {
    /// The sample, with this test's addresses in place of the compose file's.
    async fn before(broadcaster: SocketAddr) -> Self {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).expect("a file can be written");
        };
        write("certificate", &made.cert.pem());
        write("key", &made.signing_key.serialize_pem());
        let [port] = testkit::ports::free::<1>();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/nginx.conf");
        let mut config = std::fs::read_to_string(sample).expect("the sample is there");
        let scratch = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {name};\n"))
            .concat();
        let tls =
            format!("listen {address} ssl http2;\nssl_certificate certificate;\nssl_certificate_key key;");
        let changes = [
            (
                "events {}",
                "daemon off;\nmaster_process off;\npid pid;\nerror_log stderr;\nevents {}".to_owned(),
            ),
            ("http {", format!("http {{\naccess_log off;\n{scratch}")),
            ("http://api-gateway:8080;", format!("http://{broadcaster};")),
            ("http://realtime-broadcaster:8080;", format!("http://{broadcaster};")),
            ("listen 8080;", tls),
        ];
        for (sample, here) in changes {
            assert_eq!(config.matches(sample).count(), 1, "{sample:?} in the sample");
            config = config.replace(sample, &here);
        }
        write("nginx.conf", &config);
        let mut command = Command::new("nginx");
        command.arg("-p").arg(folder.path()).args(["-e", "stderr", "-c", "nginx.conf"]);
        let process = Child::spawn("nginx", command);
        let this = Self { address, process, _folder: folder };
        testkit::wait::until_true("nginx to listen", BOUND, async || {
            tokio::net::TcpStream::connect(address).await.is_ok()
        })
        .await;
        this
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_streams_share_one_connection_of_http_2_and_no_frame_waits() {
    let options = Options {
        tail_check: Duration::from_millis(100),
        heartbeat: Duration::from_millis(200),
        ..Options::default()
    };
    let world = World::new(options).await;
    let mut ingress = Ingress::before(world.address).await;
    crate::client::http();
    let client = reqwest::Client::builder().no_proxy().tls_danger_accept_invalid_certs(true).build();
    let client = client.expect("a client");
    let migration = world.migration(&world.me).await;
    let url = format!("https://{}{}", ingress.address, path(migration));
    let mut streams = Vec::new();
    // More than the six that browsers allow over HTTP/1.1.
    for _ in 0..10 {
        let request = client.get(&url).bearer_auth(&world.me.key).header("accept-encoding", "gzip, br");
        let answer = tokio::time::timeout(BOUND, request.send()).await.expect("in time").expect("an answer");
        assert_eq!((answer.status().as_u16(), answer.version()), (200, Version::HTTP_2));
        assert!(!answer.headers().contains_key("content-encoding"), "what is compressed waits for more");
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        streams.push(Stream::of(answer, None));
    }
    for expected in 1..=5 {
        for stream in &mut streams {
            assert_eq!(stream.numbers(1).await, [expected]);
        }
        world.log(migration).await;
    }
    let beat = loop {
        let frame = streams[0].next().await.expect("the stream goes on");
        if frame.event.is_empty() {
            break frame;
        }
    };
    assert!(beat.data.is_null(), "heartbeats pass too");
    for closed in ["/metrics", "/readyz"] {
        let answer =
            client.get(format!("https://{}{closed}", ingress.address)).send().await.expect("an answer");
        assert_eq!(answer.status(), 404, "{closed} is not for strangers");
    }
    assert!(ingress.process.is_running(), "{}", ingress.process.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_are_not_compressed_whoever_asks_for_it() {
    let world = World::new(Options::default()).await;
    let migration = world.migration(&world.me).await;
    for path in [path(migration), "/api/events/stream".to_owned()] {
        let request = crate::client::http().get(format!("http://{}{path}", world.address));
        let request = request.bearer_auth(&world.me.key).header("accept-encoding", "gzip, br, zstd");
        let answer = tokio::time::timeout(BOUND, request.send()).await.expect("in time").expect("an answer");
        assert_eq!(answer.status(), 200);
        assert!(!answer.headers().contains_key("content-encoding"), "{path}");
        assert_eq!(answer.headers()["x-accel-buffering"], "no");
    }
}
