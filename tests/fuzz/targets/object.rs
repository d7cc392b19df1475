//! An object: a byte for the kernel, one for options, and the file. What is
//! read goes all the way to a `.mod.c` and a `Module.symvers`.

#![no_main]

mod dialects;

use elf::Source;
use libfuzzer_sys::fuzz_target;
use modpost::link::{Link, Log, resolve};
use modpost::run::PROGRAM;
use modpost::object::{self, Context, Scratch};
use modpost::section::Rules;
use modpost::write::modc::{self, Style};
use modpost::write::symvers;

fuzz_target!(|data: &[u8]| {
    let [kernel, options, object @ ..] = data else { return };
    let dialect = dialects::dialect(*kernel);
    let rules = Rules::new(dialect);
    let modversions = options & 1 != 0;
    // Files beside the object, which there are none of, end the run.
    let context = Context { extra_warn: options & 2 != 0, ..Context::new(dialect, &rules, None) };
    let source = Source::Memory(object.to_vec());
    let reading = object::read_source(b"m.o", &source, &context, &mut Scratch::default());
    let mut link = Link::new(dialect, options & 4 != 0);
    if link.commit(reading, &mut Log::new(&PROGRAM, &mut std::io::sink(), false)).is_err() {
        return;
    }
    let policy = resolve::Policy {
        modversions,
        warn_unresolved: options & 8 != 0,
        allow_missing_imports: options & 16 != 0,
        report_undefined: true,
        basic: modversions,
        extended: dialect.extended_versions && options & 32 != 0,
    };
    let style = Style {
        dialect,
        external: link.external,
        modversions,
        basic: policy.basic,
        extended: policy.extended,
        scmversion: None,
    };
    for id in link.written() {
        let resolution = resolve::resolve(&link, id, &policy, dialect);
        let versions = resolve::versions(&link, id, &resolution, &policy, dialect);
        let _ = modc::render(&link, id, &resolution, &versions, None, style);
    }
    let _ = symvers::render(&link, dialect, true);
});
