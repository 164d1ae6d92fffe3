// The plays: where each starts, what is done, and what has to come of it before the next step, on either side.

import assert from "node:assert/strict";
import { settled } from "./outcome.mjs";
import { tab } from "./stage.mjs";

const click = (selector, until) => ({ doing: (page) => page.click(selector), until });
const type = (selector, text, until) => ({ doing: (page) => page.type(selector, text), until });
const press = (key, until) => ({ doing: (page) => page.keyboard.press(key), until });
const back = (until) => ({ doing: (page) => page.goBack(), until });
const forward = (until) => ({ doing: (page) => page.goForward(), until });
const shown = (selector) => `document.querySelector(${JSON.stringify(selector)})?.checkVisibility() === true`;
const gone = (selector) => `document.querySelector(${JSON.stringify(selector)})?.checkVisibility() !== true`;
const says = (selector, text) =>
  `document.querySelector(${JSON.stringify(selector)})?.textContent.includes(${JSON.stringify(text)}) === true`;
const at = (path, until = "true") => `location.pathname === ${JSON.stringify(path)} && (${until})`;
/** The scripts of the page have run to their end. */
const READY = { jquery: `${says("#order", "jquery load")} && ${says("#ready", "function")}`, bootstrap5: "typeof bootstrap === 'object'" };

export const plays = [
  {
    name: "Bootstrap 5",
    start: "/bootstrap5.html",
    ready: READY.bootstrap5,
    steps: [
      click("#toggler", `${shown("#menu")} && document.querySelector("#menu").matches(".show:not(.collapsing)")`),
      click("#more", shown(".dropdown-menu")),
      click("h2 #q1", `${gone(".dropdown-menu")} && document.querySelector("#a1").matches(".show")`),
      click("#q2", 'document.querySelector("#a2").matches(".show") && !document.querySelector("#a1").matches(".show")'),
      click("#two-tab", shown("#two")),
      click("#next", says(".carousel-item.active", "two")),
      click("#third", says(".carousel-item.active", "three")),
      click("#open", `${shown("#dialog")} && ${says("#said", "opened")}`),
      click("#close", `${gone("#dialog")} && !document.querySelector(".modal-backdrop")`),
      click("#aside", 'document.querySelector("#canvas").matches(".show")'),
      click("#canvas-close", '!document.querySelector("#canvas").matches(".show") && !document.querySelector(".offcanvas-backdrop")'),
      click("#tip", says(".tooltip", "A tip")),
    ],
  },
  {
    name: "Bootstrap 3 on jQuery",
    start: "/bootstrap3.html",
    ready: "document.querySelector('#tip[data-original-title]') !== null",
    steps: [
      click("#toggler", 'document.querySelector("#menu").matches(".in")'),
      click("#more", shown(".dropdown-menu")),
      click("#two-tab", shown("#two")),
      click("#q1", 'document.querySelector("#a1").matches(".in")'),
      click("#q2", 'document.querySelector("#a2").matches(".in") && !document.querySelector("#a1").matches(".in")'),
      click("#next", says(".item.active", "Two")),
      click("#open", shown("#dialog")),
      click("#close", `${gone("#dialog")} && !document.querySelector(".modal-backdrop")`),
      click("#dismiss", 'document.querySelector("#notice") === null'),
      click("#tip", says(".popover", "More words")),
    ],
  },
  {
    name: "jQuery plug-ins and inline handlers",
    start: "/jquery.html",
    ready: READY.jquery,
    steps: [
      click("#burger", shown(".menu")),
      click("#burger", gone(".menu")),
      click("#t2", shown("#pane2")),
      click("#inline", shown("#box")),
      click("#address", gone("#box")),
      click("#dead", says("#order", "dead click")),
      type("#word", "hi", says("#order", "hi")),
      { doing: (page) => page.select("#choice", "b"), until: says("#order", "form b") },
      click("#send", says("#order", "sent hi")),
      click("#add", says("#list", "item 1")),
      click("#list li:last-child", 'document.querySelector("#list li:last-child").matches(".on")'),
      click("#f1", shown("#f1 + div")),
      click("#f2", `${shown("#f2 + div")} && ${gone("#f1 + div")}`),
      click(".slick-next", 'document.querySelector(".slick-current").dataset.slickIndex === "1"'),
      click("#twin", says("#order", "cloned?")),
      press("x", says("#order", "key")),
    ],
  },
  {
    name: "any state in the history",
    start: "/history.html",
    ready: says("#said", "at number 7"),
    steps: [
      click("#number", says("#said", "at number 8")),
      click("#frozen", says("#said", "at object [9]")),
      click("#date", says("#said", '"1970-01-01')),
      back(says("#said", "back at number 8")),
      back(says("#said", "back at number 7")),
      forward(says("#said", "back at number 8; back at number 7; back at number 8")),
    ],
  },
  {
    name: "names that a library takes for itself",
    start: "/names.html",
    ready: `${says("#said", "here; me; last; DOMContentLoaded; by another's hand; load; at 7")} && ${says("#seen", "load")}`,
    steps: [],
  },
  {
    name: "listeners that are called once, twice, never and again",
    start: "/listeners.html",
    ready: says("#said", "interactive; no options; twice; twice; shown, persisted is false;"),
    steps: [
      click("#again", says("#said", "interactive; no options; twice; twice; shown, persisted is false; shown again;")),
    ],
  },
  {
    name: "there and back",
    start: "/plain-a.html",
    ready: "true",
    steps: [
      click("#to-b", at("/plain-b.html", says("h1", "B"))),
      click("#to-a", at("/plain-a.html", says("h1", "A"))),
      click("#to-jquery", at("/jquery.html", READY.jquery)),
      click("#burger", shown(".menu")),
      click(".menu a", at("/plain-a.html", says("h1", "A"))),
      back(at("/jquery.html", READY.jquery)),
      click("#t2", shown("#pane2")),
      back(at("/plain-a.html", says("h1", "A"))),
      forward(at("/jquery.html", READY.jquery)),
      click("#inline", shown("#box")),
      back(at("/plain-a.html", says("h1", "A"))),
      click("#to-bootstrap", at("/bootstrap5.html", READY.bootstrap5)),
      click("#open", shown("#dialog")),
    ],
  },
];

