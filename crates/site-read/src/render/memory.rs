//! How much memory a process and all that descend from it take, read from /proc.

use super::process;
use std::{collections::HashMap, fs};

/// Bytes that are theirs alone: the programs that they share with the rest of the system do not count.
pub(super) fn of_tree(root: u32) -> u64 {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for (pid, parent) in process::parents() {
        children.entry(parent).or_default().push(pid);
    }
    let mut sum = 0;
    let mut waiting = vec![root];
    while let Some(pid) = waiting.pop() {
        sum += of(pid);
        waiting.extend(children.remove(&pid).unwrap_or_default());
    }
    sum
}

/// Of one process; one that ended since takes nothing any more.
fn of(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let kibibytes = |name: &str| -> u64 {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
    };
    (kibibytes("RssAnon:") + kibibytes("RssShmem:")) * 1024
}
