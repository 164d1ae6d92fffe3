// The start page's first look: as soon as there is an address, what is found of the site stands beside the form.

import { part, wordsOf } from "./view.js";

/** Whoever presses the button leaves the field by it: what they press must not move away under them. */
const LATER_MS = 300;

interface Found {
  title: string | null;
  home: string;
  pages: number;
  listed: boolean;
  size: string;
}

export function start(page: HTMLElement): void {
  const words = wordsOf(page);
  const url = part("url") as HTMLInputElement;
  const told = part("look-told");
  const facts = part("look-facts");
  const token = page.querySelector<HTMLInputElement>("form.stack input[name=token]")?.value ?? "";
  let asked = "";
  let asking = new AbortController();

  const look = async () => {
    const address = url.value.trim();
    if (address === "" || address === asked) return;
    asked = address;
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    facts.hidden = true;
    told.hidden = false;
    told.textContent = words.look_busy ?? "";
    try {
      const answer = await fetch("/look", {
        method: "POST",
        headers: { "content-type": "application/json", "x-form-token": token },
        body: JSON.stringify({ url: address, language: document.documentElement.lang }),
        signal,
      });
      if (answer.ok) show((await answer.json()) as Found);
      else told.textContent = ((await answer.json()) as { detail?: string }).detail ?? words.look_failed ?? "";
    } catch {
      if (!signal.aborted) told.textContent = words.look_failed ?? "";
    }
  };

  const show = (found: Found) => {
    const pages = (found.listed ? words.look_listed : words.look_linked) ?? "{count}";
    const count = new Intl.NumberFormat(document.documentElement.lang).format(found.pages);
    const values: Record<string, string> = {
      title: found.title ?? "—",
      home: found.home,
      pages: pages.replace("{count}", count),
      size: found.size,
    };
    for (const fact of facts.querySelectorAll<HTMLElement>("[data-fact]")) {
      fact.textContent = values[fact.dataset.fact ?? ""] ?? "";
    }
    facts.hidden = false;
    told.hidden = true;
  };

  url.addEventListener("change", () => {
    setTimeout(() => {
      if (!(document.activeElement instanceof HTMLButtonElement)) void look();
    }, LATER_MS);
  });
  // Pasted addresses are whole at once.
  url.addEventListener("paste", () => setTimeout(() => void look()));
  void look();
}
