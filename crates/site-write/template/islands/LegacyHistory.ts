/* @builder-island */

// Lets scripts give the browser's history any state that it takes: a number, a date, a frozen object. Next.js puts notes of its
// own into each, fails where it cannot, and loads a page anew that goes back to a state without them.

/** A state that cannot hold notes lies in one that can. */
type Wrapped = { legacyState: unknown };

/** The browser's own: some libraries put something else in its place. */
const { History } = globalThis;

const own = Object.getOwnPropertyDescriptor;

let taken = false;

/** For the rest of the document's life; before the first script of the page runs, and after Next.js has begun to listen. */
export function takeAnyState() {
  if (taken) return;
  taken = true;
  const state = (): unknown => own(History.prototype, "state")?.get?.call(window.history);
  let noting = false;
  for (const name of ["pushState", "replaceState"] as const) {
    const note = window.history[name];
    window.history[name] = (given, unused, url) => {
      noting = true;
      try {
        note.call(window.history, name === "replaceState" ? kept(given, state()) : wrapped(given), unused, url);
      } finally {
        noting = false;
      }
    };
  }
  // Only Next.js sees what it has noted.
  const get = () => (noting ? state() : unwrapped(state()));
  Object.defineProperty(window.history, "state", { configurable: true, get });
  window.addEventListener("popstate", (event) => {
    const { state } = event;
    if (isWrapped(state)) Object.defineProperty(event, "state", { configurable: true, value: state.legacyState });
  });
}

/** When Next.js replaces the state by one with its notes, the script's own stays in it. */
function kept(given: unknown, before: unknown): unknown {
  const isNextsOwn = typeof given === "object" && given !== null && "__NA" in given && !isWrapped(given);
  return isNextsOwn && isWrapped(before) ? { ...given, legacyState: before.legacyState } : wrapped(given);
}

function wrapped(state: unknown): unknown {
  if (state === null || state === undefined) return state;
  if (!isPlain(state)) return { legacyState: state } satisfies Wrapped;
  if (Object.isExtensible(state)) return state;
  return Array.isArray(state) ? [...(state as unknown[])] : { ...state };
}

function isPlain(state: unknown): state is object {
  if (typeof state !== "object" || state === null) return false;
  const kind: unknown = Object.getPrototypeOf(state);
  return Array.isArray(state) || kind === Object.prototype || kind === null;
}

function isWrapped(state: unknown): state is Wrapped {
  return typeof state === "object" && state !== null && "legacyState" in state;
}

function unwrapped(state: unknown): unknown {
  return isWrapped(state) ? state.legacyState : state;
}
