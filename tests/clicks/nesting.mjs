// Pages whose elements stand where HTML does not want them: on either side the browser has to end with the same document,
// and React must not complain of what it found.

import assert from "node:assert/strict";
import { tab } from "./stage.mjs";

/** Runs in the page: which form each control belongs to, and the words as they are laid out. */
const facts = () => ({
  owners: [...document.querySelectorAll("input, button, select, textarea")].map((it) => it.form?.getAttribute("action") ?? "none"),
  words: document.body.innerText.replace(/\s*\n\s*/g, "\n").trim(),
});

export async function nesting(browser, { original, copy, cases, outcome }) {
  const page = await tab(browser, { width: 800, height: 600 });
  const wrong = [];
  for (const { path, html, same } of cases) {
    page.complaints.length = 0;
    await page.goto(original + path, { waitUntil: "load" });
    const wanted = { ...(await page.evaluate(facts)), tree: await outcome(page) };
    await page.goto(copy + path, { waitUntil: "load" });
    // React marks what it has taken over.
    await page.waitForFunction("Object.keys(document.body).some((key) => key.startsWith('__react'))", { polling: 20 });
    const found = { ...(await page.evaluate(facts)), tree: await outcome(page) };
    if (!same) wanted.tree = found.tree;
    try {
      assert.deepEqual({ ...found, complaints: page.complaints }, { ...wanted, complaints: [] });
    } catch (error) {
      wrong.push(`${html}\n${error.message}`);
    }
  }
  await page.close();
  assert.equal(wrong.length, 0, wrong.join("\n\n"));
  console.log(`nesting: ${cases.length} cases`);
}
