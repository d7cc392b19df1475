//! Inputs and environments that somebody prepares to do harm.

mod bounds;
