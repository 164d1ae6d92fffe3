// Watches migrations from a browser or Node: each event once, and in its migration's order.
import { follow } from "./connection.js";
export { RefusedError } from "./connection.js";
/**
 * Follows one migration to the end of its run. Resolves with the last event seen (`done`), or null when the history
 * was already read to its end. After `onRestart` the history is told again from its beginning.
 */
export async function watchMigration(options) {
    let last = null;
    let seen = 0;
    await follow(options, {
        path: `/api/migration/${encodeURIComponent(options.id)}/stream`,
        isNew(event) {
            if (event.seq <= seen)
                return false;
            seen = event.seq;
            last = event;
            return true;
        },
        forget() {
            seen = 0;
        },
        // The server ends a stream at the last `done`; one in the middle belongs to an earlier run.
        isOver: () => last?.type === "done",
    });
    return last;
}
/**
 * Follows many migrations over one connection, from now or from the cursor on, until the signal ends it.
 * After `onRestart` events may have been missed: ask `GET /api/migration` where things stand.
 */
export async function watchFeed(options) {
    const seen = new Map();
    const chosen = options.migrations ? `?migrations=${options.migrations.map(encodeURIComponent).join(",")}` : "";
    await follow(options, {
        path: `/api/events/stream${chosen}`,
        // A cursor may lie before events that came already: they come again when the connection does.
        isNew(event) {
            if (event.seq <= (seen.get(event.migrationId) ?? 0))
                return false;
            seen.delete(event.migrationId);
            seen.set(event.migrationId, event.seq);
            // The oldest entry goes: what is forgotten may be handed out twice, never lost.
            if (seen.size > MOST_REMEMBERED)
                seen.delete(seen.keys().next().value);
            return true;
        },
        forget: () => seen.clear(),
        isOver: () => false,
    });
    throw new Error("the server ended the feed for good");
}
/** Migrations whose last number a feed remembers. */
const MOST_REMEMBERED = 10_000;
