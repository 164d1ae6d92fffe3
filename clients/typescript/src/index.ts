// Watches one migration: follows its stream over as many connections as it takes, hands out every event once and
// in order, and returns when the run is over. Never gives up by itself on a failure that may pass; the caller's
// AbortSignal ends it.

import { isEventType, type MigrationEvent } from "./envelope.js";
import { frames } from "./sse.js";

export type { EventType, MigrationEvent, Phase } from "./envelope.js";

export interface WatchOptions {
  /** Where Resettle answers, such as `https://resettle.example`. */
  baseUrl: string;
  apiKey: string;
  /** The migration's id. */
  id: string;
  onEvent: (event: MigrationEvent) => void;
  /** Ends the watch; the promise rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Where an earlier watch stopped: the cursor that `onCursor` told last. */
  cursor?: string;
  onCursor?: (cursor: string) => void;
  /** The longest wait between connections, in milliseconds. */
  maxBackoffMs?: number;
}

/** The server's refusal: trying again would not help. `problem` is its problem+json document (RFC 9457), if any. */
export class RefusedError extends Error {
  constructor(
    readonly status: number,
    readonly problem: unknown,
  ) {
    const detail = (problem as { detail?: unknown } | undefined)?.detail;
    super(typeof detail === "string" ? detail : `the server answered ${status}`);
    this.name = "RefusedError";
  }
}

/** Resolves with the last event seen (`done`), or null when the history was already read to its end. */
export async function watchMigration(options: WatchOptions): Promise<MigrationEvent | null> {
  const watch = new Watch(options);
  for (;;) {
    options.signal?.throwIfAborted();
    if (await watch.connect()) return watch.last;
    await watch.pause();
  }
}

class Watch {
  last: MigrationEvent | null = null;
  #cursor: string;
  #seen = 0;
  #failures = 0;
  #retryMs = 1000;

  constructor(readonly options: WatchOptions) {
    this.#cursor = options.cursor ?? "";
  }

  /** One connection. True when the run is over. */
  async connect(): Promise<boolean> {
    let response: Response;
    try {
      response = await fetch(this.#url(), this.#request());
    } catch (error) {
      this.options.signal?.throwIfAborted();
      this.#failures += 1;
      return false;
    }
    if (response.status === 204) return true;
    if (response.status === 429 || response.status >= 500) {
      await response.body?.cancel();
      this.#failures += 1;
      return false;
    }
    if (!response.ok || response.body === null) {
      throw new RefusedError(response.status, await response.json().catch(() => undefined));
    }
    return this.#read(response.body);
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<boolean> {
    try {
      for await (const frame of frames(body, this.#cursor)) {
        if (frame.retry !== undefined) this.#retryMs = frame.retry;
        if (frame.id !== this.#cursor) {
          this.#cursor = frame.id;
          this.options.onCursor?.(frame.id);
        }
        if (!isEventType(frame.event)) continue;
        const event = JSON.parse(frame.data) as MigrationEvent;
        // A resume after a gap starts anew: what was handed out already is not handed out again.
        if (event.seq <= this.#seen) continue;
        this.#seen = event.seq;
        this.#failures = 0;
        this.last = event;
        this.options.onEvent(event);
        if (event.type === "done") return true;
      }
    } catch (error) {
      this.options.signal?.throwIfAborted();
      if (!(error instanceof TypeError)) throw error; // fetch reports a lost connection as a TypeError
      this.#failures += 1;
    }
    return false;
  }

  /** Full jitter over a bound that doubles with each failure in a row, so that clients do not come back together. */
  async pause(): Promise<void> {
    const bound = Math.min(this.#retryMs * 2 ** Math.min(this.#failures, 10), this.options.maxBackoffMs ?? 30_000);
    const { signal } = this.options;
    await new Promise<void>((resolve, reject) => {
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

  #url(): string {
    return new URL(`/api/migration/${encodeURIComponent(this.options.id)}/stream`, this.options.baseUrl).href;
  }

  #request(): RequestInit {
    const headers: Record<string, string> = {
      accept: "text/event-stream",
      authorization: `Bearer ${this.options.apiKey}`,
    };
    if (this.#cursor !== "") headers["last-event-id"] = this.#cursor;
    return { headers, cache: "no-store", signal: this.options.signal ?? null };
  }
}
