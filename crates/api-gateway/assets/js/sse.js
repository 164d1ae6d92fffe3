// Reads server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) from a byte stream.
// Knows nothing of migrations.
/**
 * Yields each dispatched frame; ends when the body ends. A frame cut off by the end is dropped, as specified.
 * `heard` is called whenever bytes arrive, also those of a comment.
 */
export async function* frames(body, lastId, heard) {
    const decoder = new TextDecoder();
    const reader = body.getReader();
    let text = "";
    let id = lastId;
    try {
        for (;;) {
            const { done, value } = await reader.read();
            if (done)
                return;
            heard();
            text += decoder.decode(value, { stream: true });
            // A carriage return at the very end may be the first half of CRLF: leave it for the next chunk.
            const usable = text.endsWith("\r") ? text.length - 1 : text.length;
            const blocks = text.slice(0, usable).replace(/\r\n?/g, "\n").split("\n\n");
            text = (blocks.pop() ?? "") + text.slice(usable);
            for (const block of blocks) {
                const frame = parse(block, id);
                id = frame.id;
                if (frame.data !== "" || frame.retry !== undefined)
                    yield frame;
            }
        }
    }
    finally {
        await reader.cancel().catch(() => undefined); // the connection may be gone already
    }
}
function parse(block, lastId) {
    const frame = { event: "message", data: "", id: lastId };
    const data = [];
    for (const line of block.split("\n")) {
        const colon = line.indexOf(":");
        if (colon === 0)
            continue; // a comment: the server's heartbeat
        const field = colon < 0 ? line : line.slice(0, colon);
        const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
        if (field === "event")
            frame.event = value;
        else if (field === "data")
            data.push(value);
        else if (field === "id" && !value.includes("\0"))
            frame.id = value;
        else if (field === "retry" && /^\d+$/.test(value))
            frame.retry = Number(value);
    }
    frame.data = data.join("\n");
    return frame;
}
