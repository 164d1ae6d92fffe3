//! The wish of the process's supervisor or person that it stop: SIGTERM and SIGINT.
//!
//! Heard from the moment that a [`Signals`] is made, not from the moment that somebody asks it: a service that is
//! still starting must not be killed by what a moment later would end it in order.

use futures::{Stream, stream};
use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// One item per signal. From its making on, the signals have no other effect in this process.
pub struct Signals(Pin<Box<dyn Stream<Item = ()> + Send>>);

impl Signals {
    /// Listens from now on.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn listen() -> io::Result<Self> {
        let [terminate, interrupt] = [signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?];
        Ok(Self(Box::pin(stream::select(each(terminate), each(interrupt)))))
    }
}

fn each(mut signal: Signal) -> impl Stream<Item = ()> + Send {
    stream::poll_fn(move |context| signal.poll_recv(context))
}

impl Stream for Signals {
    type Item = ();

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<()>> {
        self.0.as_mut().poll_next(context)
    }
}