/** Has the router of the project lead there, once it has taken over. */
async function go(page, path) {
  await page.waitForFunction("window.next?.router && Object.keys(document.body).some((key) => key.startsWith('__react'))");
  await page.evaluate(`window.mark = 1; next.router.push(${JSON.stringify(path)})`);
}

/** A page whose scripts took it apart is left and entered by the router itself, as an owner's own link would have it. */
export async function wild(browser, copy) {
  const page = await tab(browser, { width: 800, height: 600 });
  await page.goto(`${copy}/wild.html`, { waitUntil: "load" });
  await page.waitForSelector("#overlay");
  const fresh = "window.mark === undefined";
  for (const [path, title] of [["/plain-a.html", "Plain A"], ["/wild.html", "Wild"], ["/jquery.html", "jQuery"]]) {
    await go(page, path);
    const soft = path === "/wild.html";
    const ready = path === "/jquery.html" ? READY.jquery : soft ? "document.querySelector('#overlay') !== null" : "true";
    await settled(page, `${at(path, ready)} && document.title === ${JSON.stringify(title)} && (${soft} || ${fresh})`);
  }
  // Its interval died with its document; two visits ran its scripts twice, and no more.
  const [runs, ticking] = await page.evaluate("[sessionStorage.getItem('runs'), typeof window.heard]");
  assert.deepEqual([runs, ticking], ["2", "undefined"]);
  // That document is another layout's, so that the browser may bring the one before it back as it was.
  await page.goBack();
  await settled(page, at("/wild.html", "document.querySelector('#overlay') !== null"));
  await page.evaluate("sessionStorage.removeItem('alive')");
  await go(page, "/plain-b.html");
  await settled(page, `${at("/plain-b.html", says("h1", "B"))} && ${fresh} && document.querySelector("#overlay") === null`);
  await page.evaluate("sessionStorage.removeItem('alive')");
  await settled(page, "true");
  assert.equal(await page.evaluate("sessionStorage.getItem('alive')"), null, "no timer survives its page");
  assert.deepEqual(page.complaints, [], "the router");
  await page.close();
  console.log("a page that its scripts took apart: entered and left by the router");
}
