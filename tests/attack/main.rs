//! Inputs and environments that somebody prepares to do harm.

mod bounds;
mod people;
mod swap;
mod swap_faults;
