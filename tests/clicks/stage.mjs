// A headless Chromium, and tabs that remember what they complained of.

import puppeteer from "puppeteer-core";

export async function withBrowser(play) {
  const browser = await puppeteer.launch({
    executablePath: process.env.CHROMIUM,
    headless: true,
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"],
  });
  try {
    await play(browser);
  } finally {
    await browser.close();
  }
}

export async function tab(browser, { width, height }) {
  const page = await browser.newPage();
  await page.setViewport({ width, height });
  page.complaints = [];
  page.on("pageerror", (error) => page.complaints.push(String(error)));
  page.on("console", (message) => {
    // What could not be loaded belongs to the sites, and to what comes of leaving a page early.
    const network = /Failed to load resource|net::ERR_/.test(message.text());
    if (message.type() === "error" && !network) page.complaints.push(message.text());
  });
  return page;
}
