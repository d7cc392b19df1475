//! check-headers: builds modules of others against Debian's headers package,
//! with the original and with ours in its place.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use kbuild_rs_tests::headers;
use kbuild_rs_tests::tally::Tally;

fn main() -> ExitCode {
    let tally = Tally::default();
    tally.note_all("headers", headers::fetch(), headers::compare);
    tally.finish()
}
