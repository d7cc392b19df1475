//! The threads among which a run's work is divided.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// Threads that work on items in parallel and give results in the items'
/// order; none if there is to be one worker, who is the caller.
#[derive(Debug, Default)]
pub struct Workers(Option<ThreadPool>);

impl Workers {
    /// A single worker: the caller.
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

    /// Does two things at the same time, or one after the other if there is one processor.
    pub fn both<A: Send, B: Send>(one: impl FnOnce() -> A + Send, other: impl FnOnce() -> B + Send) -> (A, B) {
        match Self::new(None, 2).0 {
            Some(pool) => pool.join(one, other),
            None => (one(), other()),
        }
    }

    /// The result of each item, in order.
    pub fn map<T: Sync, R: Send>(&self, items: &[T], work: impl Fn(&T) -> R + Sync + Send) -> Vec<R> {
        match &self.0 {
            None => items.iter().map(work).collect(),
            Some(pool) => pool.install(|| items.par_iter().map(work).collect()),
        }
    }

    /// The same. `scratch` makes what a worker reuses from one item to the next.
    pub fn map_with<T: Sync, R: Send, S>(
        &self,
        items: &[T],
        scratch: impl Fn() -> S + Sync,
        work: impl Fn(&mut S, &T) -> R + Sync,
    ) -> Vec<R> {
        let mut results = Vec::with_capacity(items.len());
        let take = |result| -> Result<(), Infallible> {
            results.push(result);
            Ok(())
        };
        let Ok(()) = self.each(items, scratch, work, take);
        results
    }

    /// Hands each item's result over, in order, as soon as it and all before
    /// it are there. Few are kept until then: a worker that is far ahead waits.
    /// `scratch` makes what a worker reuses from one item to the next.
    ///
    /// # Errors
    /// The first that `take` returns, with which the work ends.
    ///
    /// # Panics
    /// If `scratch`, `work` or `take` panics. All workers stop first, with the batch that
    /// they are at.
    pub fn each<T: Sync, R: Send, S, E: Send>(
        &self,
        items: &[T],
        scratch: impl Fn() -> S + Sync,
        work: impl Fn(&mut S, &T) -> R + Sync,
        mut take: impl FnMut(R) -> Result<(), E> + Send,
    ) -> Result<(), E> {
        let Some(pool) = &self.0 else {
            let mut scratch = scratch();
            return items.iter().try_for_each(|item| take(work(&mut scratch, item)));
        };
        // Several at once, so that workers seldom wait for each other; few if
        // there are few, so that none is left alone with the last.
        let batch = (items.len() / (pool.current_num_threads() * MAX_BATCH)).clamp(1, MAX_BATCH);
        let next = AtomicUsize::new(0);
        let (queue, moved) =
            (Mutex::new(Queue { waiting: VecDeque::new(), taken: 0, take, state: State::Running }), Condvar::new());
        // A panic of `take` poisons the lock. The state says that already.
        let locked = || queue.lock().unwrap_or_else(PoisonError::into_inner);
        let abandon = || {
            locked().state = State::Abandoned;
            moved.notify_all();
        };
        pool.broadcast(|_| {
            // The batch of a worker that panics never has its turn, and the others would
            // wait for it for ever. The lock is released before this is dropped.
            let _abandon = OnPanic(&abandon);
            let mut scratch = scratch();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(items) = items.chunks(batch).nth(number) else { break };
                let is_ahead = |queue: &mut Queue<_, _, _>| queue.is_running() && number - queue.taken >= MAX_WAITING;
                let queue = moved.wait_while(locked(), is_ahead).unwrap_or_else(PoisonError::into_inner);
                if !queue.is_running() {
                    break;
                }
                drop(queue);
                let results: Vec<R> = items.iter().map(|item| work(&mut scratch, item)).collect();
                let mut queue = locked();
                if !queue.is_running() {
                    break;
                }
                let before = queue.taken;
                queue.put(number, results);
                if queue.taken != before {
                    moved.notify_all();
                }
            }
        });
        match queue.into_inner().unwrap_or_else(PoisonError::into_inner).state {
            State::Ended(error) => Err(error),
            // After a panic, `broadcast` panics, too.
            State::Running | State::Abandoned => Ok(()),
        }
    }
}

