//! How large a site is.

use serde::{Deserialize, Serialize};

/// A site's size, by its pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SizeClass {
    /// Up to five.
    Small,
    /// Up to twenty.
    Medium,
    /// More.
    Large,
    /// Beyond the configured bound.
    Enterprise,
}

impl SizeClass {
    /// The name in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Medium => "medium",
            Self::Large => "large",
            Self::Enterprise => "enterprise",
        }
    }
}

/// Where classes change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SizeBounds {
    /// A site with more pages is an enterprise's.
    pub large: u32,
}

impl Default for SizeBounds {
    fn default() -> Self {
        Self { large: 500 }
    }
}

impl SizeBounds {
    /// The most pages of a small and of a medium site.
    const SMALL: u32 = 5;
    const MEDIUM: u32 = 20;

    /// The class of a site with so many pages. One whose reading was cut by its pages has more than were read.
    pub(crate) fn class(self, pages: u32, truncated: Option<&str>) -> SizeClass {
        let pages = if truncated == Some("pages") { pages.saturating_add(1) } else { pages };
        match pages {
            pages if pages > self.large => SizeClass::Enterprise,
            0..=Self::SMALL => SizeClass::Small,
            pages if pages <= Self::MEDIUM => SizeClass::Medium,
            _ => SizeClass::Large,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_change_at_their_bounds() {
        let bounds = SizeBounds { large: 100 };
        let cases = [
            (1, "small"),
            (5, "small"),
            (6, "medium"),
            (20, "medium"),
            (21, "large"),
            (100, "large"),
            (101, "enterprise"),
        ];
        for (pages, class) in cases {
            assert_eq!(bounds.class(pages, None).as_str(), class, "{pages}");
        }
        assert_eq!(bounds.class(100, Some("pages")), SizeClass::Enterprise);
        assert_eq!(bounds.class(100, Some("time")), SizeClass::Large);
    }
}
