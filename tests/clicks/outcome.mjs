// What there is to see of a document: every element of the body with its name, classes, state, words, and whether it shows.

const PATIENCE_MS = 60_000;
/** For so many looks in a row nothing may change: animations have ended by then. */
const CALM = 3;

/** Runs in the page. */
function look() {
  const silent = new Set(["SCRIPT", "STYLE", "NOSCRIPT", "TEMPLATE", "LINK", "TITLE", "NEXT-ROUTE-ANNOUNCER"]);
  const ours = new Set(["data-legacy-on"]);
  const lines = [];
  const walk = (parent, depth) => {
    // Comments part no text.
    let text = "";
    const speak = () => {
      const words = text.replace(/\s+/g, " ").trim();
      if (words !== "") lines.push(`${" ".repeat(depth)}"${words}"`);
      text = "";
    };
    for (const child of parent.childNodes) {
      if (child.nodeType === Node.TEXT_NODE) text += child.data;
      if (child.nodeType !== Node.ELEMENT_NODE || silent.has(child.tagName)) continue;
      // Where Next.js keeps its head's data for as long as the page comes in.
      if (parent === document.body && child.matches("div[hidden='']") && child.attributes.length === 1) continue;
      speak();
      // Long numbers are names by chance.
      const said = [...child.attributes]
        .filter(({ name, value }) => !ours.has(name) && !(name === "style" || name === "class") && !(value === "" && name === "aria-describedby"))
        .map(({ name, value }) => `${name}=${JSON.stringify(value.replaceAll(location.origin, "").replace(/\d{3,}/g, "#"))}`)
        .sort();
      const classes = [...child.classList].sort().map((name) => `.${name}`);
      const state = [child.checkVisibility() ? "" : "hidden", child.checked ? "checked" : "", child.selectedIndex ?? ""];
      const value = "value" in child && child.tagName !== "LI" ? [`value:${child.value}`] : [];
      lines.push(" ".repeat(depth) + [child.localName + classes.join(""), ...said, ...state.filter((it) => it !== ""), ...value].join(" "));
      walk(child, depth + 1);
    }
    speak();
  };
  lines.push(`title ${document.title}`, `body ${[...document.body.classList].sort().join(" ")}`);
  walk(document.body, 0);
  return lines.join("\n");
}

export const outcome = (page) => page.evaluate(look);

/** Waits until the expression holds and the document has come to rest; what it looks like then. */
export async function settled(page, until) {
  await page.waitForFunction(until, { timeout: PATIENCE_MS, polling: 30 });
  // By the page's own clock: a busy machine slows both down alike.
  const source = `(async () => {
    const look = ${look.toString()};
    const rest = () => new Promise((done) => setTimeout(done, 60));
    let [before, calm] = [look(), 0];
    for (let tries = 0; calm < ${CALM} && tries < 200; tries++) {
      await rest();
      const now = look();
      calm = now === before ? calm + 1 : 0;
      before = now;
    }
    return before;
  })()`;
  return page.evaluate(source);
}
