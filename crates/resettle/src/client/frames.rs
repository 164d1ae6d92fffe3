//! Server-sent events: bytes in, frames out (https://html.spec.whatwg.org/multipage/server-sent-events.html).
//! A frame is only handed out whole; what a lost connection cut off comes again with the next one.

use super::Error;
use bytes::Bytes;
use futures::{Stream, StreamExt, stream::BoxStream};

/// One event is a few hundred bytes; a stream without line ends is no event stream.
const LINE_LIMIT: usize = 1024 * 1024;

/// One frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) id: Option<String>,
    pub(crate) event: String,
    pub(crate) data: String,
}

/// The frames of one connection.
pub(crate) struct Frames {
    body: BoxStream<'static, Result<Bytes, Error>>,
    parser: Parser,
}

impl Frames {
    pub(crate) fn new(body: impl Stream<Item = Result<Bytes, Error>> + Send + 'static) -> Self {
        Self { body: body.boxed(), parser: Parser::default() }
    }

    /// The next frame; `None` when the connection is over.
    pub(crate) async fn next(&mut self) -> Result<Option<Frame>, Error> {
        loop {
            if let Some(frame) = self.parser.frame() {
                return Ok(Some(frame));
            }
            match self.body.next().await {
                Some(chunk) if self.parser.pending.len() <= LINE_LIMIT => self.parser.take(&chunk?),
                _ => return Ok(None),
            }
        }
    }
}

#[derive(Default)]
struct Parser {
    pending: Vec<u8>,
    frame: Frame,
}

impl Parser {
    fn take(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
    }

    fn frame(&mut self) -> Option<Frame> {
        while let Some(end) = self.pending.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.pending.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line[..end]).trim_end_matches('\r').to_owned();
            if !line.is_empty() {
                self.field(&line);
            } else if self.frame != Frame::default() {
                return Some(std::mem::take(&mut self.frame));
            }
        }
        None
    }

    fn field(&mut self, line: &str) {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "id" => self.frame.id = Some(value.to_owned()),
            "event" => value.clone_into(&mut self.frame.event),
            "data" => {
                if !self.frame.data.is_empty() {
                    self.frame.data.push('\n');
                }
                self.frame.data.push_str(value);
            }
            _ => {} // comments keep the connection alive; retry is ours to decide
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(chunks: &[&str]) -> Vec<Frame> {
        let mut parser = Parser::default();
        let mut frames = Vec::new();
        for chunk in chunks {
            parser.take(chunk.as_bytes());
            while let Some(frame) = parser.frame() {
                frames.push(frame);
            }
        }
        frames
    }

    #[test]
    fn frames_are_put_together_across_chunks() {
        let whole = ": beat\n\nid: a1\nevent: log\ndata: {\"x\":\ndata: \"\u{e9}\"}\r\n\r\nid: a2\nevent: done\ndata: {}\n\n";
        let at_once = parse(&[whole]);
        assert_eq!(at_once.len(), 2);
        assert_eq!(
            at_once[0],
            Frame { id: Some("a1".into()), event: "log".into(), data: "{\"x\":\n\"é\"}".into() }
        );
        let letters: Vec<String> = whole.chars().map(String::from).collect();
        let letters: Vec<&str> = letters.iter().map(String::as_str).collect();
        assert_eq!(parse(&letters), at_once);
    }

    #[test]
    fn a_frame_that_was_cut_off_is_not_handed_out() {
        assert_eq!(parse(&["id: a\nevent: log\ndata: {}\n"]), []);
    }
}
