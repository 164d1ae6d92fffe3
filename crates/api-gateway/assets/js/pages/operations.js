// An operations page, kept fresh: it is asked for again every few seconds, and what is new is put in its place. Whoever
// has the focus in it is left alone, and so is a server that does not answer: the page says by itself from when it is.
import { part } from "./view.js";
const EVERY_MS = 3_000;
export function operations() {
    const live = part("live");
    let asking = false;
    const look = async () => {
        if (asking || document.visibilityState !== "visible" || live.contains(document.activeElement))
            return;
        asking = true;
        try {
            const answer = await fetch(location.href, { cache: "no-store", redirect: "error" });
            if (answer.ok)
                put(await answer.text());
        }
        catch {
            // The next look may reach it.
        }
        asking = false;
    };
    const put = (text) => {
        const fresh = new DOMParser().parseFromString(text, "text/html").getElementById("live");
        if (fresh === null || live.contains(document.activeElement))
            return;
        const scrolled = [...live.querySelectorAll(".table")].map((table) => table.scrollLeft);
        live.replaceChildren(...fresh.childNodes);
        live.querySelectorAll(".table").forEach((table, at) => (table.scrollLeft = scrolled[at] ?? 0));
    };
    setInterval(() => void look(), EVERY_MS);
}
