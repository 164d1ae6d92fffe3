//! Reads what the system tells of memory, processors and disk: of the process's cgroup (version 2) and those above it where
//! they set limits, of the whole machine otherwise. `Documentation/admin-guide/cgroup-v2.rst` and proc(5) say what the
//! files hold.

use super::{Memory, Seen};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

/// Where Linux shows cgroups, in the second version if this file is there.
const CGROUPS: &str = "/sys/fs/cgroup";
const VERSION_2: &str = "cgroup.controllers";
/// A cgroup's files are read from itself upwards; nobody nests deeper.
const DEPTH: usize = 32;

/// Looks again and again.
pub(crate) struct Meter {
    /// The process's own cgroup, then those above it.
    cgroups: Vec<PathBuf>,
    proc: PathBuf,
    scratch: PathBuf,
    started: Instant,
    last: Option<Used>,
    told: bool,
}

/// Processor time up to a moment: what was used, and what there was.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Used {
    used: f64,
    there: f64,
}

impl Meter {
    pub(super) fn new(cgroup: Option<&Path>, scratch: &Path) -> Self {
        let proc = PathBuf::from("/proc");
        let cgroups = match cgroup {
            Some(given) => vec![given.to_owned()],
            None => own(&proc.join("self/cgroup"), Path::new(CGROUPS)),
        };
        let scratch = scratch.to_owned();
        Self { cgroups, proc, scratch, started: Instant::now(), last: None, told: false }
    }

    /// The most memory that can be had, in bytes.
    pub(crate) fn memory(&self) -> Option<u64> {
        self.memories().into_iter().map(|memory| memory.limit).min()
    }

    /// Of each cgroup with a limit, and of the machine.
    fn memories(&self) -> Vec<Memory> {
        let machine = read(&self.proc.join("meminfo")).and_then(|text| of_machine(&text));
        let groups = self.cgroups.iter().filter_map(|group| of_cgroup(group, machine.map(|of| of.limit)));
        groups.chain(machine).collect()
    }

    pub(super) fn look(&mut self) -> Seen {
        // Whatever has the least left is what will end first.
        let memory =
            self.memories().into_iter().min_by_key(|memory| memory.limit.saturating_sub(memory.used));
        let now = self.processors();
        let before = std::mem::replace(&mut self.last, now);
        let cpu = now.zip(before).and_then(|(now, before)| now.since(before));
        let disk =
            rustix::fs::statvfs(&self.scratch).ok().map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize));
        let seen = Seen { memory, cpu, disk };
        if !self.told && (memory.is_none() || disk.is_none()) {
            self.told = true;
            tracing::warn!(
                ?seen,
                "the system does not tell all of memory and disk: what is not known holds no job back"
            );
        }
        seen
    }

    /// Of the nearest cgroup with a limit on its processors, or of the machine.
    fn processors(&self) -> Option<Used> {
        let limited = self.cgroups.iter().find_map(|group| {
            let processors = read(&group.join("cpu.max")).and_then(|text| limit_of(&text))?;
            let stat = read(&group.join("cpu.stat"))?;
            let used = value(&stat, "usage_usec")? as f64 / 1e6;
            Some(Used { used, there: self.started.elapsed().as_secs_f64() * processors })
        });
        limited.or_else(|| read(&self.proc.join("stat")).and_then(|text| ticks(&text)))
    }
}

impl Used {
    fn since(self, before: Self) -> Option<f64> {
        let there = self.there - before.there;
        (there > 0.0).then(|| ((self.used - before.used) / there).clamp(0.0, 1.0))
    }
}

fn read(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok()
}

/// The process's cgroup and those above it. None where there are none of the second version.
fn own(told: &Path, root: &Path) -> Vec<PathBuf> {
    if !root.join(VERSION_2).exists() {
        return Vec::new();
    }
    let path = read(told).and_then(|text| {
        text.lines().find_map(|line| line.strip_prefix("0::/")).map(|path| root.join(path.trim_end()))
    });
    // In a namespace of its own the process sees its cgroup as the root.
    let path = path.filter(|path| path.is_dir()).unwrap_or_else(|| root.to_owned());
    path.ancestors().take_while(|above| above.starts_with(root)).take(DEPTH).map(Path::to_owned).collect()
}

/// What a cgroup may use, and uses without what it could let go of at once; none without a limit.
fn of_cgroup(group: &Path, machine: Option<u64>) -> Option<Memory> {
    let limit: u64 = read(&group.join("memory.max"))?.trim().parse().ok()?; // "max" is no limit
    let current: u64 = read(&group.join("memory.current"))?.trim().parse().ok()?;
    let idle = read(&group.join("memory.stat")).and_then(|stat| value(&stat, "inactive_file")).unwrap_or(0);
    Some(Memory {
        limit: machine.map_or(limit, |machine| limit.min(machine)),
        used: current.saturating_sub(idle),
    })
}

