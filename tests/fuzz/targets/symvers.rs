//! A `Module.symvers`: a byte for the kernel, and the text.

#![no_main]

mod dialects;

use libfuzzer_sys::fuzz_target;
use modpost::link::Link;
use modpost::write::symvers;

fuzz_target!(|data: &[u8]| {
    let [kernel, text @ ..] = data else { return };
    let dialect = dialects::dialect(*kernel);
    let mut link = Link::new(dialect, false);
    let _ = symvers::read(text, b"in", dialect, &mut link);
    let _ = symvers::render(&link, dialect, true);
    link.report_statics();
});
