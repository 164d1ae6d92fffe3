//! What one crawl took.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

/// Ticks of processor time in a second, as Linux shows them to programs.
const TICKS: f64 = 100.0;

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Figures {
    pub(crate) pages: u64,
    pub(crate) seconds: f64,
    pub(crate) cpu_seconds: f64,
    /// Of both, what the analysis of the site took after the crawl; that of each page is part of the crawl.
    pub(crate) site_seconds: f64,
    pub(crate) site_cpu_seconds: f64,
    pub(crate) peak_bytes: u64,
}

/// Processor time of this process so far.
pub(crate) fn cpu_seconds() -> Result<f64, Box<dyn Error>> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    // Behind the name, which may hold anything but ends with the last parenthesis.
    let rest = stat.rsplit(')').next().unwrap_or_default();
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).ok_or("no such field");
    Ok((ticks(11)? + ticks(12)?) / TICKS)
}

/// The most memory that this process ever held.
pub(crate) fn peak_bytes() -> Result<u64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib * 1024)
}

/// Crawls in a process of its own.
pub(crate) fn of_child(url: &str, out: &Path, pages: usize) -> Result<Figures, Box<dyn Error>> {
    let output = Command::new(std::env::current_exe()?)
        .args(["read", url])
        .arg(out)
        .arg(pages.to_string())
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("the crawl of {url} failed").into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}
