//! What is run in a page: small scripts that measure it or bring it to rest. All but [`SEED`] and [`UNNOTICED`] run in a world
//! of their own, where nothing that the page replaced is called.

/// What the visible elements look like at a width; takes the most that are told of.
pub(super) const BOXES: &str = include_str!("boxes.js");
/// What the page says and leads to; takes the most characters that are told.
pub(super) const FACTS: &str = include_str!("facts.js");

/// Chance is the same on both sides. What the framework draws, which the site never did, comes out of another hat, so that the
/// site's own scripts draw the same numbers as before.
pub(super) const SEED: &str = r"(() => {
    const hat = (state) => () => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return state / 4294967296;
    };
    const [own, framework] = [hat(20240229), hat(1)];
    const Trace = Error;
    // To look at the stack takes its time: the framework draws early, and seldom.
    let looks = 10000;
    const framed = () => {
        if (looks-- <= 0) return false;
        const limit = Trace.stackTraceLimit;
        Trace.stackTraceLimit = 3;
        // Of this function, of `Math.random`, of whoever called that.
        const [, , , caller] = String(new Trace().stack).split('\n');
        Trace.stackTraceLimit = limit;
        return caller?.includes('/_next/static/') ?? false;
    };
    Math.random = () => (framed() ? framework() : own());
})()";

/// Keeps from the page's listeners that its window was one pixel wide, which browsers make it for each picture of a whole page
/// (https://github.com/puppeteer/puppeteer/issues/7251): menus would close for good.
pub(super) const UNNOTICED: &str = r"(() => {
    const own = window;
    const size = () => `${own.innerWidth} ${own.innerHeight}`;
    let told = size();
    own.addEventListener('resize', (event) => {
        if (!event.isTrusted || event.target !== own) return;
        // On a phone, one pixel of the window is up to four of the page.
        if (own.innerWidth < 10 || size() === told) event.stopImmediatePropagation();
        else told = size();
    }, true);
})()";

/// Down and up again, so that what loads when it comes into view does.
pub(super) const SCROLL: &str = r"(async () => {
    const rest = (ms) => new Promise((done) => setTimeout(done, ms));
    for (let top = 0, step = 0; step < 30 && top < document.documentElement.scrollHeight; step++) {
        scrollTo({ top: (top += innerHeight), behavior: 'instant' });
        await rest(20);
    }
    scrollTo({ top: 0, behavior: 'instant' });
})()";

/// What a page says, where its boxes are and what its scripts do to their styles, as a number. Nothing in it waits: a page may stop every timer that it has.
pub(super) const STATE: &str = r"(() => {
    let state = 0;
    const take = (text) => {
        for (let at = 0; at < text.length; at++) state = (Math.imul(state, 31) + text.charCodeAt(at)) | 0;
    };
    take(document.documentElement?.innerText ?? '');
    for (const element of [...document.querySelectorAll('*')].slice(0, 5000)) {
        const { x, y, width, height } = element.getBoundingClientRect();
        take(`${x},${y},${width},${height},${element.getAttribute('style') ?? ''}`);
    }
    return state;
})()";

/// Notes from here on whether the page changes; [`CHANGED`] says it.
pub(super) const WATCH: &str = r"(() => {
    globalThis.changed = false;
    const watch = new MutationObserver(() => { globalThis.changed = true; });
    watch.observe(document, { subtree: true, childList: true, characterData: true });
})()";

/// Has it changed?
pub(super) const CHANGED: &str = "globalThis.changed === true";

/// From here on nothing glides to where it goes.
pub(super) const AT_ONCE: &str = r"(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync('*, ::before, ::after { transition: none !important; }');
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
})()";

/// Is there anything that may be painted later than its box stands: what scripts draw, and what scrolls by itself, which the
/// browser paints apart from the rest and of which a hurried picture shows the ground alone?
pub(super) const PAINTED_LATE: &str = r"[...document.querySelectorAll('*')].slice(0, 20000).some((element) => {
    if (element.localName === 'canvas') return true;
    const { scrollWidth, scrollHeight, clientWidth, clientHeight } = element;
    if (clientWidth === 0 || (scrollWidth <= clientWidth && scrollHeight <= clientHeight)) return false;
    const { overflowX, overflowY } = getComputedStyle(element);
    return [overflowX, overflowY].some((overflow) => overflow === 'auto' || overflow === 'scroll');
})";

/// Brings what moves to its end where it has one, and stops the rest where it began.
pub(super) const STILL: &str = r"(() => {
    for (const animation of document.getAnimations().slice(0, 5000)) {
        try { animation.finish(); } catch { animation.pause(); animation.currentTime = 0; }
    }
    for (const film of document.querySelectorAll('video, audio')) film.pause();
})()";
