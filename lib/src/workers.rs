//! The threads among which a run's work is divided.

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// Threads that work on items beside each other and give results in the items'
/// order; none if there is to be one worker, who is the caller.
#[derive(Debug, Default)]
pub struct Workers(Option<ThreadPool>);

impl Workers {
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

    /// The result of each item, in order. `room` makes what a worker reuses
    /// from one item to the next.
    pub fn map<T: Sync, R: Send, S>(
        &self,
        items: &[T],
        room: impl Fn() -> S + Sync + Send,
        work: impl Fn(&mut S, &T) -> R + Sync + Send,
    ) -> Vec<R> {
        match &self.0 {
            None => {
                let mut room = room();
                items.iter().map(|item| work(&mut room, item)).collect()
            }
            Some(pool) => pool.install(|| items.par_iter().map_init(room, work).collect()),
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
            assert_eq!(workers.map(&items, || (), |(), item| item * item), squares, "{jobs}");
        }
        assert!(Workers::new(Some(7), 1).0.is_none());
    }
}
