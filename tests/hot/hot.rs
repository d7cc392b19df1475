//! The modules of the library in which modpost spends its time, one by one:
//! `make bench-hot` tells which of them a change made slower.

use std::hint::black_box;
use std::io;

use criterion::{Criterion, Throughput};
use elf::{Demands, Elf, Source, Tables};
use kbuild_rs_tests::synthetic;
use kernel::Version;
use modpost::cli::Options;
use modpost::dialect::Dialect;
use modpost::link::{Link, Log};
use modpost::object::{self, Context};
use modpost::run::PROGRAM;
use modpost::section::{self, Check, Findings, Rules};
use modpost::write::symvers;

const RELOCATIONS: usize = 200_000;
const SYMBOLS: usize = 50_000;
const LINES: usize = 25_000;

fn dialect() -> Dialect {
    Dialect::new(Version::new(6, 1, 176))
}

/// The sections of an object and all of their relocations.
fn relocation_check(criterion: &mut Criterion) {
    let dialect = dialect();
    let rules = Rules::new(&dialect);
    let source = Source::Memory(synthetic::object(RELOCATIONS / 100, RELOCATIONS).expect("an object"));
    let mut tables = Tables::default();
    let mut elf =
        Elf::parse(&source, &mut tables, Demands::default()).expect("it is well-formed").expect("it is an object");
    let options = Options::default();
    let check = Check {
        path: b"a.o",
        name: b"a.o",
        module: b"a.o",
        exports: false,
        rules: &rules,
        dialect: &dialect,
        options: &options,
    };
    let mut scratch = section::Scratch::default();
    let mut group = criterion.benchmark_group("relocation check");
    group.throughput(Throughput::Elements(RELOCATIONS as u64));
    group.bench_function("one object", |bencher| {
        bencher.iter(|| {
            let mut findings = Findings::default();
            check.run(&mut elf, &mut scratch, &mut findings).expect("it breaks no rule");
            findings
        });
    });
    group.finish();
}

/// All of an object's symbols.
fn symbol_pass(criterion: &mut Criterion) {
    let dialect = dialect();
    let rules = Rules::new(&dialect);
    let options = Options::default();
    let context = Context::new(&dialect, &rules, &options);
    let source = Source::Memory(synthetic::symbols(SYMBOLS).expect("an object"));
    let mut scratch = object::Scratch::default();
    let mut group = criterion.benchmark_group("symbol pass");
    group.throughput(Throughput::Elements(SYMBOLS as u64));
    group.bench_function("one object", |bencher| {
        bencher.iter(|| object::read_source(b"a.o", black_box(&source), &context, &mut scratch));
    });
    group.finish();
}

/// A kernel's `Module.symvers`, into the table of exports.
fn symvers_parse(criterion: &mut Criterion) {
    let dialect = dialect();
    let options = Options { external: true, ..Options::default() };
    let text = synthetic::symvers(LINES).into_bytes();
    let mut group = criterion.benchmark_group("symvers parse");
    group.throughput(Throughput::Elements(LINES as u64));
    group.bench_function("one file", |bencher| {
        bencher.iter(|| {
            let mut link = Link::new(&dialect, &options);
            symvers::read(
                black_box(&text),
                b"Module.symvers",
                &mut link,
                &mut Log::new(&PROGRAM, &mut io::sink(), false),
            )
            .expect("it is well-formed");
            link.symbols.find(b"symbol_with_the_number_7")
        });
    });
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    relocation_check(&mut criterion);
    symbol_pass(&mut criterion);
    symvers_parse(&mut criterion);
    criterion.final_summary();
}
