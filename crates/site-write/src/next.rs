//! The Next.js that a project is written for: the newest maintained major, or 14 for who has to stay with it. What differs
//! between them is here by name; where it is a different text, the file that writes it asks.

use serde::{Deserialize, Serialize};

/// A major version of Next.js.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Next {
    /// With React 19 and Turbopack.
    #[default]
    #[serde(rename = "16")]
    Sixteen,
    /// With React 18 and webpack.
    #[serde(rename = "14")]
    Fourteen,
}

impl Next {
    /// Is it what projects are written for unless somebody says otherwise?
    pub fn is_newest(&self) -> bool {
        *self == Self::default()
    }

    /// The package file of every project, and its lock file.
    pub const fn packages(self) -> (&'static str, &'static str) {
        match self {
            Self::Sixteen => (crate::PACKAGE_JSON, crate::PACKAGE_LOCK),
            Self::Fourteen => (
                include_str!("../template/next-14/package.json"),
                include_str!("../template/next-14/package-lock.json"),
            ),
        }
    }

    /// As much of both as a build needs.
    pub const fn build_packages(self) -> (&'static str, &'static str) {
        match self {
            Self::Sixteen => (crate::BUILD_JSON, crate::BUILD_LOCK),
            Self::Fourteen => (
                include_str!("../template/next-14/build/package.json"),
                include_str!("../template/next-14/build/package-lock.json"),
            ),
        }
    }

    /// The file of Next's configuration.
    pub const fn configuration(self) -> &'static str {
        match self {
            Self::Sixteen => "next.config.ts",
            Self::Fourteen => "next.config.mjs",
        }
    }

    /// The file that sees every request first, if there is one.
    pub const fn proxy(self) -> &'static str {
        match self {
            Self::Sixteen => "proxy.ts",
            Self::Fourteen => "middleware.ts",
        }
    }

    /// The file of the page for addresses that do not exist, which is a whole document.
    pub const fn not_found(self) -> &'static str {
        match self {
            Self::Sixteen => "app/global-not-found.tsx",
            Self::Fourteen => "app/not-found.tsx",
        }
    }
}
