// One scenario by its name: `node scenario.mjs whole`. Ends with an error when something is not as it has to be.

import assert from "node:assert/strict";
import { operations, result } from "./after.mjs";
import {
  SITE, check, enter, follow, go, lines, over, press, reach, say, shot, signIn, start, tab, wholeLog, withBrowser,
} from "./stage.mjs";

const scenarios = {
  operations,

  /** Sign-in → start → progress → result, with a reload and a dead network in the middle; light, dark, small, large. */
  async whole(browser) {
    const page = await tab(browser);
    await go(page, "/");
    assert.match(page.url(), /\/sign-in$/, "who is not signed in is led there");
    await check(page, "sign-in");
    await page.type("#key", "rsk_wrong");
    await follow(page, "button.main");
    await check(page, "sign-in-refused");
    await signIn(page);
    await check(page, "start");
    await page.type("#url", SITE);
    await page.keyboard.press("Tab");
    await page.waitForSelector("#look-facts:not([hidden])");
    const title = await page.$eval("[data-fact=title]", (fact) => fact.textContent);
    assert.equal(title, "Harbour Books");
    await check(page, "start-found");
    await start(page, "/whole");

    await lines(page, 3);
    await check(page, "progress");
    await page.reload({ waitUntil: "load" });
    await lines(page, 3);
    const bar = () => page.$eval("#bar", (bar) => bar.value);
    const before = await bar();
    await page.waitForFunction((before) => document.querySelector("#bar").value > before, {}, before);
    await page.setOfflineMode(true);
    await page.evaluate(() => dispatchEvent(new Event("focus")));
    await page.waitForSelector("#link[data-link=lost]");
    await check(page, "offline");
    await page.setOfflineMode(false);
    await over(page);
    assert.equal(await page.$eval("#completed", (card) => card.hidden), false, "it succeeds");
    await wholeLog(page);
    assert.equal(await bar(), 100);
    assert.equal(await page.$$eval("[data-step=done]", (steps) => steps.length), 5);
    await check(page, "result");
    const project = await page.evaluate(async () => {
      const answer = await fetch(document.querySelector("#completed a").href);
      return [answer.status, answer.headers.get("content-type")];
    });
    assert.deepEqual(project, [200, "application/zip"]);
    const shown = await wholeLog(page);
    await page.reload({ waitUntil: "load" });
    await lines(page, shown);
    assert.equal(await wholeLog(page), shown, "the same page after a reload");

    const wide = await tab(browser, { width: 1280, height: 900, dark: true });
    for (const [path, name] of [["/", "start"], ["/migrations", "list"], [page.url(), "result"], ["/ar/", "start-ar"]]) {
      await go(wide, path);
      if (name === "result") await lines(wide, shown);
      await check(wide, `${name}-wide-dark`);
    }
    await result(browser, page.url(), shown);
  },

  /** The server is stopped and started again, by the test that runs this, while the page is open. */
  async restart(browser) {
    const page = await tab(browser);
    await signIn(page);
    await start(page, "/restart");
    await lines(page, 4);
    say("restart now");
    await page.waitForSelector("#link[data-link=lost]");
    await shot(page, "lost");
    await page.waitForSelector("#link[data-link=live]", { timeout: 120_000 });
    await over(page);
    await wholeLog(page);
    assert.deepEqual(page.complaints, []);
  },

  /** Seven tabs over HTTP/1.1, which gives them six connections together: they share one stream. */
  async seven(browser) {
    const open = new Set();
    const watched = async () => {
      const page = await tab(browser);
      page.on("request", (request) => /\/stream$/.test(request.url()) && open.add(request));
      for (const end of ["requestfinished", "requestfailed"]) page.on(end, (request) => open.delete(request));
      return page;
    };
    const first = await watched();
    await signIn(first);
    const address = await start(first, "/seven");
    const tabs = [first];
    while (tabs.length < 7) {
      const next = await watched();
      await go(next, address);
      tabs.push(next);
    }
    for (const page of tabs) await lines(page, 4);
    assert.equal(open.size, 1, "one tab listens for all");
    open.clear();
    await first.close();
    const others = tabs.slice(1);
    for (const page of others) await over(page);
    for (const page of others) await wholeLog(page);
    assert.equal(open.size, 1, "another tab took over, and one only");
    for (const page of others) assert.deepEqual(page.complaints, []);
  },

  /** Arabic, from right to left, with the keyboard alone: sign-in, start, the plan that waits, stop. */
  async keyboard(browser) {
    const page = await tab(browser);
    await go(page, "/ar/");
    assert.equal(await page.evaluate(() => document.documentElement.dir), "rtl");
    await check(page, "sign-in-ar");
    await reach(page, "#key");
    await page.keyboard.type(process.env.KEY);
    await enter(page);
    await check(page, "start-ar");
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.className), "skip", "the first stop leads past the ways");
    await reach(page, "#url");
    await page.keyboard.type(new URL("/keyboard", SITE).href);
    await reach(page, "input[name=review]");
    await page.keyboard.press("Space");
    await press(page, "button.main");
    assert.match(page.url(), /\/ar\/migrations\//);
    await lines(page, 2);
    await check(page, "progress-ar");
    // Shown as soon as it waits, without a reload.
    await asked(page, true);
    await check(page, "plan-ar");
    await press(page, "#asked button");
    await asked(page, false);
    await reach(page, "#cancel summary");
    await page.keyboard.press("Enter");
    await press(page, "#cancel button");
    await page.waitForSelector("#cancelled:not([hidden])");
    await check(page, "cancelled-ar");
    await wholeLog(page);
    await press(page, "nav button");
    assert.match(page.url(), /\/ar\/sign-in$/);
  },
};

/** Waits until the page asks for a word about the plan, or does so no more. */
const asked = (page, wanted) =>
  page.waitForFunction((wanted) => document.querySelector("#asked").hidden !== wanted, { timeout: 120_000, polling: 250 }, wanted);

const play = scenarios[process.argv[2] ?? ""];
assert.ok(play, `one of: ${Object.keys(scenarios).join(", ")}`);
await withBrowser(play);
say("whole");
