//! What somebody who means harm can give to the programs.

mod bounds;
mod swap;
mod swap_faults;
