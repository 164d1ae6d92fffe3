/* @builder-island */

// What the browser's parser does for a script that stands in the page, done for one that runs when the page is there
// already: the script sees nothing of what stands behind it, and what it writes is put where it stands.

type Put = (content: DocumentFragment) => void;

/** The browser's own: some libraries put something else in their place. */
const { Node } = globalThis;

let written = "";

/** How long it is before it is worth looking whether it is whole. */
let nextLook = 0;

/** An element that no page has: where it stands behind what was written, nothing of that is open, but for parts of tables. */
const END = "legacy-end";

/** What may have made it whole. */
const CLOSES = /<\/(center|div|dl|form|ol|select|table|ul)>\s*$/i;

/** The script that runs, and how something is put where it stands. */
let running: { script: HTMLScriptElement; put: Put } | null = null;

/** Keeps what is written from now on; what it gives back ends that. */
export function beginParsing(): () => void {
  document.write = (...text: string[]) => write(text.map(String).join(""));
  document.writeln = (...text: string[]) => write(`${text.map(String).join("")}\n`);
  // Into a document that is complete, it would make room for another one.
  document.open = (() => document) as typeof document.open;
  document.getElementsByTagName = elementsUpToHere as unknown as typeof document.getElementsByTagName;
  return () => {
    document.write = document.writeln = (...text: string[]) => console.warn("document.write is left out:", ...text);
    Reflect.deleteProperty(document, "open");
    Reflect.deleteProperty(document, "getElementsByTagName");
  };
}

/** What is written until this script is over is put by these means. */
export function enter(script: HTMLScriptElement, put: Put) {
  running = { script, put };
}

/** A script often looks for what it has just written: it finds it, unless more has to come to make it whole. */
function write(text: string) {
  written += text;
  // What comes in very many pieces is not parsed anew with each.
  if (!running || (written.length < nextLook && !CLOSES.test(text)) || /<[^>]*$/.test(written)) return;
  const { content } = parsed(`${written}<${END}></${END}>`);
  const end = content.lastChild;
  const whole = isElement(end) && end.localName === END && ![...content.children].some(isPartOfTable);
  // Scripts in it wait for the one that runs.
  if (!whole || content.querySelector("script")) {
    if (written.length > 4000) nextLook = 2 * written.length;
    return;
  }
  content.removeChild(end);
  forget();
  running.put(content);
}

/** Nothing can stand in it but cells, so that its end is not seen. */
function isPartOfTable({ localName }: Element): boolean {
  return ["caption", "col", "colgroup", "tbody", "td", "tfoot", "th", "thead", "tr"].includes(localName);
}

/** Many a script takes the last one in the document for itself: none stands behind it yet. */
function elementsUpToHere(name: string) {
  const found = (Object.getPrototypeOf(document) as Document).getElementsByTagName.call(document, name);
  const script = running?.script;
  if (name.toLowerCase() !== "script" || !script?.isConnected) return found;
  const behind = (one: Element) => script.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING;
  const upToHere = [...found].filter((one) => !behind(one));
  return Object.assign(upToHere, { item: (at: number) => upToHere[at] ?? null });
}

/** Has what is left of it put into the page; gives back the scripts in it that are to be run, none of which was. */
export function leave(): HTMLScriptElement[] {
  const put = running?.put;
  running = null;
  if (!written) return [];
  const { content } = parsed(written);
  forget();
  const scripts = [...content.querySelectorAll("script")];
  put?.(content);
  return scripts.filter((script) => script.isConnected && isRun(script));
}

function forget() {
  written = "";
  nextLook = 0;
}

function parsed(html: string): HTMLTemplateElement {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template;
}

/** Would a browser of today run it? */
function isRun({ type, noModule }: HTMLScriptElement): boolean {
  return (
    !noModule && (type === "" || type === "module" || /^(text|application)\/(x-)?(java|ecma|j)script$/i.test(type))
  );
}

/** What would begin anew if it were taken away and put back. */
const FRAGILE = "iframe, object, embed, video, audio, link, :focus";

/** So many elements are looked through in all: a page with very many scripts and elements would stand still. */
let room = 50_000;

/** Takes away what stands behind a place; what it gives back puts it there again. */
export function takeAwayBehind(place: Element): () => void {
  if (room <= 0) return () => undefined;
  const behind: { parent: Element; nodes: ChildNode[] }[] = [];
  for (let at = place; at.parentElement && at !== document.body; at = at.parentElement) {
    const siblings = [...at.parentElement.childNodes];
    behind.push({ parent: at.parentElement, nodes: siblings.slice(siblings.indexOf(at) + 1) });
  }
  const elements = behind.flatMap(({ nodes }) => nodes.flatMap((node) => (isElement(node) ? allOf(node) : [])));
  room -= elements.length;
  if (room < 0 || elements.some(isFragile)) return () => undefined;
  const { scrollX, scrollY } = window;
  behind.forEach(({ nodes }) => nodes.forEach((node) => node.parentNode?.removeChild(node)));
  return () => {
    behind.forEach(({ parent, nodes }) => nodes.forEach((node) => parent.appendChild(node)));
    if (scrollX || scrollY) window.scrollTo({ left: scrollX, top: scrollY, behavior: "instant" });
  };
}

function allOf(element: Element): Element[] {
  return [element, ...element.querySelectorAll("*")];
}

function isFragile(element: Element): boolean {
  return element.matches(FRAGILE) || isOwn(element) || element.scrollTop !== 0 || element.scrollLeft !== 0;
}

function isElement(node: Node | null): node is Element {
  return node?.nodeType === Node.ELEMENT_NODE;
}

/** Is it an element that a script made up? It is told each time that it comes and goes. */
function isOwn({ localName }: Element): boolean {
  return localName.includes("-") && customElements.get(localName) !== undefined;
}
