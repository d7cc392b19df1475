//! What somebody who means harm can give to the programs.

mod swap;
mod swap_faults;
