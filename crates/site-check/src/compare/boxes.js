// What every visible element looks like at this width: its box, and its computed style by a number in a list of styles.
// Runs in a world of its own: nothing that the page replaced is called.
((most) => {
  // What the box says already, or what depends on it; what only the other side has is no element of the site. A margin at the
  // side moves boxes or nothing, and where it is `auto` the browser says what it took or 0, as it happened to lay the page out.
  const measured = new Set([
    'margin-left', 'margin-right', 'margin-inline-start', 'margin-inline-end',
    'width', 'height', 'inline-size', 'block-size', 'perspective-origin', 'transform-origin', 'top', 'left', 'right', 'bottom',
    'inset-block-start', 'inset-block-end', 'inset-inline-start', 'inset-inline-end', 'app-region', '-webkit-app-region',
  ]);
  const unseen = new Set(['SCRIPT', 'STYLE', 'LINK', 'META', 'TITLE', 'BASE', 'NOSCRIPT', 'TEMPLATE', 'NEXT-ROUTE-ANNOUNCER']);
  const names = [...getComputedStyle(document.documentElement)].filter((name) => !measured.has(name) && !name.startsWith('--'));
  const styles = new Map();
  const numbered = (style) => {
    const text = names.map((name) => style.getPropertyValue(name)).join('\n');
    if (!styles.has(text)) styles.set(text, styles.size);
    return styles.get(text);
  };
  const drawn = (element, pseudo) => {
    const style = getComputedStyle(element, pseudo);
    return style.content === 'none' || style.content === 'normal' ? -1 : numbered(style);
  };
  const nodes = [];
  let visible = 0;
  for (const element of document.querySelectorAll('*')) {
    if (unseen.has(element.tagName.toUpperCase())) continue;
    if (!element.checkVisibility({ visibilityProperty: true })) continue;
    const box = element.getBoundingClientRect();
    visible++;
    if (nodes.length >= most) continue;
    nodes.push([
      element.localName,
      element.id,
      [box.x + scrollX, box.y + scrollY, box.width, box.height],
      [numbered(getComputedStyle(element)), drawn(element, '::before'), drawn(element, '::after')],
    ]);
  }
  const root = document.documentElement;
  // Old doctypes change how high lines are, and no doctype much more.
  const old = /^-\/\/w3c\/\/dtd (xhtml 1\.0|html 4\.01) (transitional|frameset)\/\//i.test(document.doctype?.publicId ?? '');
  const mode = document.contentType !== 'text/html' ? 'standards' : document.compatMode === 'BackCompat' ? 'quirks' : old ? 'limited-quirks' : 'standards';
  return JSON.stringify({ names, styles: [...styles.keys()], nodes, visible, height: root.scrollHeight, mode, overflow: root.scrollWidth > innerWidth });
})
