//! How fast ours is beside the original: whole processes, on the same files,
//! in turns.

mod build;
mod calls;
pub mod cases;
pub mod chart;
pub mod contest;
pub mod cost;
pub mod report;
mod tools;
