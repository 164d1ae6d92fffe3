//! What the browser is told as its administrator's policy: a file that it reads at its start and that no page can
//! change. It holds the certificate authorities that the fetcher trusts beside the browser's own, so that both
//! judge a site alike, and forbids what needs no page's asking.

use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use serde_json::json;
use site_fetch::Options;

/// Where builds of Chromium look for it.
pub(super) const PLACES: [&str; 3] = [
    "/etc/chromium/policies/managed/resettle.json",
    "/etc/chromium-browser/policies/managed/resettle.json",
    "/etc/opt/chrome/policies/managed/resettle.json",
];

/// Where the browser asks for what it needs itself: components, lists, models, its own updates. It does so in spite of
/// all that it is told, so these are closed to it. No page is made of what they answer.
const OWN_AFFAIRS: [&str; 12] = [
    "android.clients.google.com",
    "chromereporting-pa.googleapis.com",
    "chromewebstore.googleapis.com",
    "clients2.google.com",
    "content-autofill.googleapis.com",
    "edgedl.me.gvt1.com",
    "mtalk.google.com",
    "optimizationguide-pa.googleapis.com",
    "redirector.gvt1.com",
    "safebrowsing.googleapis.com",
    "sb-ssl.google.com",
    "update.googleapis.com",
];

/// Whether the browser asks this host of its own accord.
pub(super) fn is_own_affair(host: &str) -> bool {
    OWN_AFFAIRS.contains(&host)
}

/// The file's text.
pub(super) fn text(options: &Options) -> String {
    let authorities: Vec<String> = options.extra_roots.iter().map(|root| BASE64.encode(root)).collect();
    json!({
        "CACertificates": authorities,
        // Nothing is asked for before the page asks: no speculation rules, no prefetch, no early look-ups.
        "NetworkPredictionOptions": 2,
        "URLBlocklist": ["file://*"],
        "QuicAllowed": false,
        "DnsOverHttpsMode": "off",
        // Nothing of the browser's own: no components, no lists, no models.
        "ComponentUpdatesEnabled": false,
        "SafeBrowsingProtectionLevel": 0,
        "BrowserSignin": 0,
        "SyncDisabled": true,
        "MetricsReportingEnabled": false,
        "PrintingEnabled": false,
        "BackgroundModeEnabled": false,
    })
    .to_string()
}
