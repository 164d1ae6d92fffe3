//! Where a crawl stops, as it is said on the command line. What is not said is as the engine has it; what a crawl
//! cannot run with is refused here, before anything is asked for.

use clap::{Args, ValueEnum, builder::RangedU64ValueParser};
use site_read::{Limits, Render};
use std::{fmt, str::FromStr, time::Duration};

/// Most requests at once: more than this is no crawl but an attack.
const MOST_CONNECTIONS: u64 = 64;

/// How much is read, and how fast. A limit that cut something is told, and so is what it left out.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitArguments {
    /// Pages that are kept at most
    #[arg(long, value_name = "N", default_value_t = Limits::default().max_pages, value_parser = at_least_one())]
    max_pages: usize,
    /// Links between the front page and a page at most
    #[arg(long, value_name = "N", default_value_t = Limits::default().max_depth)]
    max_depth: u32,
    /// Pictures, style sheets and other files that are kept at most
    #[arg(long, value_name = "N", default_value_t = Limits::default().max_assets)]
    max_assets: usize,
    /// Bytes that are kept at most, such as 500MB or 2GiB
    #[arg(long, value_name = "SIZE", default_value_t = Size(Limits::default().max_bytes))]
    max_bytes: Size,
    /// How long it takes at most, such as 90s, 10m or 2h, interruptions not counted
    #[arg(long, value_name = "TIME", default_value_t = Span(Limits::default().max_time))]
    max_time: Span,
    /// Requests at once; a site that is slow or asks for pauses gets fewer
    #[arg(long, value_name = "N", default_value_t = Limits::default().concurrency, value_parser = connections())]
    connections: usize,
    /// Whether pages that need their scripts are rendered, if there is a Chromium that can be confined
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = RenderArgument::Auto)]
    render: RenderArgument,
    /// Among how many pages, the first ones, such are rendered; and of how many others `convert` runs the scripts
    #[arg(long, value_name = "N", default_value_t = Limits::default().max_rendered)]
    max_rendered: usize,
    /// Reads only pages below the folder of the address
    #[arg(long)]
    below: bool,
}

impl LimitArguments {
    /// For the engine.
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            max_pages: self.max_pages,
            max_depth: self.max_depth,
            max_assets: self.max_assets,
            max_bytes: self.max_bytes.0,
            max_time: self.max_time.0,
            below_start: self.below,
            concurrency: self.connections,
            render: match self.render {
                RenderArgument::Auto => Render::Auto,
                RenderArgument::Never => Render::Never,
            },
            max_rendered: self.max_rendered,
            ..Limits::default()
        }
    }
}

fn at_least_one() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..)
}

fn connections() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..=MOST_CONNECTIONS)
}

// Without a comment for each: clap would then write a screen for every option.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum RenderArgument {
    Auto,
    Never,
}

/// Bytes, as people write them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Size(u64);

/// The longer names first: each is looked for at the end.
const UNITS: [(&str, u64); 7] = [
    ("KIB", 1 << 10),
    ("MIB", 1 << 20),
    ("GIB", 1 << 30),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("B", 1),
];

impl FromStr for Size {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str =
            "not a size: write a whole number and B, kB, MB, GB, KiB, MiB or GiB, such as 500MB";
        let upper = text.trim().to_ascii_uppercase();
        let unit = UNITS.iter().find_map(|(name, bytes)| Some((upper.strip_suffix(name)?, *bytes)));
        let (number, unit) = unit.unwrap_or((&upper, 1));
        let number: u64 = number.trim().parse().map_err(|_| WRONG)?;
        number.checked_mul(unit).map(Self).ok_or("larger than any disk")
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
        match whole.iter().find(|(_, unit)| self.0 >= *unit && self.0.is_multiple_of(*unit)) {
            Some((name, unit)) => write!(f, "{}{name}", self.0 / unit),
            None => write!(f, "{}B", self.0),
        }
    }
}

/// Time, as people write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span(Duration);

impl FromStr for Span {
    type Err = humantime::DurationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        humantime::parse_duration(text).map(Self)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_duration(self.0).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        limits: LimitArguments,
    }

    fn said(arguments: &[&str]) -> Result<Limits, clap::Error> {
        let command = Command::try_parse_from([&["crawl"], arguments].concat())?;
        Ok(command.limits.limits())
    }

    #[test]
    fn what_is_not_said_is_as_the_engine_has_it() {
        assert_eq!(said(&[]).expect("nothing is said"), Limits::default());
    }

    #[test]
    fn what_is_said_holds() {
        let all = [
            "--max-pages=7",
            "--max-depth=2",
            "--max-assets=0",
            "--max-bytes=3MiB",
            "--max-time=90s",
            "--connections=1",
            "--render=never",
            "--max-rendered=4",
            "--below",
        ];
        let expected = Limits {
            max_pages: 7,
            max_depth: 2,
            max_assets: 0,
            max_bytes: 3 << 20,
            max_time: Duration::from_secs(90),
            below_start: true,
            concurrency: 1,
            render: Render::Never,
            max_rendered: 4,
            ..Limits::default()
        };
        assert_eq!(said(&all).expect("all is understood"), expected);
    }

    #[test]
    fn what_a_crawl_cannot_run_with_is_refused() {
        for wrong in [
            "--max-pages=0",
            "--connections=0",
            "--connections=65",
            "--max-bytes=much",
            "--max-bytes=-1",
            "--max-bytes=99999999999GiB",
            "--max-time=soon",
            "--max-depth=-1",
            "--render=always",
        ] {
            assert!(said(&[wrong]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_are_read_as_people_write_them_and_written_so_that_they_can_be_read() {
        for (text, bytes) in [
            ("0", 0),
            ("12", 12),
            ("12B", 12),
            ("3 kB", 3000),
            ("3kib", 3072),
            ("500MB", 500_000_000),
            ("2GiB", 2 << 30),
            ("1gb", 1_000_000_000),
        ] {
            let size: Size = text.parse().expect(text);
            assert_eq!(size, Size(bytes), "{text}");
            assert_eq!(size.to_string().parse(), Ok(size), "{size}");
        }
        assert_eq!(Size(Limits::default().max_bytes).to_string(), "2GiB");
    }
}
