// Against a real HTTP server on loopback that cuts, refuses and repeats as proxies and restarts do.

import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { RefusedError, watchFeed, watchMigration, type MigrationEvent } from "../src/index.js";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** Serves the answers in turn, one per connection, and hands the requests' cursors out. */
async function serving<T>(answers: Answer[], use: (baseUrl: string, cursors: string[]) => Promise<T>): Promise<T> {
  const cursors: string[] = [];
  const server = createServer((request, response) => {
    cursors.push(String(request.headers["last-event-id"] ?? ""));
    const answer = answers.shift();
    if (answer) answer(request, response);
    else response.writeHead(500).end();
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  try {
    return await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, cursors);
  } finally {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  }
}

function event(seq: number, type = "log"): string {
  const data = {
    seq, ts: 1, type, migrationId: "m", run: 1, phase: null, progress: seq, correlationId: "c", detail: {},
  };
  return `id: cursor-${seq}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}

function stream(...chunks: string[]): Answer {
  return (_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const chunk of chunks) response.write(chunk);
    response.end();
  };
}

async function watch(baseUrl: string, extra: object = {}): Promise<{ seen: MigrationEvent[]; last: MigrationEvent | null }> {
  const seen: MigrationEvent[] = [];
  const last = await watchMigration({
    baseUrl, apiKey: "k", id: "m", maxBackoffMs: 5, onEvent: (e) => seen.push(e), ...extra,
  });
  return { seen, last };
}

test("a cut connection is resumed at the cursor, and nothing is handed out twice", async () => {
  const cut: Answer = (_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write("retry: 1\n\n" + event(1) + event(2), () => response.destroy());
  };
  await serving([cut, stream(event(2), event(3), event(4, "done"))], async (baseUrl, cursors) => {
    const { seen, last } = await watch(baseUrl);
    assert.deepEqual(seen.map((e) => e.seq), [1, 2, 3, 4]);
    assert.equal(last?.type, "done");
    assert.deepEqual(cursors, ["", "cursor-2"]);
  });
});

test("frames may be split anywhere, end lines with CRLF and hold comments", async () => {
  const wire = (": heartbeat\n\nevent: hello\ndata: {}\n\n" + event(1) + event(2, "done")).replaceAll("\n", "\r\n");
  const oneByOne: Answer = async (_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const character of wire) await new Promise((written) => response.write(character, written));
    response.end();
  };
  await serving([oneByOne], async (baseUrl) => {
    const { seen } = await watch(baseUrl);
    assert.deepEqual(seen.map((e) => e.seq), [1, 2]);
  });
});

test("204 says that the history was read to its end", async () => {
  await serving([(_request, response) => response.writeHead(204).end()], async (baseUrl, cursors) => {
    const { last } = await watch(baseUrl, { cursor: "cursor-9" });
    assert.equal(last, null);
    assert.deepEqual(cursors, ["cursor-9"]);
  });
});

test("an overloaded server is asked again, a refusal is not", async () => {
  const busy: Answer = (_request, response) => response.writeHead(503).end();
  const refusal: Answer = (_request, response) =>
    response.writeHead(404, { "content-type": "application/problem+json" }).end('{"detail":"no such migration"}');
  await serving([busy, refusal], async (baseUrl, cursors) => {
    await assert.rejects(watch(baseUrl, { }), (error) => {
      assert.ok(error instanceof RefusedError);
      assert.equal(error.status, 404);
      assert.equal(error.message, "no such migration");
      return true;
    });
    assert.equal(cursors.length, 2);
  });
});

test("the caller's signal ends the watch", async () => {
  const silent: Answer = (_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(event(1));
  };
  await serving([silent], async (baseUrl) => {
    const abort = new AbortController();
    const watching = watchMigration({
      baseUrl, apiKey: "k", id: "m", signal: abort.signal, onEvent: () => abort.abort(new Error("enough")),
    });
    await assert.rejects(watching, /enough/);
  });
});

function hello(data: object): string {
  return `retry: 1\nid: cursor-0\nevent: hello\ndata: ${JSON.stringify(data)}\n\n`;
}

test("after a restore the history is told again, and the caller is told so", async () => {
  const cut: Answer = (_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(hello({ verdict: "started" }) + event(1) + event(2), () => response.destroy());
  };
  const anew = stream(hello({ verdict: "resumed_with_gap", why: "other_history" }), event(1), event(2, "done"));
  await serving([cut, anew], async (baseUrl) => {
    const reasons: string[] = [];
    const { seen } = await watch(baseUrl, { onRestart: (why: string) => reasons.push(why) });
    assert.deepEqual(seen.map((e) => e.seq), [1, 2, 1, 2]);
    assert.deepEqual(reasons, ["other_history"]);
  });
});

test("a done of an earlier run ends nothing", async () => {
  await serving([stream(event(1), event(2, "done"), event(3), event(4, "done"))], async (baseUrl) => {
    const { seen, last } = await watch(baseUrl);
    assert.deepEqual(seen.map((e) => e.seq), [1, 2, 3, 4]);
    assert.equal(last?.seq, 4);
  });
});

test("a server that falls silent is left and asked again", async () => {
  const silent: Answer = (_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(hello({ verdict: "started", heartbeatMs: 20 }) + event(1));
  };
  await serving([silent, stream(event(2, "done"))], async (baseUrl, cursors) => {
    const { seen } = await watch(baseUrl);
    assert.deepEqual(seen.map((e) => e.seq), [1, 2]);
    assert.deepEqual(cursors, ["", "cursor-1"]);
  });
});

test("a feed goes on after the end of a migration, and hands nothing out twice when it comes back", async () => {
  const of = (migrationId: string, seq: number, type = "log") => event(seq, type).replace('"migrationId":"m"', `"migrationId":"${migrationId}"`);
  const first = stream("retry: 1\n\n" + of("a", 1) + of("b", 1) + of("a", 2, "done") + "id: cursor-9\nevent: cursor\ndata: {}\n\n");
  const second = stream(of("a", 2, "done") + of("b", 2) + of("c", 1));
  const paths: (string | undefined)[] = [];
  const noting = (answer: Answer): Answer => (request, response) => {
    paths.push(request.url);
    answer(request, response);
  };
  await serving([noting(first), noting(second)], async (baseUrl, cursors) => {
    const abort = new AbortController();
    const seen: string[] = [];
    const watching = watchFeed({
      baseUrl, apiKey: "k", migrations: ["a", "b", "c"], maxBackoffMs: 5, signal: abort.signal,
      onEvent: (e) => {
        seen.push(`${e.migrationId}${e.seq}`);
        if (e.migrationId === "c") abort.abort(new Error("enough"));
      },
    });
    await assert.rejects(watching, /enough/);
    assert.deepEqual(seen, ["a1", "b1", "a2", "b2", "c1"]);
    assert.deepEqual(cursors, ["", "cursor-9"]);
    assert.deepEqual(paths, ["/api/events/stream?migrations=a,b,c", "/api/events/stream?migrations=a,b,c"]);
  });
});

test("a client says who it is, the same on each connection", async () => {
  const names: unknown[] = [];
  const named = (answer: Answer): Answer => (request, response) => {
    names.push(request.headers["x-client-name"]);
    answer(request, response);
  };
  const twice = () => [named(stream("retry: 1\n\n" + event(1))), named(stream(event(2, "done")))];
  await serving(twice(), (baseUrl) => watch(baseUrl));
  await serving(twice(), (baseUrl) => watch(baseUrl, { clientName: "tab-1" }));
  assert.match(String(names[0]), /^[a-z0-9]+$/);
  assert.deepEqual(names.slice(1), [names[0], "tab-1", "tab-1"]);
});
