//! A `Module.symvers`: a byte for the kernel, and the text.

#![no_main]

mod dialects;

use libfuzzer_sys::fuzz_target;
use modpost::cli::Options;
use modpost::link::{Link, Log};
use modpost::run::PROGRAM;
use modpost::write::symvers;

fuzz_target!(|data: &[u8]| {
    let [kernel, text @ ..] = data else { return };
    let dialect = dialects::dialect(*kernel);
    let options = Options::default();
    let (mut link, mut sink) = (Link::new(dialect, &options), std::io::sink());
    let mut log = Log::new(&PROGRAM, &mut sink, false);
    let _ = symvers::read(text, b"in", &mut link, &mut log);
    let _ = symvers::render(&link, true);
    link.report_statics(&mut log);
});
