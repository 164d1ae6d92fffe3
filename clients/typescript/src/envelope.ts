// The envelope of one event of a migration's history, as the broadcaster sends it. Mirrors `domain::event::Event`.

export type Phase = "ANALYZE" | "PLAN" | "TRANSFORM" | "VERIFY" | "DEPLOY";

export type EventType = "phase_update" | "metric" | "log" | "error" | "done";

export interface MigrationEvent {
  /** Its place in the migration's history: from 1, without gaps. */
  seq: number;
  /** When it was written, in milliseconds since the Unix epoch, by the database's clock. */
  ts: number;
  type: EventType;
  migrationId: string;
  /** The run that it belongs to, from 1. */
  run: number;
  phase: Phase | null;
  /** 0 to 100: units done over units known. */
  progress: number;
  correlationId: string;
  /** Depends on the type: `currentTool`, `notes`, … */
  detail: Record<string, unknown>;
}

/** The first frame of each connection: what became of the cursor, and what to expect. */
export interface Hello {
  verdict?: "started" | "resumed" | "resumed_with_gap";
  /** Why a cursor could not be used. */
  why?: string | null;
  heartbeatMs?: number;
}

const TYPES: ReadonlySet<string> = new Set(["phase_update", "metric", "log", "error", "done"]);

/** Is this frame's name one of a history's events? Others (`hello`, `bye`) are about the connection. */
export function isEventType(name: string): name is EventType {
  return TYPES.has(name);
}
