// One stream over as many connections as it takes: reconnects with the cursor, waits in between, notices a dead
// connection by its silence. Never gives up by itself on a failure that may pass; the caller's AbortSignal ends it.

import { isEventType, type Hello, type MigrationEvent } from "./envelope.js";
import { frames } from "./sse.js";

export interface StreamOptions {
  /** Where Resettle answers, such as `https://resettle.example`. */
  baseUrl: string;
  /** Without one the browser's own session has to do: a page of the same origin that is signed in. */
  apiKey?: string;
  onEvent: (event: MigrationEvent) => void;
  /** Ends the watch; the promise rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Where an earlier watch stopped: the cursor that `onCursor` told last. */
  cursor?: string;
  onCursor?: (cursor: string) => void;
  /** The cursor could not be used, for this reason (a restore, say). */
  onRestart?: (why: string) => void;
  /** A connection stands: what was missed is on its way. */
  onOpen?: () => void;
  /** A connection ended, or could not be had; the next one is tried by itself. */
  onLost?: () => void;
  /** Something came, be it a heartbeat. */
  onHeard?: () => void;
  /** The longest wait between connections, in milliseconds. */
  maxBackoffMs?: number;
  /** What this client calls itself (letters, digits and `-_.:`, 64 at most), so that the server's operators see one
   * that reconnects again and again. Drawn by chance without one. */
  clientName?: string;
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

/** What a watch makes of its stream. */
export interface Listener {
  path: string;
  /** Takes note of an event; false if it was seen before. */
  isNew: (event: MigrationEvent) => boolean;
  /** What was seen says nothing about what comes now. */
  forget: () => void;
  /** Was the stream read to its end, when it ends without an error? */
  isOver: () => boolean;
}

/** Heartbeats that may fail to come before a connection counts as dead. */
const MISSED_HEARTBEATS = 3;

/** Resolves when the listener says that its stream is over, or the server that there is nothing more. */
export async function follow(options: StreamOptions, listener: Listener): Promise<void> {
  const connection = new Connection(options, listener);
  for (;;) {
    options.signal?.throwIfAborted();
    if (await connection.read()) return;
    options.onLost?.();
    await connection.pause();
  }
}

class Connection {
  #cursor: string;
  #failures = 0;
  #retryMs = 1000;
  readonly #name: string;

  constructor(
    readonly options: StreamOptions,
    readonly listener: Listener,
  ) {
    this.#cursor = options.cursor ?? "";
    // Not randomUUID: browsers have it on secure origins only.
    this.#name = options.clientName ?? Math.random().toString(36).slice(2);
  }

  /** Connects and reads to the connection's end. True when the stream is over. */
  async read(): Promise<boolean> {
    let response: Response;
    const link = new AbortController();
    try {
      response = await fetch(new URL(this.listener.path, this.options.baseUrl), this.#request(link.signal));
    } catch {
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
    return this.#frames(response.body, link);
  }

  async #frames(body: ReadableStream<Uint8Array>, link: AbortController): Promise<boolean> {
    let silence: ReturnType<typeof setTimeout> | undefined;
    let patienceMs = 0;
    const heard = () => {
      clearTimeout(silence);
      this.options.onHeard?.();
      // A connection can be dead without ending; the server said how often it would be heard.
      if (patienceMs > 0) silence = setTimeout(() => link.abort(new TypeError("the server fell silent")), patienceMs);
    };
    try {
      for await (const frame of frames(body, this.#cursor, heard)) {
        if (frame.retry !== undefined) this.#retryMs = frame.retry;
        if (frame.id !== this.#cursor) {
          this.#cursor = frame.id;
          this.options.onCursor?.(frame.id);
        }
        if (frame.event === "hello") {
          patienceMs = MISSED_HEARTBEATS * this.#greeted(JSON.parse(frame.data) as Hello);
          heard();
          this.options.onOpen?.();
        } else if (isEventType(frame.event)) {
          this.#take(JSON.parse(frame.data) as MigrationEvent);
        }
      }
      return this.listener.isOver();
    } catch (error) {
      this.options.signal?.throwIfAborted();
      if (!(error instanceof TypeError)) throw error; // fetch reports a lost connection as a TypeError
      this.#failures += 1;
      return false;
    } finally {
      clearTimeout(silence);
    }
  }

  /** Takes note of what became of the cursor; the milliseconds between heartbeats. */
  #greeted(hello: Hello): number {
    if (hello.verdict === "resumed_with_gap") {
      // Numbers of another history say nothing about this one: rather tell twice than leave out.
      this.listener.forget();
      this.options.onRestart?.(hello.why ?? "unknown");
    }
    return hello.heartbeatMs ?? 0;
  }

  #take(event: MigrationEvent): void {
    if (!this.listener.isNew(event)) return;
    this.#failures = 0;
    this.options.onEvent(event);
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

  #request(link: AbortSignal): RequestInit {
    const headers: Record<string, string> = { accept: "text/event-stream", "x-client-name": this.#name };
    if (this.options.apiKey !== undefined) headers.authorization = `Bearer ${this.options.apiKey}`;
    if (this.#cursor !== "") headers["last-event-id"] = this.#cursor;
    const { signal } = this.options;
    return { headers, cache: "no-store", signal: signal ? AbortSignal.any([signal, link]) : link };
  }
}
