//! How much memory a process and all that descend from it take, read from /proc.

use std::collections::HashMap;

/// Bytes that are theirs alone: the programs that they share with the rest of the system do not count.
pub(super) fn of_tree(root: u32) -> u64 {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    let mut bytes: HashMap<u32, u64> = HashMap::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // One that ended since takes nothing any more.
        let Ok(status) = std::fs::read_to_string(entry.path().join("status")) else { continue };
        let number = |name: &str| -> u64 {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
        };
        if let Ok(parent) = u32::try_from(number("PPid:")) {
            children.entry(parent).or_default().push(pid);
        }
        bytes.insert(pid, (number("RssAnon:") + number("RssShmem:")) * 1024);
    }
    let mut sum = 0;
    let mut waiting = vec![root];
    while let Some(pid) = waiting.pop() {
        sum += bytes.remove(&pid).unwrap_or(0);
        waiting.extend(children.remove(&pid).unwrap_or_default());
    }
    sum
}
