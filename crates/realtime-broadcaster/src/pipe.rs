//! A connection's buffer: what one task hands to whoever writes it to the socket, bounded by its weight.
//!
//! It holds nothing while nothing waits, which is what thousands of silent connections do. One frame may be heavier
//! than the bound: it then waits alone.

use crate::topics::lock;
use futures::Stream;
use std::{
    collections::VecDeque,
    future::poll_fn,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

/// The other end is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gone;

struct State<T> {
    waiting: VecDeque<(T, usize)>,
    weight: usize,
    sender: Option<Waker>,
    receiver: Option<Waker>,
    /// One of both ends was dropped.
    gone: bool,
}

/// Where frames are put in.
pub(crate) struct Sender<T> {
    state: Arc<Mutex<State<T>>>,
    most: usize,
}

/// Where they come out.
pub(crate) struct Receiver<T> {
    state: Arc<Mutex<State<T>>>,
}

/// Both ends of a pipe in which frames of the weight `most` may wait.
pub(crate) fn pipe<T>(most: usize) -> (Sender<T>, Receiver<T>) {
    let state = State { waiting: VecDeque::new(), weight: 0, sender: None, receiver: None, gone: false };
    let state = Arc::new(Mutex::new(state));
    (Sender { state: Arc::clone(&state), most }, Receiver { state })
}

impl<T> Sender<T> {
    /// Puts a frame in as soon as there is room. Only one task may wait here or in [`Self::gone`] at a time.
    pub(crate) async fn send(&self, frame: T, weight: usize) -> Result<(), Gone> {
        let mut frame = Some(frame);
        poll_fn(|context| {
            let mut state = lock(&self.state);
            if state.gone {
                return Poll::Ready(Err(Gone));
            }
            if !state.waiting.is_empty() && state.weight + weight > self.most {
                state.sender = Some(context.waker().clone());
                return Poll::Pending;
            }
            let receiver = frame.take().and_then(|frame| state.put(frame, weight));
            drop(state);
            wake(receiver);
            Poll::Ready(Ok(()))
        })
        .await
    }

    /// Puts in the last frame, whether there is room or not.
    pub(crate) fn finish(self, last: T) {
        let receiver = lock(&self.state).put(last, 0);
        wake(receiver);
    }

    /// Takes back all that was not taken out.
    pub(crate) fn empty(&self) {
        let mut state = lock(&self.state);
        state.weight = 0;
        let dropped = std::mem::take(&mut state.waiting);
        drop(state);
        drop(dropped);
    }

    /// Waits until nobody takes anything out any more.
    pub(crate) async fn gone(&self) {
        poll_fn(|context| {
            let mut state = lock(&self.state);
            if state.gone {
                return Poll::Ready(());
            }
            state.sender = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

impl<T> State<T> {
    fn put(&mut self, frame: T, weight: usize) -> Option<Waker> {
        self.waiting.push_back((frame, weight));
        self.weight += weight;
        self.receiver.take()
    }
}

impl<T> Stream for Receiver<T> {
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let mut state = lock(&self.state);
        let Some((frame, weight)) = state.waiting.pop_front() else {
            if state.gone {
                return Poll::Ready(None);
            }
            state.receiver = Some(context.waker().clone());
            return Poll::Pending;
        };
        state.weight = state.weight.saturating_sub(weight);
        if state.waiting.is_empty() {
            // A connection that has taken all may be silent for long.
            state.waiting = VecDeque::new();
        }
        let sender = state.sender.take();
        drop(state);
        wake(sender);
        Poll::Ready(Some(frame))
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let receiver = {
            let mut state = lock(&self.state);
            state.gone = true;
            state.receiver.take()
        };
        wake(receiver);
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let (sender, dropped) = {
            let mut state = lock(&self.state);
            state.gone = true;
            (state.sender.take(), std::mem::take(&mut state.waiting))
        };
        drop(dropped);
        wake(sender);
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::{FutureExt, StreamExt};

    #[test]
    fn what_waits_is_bounded_by_weight_and_comes_out_in_order() {
        let (sender, mut receiver) = pipe(10);
        let send = |frame: u8, weight| sender.send(frame, weight).now_or_never();
        assert_eq!(send(1, 99), Some(Ok(())), "the first may be heavier: it waits alone");
        assert_eq!(send(2, 1), None);
        assert_eq!(receiver.next().now_or_never(), Some(Some(1)));
        assert_eq!(send(2, 6), Some(Ok(())));
        assert_eq!(send(3, 4), Some(Ok(())));
        assert_eq!(send(4, 1), None);
        assert_eq!(receiver.next().now_or_never(), Some(Some(2)));
        assert_eq!(send(4, 6), Some(Ok(())));
        assert_eq!(receiver.next().now_or_never(), Some(Some(3)));
        sender.finish(5);
        assert_eq!(receiver.next().now_or_never(), Some(Some(4)));
        assert_eq!(receiver.next().now_or_never(), Some(Some(5)));
        assert_eq!(receiver.next().now_or_never(), Some(None));
    }

    #[test]
    fn either_end_hears_that_the_other_is_gone() {
        let (sender, receiver) = pipe::<u8>(1);
        assert_eq!(sender.gone().now_or_never(), None);
        drop(receiver);
        assert_eq!(sender.gone().now_or_never(), Some(()));
        assert_eq!(sender.send(1, 1).now_or_never(), Some(Err(Gone)));
        let (sender, mut receiver) = pipe::<u8>(1);
        assert_eq!(receiver.next().now_or_never(), None);
        sender.empty();
        drop(sender);
        assert_eq!(receiver.next().now_or_never(), Some(None));
    }

    #[tokio::test]
    async fn whoever_waits_for_room_is_woken() {
        let (sender, receiver) = pipe(1);
        let sending = async move {
            for number in 0..1000_u32 {
                sender.send(number, 1).await.expect("somebody takes it out");
            }
        };
        let (got, ()) = tokio::join!(receiver.collect::<Vec<_>>(), sending);
        assert_eq!(got, (0..1000).collect::<Vec<_>>());
    }
}
