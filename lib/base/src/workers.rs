//! The threads among which a run's work is divided.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// Threads that work on items beside each other and give results in the items'
/// order; none if there is to be one worker, who is the caller.
#[derive(Debug, Default)]
pub struct Workers(Option<ThreadPool>);

impl Workers {
    /// One, who is the caller.
    pub const ALONE: Self = Self(None);

    /// This many workers, or one for each processor, if there are as many
    /// items; a machine that can't start them has to do with one. What is one
    /// item's only isn't worth counting processors for.
    #[must_use]
    pub fn new(jobs: Option<usize>, items: usize) -> Self {
        if items < 2 {
            return Self(None);
        }
        let jobs = jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)).min(items);
        Self(if jobs > 1 { ThreadPoolBuilder::new().num_threads(jobs).build().ok() } else { None })
    }

    /// The result of each item, in order.
    pub fn map<T: Sync, R: Send>(&self, items: &[T], work: impl Fn(&T) -> R + Sync + Send) -> Vec<R> {
        match &self.0 {
            None => items.iter().map(work).collect(),
            Some(pool) => pool.install(|| items.par_iter().map(work).collect()),
        }
    }

    /// Hands each item's result over, in order, as soon as it and all before
    /// it are there, so that few of them have to be kept. `room` makes what a
    /// worker reuses from one item to the next.
    ///
    /// # Errors
    /// The first that `take` returns, with which the work ends.
    pub fn each<T: Sync, R: Send, S, E: Send>(
        &self,
        items: &[T],
        room: impl Fn() -> S + Sync,
        work: impl Fn(&mut S, &T) -> R + Sync,
        mut take: impl FnMut(R) -> Result<(), E> + Send,
    ) -> Result<(), E> {
        let Some(pool) = &self.0 else {
            let mut room = room();
            return items.iter().try_for_each(|item| take(work(&mut room, item)));
        };
        // Several at once, so that workers seldom wait for each other; few if
        // there are few, so that none is left alone with the last.
        let batch = (items.len() / (pool.current_num_threads() * MAX_BATCH)).clamp(1, MAX_BATCH);
        let (next, ended) = (AtomicUsize::new(0), AtomicBool::new(false));
        let queue = Mutex::new(Queue { waiting: VecDeque::new(), taken: 0, take, result: Ok(()) });
        pool.broadcast(|_| {
            let mut room = room();
            while !ended.load(Ordering::Relaxed) {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(items) = items.chunks(batch).nth(number) else { break };
                let results: Vec<R> = items.iter().map(|item| work(&mut room, item)).collect();
                // A worker that panics takes all of them with it.
                let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
                queue.put(number, results);
                if queue.result.is_err() {
                    ended.store(true, Ordering::Relaxed);
                }
            }
        });
        queue.into_inner().unwrap_or_else(PoisonError::into_inner).result
    }
}

/// How many items a worker takes at once, at most.
const MAX_BATCH: usize = 16;

/// Results that wait for their turn.
struct Queue<R, F, E> {
    /// Batches; the next one's place is the first.
    waiting: VecDeque<Option<Vec<R>>>,
    /// How many batches had their turn.
    taken: usize,
    take: F,
    result: Result<(), E>,
}

impl<R, F: FnMut(R) -> Result<(), E>, E> Queue<R, F, E> {
    fn put(&mut self, number: usize, results: Vec<R>) {
        let place = number - self.taken;
        if self.waiting.len() <= place {
            self.waiting.resize_with(place + 1, || None);
        }
        self.waiting[place] = Some(results);
        while self.result.is_ok() {
            let Some(results) = self.waiting.front_mut().and_then(Option::take) else { break };
            self.waiting.pop_front();
            self.taken += 1;
            self.result = results.into_iter().try_for_each(&mut self.take);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order() {
        let items: Vec<usize> = (0..1000).collect();
        let squares: Vec<usize> = items.iter().map(|item| item * item).collect();
        for jobs in [1, 2, 7] {
            let workers = Workers::new(Some(jobs), items.len());
            assert_eq!(workers.0.as_ref().map_or(1, ThreadPool::current_num_threads), jobs);
            assert_eq!(workers.map(&items, |item| item * item), squares, "{jobs}");
            let mut taken = Vec::new();
            let take = |square| {
                taken.push(square);
                if taken.len() < 500 { Ok(()) } else { Err(square) }
            };
            let ended = workers.each(&items, || (), |(), item| item * item, take);
            assert_eq!((ended, &taken[..]), (Err(499 * 499), &squares[..500]), "{jobs}");
        }
        assert!(Workers::new(Some(7), 1).0.is_none());
    }
}
