//! What is known by its name: scripts, hosts, platforms. Tables, and the one way to look something up in each.
//!
//! A pattern is a piece of an address or of a script's text, in lower case. The first that fits decides, so the
//! more particular stands first.

use super::page::ScriptKind;
use ScriptKind::{Advertising, Analytics, Consent, Framework, Library, TagManager, Widget};

/// Scripts by their address.
const BY_ADDRESS: &[(&str, ScriptKind, &str)] = &[
    ("googletagmanager.com/gtm", TagManager, "Google Tag Manager"),
    ("googletagmanager.com/gtag", Analytics, "Google Analytics"),
    ("google-analytics.com", Analytics, "Google Analytics"),
    ("connect.facebook.net", Analytics, "Meta Pixel"),
    ("clarity.ms", Analytics, "Microsoft Clarity"),
    ("hotjar.com", Analytics, "Hotjar"),
    ("plausible.io", Analytics, "Plausible"),
    ("matomo", Analytics, "Matomo"),
    ("piwik", Analytics, "Matomo"),
    ("usefathom.com", Analytics, "Fathom"),
    ("umami", Analytics, "Umami"),
    ("mc.yandex.ru", Analytics, "Yandex Metrica"),
    ("hm.baidu.com", Analytics, "Baidu Tongji"),
    ("cloudflareinsights.com", Analytics, "Cloudflare Web Analytics"),
    ("snap.licdn.com", Analytics, "LinkedIn Insight"),
    ("analytics.tiktok.com", Analytics, "TikTok Pixel"),
    ("cdn.segment.com", Analytics, "Segment"),
    ("mixpanel", Analytics, "Mixpanel"),
    ("googlesyndication.com", Advertising, "Google AdSense"),
    ("doubleclick.net", Advertising, "Google Ads"),
    ("amazon-adsystem.com", Advertising, "Amazon Ads"),
    ("criteo", Advertising, "Criteo"),
    ("cookiebot", Consent, "Cookiebot"),
    ("cookielaw.org", Consent, "OneTrust"),
    ("onetrust", Consent, "OneTrust"),
    ("usercentrics", Consent, "Usercentrics"),
    ("iubenda", Consent, "iubenda"),
    ("didomi", Consent, "Didomi"),
    ("axept.io", Consent, "Axeptio"),
    ("axeptio", Consent, "Axeptio"),
    ("tarteaucitron", Consent, "tarteaucitron"),
    ("klaro", Consent, "Klaro"),
    ("osano", Consent, "Osano"),
    ("trustarc", Consent, "TrustArc"),
    ("quantcast", Consent, "Quantcast Choice"),
    ("complianz", Consent, "Complianz"),
    ("borlabs", Consent, "Borlabs Cookie"),
    ("cookieyes", Consent, "CookieYes"),
    ("termly", Consent, "Termly"),
    ("cookieconsent", Consent, "Cookie Consent"),
    ("cookie-consent", Consent, "Cookie Consent"),
    ("recaptcha", Widget, "reCAPTCHA"),
    ("hcaptcha", Widget, "hCaptcha"),
    ("challenges.cloudflare.com", Widget, "Turnstile"),
    ("maps.googleapis.com", Widget, "Google Maps"),
    ("maps.google.com", Widget, "Google Maps"),
    ("youtube.com/iframe_api", Widget, "YouTube player"),
    ("player.vimeo.com", Widget, "Vimeo player"),
    ("intercom", Widget, "Intercom"),
    ("js.driftt.com", Widget, "Drift"),
    ("zdassets.com", Widget, "Zendesk"),
    ("tawk.to", Widget, "Tawk.to"),
    ("crisp.chat", Widget, "Crisp"),
    ("disqus.com", Widget, "Disqus"),
    ("addthis.com", Widget, "AddThis"),
    ("sharethis.com", Widget, "ShareThis"),
    ("platform.twitter.com", Widget, "X embeds"),
    ("instagram.com/embed", Widget, "Instagram embeds"),
    ("js.stripe.com", Widget, "Stripe"),
    ("paypal.com/sdk", Widget, "PayPal"),
    ("calendly.com", Widget, "Calendly"),
    ("typeform.com", Widget, "Typeform"),
    ("list-manage.com", Widget, "Mailchimp"),
    ("/_next/", Framework, "Next.js"),
    ("/_nuxt/", Framework, "Nuxt"),
    ("react-dom", Framework, "React"),
    ("react.production", Framework, "React"),
    ("react.development", Framework, "React"),
    ("/react@", Framework, "React"),
    ("angular", Framework, "Angular"),
    ("/vue@", Framework, "Vue"),
    ("vue.global", Framework, "Vue"),
    ("vue.min.js", Framework, "Vue"),
    ("vue.js", Framework, "Vue"),
    ("ember", Framework, "Ember"),
    ("alpinejs", Framework, "Alpine.js"),
    ("alpine.min.js", Framework, "Alpine.js"),
    ("htmx", Framework, "htmx"),
    ("backbone", Framework, "Backbone"),
    ("knockout", Framework, "Knockout"),
    ("jquery-ui", Library, "jQuery UI"),
    ("jquery.ui", Library, "jQuery UI"),
    ("jquery-migrate", Library, "jQuery Migrate"),
    ("jquery.easing", Library, "jQuery Easing"),
    ("jquery.magnific-popup", Library, "Magnific Popup"),
    ("magnific-popup", Library, "Magnific Popup"),
    ("datatables", Library, "DataTables"),
    ("bootstrap", Library, "Bootstrap"),
    ("jquery", Library, "jQuery"),
    ("foundation", Library, "Foundation"),
    ("modernizr", Library, "Modernizr"),
    ("lodash", Library, "Lodash"),
    ("underscore", Library, "Underscore"),
    ("moment", Library, "Moment.js"),
    ("d3.", Library, "D3"),
    ("chart.", Library, "Chart.js"),
    ("three.", Library, "three.js"),
    ("gsap", Library, "GSAP"),
    ("swiper", Library, "Swiper"),
    ("slick", Library, "Slick"),
    ("owl.carousel", Library, "Owl Carousel"),
    ("lightbox", Library, "Lightbox"),
    ("fancybox", Library, "fancyBox"),
    ("isotope", Library, "Isotope"),
    ("masonry", Library, "Masonry"),
    ("popper", Library, "Popper"),
    ("fontawesome", Library, "Font Awesome"),
    ("font-awesome", Library, "Font Awesome"),
    ("/aos", Library, "AOS"),
    ("wow.", Library, "WOW"),
    ("prism", Library, "Prism"),
    ("highlight.", Library, "highlight.js"),
    ("mathjax", Library, "MathJax"),
    ("katex", Library, "KaTeX"),
    ("leaflet", Library, "Leaflet"),
    ("select2", Library, "Select2"),
    ("require.js", Library, "RequireJS"),
    ("require.min.js", Library, "RequireJS"),
    ("polyfill", Library, "Polyfill"),
];

