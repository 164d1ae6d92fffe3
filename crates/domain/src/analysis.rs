//! How deep a site was looked into, and how large it is.

use crate::job::UnknownState;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// How deep an analysis goes. The order is that of depth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Depth {
    /// The front page, robots.txt and the sitemap: there within seconds, and partly an estimate.
    Shallow,
    /// Every page that was read.
    Deep,
}

/// How large a site is, by its pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SizeClass {
    /// A handful of pages.
    Small,
    /// Up to twenty.
    Medium,
    /// More.
    Large,
    /// Beyond a configured bound.
    Enterprise,
}

impl Depth {
    /// Every depth.
    pub const ALL: [Self; 2] = [Self::Shallow, Self::Deep];

    /// The name in the database and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shallow => "shallow",
            Self::Deep => "deep",
        }
    }
}

impl SizeClass {
    /// Every class, from small to large.
    pub const ALL: [Self; 4] = [Self::Small, Self::Medium, Self::Large, Self::Enterprise];

    /// The name in the database and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Medium => "medium",
            Self::Large => "large",
            Self::Enterprise => "enterprise",
        }
    }
}

impl fmt::Display for Depth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for SizeClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Depth {
    type Err = UnknownState;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|depth| depth.as_str() == text).ok_or_else(|| UnknownState(text.into()))
    }
}

impl FromStr for SizeClass {
    type Err = UnknownState;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|class| class.as_str() == text).ok_or_else(|| UnknownState(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back_and_no_other_does() {
        for depth in Depth::ALL {
            assert_eq!(depth.as_str().parse(), Ok(depth));
            assert_eq!(serde_json::to_value(depth).expect("a name"), depth.as_str());
        }
        for class in SizeClass::ALL {
            assert_eq!(class.as_str().parse(), Ok(class));
            assert_eq!(serde_json::to_value(class).expect("a name"), class.as_str());
        }
        assert!("DEEP".parse::<Depth>().is_err() && "huge".parse::<SizeClass>().is_err());
    }
}
