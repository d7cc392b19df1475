//! What somebody who means harm can give to the programs.

mod bounds;
mod people;
mod swap;
mod swap_faults;
