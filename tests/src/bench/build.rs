//! A kernel's whole build, with the originals and with ours.

use std::io;
use std::path::Path;

use super::contest::Costs;
use super::cost::{Cost, Process};
use crate::command;
use crate::external::{swap, swapper};
use crate::kernel::Tree;
use crate::run;
use crate::swapped::{is_product, make_clean};

/// How often each is built.
const BUILDS: usize = 3;

/// Builds a kernel from clean, in turns, with a job for each processor.
///
/// # Errors
/// If something can't be built, or the two don't make the same.
pub(super) fn in_turns(tree: &Tree, processors: usize) -> io::Result<Costs> {
    tree.in_copy(|tree| {
        let (mut costs, mut is_swapped, mut made) = (Costs::default(), false, None);
        for turn in 0..2 * BUILDS {
            // Neither is always the first.
            let is_ours = matches!(turn % 4, 1 | 2);
            match (is_swapped, is_ours) {
                (false, true) => swap(tree)?,
                (true, false) => drop(command::output(swapper()?.arg("--undo").arg(tree))?),
                _ => {}
            }
            is_swapped = is_ours;
            let cost = build(tree, processors)?;
            if is_ours { &mut costs.ours } else { &mut costs.original }.push(cost);
            let products = run::contents(tree, is_product)?;
            if *made.get_or_insert_with(|| products.clone()) != products {
                return Err(io::Error::other("the two don't build the same"));
            }
        }
        Ok(costs)
    })
}

/// One build, by the compilers themselves: ccache would leave little to do.
fn build(tree: &Path, processors: usize) -> io::Result<Cost> {
    make_clean(tree, &[])?;
    let words = ["make".into(), "-s".into(), format!("-j{processors}").into()].to_vec();
    let path = ("PATH", std::env::var("PATH").unwrap_or_default());
    let cost = Process { words, environment: vec![path], input: None }.measure(tree)?;
    if cost.status == 0 { Ok(cost) } else { Err(io::Error::other(format!("{}: make failed", tree.display()))) }
}
