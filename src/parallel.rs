//! Work on a second thread: a connection belongs to one thread, and its input can be prepared on another. The order is
//! kept.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// Items that go to the other thread together.
const BATCH: usize = 500;

/// Batches that are on their way.
const AHEAD: usize = 4;

/// Maps each item of `next` on a second thread and passes it to `each`. Both closures run on the caller's thread.
///
/// # Errors
/// The first error of `next` or `each`.
pub fn map_ahead<T: Send, U: Send, E>(
    mut next: impl FnMut() -> Result<Option<T>, E>,
    map: impl Fn(T) -> U + Send,
    mut each: impl FnMut(U) -> Result<(), E>,
) -> Result<(), E> {
    with_mapper(map, |mapper| {
        while let Some(item) = next()? {
            mapper.push(item, &mut each)?;
        }
        mapper.finish(&mut each)
    })
}

/// Runs `work` with a [`Mapper`], for items that are pushed.
pub fn with_mapper<T: Send, U: Send, R>(map: impl Fn(T) -> U + Send, work: impl FnOnce(&mut Mapper<T, U>) -> R) -> R {
    thread::scope(|scope| {
        let (to, items): (SyncSender<Vec<T>>, Receiver<Vec<T>>) = sync_channel(AHEAD);
        let (back, results) = sync_channel::<Vec<U>>(AHEAD);
        scope.spawn(move || {
            for batch in items {
                if back.send(batch.into_iter().map(&map).collect()).is_err() {
                    return;
                }
            }
        });
        work(&mut Mapper { to: Some(to), results, batch: Vec::with_capacity(BATCH), ahead: 0 })
    })
}

/// Accepts items and returns the results of the second thread.
pub struct Mapper<T, U> {
    to: Option<SyncSender<Vec<T>>>,
    results: Receiver<Vec<U>>,
    batch: Vec<T>,
    ahead: usize,
}

impl<T, U> Mapper<T, U> {
    /// Adds an item; `each` gets the results that are ready.
    ///
    /// # Errors
    /// The error of `each`.
    pub fn push<E>(&mut self, item: T, each: &mut impl FnMut(U) -> Result<(), E>) -> Result<(), E> {
        self.batch.push(item);
        if self.batch.len() < BATCH {
            return Ok(());
        }
        if self.ahead == AHEAD {
            self.receive(each)?;
        }
        self.send();
        Ok(())
    }

    /// Passes the remaining results to `each`.
    ///
    /// # Errors
    /// The error of `each`.
    pub fn finish<E>(&mut self, each: &mut impl FnMut(U) -> Result<(), E>) -> Result<(), E> {
        if self.ahead == AHEAD {
            self.receive(each)?;
        }
        self.send();
        self.to = None;
        while self.ahead > 0 {
            self.receive(each)?;
        }
        Ok(())
    }

    fn send(&mut self) {
        let batch = std::mem::replace(&mut self.batch, Vec::with_capacity(BATCH));
        let is_sent = self.to.as_ref().is_some_and(|to| to.send(batch).is_ok());
        self.ahead += usize::from(is_sent);
    }

    fn receive<E>(&mut self, each: &mut impl FnMut(U) -> Result<(), E>) -> Result<(), E> {
        self.ahead -= 1;
        self.results.recv().into_iter().flatten().try_for_each(each)
    }
}

/// Runs `work` with the items of `source`, which a second thread reads ahead.
pub fn read_ahead<T: Send, R>(
    mut source: impl Iterator<Item = T> + Send,
    work: impl FnOnce(&mut dyn Iterator<Item = T>) -> R,
) -> R {
    thread::scope(|scope| {
        let (to, batches) = sync_channel::<Vec<T>>(AHEAD);
        scope.spawn(move || {
            loop {
                let batch: Vec<T> = source.by_ref().take(BATCH).collect();
                if batch.is_empty() || to.send(batch).is_err() {
                    return;
                }
            }
        });
        work(&mut batches.into_iter().flatten())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_arrive_once_and_in_order() {
        for count in [0_usize, 1, BATCH, 7 * BATCH + 3] {
            let (mut items, mut found) = (0..count, Vec::new());
            let each = |double| {
                found.push(double);
                Ok::<(), ()>(())
            };
            assert_eq!(map_ahead(|| Ok(items.next()), |item| item * 2, each), Ok(()));
            assert_eq!(found, (0..count).map(|item| item * 2).collect::<Vec<_>>());
            assert!(read_ahead(0..count, |items| items.eq(0..count)));
        }
    }

    #[test]
    fn error_ends_the_pipeline() {
        let mut items = 0..;
        let stopped =
            map_ahead(|| Ok(items.next()), |item| item, |item| if item < 3 * BATCH { Ok(()) } else { Err(item) });
        assert_eq!(stopped, Err(3 * BATCH));
        assert_eq!(read_ahead(0.., |items| items.nth(2 * BATCH)), Some(2 * BATCH));
    }
}
