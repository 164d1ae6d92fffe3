/* @builder-island */

// Lets scripts give the browser's history any state that it takes: a number, a frozen object. Next.js puts notes of its own
// into each, fails where it cannot, and loads a page anew that goes back to a state without them.

/** A state that cannot hold notes lies in one that can. */
type Wrapped = { legacyState: unknown };

/** For the rest of the document's life; before the first script of the page runs, and after Next.js has begun to listen. */
export function takeAnyState() {
  for (const name of ["pushState", "replaceState"] as const) {
    const noting = window.history[name];
    window.history[name] = (state, unused, url) => noting.call(window.history, wrapped(state), unused, url);
  }
  const state = Object.getOwnPropertyDescriptor(History.prototype, "state");
  Object.defineProperty(window.history, "state", {
    configurable: true,
    get: () => boxed(state?.get?.call(window.history)),
  });
  window.addEventListener("popstate", (event) => {
    const { state } = event;
    if (isWrapped(state)) Object.defineProperty(event, "state", { configurable: true, value: state.legacyState });
  });
}

function wrapped(state: unknown): unknown {
  if (state === null || state === undefined) return state;
  if (typeof state !== "object") return { legacyState: state } satisfies Wrapped;
  if (Object.isExtensible(state)) return state;
  return Array.isArray(state) ? [...(state as unknown[])] : { ...state };
}

function isWrapped(state: unknown): state is Wrapped {
  return typeof state === "object" && state !== null && "legacyState" in state;
}

/** For scripts it is what they gave, nearly; for Next.js, its notes are on it. */
function boxed(state: unknown): unknown {
  return isWrapped(state) ? Object.assign(Object(state.legacyState) as object, state) : state;
}
