//! What is known by its name: scripts, hosts, platforms. Tables, and the one way to look something up in each. A pattern is a
//! piece of what is looked up, in lower case; the first that fits decides, so the more particular stands first.

mod scripts;

pub use scripts::{Loading, Service, at as script_at, is_of_next_js, saying as script_saying};

/// What other parties' hosts are for, by how the host ends.
const HOSTS: &[(&str, &str)] = &[
    ("fonts.googleapis.com", "fonts"),
    ("fonts.gstatic.com", "fonts"),
    ("use.typekit.net", "fonts"),
    ("use.fontawesome.com", "fonts"),
    ("kit.fontawesome.com", "fonts"),
    ("fonts.bunny.net", "fonts"),
    ("youtube.com", "video"),
    ("youtube-nocookie.com", "video"),
    ("ytimg.com", "video"),
    ("vimeo.com", "video"),
    ("wistia.com", "video"),
    ("dailymotion.com", "video"),
    ("soundcloud.com", "audio"),
    ("spotify.com", "audio"),
    ("google.com", "maps or widgets"),
    ("openstreetmap.org", "maps"),
    ("mapbox.com", "maps"),
    ("gravatar.com", "avatars"),
    ("cdnjs.cloudflare.com", "libraries"),
    ("cdn.jsdelivr.net", "libraries"),
    ("unpkg.com", "libraries"),
    ("ajax.googleapis.com", "libraries"),
    ("code.jquery.com", "libraries"),
    ("bootstrapcdn.com", "libraries"),
    ("stackpath.bootstrapcdn.com", "libraries"),
    ("cloudfront.net", "content delivery"),
    ("akamaihd.net", "content delivery"),
    ("gstatic.com", "content delivery"),
];

/// Platforms by an address that their pages refer to.
const PLATFORMS: &[(&str, &str)] = &[
    ("/wp-content/", "WordPress"),
    ("/wp-includes/", "WordPress"),
    ("cdn.shopify.com", "Shopify"),
    ("squarespace.com", "Squarespace"),
    ("parastorage.com", "Wix"),
    ("website-files.com", "Webflow"),
    ("/sites/default/files/", "Drupal"),
    ("/core/misc/drupal", "Drupal"),
    ("/media/jui/", "Joomla"),
    ("/media/system/js/", "Joomla"),
    ("/typo3temp/", "TYPO3"),
    ("/ghost/", "Ghost"),
    ("weebly.com", "Weebly"),
    ("/_next/", "Next.js"),
    ("/_nuxt/", "Nuxt"),
    ("/_astro/", "Astro"),
    ("/page-data/", "Gatsby"),
    ("/_app/immutable/", "SvelteKit"),
    ("/_static/documentation_options.js", "Sphinx"),
    ("/_static/doctools.js", "Sphinx"),
    ("doxygen.css", "Doxygen"),
    ("/skin/frontend/", "Magento"),
    ("/mage/", "Magento"),
];

/// Names of query parameters and responses' headers that tell nothing but who sends them.
const HEADERS: &[(&str, &str, &str)] = &[
    ("server", "nginx", "nginx"),
    ("server", "apache", "Apache"),
    ("server", "litespeed", "LiteSpeed"),
    ("server", "microsoft-iis", "IIS"),
    ("server", "cloudflare", "Cloudflare"),
    ("server", "caddy", "Caddy"),
    ("server", "vercel", "Vercel"),
    ("server", "netlify", "Netlify"),
    ("x-powered-by", "php", "PHP"),
    ("x-powered-by", "asp.net", "ASP.NET"),
    ("x-powered-by", "express", "Express"),
    ("x-powered-by", "next.js", "Next.js"),
    ("x-powered-by", "wp engine", "WP Engine"),
    ("x-generator", "drupal", "Drupal"),
];

/// What a host is for, if it is known.
pub(crate) fn host_purpose(host: &str) -> Option<&'static str> {
    let fits =
        |known: &str| host.strip_suffix(known).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    HOSTS.iter().find(|(known, _)| fits(known)).map(|&(_, purpose)| purpose)
}

/// The platform that an address is a mark of.
pub(crate) fn platform_at(address: &str) -> Option<&'static str> {
    PLATFORMS.iter().find(|(piece, _)| address.contains(piece)).map(|&(_, name)| name)
}

/// The technologies that an answer's headers tell of.
pub(crate) fn from_headers<'a>(
    headers: impl Iterator<Item = (&'a str, &'a str)>,
) -> impl Iterator<Item = &'static str> {
    headers.flat_map(|(name, value)| {
        let value = value.to_ascii_lowercase();
        let known = HEADERS.iter().filter(move |(header, piece, _)| *header == name && value.contains(piece));
        known.map(|&(.., technology)| technology)
    })
}

/// A version such as `3.7.1` right after the first digit that follows a separator in a file's name or path.
pub(crate) fn version_in(address: &str) -> Option<String> {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    // The numbers of a host are no version.
    let path =
        path.split_once("://").map_or(path, |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
    path.split(['/', '@', '-', '_']).rev().find_map(|piece| {
        let piece = piece.trim_start_matches(['v', 'V', '.']);
        let length = piece.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(piece.len());
        let version = piece[..length].trim_end_matches('.');
        let parts = version.split('.').count();
        let numbers = version.split('.').all(|part| !part.is_empty() && part.len() <= 5);
        (numbers && (2..=4).contains(&parts)).then(|| version.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_names_and_paths() {
        let cases = [
            ("https://code.jquery.com/jquery-3.7.1.min.js", Some("3.7.1")),
            ("https://cdn.jsdelivr.net/npm/bootstrap@5.3.2/dist/js/bootstrap.min.js", Some("5.3.2")),
            ("/ajax/libs/jquery/1.12.4/jquery.min.js?v=9", Some("1.12.4")),
            ("/js/site.js", None),
            ("http://127.0.0.1:8000/js/site.js", None),
            ("http://127.0.0.1/jquery-3.7.1.js", Some("3.7.1")),
            ("/2024/app.js", None),
            ("/js/app-1234567.8.js", None),
        ];
        for (address, version) in cases {
            assert_eq!(version_in(address).as_deref(), version, "{address}");
        }
    }

    #[test]
    fn hosts_fit_whole_labels_only() {
        assert_eq!(host_purpose("www.youtube.com"), Some("video"));
        assert_eq!(host_purpose("notyoutube.com"), None);
        assert_eq!(platform_at("/wp-content/themes/x/style.css"), Some("WordPress"));
        let headers = [("server", "nginx/1.22"), ("x-powered-by", "PHP/8.2")];
        assert_eq!(from_headers(headers.into_iter()).collect::<Vec<_>>(), ["nginx", "PHP"]);
    }
}
