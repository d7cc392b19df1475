//! An object: a byte for the kernel, one for options, and the file. What is
//! read goes all the way to a `.mod.c` and a `Module.symvers`.

#![no_main]

mod dialects;

use elf::Source;
use libfuzzer_sys::fuzz_target;
use modpost::cli::Options;
use modpost::link::{Link, Log, resolve};
use modpost::run::PROGRAM;
use modpost::object::{self, Context, Scratch};
use modpost::section::Rules;
use modpost::write::modc;
use modpost::write::symvers;

fuzz_target!(|data: &[u8]| {
    let [kernel, options, object @ ..] = data else { return };
    let dialect = dialects::dialect(*kernel);
    let rules = Rules::new(dialect);
    // Files beside the object, which there are none of, end the run.
    let options = Options {
        modversions: options & 1 != 0,
        extra_warn: options & 2 != 0,
        external: options & 4 != 0,
        warn_unresolved: options & 8 != 0,
        allow_missing_imports: options & 16 != 0,
        basic_versions: dialect.extended_versions && options & 1 != 0,
        extended_versions: dialect.extended_versions && options & 32 != 0,
        ..Options::default()
    };
    // CRCs are in other files.
    let of_object = Options { modversions: false, ..options.clone() };
    let context = Context::new(dialect, &rules, &of_object);
    let source = Source::Memory(object.to_vec());
    let reading = object::read_source(b"m.o", &source, &context, &mut Scratch::default());
    let mut link = Link::new(dialect, &options);
    if link.commit(reading, &mut Log::new(&PROGRAM, &mut std::io::sink(), false)).is_err() {
        return;
    }
    for id in link.written() {
        let resolution = resolve::resolve(&link, id, resolve::Undefined { reported: true, before: 0 });
        let versions = resolve::versions(&link, id, &resolution);
        let _ = modc::render(&link, id, &resolution, &versions, None);
    }
    let _ = symvers::render(&link, true);
});
