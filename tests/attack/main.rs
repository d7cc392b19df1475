//! What somebody who means harm can give to the programs.

mod people;
