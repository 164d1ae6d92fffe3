// The envelope of one event of a migration's history, as the broadcaster sends it. Mirrors `domain::event::Event`.
const TYPES = new Set(["phase_update", "metric", "log", "error", "done"]);
/** Is this frame's name one of a history's events? Others (`hello`, `bye`) are about the connection. */
export function isEventType(name) {
    return TYPES.has(name);
}
