//! What processes hold in memory: the proportional share, so that pages which several share count once.

use crate::Result;

/// Resident bytes of the processes.
pub(crate) fn resident(pids: &[u32]) -> Result<u64> {
    let mut sum = 0;
    for pid in pids {
        let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
        let line = text.lines().find(|line| line.starts_with("Pss:")).ok_or("no Pss")?;
        let kibibytes: u64 = line.split_whitespace().nth(1).ok_or("no number")?.parse()?;
        sum += kibibytes * 1024;
    }
    Ok(sum)
}

/// The processes that this one started.
pub(crate) fn children(parent: u32) -> Result<Vec<u32>> {
    let text = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"))?;
    text.split_whitespace().map(|pid| Ok(pid.parse()?)).collect()
}