/// `/proc/meminfo`.
fn of_machine(text: &str) -> Option<Memory> {
    let bytes = |name: &str| value(text, name).map(|kibibytes| kibibytes.saturating_mul(1024));
    let (limit, available) = (bytes("MemTotal:")?, bytes("MemAvailable:")?);
    Some(Memory { limit, used: limit.saturating_sub(available) })
}

/// `cpu.max`: so many processors; none where there is no limit.
fn limit_of(text: &str) -> Option<f64> {
    let (quota, period) = text.trim().split_once(' ')?;
    let (quota, period): (f64, f64) = (quota.parse().ok()?, period.parse().ok()?);
    (quota > 0.0 && period > 0.0).then(|| quota / period)
}

/// `/proc/stat`: user, nice, system, idle, iowait, irq, softirq, steal.
fn ticks(text: &str) -> Option<Used> {
    let line = text.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let ticks: Vec<f64> = line.split_whitespace().take(8).filter_map(|ticks| ticks.parse().ok()).collect();
    let there: f64 = ticks.iter().sum();
    let idle = ticks.get(3)? + ticks.get(4)?;
    Some(Used { used: there - idle, there })
}

/// A number behind its name, in a file with one a line.
fn value(text: &str, name: &str) -> Option<u64> {
    let mut found = text.lines().filter_map(|line| line.split_once(char::is_whitespace));
    let (_, value) = found.find(|(key, _)| *key == name)?;
    value.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    // Recorded: a pod with a limit of 512 MiB on a node of 16 GiB, and the node itself.
    const STAT: &str = "anon 201326592\nfile 167772160\nkernel 8388608\ninactive_anon 201322496\nactive_anon 4096\n\
                        inactive_file 104857600\nactive_file 62914560\n";
    const MEMINFO: &str = "MemTotal:       16384000 kB\nMemFree:         1024000 kB\nMemAvailable:    8192000 kB\n\
                           Buffers:          204800 kB\n";

    fn cgroup(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            fs::write(folder.path().join(name), text).expect("written");
        }
        folder
    }

    #[test]
    fn a_cgroup_uses_what_it_could_not_let_go_of_and_one_without_a_limit_is_passed_over() {
        let limited = cgroup(&[
            ("memory.max", "536870912\n"),
            ("memory.current", "377487360\n"),
            ("memory.stat", STAT),
        ]);
        let seen = of_cgroup(limited.path(), Some(16 << 30));
        assert_eq!(seen, Some(Memory { limit: 512 << 20, used: 260 << 20 }));
        let node = cgroup(&[("memory.max", "max\n"), ("memory.current", "1\n"), ("memory.stat", STAT)]);
        assert_eq!(of_cgroup(node.path(), None), None);
        assert_eq!(of_cgroup(Path::new("/nowhere"), None), None);
        let boastful = cgroup(&[("memory.max", "9223372036854771712\n"), ("memory.current", "1024\n")]);
        assert_eq!(of_cgroup(boastful.path(), Some(1000)), Some(Memory { limit: 1000, used: 1024 }));
    }

    #[test]
    fn the_machine_uses_what_is_not_available() {
        let memory = of_machine(MEMINFO).expect("both lines");
        assert_eq!((memory.limit, memory.used), (16_384_000 * 1024, 8_192_000 * 1024));
        assert_eq!(of_machine("MemTotal: 1 kB\n"), None);
    }

    #[test]
    fn processors_are_shared_by_what_was_used_of_what_there_was() {
        assert_eq!(limit_of("150000 100000\n"), Some(1.5));
        assert_eq!(limit_of("max 100000\n"), None);
        let stat =
            |user: u32, idle: u32| ticks(&format!("cpu  {user} 0 0 {idle} 0 0 0 0 0 0\ncpu0 1 1 1 1\n"));
        let (before, after) = (stat(100, 900).expect("a line"), stat(175, 925).expect("a line"));
        assert_eq!(after.since(before), Some(0.75));
        assert_eq!(before.since(before), None, "no time has passed");
    }

    #[test]
    fn a_cgroup_is_found_with_those_above_it_up_to_the_root_that_the_process_sees() {
        let root = cgroup(&[(VERSION_2, "cpu memory\n"), ("told", "12:devices:/x\n0::/kubepods/pod7\n")]);
        let pod = root.path().join("kubepods/pod7");
        let told = root.path().join("told");
        assert_eq!(own(&told, root.path()), [root.path()], "in a namespace of its own");
        fs::create_dir_all(&pod).expect("made");
        let above = [pod.clone(), root.path().join("kubepods"), root.path().to_owned()];
        assert_eq!(own(&told, root.path()), above);
        assert_eq!(own(&told, &pod), Vec::<PathBuf>::new(), "of the first version");
    }

    #[test]
    fn this_machine_tells_what_it_has() {
        let mut meter = Meter::new(None, Path::new("/"));
        let seen = meter.look();
        assert!(meter.memory() >= seen.memory.map(|memory| memory.used), "{:?}", meter.memory());
        assert!(seen.memory.is_some_and(|memory| memory.limit > 0 && memory.used > 0), "{seen:?}");
        assert!(seen.disk.is_some(), "{seen:?}");
    }
}
