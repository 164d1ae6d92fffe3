//! The confinement: which programs are needed, and the command line that shuts a browser in.
//!
//! Bubblewrap gives the browser namespaces of its own: of users (one that is nobody, with no rights), processes,
//! mounts, network (a loopback and nothing else), names and IPC. Chromium keeps its own sandbox inside, also
//! when we are root: in there it is not. The one thing shared with the outside is the proxy's socket, and a
//! relay (socat) makes it the port that Chromium takes a proxy at.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Unavailable;

/// Chromiums as distributions install them; the scripts around them read files that are not there inside.
const CHROMIUMS: [&str; 6] = [
    "/usr/lib/chromium/chromium",
    "/usr/lib/chromium/chrome",
    "/usr/lib64/chromium-browser/chromium-browser",
    "/usr/lib64/chromium/chromium",
    "/opt/google/chrome/chrome",
    "/opt/chromium/chrome",
];

/// Where the proxy's socket is inside.
const SOCKET: &str = "/run/proxy";

/// Memory for each of the folders that can be written to inside, in bytes.
const SCRATCH: &str = "268435456";

/// Starts the relay, waits until it listens (port 3128 is 0C38), and becomes the browser. Our pipes arrive as
/// standard input and output, since no others can be handed over; Chromium wants them as 3 and 4.
const START: &str = r#"
ulimit -c 0
ulimit -d "$1" || exit 71
shift
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
    "--headless=new",
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
pub(super) struct Programs {
    bwrap: PathBuf,
    chromium: PathBuf,
}

impl Programs {
    pub(super) fn find(chromium: Option<&Path>) -> Result<Self, Unavailable> {
        let usual = || CHROMIUMS.iter().map(Path::new).find(|path| is_program(path));
        let chromium = chromium.map_or_else(usual, |named| Some(named).filter(|path| is_program(path)));
        let chromium = chromium.and_then(|path| path.canonicalize().ok()).ok_or(Unavailable::NoChromium)?;
        let bwrap = on_path("bwrap", "bubblewrap")?;
        on_path("socat", "socat")?;
        Ok(Self { bwrap, chromium })
    }

    /// Confines a program that does nothing: it says whether this machine allows it.
    pub(super) fn try_out(&self) -> Result<(), Unavailable> {
        let mut command = self.confined();
        command.args(["--", "true"]).stdin(Stdio::null());
        let outcome = command.output();
        let said = match outcome {
            Ok(output) if output.status.success() => return Ok(()),
            Ok(output) => String::from_utf8_lossy(&output.stderr).trim().chars().take(300).collect(),
            Err(error) => error.to_string(),
        };
        Err(Unavailable::Confinement { said })
    }

    /// A browser whose only way out is the socket, each of its processes bounded to so much memory.
    pub(super) fn browser(&self, socket: &Path, max_memory: u64) -> Command {
        let mut command = self.shut_in(socket);
        command.args(["sh", "-c", START, "sh"]);
        command.arg((max_memory / 1024).to_string()).arg(&self.chromium).args(FLAGS);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        command
    }

    /// Shuts in what is appended, with the socket as the only way out.
    fn shut_in(&self, socket: &Path) -> Command {
        let mut command = self.confined();
        command.arg("--bind").arg(socket).arg(SOCKET);
        command.args(["--remount-ro", "/run", "--remount-ro", "/dev", "--remount-ro", "/", "--"]);
        command
    }

    fn confined(&self) -> Command {
        let mut command = Command::new(&self.bwrap);
        command.env_clear();
        command.args(["--unshare-all", "--uid", "1000", "--gid", "1000", "--hostname", "browser"]);
        command.args(["--die-with-parent", "--new-session", "--clearenv", "--chdir", "/"]);
        for (name, value) in [("PATH", "/usr/bin:/bin"), ("HOME", "/tmp"), ("LANG", "C.UTF-8"), ("TZ", "UTC")]
        {
            command.args(["--setenv", name, value]);
        }
        command.args(["--ro-bind", "/usr", "/usr"]);
        for folder in ["/bin", "/sbin", "/lib", "/lib64", "/lib32"] {
            match std::fs::read_link(folder) {
                Ok(target) => command.arg("--symlink").arg(target).arg(folder),
                Err(_) => command.args(["--ro-bind-try", folder, folder]),
            };
        }
        // The list is short on purpose: a key or a configuration may lie anywhere else under /etc.
        for file in ["/etc/fonts", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d"] {
            command.args(["--ro-bind-try", file, file]);
        }
        if let Some(folder) = self.chromium.parent().filter(|folder| !folder.starts_with("/usr")) {
            command.arg("--ro-bind").args([folder, folder]);
        }
        command.args(["--proc", "/proc", "--dev", "/dev", "--size", SCRATCH, "--tmpfs", "/dev/shm"]);
        command.args(["--size", SCRATCH, "--tmpfs", "/tmp", "--tmpfs", "/run"]);
        command
    }
}

/// A folder that only we can enter, removed on drop.
pub(super) fn private_folder() -> io::Result<tempfile::TempDir> {
    // Short: the path of a socket has some hundred bytes at most.
    tempfile::Builder::new().prefix("rs-").permissions(std::fs::Permissions::from_mode(0o700)).tempdir()
}

fn on_path(program: &'static str, package: &'static str) -> Result<PathBuf, Unavailable> {
    let path = std::env::var_os("PATH").unwrap_or_else(|| OsString::from("/usr/bin:/bin"));
    let mut folders = std::env::split_paths(&path).chain(["/usr/bin".into(), "/bin".into()]);
    let found =
        folders.find_map(|folder| Some(folder.join(OsStr::new(program))).filter(|path| is_program(path)));
    found.ok_or(Unavailable::NoProgram { program, package })
}

fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a shell says inside.
    fn inside(script: &str) -> String {
        let folder = private_folder().expect("a folder");
        let socket = folder.path().join("proxy");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
        let programs = Programs::find(None).expect("chromium, bubblewrap and socat: `make setup`");
        let output = programs.shut_in(&socket).args(["sh", "-c", script]).stdin(Stdio::null()).output();
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
