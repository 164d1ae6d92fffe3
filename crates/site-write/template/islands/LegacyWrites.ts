/* @builder-island */

// Carries out `document.write` for scripts that run when the page is there already: what one of them wrote is put behind
// it, where the browser would have read it.

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
