//! The confinement: which programs are needed, and the command line that shuts a browser in.
//!
//! The browser runs in a cell (`cell.rs`). Chromium keeps its own sandbox inside, also when we are root: in there it
//! is not. The one thing shared with the outside, if anything, is the proxy's socket, and a relay (socat) makes it the
//! port that Chromium takes a proxy at. Without a socket nothing leads out.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::cell::{Cells, on_path};
use super::{Unavailable, chromium, policy};

/// Where the proxy's socket is inside.
const SOCKET: &str = "/run/proxy";

/// Starts the relay, waits until it listens (port 3128 is 0C38), and becomes the browser. Our pipes arrive as
/// standard input and output, since no others can be handed over; Chromium wants them as 3 and 4.
const START: &str = r#"
ulimit -c 0
ulimit -d "$1" || exit 71
shift
[ -S /run/proxy ] || exec "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1
socat -t 30 TCP-LISTEN:3128,bind=127.0.0.1,fork,reuseaddr,backlog=64 UNIX-CONNECT:/run/proxy </dev/null >/dev/null 2>&1 &
tries=0
until grep -q ':0C38 00000000:0000 0A' /proc/net/tcp; do
    tries=$((tries + 1))
    [ "$tries" -lt 500 ] || exit 70
    sleep 0.01
done
exec "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1
"#;

const FLAGS: &[&str] = &[
    "--headless=new", // which the one that has no windows ignores
    "--remote-debugging-pipe",
    "--user-data-dir=/tmp/profile",
    // The way out: all of it through the proxy, also what names a loopback; no other protocol, no look-ups.
    "--proxy-server=http://127.0.0.1:3128",
    "--proxy-bypass-list=<-loopback>",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--disable-quic",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    // Nothing of its own accord.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--dns-prefetch-disable",
    "--disable-domain-reliability",
    "--disable-client-side-phishing-detection",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-breakpad",
    "--no-pings",
    "--no-first-run",
    "--no-default-browser-check",
    "--metrics-recording-only",
    "--disable-features=Translate,OptimizationHints,MediaRouter,DialMediaRouteProvider,\
     AutofillServerCommunication,CertificateTransparencyComponentUpdater,NetworkTimeServiceQuerying",
    // Nothing to ask anybody.
    "--deny-permission-prompts",
    "--disable-notifications",
    "--password-store=basic",
    "--mute-audio",
    // Pictures without what changes from run to run.
    "--disable-gpu",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--font-render-hinting=none",
    // Small.
    "--renderer-process-limit=4",
    "--js-flags=--max-old-space-size=512",
    "--disable-logging",
    "about:blank",
];

/// What is run.
#[derive(Debug)]
pub struct Programs {
    cells: Cells,
    chromium: PathBuf,
    /// The same without windows, where there is one.
    shell: Option<PathBuf>,
}

impl Programs {
    /// Looks for the given Chromium, or for one in the usual places, and for what confines it.
    pub fn find(chromium: Option<&Path>) -> Result<Self, Unavailable> {
        let chromium = chromium::find(Path::new("/"), chromium)?;
        let cells = Cells::find()?;
        on_path("socat", "socat")?;
        let shell = chromium::shell_beside(&chromium);
        Ok(Self { cells, chromium, shell })
    }

    /// Says whether this machine allows it.
    pub fn try_out(&self) -> Result<(), Unavailable> {
        self.cells.try_out()
    }

    /// A browser whose only way out is the socket, under the policy of the file beside it, each of its processes
    /// bounded to so much memory. One that has no way out needs no policy, so the cheaper program will do for it.
    pub(super) fn browser(&self, way_out: Option<(&Path, &Path)>, max_memory: u64) -> Command {
        let mut command = self.shut_in(way_out);
        command.args(["sh", "-c", START, "sh"]);
        let cheaper = self.shell.as_ref().filter(|_| way_out.is_none());
        command.arg((max_memory / 1024).to_string()).arg(cheaper.unwrap_or(&self.chromium)).args(FLAGS);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        command
    }

    /// Shuts in what is appended, with the socket as the only way out.
    fn shut_in(&self, way_out: Option<(&Path, &Path)>) -> Command {
        let mut command = self.confined();
        if let Some((socket, rules)) = way_out {
            command.arg("--bind").arg(socket).arg(SOCKET);
            for place in policy::PLACES {
                command.arg("--ro-bind").arg(rules).arg(place);
            }
        }
        command.args(["--remount-ro", "/run", "--remount-ro", "/dev", "--remount-ro", "/", "--"]);
        command
    }

    fn confined(&self) -> Command {
        let mut command = self.cells.command("browser");
        if let Some(folder) = self.chromium.parent().filter(|folder| !folder.starts_with("/usr")) {
            command.arg("--ro-bind").args([folder, folder]);
        }
        command
    }
}

#[cfg(test)]
mod tests {
    use super::super::cell::{SCRATCH, private_folder};
    use super::*;

    /// What a shell says inside.
    fn inside(script: &str) -> String {
        let folder = private_folder().expect("a folder");
        let socket = folder.path().join("proxy");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
        let programs = Programs::find(None).expect("chromium, bubblewrap and socat: `make setup`");
        let rules = folder.path().join("policy");
        std::fs::write(&rules, "{}").expect("written");
        let output = programs
            .shut_in(Some((&socket, &rules)))
            .args(["sh", "-c", script])
            .stdin(Stdio::null())
            .output();
        let output = output.expect("bubblewrap runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    #[test]
    fn nothing_of_ours_is_inside() {
        let seen = inside("ls -A / /etc /run /tmp; env; id -u; echo $$");
        let lines: Vec<&str> = seen.lines().collect();
        for gone in ["root", "home", "work", "var", "passwd", "shadow", "resolv.conf", "ssl", "resettle"] {
            assert!(!lines.contains(&gone), "{gone} in {seen}");
        }
        assert!(lines.contains(&"proxy"), "the socket is there: {seen}");
        assert!(!seen.contains("CARGO"), "our environment stays outside: {seen}");
        assert!(lines.contains(&"1000"), "not root, whoever we are: {seen}");
    }

    #[test]
    fn only_a_loopback_is_inside() {
        let seen = inside("grep : /proc/net/dev; cat /proc/net/route");
        let interfaces = seen.lines().filter_map(|line| line.split_once(':')).map(|(name, _)| name.trim());
        assert_eq!(interfaces.collect::<Vec<_>>(), ["lo"], "{seen}");
    }

    #[test]
    fn nothing_can_be_written_but_scratch_that_goes_away() {
        let places = "for at in / /usr /etc /dev /run /tmp /dev/shm; do touch $at/x 2>/dev/null && echo $at; done; true";
        assert_eq!(inside(places).lines().collect::<Vec<_>>(), ["/tmp", "/dev/shm"]);
        let held = inside("dd if=/dev/zero of=/tmp/x bs=1M count=400 2>/dev/null; stat -c %s /tmp/x");
        assert_eq!(held.trim(), SCRATCH, "scratch is bounded");
    }

    #[test]
    fn no_process_of_ours_is_seen_from_inside() {
        let seen = inside("ls /proc | grep -c '^[0-9]'");
        assert!(seen.trim().parse::<u32>().is_ok_and(|count| count < 8), "{seen}");
    }
}
