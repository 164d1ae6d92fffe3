/* @builder-island */

// What the browser's parser does for a script that stands in the page, done for one that runs when the page is there
// already: the script sees nothing of what stands behind it, and what it writes is put where it stands.

let written = "";

/** Keeps what is written from now on; what it gives back ends that. */
export function collectWrites(): () => void {
  document.write = (...text: string[]) => void (written += text.join(""));
  document.writeln = (...text: string[]) => void (written += `${text.join("")}\n`);
  // Into a document that is complete, it would make room for another one.
  document.open = (() => document) as typeof document.open;
  return () => {
    document.write = document.writeln = (...text: string[]) => console.warn("document.write is left out:", ...text);
    Reflect.deleteProperty(document, "open");
  };
}

/** Puts what was written behind a script; gives back the scripts in it, none of which ran. */
export function putWritten(script: HTMLScriptElement): HTMLScriptElement[] {
  if (!written) return [];
  const template = document.createElement("template");
  template.innerHTML = written;
  written = "";
  const scripts = [...template.content.querySelectorAll("script")];
  script.after(template.content);
  return scripts;
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
  const isFragile = (node: ChildNode) =>
    node instanceof Element && (node.matches(FRAGILE) || node.querySelector(FRAGILE) !== null);
  if (behind.some(({ nodes }) => nodes.some(isFragile))) return () => undefined;
  behind.forEach(({ nodes }) => nodes.forEach((node) => node.remove()));
  return () => behind.forEach(({ parent, nodes }) => parent.append(...nodes));
}
