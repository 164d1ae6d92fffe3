//! What /proc tells of a process: whether it is halted, and what its children are. Signals nobody.

use rustix::process::Pid;

/// Is it halted by a signal, or gone?
pub(super) fn is_halted(pid: u32) -> bool {
    stat(pid).is_none_or(|(state, _)| matches!(state, 'T' | 'Z' | 'X'))
}

/// The processes that it started itself and that are still its own.
pub(super) fn children(of: u32) -> Vec<Pid> {
    let own = parents().filter(|(_, parent)| *parent == of);
    own.filter_map(|(pid, _)| Pid::from_raw(i32::try_from(pid).ok()?)).collect()
}

/// Every process, with the one whose child it is.
pub(super) fn parents() -> impl Iterator<Item = (u32, u32)> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter_map(|pid| Some((pid, stat(pid)?.1)))
}

/// State and parent, see proc_pid_stat(5).
fn stat(pid: u32) -> Option<(char, u32)> {
    let line = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name may hold anything, so count from its closing bracket.
    let mut fields = line.rsplit_once(") ")?.1.split(' ');
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::{Signal, kill_process};
    use std::process::Command;

    #[test]
    fn a_child_is_found_and_seen_to_halt() {
        let mut child = Command::new("sleep").arg("100").spawn().expect("coreutils");
        let pid = Pid::from_child(&child);
        assert!(children(std::process::id()).contains(&pid));
        assert!(!is_halted(child.id()));
        kill_process(pid, Signal::STOP).expect("it is ours");
        while !is_halted(child.id()) {
            std::thread::yield_now();
        }
        child.kill().expect("it is ours");
        child.wait().expect("it is ours");
        assert!(is_halted(child.id()), "gone");
    }
}
