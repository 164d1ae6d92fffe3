// One stream over as many connections as it takes: reconnects with the cursor, waits in between, notices a dead
// connection by its silence. Never gives up by itself on a failure that may pass; the caller's AbortSignal ends it.
import { isEventType } from "./envelope.js";
import { frames } from "./sse.js";
/** The server's refusal: trying again would not help. `problem` is its problem+json document (RFC 9457), if any. */
export class RefusedError extends Error {
    status;
    problem;
    constructor(status, problem) {
        const detail = problem?.detail;
        super(typeof detail === "string" ? detail : `the server answered ${status}`);
        this.status = status;
        this.problem = problem;
        this.name = "RefusedError";
    }
}
/** Heartbeats that may fail to come before a connection counts as dead. */
const MISSED_HEARTBEATS = 3;
/** Resolves when the listener says that its stream is over, or the server that there is nothing more. */
export async function follow(options, listener) {
    const connection = new Connection(options, listener);
    for (;;) {
        options.signal?.throwIfAborted();
        if (await connection.read())
            return;
        options.onLost?.();
        await connection.pause();
    }
}
class Connection {
    options;
    listener;
    #cursor;
    #failures = 0;
    #retryMs = 1000;
    #name;
    constructor(options, listener) {
        this.options = options;
        this.listener = listener;
        this.#cursor = options.cursor ?? "";
        // Not randomUUID: browsers have it on secure origins only.
        this.#name = options.clientName ?? Math.random().toString(36).slice(2);
    }
    /** Connects and reads to the connection's end. True when the stream is over. */
    async read() {
        let response;
        const link = new AbortController();
        try {
            response = await fetch(new URL(this.listener.path, this.options.baseUrl), this.#request(link.signal));
        }
        catch {
            this.options.signal?.throwIfAborted();
            this.#failures += 1;
            return false;
        }
        if (response.status === 204)
            return true;
        if (response.status === 429 || response.status >= 500) {
            await response.body?.cancel();
            this.#failures += 1;
            return false;
        }
        if (!response.ok || response.body === null) {
            throw new RefusedError(response.status, await response.json().catch(() => undefined));
        }
        return this.#frames(response.body, link);
    }
    async #frames(body, link) {
        let silence;
        let patienceMs = 0;
        const heard = () => {
            clearTimeout(silence);
            this.options.onHeard?.();
            // A connection can be dead without ending; the server said how often it would be heard.
            if (patienceMs > 0)
                silence = setTimeout(() => link.abort(new TypeError("the server fell silent")), patienceMs);
        };
        try {
            for await (const frame of frames(body, this.#cursor, heard)) {
                if (frame.retry !== undefined)
                    this.#retryMs = frame.retry;
                if (frame.id !== this.#cursor) {
                    this.#cursor = frame.id;
                    this.options.onCursor?.(frame.id);
                }
                if (frame.event === "hello") {
                    patienceMs = MISSED_HEARTBEATS * this.#greeted(JSON.parse(frame.data));
                    heard();
                    this.options.onOpen?.();
                }
                else if (isEventType(frame.event)) {
                    this.#take(JSON.parse(frame.data));
                }
            }
            return this.listener.isOver();
        }
        catch (error) {
            this.options.signal?.throwIfAborted();
            if (!(error instanceof TypeError))
                throw error; // fetch reports a lost connection as a TypeError
            this.#failures += 1;
            return false;
        }
        finally {
            clearTimeout(silence);
        }
    }
    /** Takes note of what became of the cursor; the milliseconds between heartbeats. */
    #greeted(hello) {
        if (hello.verdict === "resumed_with_gap") {
            // Numbers of another history say nothing about this one: rather tell twice than leave out.
            this.listener.forget();
            this.options.onRestart?.(hello.why ?? "unknown");
        }
        return hello.heartbeatMs ?? 0;
    }
    #take(event) {
        if (!this.listener.isNew(event))
            return;
        this.#failures = 0;
        this.options.onEvent(event);
    }
    /** Full jitter over a bound that doubles with each failure in a row, so that clients do not come back together. */
    async pause() {
        const bound = Math.min(this.#retryMs * 2 ** Math.min(this.#failures, 10), this.options.maxBackoffMs ?? 30_000);
        const { signal } = this.options;
        await new Promise((resolve, reject) => {
            const stop = () => {
                clearTimeout(timer);
                reject(signal?.reason);
            };
            const timer = setTimeout(() => {
                signal?.removeEventListener("abort", stop);
                resolve();
            }, Math.random() * bound);
            signal?.addEventListener("abort", stop, { once: true });
        });
    }
    #request(link) {
        const headers = { accept: "text/event-stream", "x-client-name": this.#name };
        if (this.options.apiKey !== undefined)
            headers.authorization = `Bearer ${this.options.apiKey}`;
        if (this.#cursor !== "")
            headers["last-event-id"] = this.#cursor;
        const { signal } = this.options;
        return { headers, cache: "no-store", signal: signal ? AbortSignal.any([signal, link]) : link };
    }
}
