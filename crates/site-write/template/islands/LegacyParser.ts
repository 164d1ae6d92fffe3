/* @builder-island */

// What the browser's parser does for a script that stands in the page, done for one that runs when the page is there
// already: the script sees nothing of what stands behind it, and what it writes is put where it stands.

let written = "";

/** Keeps what is written from now on; what it gives back ends that. */
export function collectWrites(): () => void {
  document.write = (...text: string[]) => void (written += text.map(String).join(""));
  document.writeln = (...text: string[]) => void (written += `${text.map(String).join("")}\n`);
  // Into a document that is complete, it would make room for another one.
  document.open = (() => document) as typeof document.open;
  return () => {
    document.write = document.writeln = (...text: string[]) => console.warn("document.write is left out:", ...text);
    Reflect.deleteProperty(document, "open");
  };
}

/** Has what was written put into the page; gives back the scripts in it that are to be run, none of which was. */
export function putWritten(put: (content: DocumentFragment) => void): HTMLScriptElement[] {
  if (!written) return [];
  const template = document.createElement("template");
  template.innerHTML = written;
  written = "";
  const scripts = [...template.content.querySelectorAll("script")];
  put(template.content);
  return scripts.filter((script) => script.isConnected && isRun(script));
}

/** Would a browser of today run it? */
function isRun({ type, noModule }: HTMLScriptElement): boolean {
  return (
    !noModule && (type === "" || type === "module" || /^(text|application)\/(x-)?(java|ecma|j)script$/i.test(type))
  );
}

/** What would begin anew if it were taken away and put back. */
const FRAGILE = "iframe, object, embed, video, audio, link, :focus";

/** Takes away what stands behind a place; what it gives back puts it there again. */
export function takeAwayBehind(place: Element): () => void {
  const behind: { parent: Element; nodes: ChildNode[] }[] = [];
  for (let at = place; at.parentElement && at !== document.body; at = at.parentElement) {
    const siblings = [...at.parentElement.childNodes];
    behind.push({ parent: at.parentElement, nodes: siblings.slice(siblings.indexOf(at) + 1) });
  }
  if (behind.some(({ nodes }) => nodes.some(isFragile))) return () => undefined;
  const { scrollX, scrollY } = window;
  behind.forEach(({ nodes }) => nodes.forEach((node) => node.remove()));
  return () => {
    behind.forEach(({ parent, nodes }) => parent.append(...nodes));
    if (scrollX || scrollY) window.scrollTo({ left: scrollX, top: scrollY, behavior: "instant" });
  };
}

function isFragile(node: ChildNode): boolean {
  if (!(node instanceof Element)) return false;
  const all = [node, ...node.querySelectorAll("*")];
  return all.some((element) => element.matches(FRAGILE) || isOwn(element) || element.scrollTop > 0);
}

/** Is it an element that a script made up? It is told each time that it comes and goes. */
function isOwn({ localName }: Element): boolean {
  return localName.includes("-") && customElements.get(localName) !== undefined;
}