/// Scripts by what their text says.
const BY_TEXT: &[(&str, ScriptKind, &str)] = &[
    ("gtm.start", TagManager, "Google Tag Manager"),
    ("gtag(", Analytics, "Google Analytics"),
    ("_gaq.push", Analytics, "Google Analytics"),
    ("googleanalyticsobject", Analytics, "Google Analytics"),
    ("fbq(", Analytics, "Meta Pixel"),
    ("_paq.push", Analytics, "Matomo"),
    ("_hmt", Analytics, "Baidu Tongji"),
    ("adsbygoogle", Advertising, "Google AdSense"),
    ("cookieconsent", Consent, "Cookie Consent"),
    ("__nuxt__", Framework, "Nuxt"),
    ("__next_f", Framework, "Next.js"),
    ("intercomsettings", Widget, "Intercom"),
    ("disqus_shortname", Widget, "Disqus"),
    ("tawk_api", Widget, "Tawk.to"),
];

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

/// What a script at this address is, if it is known: its kind and name.
pub(crate) fn script_at(address: &str) -> Option<(ScriptKind, &'static str)> {
    let address = address.to_ascii_lowercase();
    BY_ADDRESS.iter().find(|(piece, ..)| address.contains(piece)).map(|&(_, kind, name)| (kind, name))
}

/// What a script with this text is, if it is known. Reads the first 64 KiB of it.
pub(crate) fn script_saying(text: &str) -> Option<(ScriptKind, &'static str)> {
    let text = head(text).to_ascii_lowercase();
    BY_TEXT.iter().find(|(piece, ..)| text.contains(piece)).map(|&(_, kind, name)| (kind, name))
}

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
    path.split(['/', '@', '-', '_']).rev().find_map(|piece| {
        let piece = piece.trim_start_matches(['v', 'V', '.']);
        let length = piece.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(piece.len());
        let version = piece[..length].trim_end_matches('.');
        let parts = version.split('.').count();
        let numbers = version.split('.').all(|part| !part.is_empty() && part.len() <= 5);
        (numbers && (2..=4).contains(&parts)).then(|| version.to_owned())
    })
}

fn head(text: &str) -> &str {
    let mut end = text.len().min(64 * 1024);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_known_scripts_are_named() {
        let named = script_at;
        assert_eq!(named("https://code.jquery.com/jquery-3.7.1.min.js"), Some((Library, "jQuery")));
        assert_eq!(named("/js/jquery-ui.min.js"), Some((Library, "jQuery UI")));
        assert_eq!(named("/vendor/bootstrap/js/bootstrap.bundle.min.js"), Some((Library, "Bootstrap")));
        assert_eq!(
            named("https://www.googletagmanager.com/gtag/js?id=G-1"),
            Some((Analytics, "Google Analytics"))
        );
        assert_eq!(named("/_next/static/chunks/main.js"), Some((Framework, "Next.js")));
        assert_eq!(named("/js/site.js"), None);
        assert_eq!(script_saying("window.dataLayer=[];gtag('js',1)"), Some((Analytics, "Google Analytics")));
        assert_eq!(script_saying("$('.menu').show()"), None);
    }

    #[test]
    fn versions_are_read_from_names_and_paths() {
        let cases = [
            ("https://code.jquery.com/jquery-3.7.1.min.js", Some("3.7.1")),
            ("https://cdn.jsdelivr.net/npm/bootstrap@5.3.2/dist/js/bootstrap.min.js", Some("5.3.2")),
            ("/ajax/libs/jquery/1.12.4/jquery.min.js?v=9", Some("1.12.4")),
            ("/js/site.js", None),
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
