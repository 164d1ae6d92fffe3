// One stream for all tabs of a browser: over HTTP/1.1 it gives an origin six connections, and each tab would hold one.
// The tab that holds the lock listens and tells the others. One that is put to sleep falls silent; then another takes
// the lock from it. Where there are no locks (plain http to another machine) each tab listens for itself.

import { RefusedError, watchFeed, type MigrationEvent } from "../index.js";

/** What every tab is told. */
export type Told =
  | { kind: "event"; event: MigrationEvent }
  /** A connection stands: ask for what was missed. */
  | { kind: "open" }
  | { kind: "lost" }
  /** The server refuses, with this status: nothing more will come. */
  | { kind: "refused"; status: number }
  | { kind: "alive" };

const NAME = "resettle-events";
/** Four heartbeats of the server. */
const SILENCE_MS = 60_000;
const LOOK_MS = 5_000;

/** Hears what the one stream brings, for as long as the page is there. */
export function listen(hear: (told: Told) => void): void {
  const channel = new BroadcastChannel(NAME);
  let heardAt = Date.now();
  const told = (what: Told) => {
    heardAt = Date.now();
    hear(what);
  };
  channel.onmessage = (message: MessageEvent<Told>) => told(message.data);
  const tell = (what: Told) => {
    channel.postMessage(what);
    told(what);
  };
  if (!("locks" in navigator)) {
    void follow(told, new AbortController().signal);
    return;
  }
  let leading: AbortController | undefined;
  const lead = async (steal: boolean) => {
    const own = new AbortController();
    try {
      await navigator.locks.request(NAME, { steal }, async () => {
        leading = own;
        await follow(tell, own.signal);
      });
    } catch {
      // Taken away by a tab that is awake: wait in line again.
      own.abort();
      if (leading === own) leading = undefined;
      void lead(false);
    }
  };
  void lead(false);
  setInterval(() => {
    const awake = document.visibilityState === "visible";
    if (leading === undefined && awake && Date.now() - heardAt > SILENCE_MS) {
      heardAt = Date.now();
      void lead(true);
    }
  }, LOOK_MS);
}

/** Listens until the signal; a refusal is told, since trying again would not help. */
async function follow(tell: (told: Told) => void, signal: AbortSignal): Promise<void> {
  let aliveAt = 0;
  try {
    await watchFeed({
      baseUrl: location.origin,
      signal,
      onEvent: (event) => tell({ kind: "event", event }),
      onOpen: () => tell({ kind: "open" }),
      onLost: () => tell({ kind: "lost" }),
      onHeard: () => {
        if (Date.now() - aliveAt < LOOK_MS) return;
        aliveAt = Date.now();
        tell({ kind: "alive" });
      },
    });
  } catch (error) {
    if (error instanceof RefusedError) tell({ kind: "refused", status: error.status });
    else if (!signal.aborted) throw error;
  }
}
