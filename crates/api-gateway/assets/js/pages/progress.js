// A move's page, live. The stream only says that there is more: each line is shown once, in its place, and what is
// missing between two lines, after a sleep or a dead network, is read from the history.
import { listen } from "./share.js";
import { View, part, wordsOf } from "./view.js";
const AT_A_TIME = 500;
const POLL_MS = 3_000;
/** A connection that comes back at once is no news. */
const PATIENCE_MS = 2_000;
export function progress(page) {
    const id = page.dataset.migration ?? "";
    const view = new View(page, wordsOf(page), () => void asked(page.dataset.at ?? ""));
    const link = new Link(view);
    const history = new History(id, view, link);
    listen((told) => {
        if (told.kind === "event") {
            if (told.event.migrationId !== id || told.event.seq <= view.seen)
                return;
            if (told.event.seq === view.seen + 1 && !history.reading)
                view.show([told.event]);
            else
                history.read();
        }
        else if (told.kind === "open") {
            link.stands();
            history.read();
        }
        else if (told.kind === "lost") {
            link.lost();
        }
        else if (told.kind === "refused") {
            if (told.status === 401 || told.status === 403)
                link.refused();
            // No stream at this origin, say: the history alone has to do.
            else
                setInterval(() => history.read(), POLL_MS);
        }
    });
    for (const name of ["online", "pageshow", "focus"])
        addEventListener(name, () => history.read());
    document.addEventListener("visibilitychange", () => history.read());
    history.read();
}
/** What the owner is asked is the server's to say. Whoever is just about to answer is left alone. */
async function asked(path) {
    try {
        const answer = await fetch(path, { cache: "no-store", redirect: "error" });
        if (!answer.ok)
            return;
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("asked");
        const shown = part("asked");
        if (fresh !== null && !shown.contains(document.activeElement))
            shown.replaceWith(fresh);
    }
    catch {
        // The next line of the history, or a reload, brings it.
    }
}
/** Reads what is not shown yet: one reading at a time, and once more if it was asked for meanwhile. */
class History {
    id;
    view;
    link;
    reading = false;
    #again = false;
    constructor(id, view, link) {
        this.id = id;
        this.view = view;
        this.link = link;
    }
    read() {
        this.#again = true;
        if (!this.reading)
            void this.#all();
    }
    async #all() {
        this.reading = true;
        while (this.#again) {
            this.#again = false;
            try {
                while ((await this.#page()) === AT_A_TIME)
                    ;
            }
            catch {
                // The network is away: the stream, or the window, says when to look again.
                this.link.lost();
            }
        }
        this.reading = false;
    }
    /** How many lines there were. */
    async #page() {
        const path = `/api/migration/${this.id}/events?since_id=${this.view.seen}&limit=${AT_A_TIME}`;
        const answer = await fetch(path, { cache: "no-store" });
        if (answer.status === 401 || answer.status === 403)
            this.link.refused();
        if (!answer.ok)
            return 0;
        const { events } = (await answer.json());
        this.link.stands();
        this.view.show(events.filter((event) => event.seq > this.view.seen));
        return events.length;
    }
}
/** What the page says of its connection. */
class Link {
    view;
    #line = part("link");
    #waiting;
    #ended = false;
    constructor(view) {
        this.view = view;
    }
    stands() {
        clearTimeout(this.#waiting);
        this.#waiting = undefined;
        this.#say("live");
    }
    lost() {
        this.#waiting ??= setTimeout(() => this.#say("lost"), PATIENCE_MS);
    }
    refused() {
        this.#say("ended");
        this.#ended = true;
    }
    #say(how) {
        if (this.#ended)
            return;
        this.#line.dataset.link = how;
        this.#line.textContent = this.view.words[`link_${how}`] ?? "";
        // When all is over there is nothing to be live about.
        this.#line.hidden = how === "live" && this.view.over;
    }
}
