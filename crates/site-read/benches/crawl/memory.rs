//! Peak memory of crawls of ever larger generated sites.

use std::error::Error;
use std::fmt::Write as _;
use std::sync::Arc;

use crate::figures::{self, Figures};
use crate::server;

const SIZES: [usize; 3] = [500, 5_000, 50_000];
/// Links from each page to its children: sites are wide rather than deep.
const CHILDREN: usize = 20;

pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let mut found: Vec<(usize, Figures)> = Vec::new();
    for size in SIZES {
        let address = server::start(move |path| page(path, size))?;
        let folder = tempfile::tempdir()?;
        let figures = figures::of_child(&format!("http://{address}/"), folder.path(), size)?;
        if figures.pages != size as u64 {
            return Err(format!("{} pages were read instead of {size}", figures.pages).into());
        }
        found.push((size, figures));
    }
    println!(
        "pages    peak MiB   of the first   seconds   of it for the site   CPU ms/page   of it for the site"
    );
    let first = found[0].1.peak_bytes as f64;
    for (size, figures) in found {
        let peak = figures.peak_bytes as f64;
        let Figures { seconds, cpu_seconds, site_seconds, site_cpu_seconds, .. } = figures;
        let [each, site] = [cpu_seconds, site_cpu_seconds].map(|cpu| cpu * 1000.0 / size as f64);
        print!("{size:<8} {:<10.1} {:<14.2} {seconds:<9.1} ", peak / 1048576.0, peak / first);
        println!("{site_seconds:<20.1} {each:<13.3} {site:.3}");
    }
    Ok(())
}

/// Page N links to its children, its neighbours and a few others, and shows a picture of its own.
fn page(path: &str, size: usize) -> Arc<[u8]> {
    let number = match path {
        "/" => 0,
        path if path.ends_with(".gif") => {
            return server::response("200 OK", "image/gif", format!("GIF89a{path}").as_bytes());
        }
        path => match path.strip_prefix("/page-").and_then(|n| n.parse().ok()) {
            Some(number) => number,
            None => return server::response("404 Not Found", "text/html", b"<p>not here"),
        },
    };
    let mut html =
        format!("<!doctype html><html lang=en><title>Page {number}</title><h1>Page {number}</h1><ul>");
    let children = (1..=CHILDREN).map(|child| number * CHILDREN + child);
    let neighbours = [number + 1, number.saturating_sub(1), number / CHILDREN, size / 2];
    for target in children.chain(neighbours).filter(|target| (1..size).contains(target)) {
        let _ = write!(html, "<li><a href=/page-{target}>Page {target}</a>");
    }
    html.push_str("</ul>");
    for paragraph in 0..8 {
        let _ = write!(
            html,
            "<p>Paragraph {paragraph} of page {number} says something about its matter, {} times.",
            number * 31 % 97
        );
    }
    let _ = write!(html, "<img src=/picture-{}.gif alt=''>", number % 1000);
    server::response("200 OK", "text/html; charset=utf-8", html.as_bytes())
}
