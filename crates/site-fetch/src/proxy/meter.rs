//! A connection that counts: its bytes come out of a budget that all connections of a proxy share, and
//! silence ends it. Nothing here knows what the bytes mean.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

/// Bytes that may still pass.
pub(super) struct Budget {
    limit: u64,
    spent: AtomicU64,
}

impl Budget {
    pub(super) fn new(limit: u64) -> Self {
        Self { limit, spent: AtomicU64::new(0) }
    }

    pub(super) fn spent(&self) -> u64 {
        self.spent.load(Ordering::Relaxed)
    }

    pub(super) fn is_exhausted(&self) -> bool {
        self.spent() > self.limit
    }

    fn spend(&self, bytes: usize) -> io::Result<()> {
        self.spent.fetch_add(bytes as u64, Ordering::Relaxed);
        if self.is_exhausted() {
            Err(io::Error::other("the bytes of this proxy are used up"))
        } else {
            Ok(())
        }
    }
}

/// A connection to a target.
pub(super) struct Metered {
    stream: TcpStream,
    budget: Arc<Budget>,
    idle: Duration,
    silence: Pin<Box<Sleep>>,
}

impl Metered {
    pub(super) fn new(stream: TcpStream, budget: Arc<Budget>, idle: Duration) -> Self {
        Self { stream, budget, idle, silence: Box::pin(tokio::time::sleep(idle)) }
    }

    /// Counts what has just passed and starts the silence anew.
    fn passed(&mut self, bytes: usize) -> io::Result<()> {
        let until = Instant::now() + self.idle;
        self.silence.as_mut().reset(until);
        self.budget.spend(bytes)
    }

    /// Waits on, unless it has been silent too long.
    fn silent<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        ready!(self.silence.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Metered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        match Pin::new(&mut self.stream).poll_read(cx, buffer) {
            Poll::Ready(Ok(())) => Poll::Ready(self.passed(buffer.filled().len() - before)),
            Poll::Ready(error) => Poll::Ready(error),
            Poll::Pending => self.silent(cx),
        }
    }
}

impl AsyncWrite for Metered {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write(cx, bytes) {
            Poll::Ready(Ok(count)) => Poll::Ready(self.passed(count).map(|()| count)),
            Poll::Ready(error) => Poll::Ready(error),
            Poll::Pending => self.silent(cx),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
