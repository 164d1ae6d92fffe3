// What a page says and leads to, whatever its width: words in their order, images, links, frames, forms, and what search
// engines read. Runs in a world of its own: nothing that the page replaced is called.
((most) => {
  const silent = new Set(['SCRIPT', 'STYLE', 'NOSCRIPT', 'TEMPLATE', 'IFRAME', 'NOFRAMES', 'NOEMBED', 'NEXT-ROUTE-ANNOUNCER']);
  const said = [];
  let room = most;
  // In a drawing, white space between elements is none.
  const isDrawn = (element) => element.namespaceURI === 'http://www.w3.org/2000/svg';
  const speak = (node) => {
    for (const child of node.childNodes) {
      if (room <= 0) return;
      if (child.nodeType === Node.TEXT_NODE) {
        const text = child.data.slice(0, room);
        room -= text.length;
        said.push(text);
      } else if (child.nodeType === Node.ELEMENT_NODE && !silent.has(child.tagName.toUpperCase())) {
        // Between boxes that stand apart no white space is needed to part their words.
        const apart = child.localName === 'br' || (isDrawn(child)
          ? !/^(a|textPath|tspan)$/.test(child.localName)
          : !/^(inline|contents)$/.test(getComputedStyle(child).display));
        if (apart) said.push(' ');
        speak(child);
        if (apart) said.push(' ');
      }
    }
  };
  if (document.body) speak(document.body);
  const words = said.join('').split(/\s+/).filter((word) => word !== '');
  // An optimised image is still the image that it was made of.
  const source = (address) => {
    if (!address) return '';
    // What a script has made has another name each time.
    if (/^blob:/i.test(address)) return 'blob:';
    try {
      const url = new URL(address, document.baseURI);
      const inner = url.pathname === '/_next/image' ? url.searchParams.get('url') : null;
      return inner === null ? url.href : new URL(inner, url).href;
    } catch {
      return String(address);
    }
  };
  const all = (selector) => [...document.querySelectorAll(selector)].slice(0, 10000);
  const value = (element, name) => element.getAttribute(name) ?? '';
  const squeezed = (text) => (text ?? '').replace(/\s+/g, ' ').trim();
  // Their order says nothing, nor do the zeros of a number.
  const settings = (text) => {
    const pairs = text.toLowerCase().split(/[,;]/).map((pair) => pair.split('=').map((word) => word.trim()));
    const plain = pairs.filter(([name]) => name !== '').map(([name, value]) => `${name}=${value && isFinite(value) ? Number(value) : value}`);
    return plain.sort().join(', ');
  };
  const seo = [['title', squeezed(document.title)], ['lang', value(document.documentElement, 'lang')], ['dir', value(document.documentElement, 'dir')]];
  for (const meta of all('meta')) {
    const name = meta.getAttribute('name') ?? meta.getAttribute('property') ?? meta.getAttribute('itemprop');
    if (name === null || name === 'next-size-adjust') continue;
    const content = squeezed(value(meta, 'content'));
    seo.push([`meta ${name.toLowerCase()}`, name.toLowerCase() === 'viewport' ? settings(content) : content]);
  }
  for (const link of all('link[rel][href]')) {
    for (const rel of value(link, 'rel').toLowerCase().split(/\s+/)) {
      if (!['canonical', 'alternate', 'icon', 'apple-touch-icon', 'manifest', 'next', 'prev', 'amphtml'].includes(rel)) continue;
      const kind = ['hreflang', 'type', 'sizes'].map((name) => value(link, name)).filter(Boolean).join(' ');
      seo.push([`link ${rel} ${kind}`.trim(), link.href]);
    }
  }
  const ordered = (value) => {
    if (Array.isArray(value)) return value.map(ordered);
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.keys(value).sort().map((key) => [key, ordered(value[key])]));
  };
  for (const data of all('script[type="application/ld+json" i]')) {
    let text = squeezed(data.textContent);
    try { text = JSON.stringify(ordered(JSON.parse(data.textContent))); } catch { /* as it stands */ }
    seo.push(['linked data', text]);
  }
  const fields = (form) => [...form.elements].map((field) => field.name).filter(Boolean).join(' ');
  return JSON.stringify({
    words,
    cut: room <= 0,
    images: all('img, input[type="image" i], svg image').map((it) => source(it.getAttribute('src') ?? it.getAttribute('href')) + (it.alt ? ` (${it.alt})` : '')),
    broken: all('img').filter((it) => it.complete && it.naturalWidth === 0).map((it) => source(it.getAttribute('src'))),
    links: all('a[href], area[href]').map((it) => source(typeof it.href === 'string' ? it.href : it.getAttribute('href'))),
    frames: all('iframe, frame, object[data], embed[src]').map((it) => source(it.src || it.data)),
    forms: all('form').map((it) => `${(it.getAttribute('method') || 'get').toLowerCase()} ${source(it.getAttribute('action') || document.URL)} ${fields(it)}`.trim()),
    seo,
  });
})