/// Calls a function when it is dropped because of a panic.
struct OnPanic<F: Fn()>(F);

impl<F: Fn()> Drop for OnPanic<F> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            (self.0)();
        }
    }
}

/// How many items a worker takes at once, at most.
const MAX_BATCH: usize = 16;

/// How many batches may be ahead of the next one to be handed over. One large
/// object takes as long as some thousand small ones.
const MAX_WAITING: usize = 128;

/// Results that wait for their turn.
struct Queue<R, F, E> {
    /// Batches; the next one's place is the first.
    waiting: VecDeque<Option<Vec<R>>>,
    /// How many batches had their turn.
    taken: usize,
    take: F,
    state: State<E>,
}

/// Whether the work goes on.
enum State<E> {
    /// It does.
    Running,
    /// `take` returned an error.
    Ended(E),
    /// A worker panicked.
    Abandoned,
}

impl<R, F: FnMut(R) -> Result<(), E>, E> Queue<R, F, E> {
    fn is_running(&self) -> bool {
        matches!(self.state, State::Running)
    }

    fn put(&mut self, number: usize, results: Vec<R>) {
        let place = number - self.taken;
        if self.waiting.len() <= place {
            self.waiting.resize_with(place + 1, || None);
        }
        self.waiting[place] = Some(results);
        while self.is_running() {
            let Some(results) = self.waiting.front_mut().and_then(Option::take) else { break };
            self.waiting.pop_front();
            self.taken += 1;
            if let Err(error) = results.into_iter().try_for_each(&mut self.take) {
                self.state = State::Ended(error);
            }
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

    #[test]
    fn few_results_wait_for_a_slow_one() {
        let items: Vec<usize> = (0..100_000).collect();
        let (done, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let work = |(): &mut (), &item: &usize| {
            if item == 0 {
                // Until the others are as far ahead as they may be.
                let mut before = usize::MAX;
                while before != done.load(Ordering::SeqCst) {
                    before = done.load(Ordering::SeqCst);
                    std::thread::sleep(std::time::Duration::from_millis(50));
                }
                most.store(before, Ordering::SeqCst);
            }
            done.fetch_add(1, Ordering::SeqCst);
            item
        };
        let mut taken = 0;
        let all = Workers::new(Some(4), items.len()).each(
            &items,
            || (),
            work,
            |item| {
                taken += 1;
                if item + 1 == taken { Ok(()) } else { Err(item) }
            },
        );
        assert_eq!((all, taken), (Ok(()), items.len()));
        let most = most.load(Ordering::SeqCst);
        assert!(most <= (MAX_WAITING + 4) * MAX_BATCH, "{most}");
    }

    /// How a run over 4,000 items ends: `None` if it doesn't end within a minute. The
    /// workers' messages aren't kept: a panic prints one.
    fn ended(
        jobs: usize,
        work: impl Fn(usize) -> usize + Sync + Send + 'static,
        mut take: impl FnMut(usize) + Send + 'static,
    ) -> Option<std::thread::Result<Result<(), Infallible>>> {
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let items: Vec<usize> = (0..4000).collect();
            let run = || {
                let take = |item| {
                    take(item);
                    Ok(())
                };
                Workers::new(Some(jobs), items.len()).each(&items, || (), |(), &item| work(item), take)
            };
            let _ = sender.send(std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)));
        });
        receiver.recv_timeout(std::time::Duration::from_secs(60)).ok()
    }

    #[test]
    fn a_panic_of_a_worker_ends_the_run() {
        for jobs in [1, 2, 7] {
            let work = |item| if item == 100 { panic!("item 100") } else { item };
            assert!(matches!(ended(jobs, work, |_| ()), Some(Err(_))), "work of {jobs}");
            let take = |item| assert_ne!(item, 100);
            assert!(matches!(ended(jobs, |item| item, take), Some(Err(_))), "take of {jobs}");
            assert!(matches!(ended(jobs, |item| item, |_| ()), Some(Ok(Ok(())))), "{jobs}");
        }
    }
}
