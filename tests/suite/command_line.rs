//! Options, operands, lists of objects, and files that can't be read.

use std::io;

use kbuild_rs_tests::case::Case;
use kbuild_rs_tests::fixture::assemble;
use kbuild_rs_tests::original::kernels;

use crate::asm::GPL;

pub(crate) fn cases() -> io::Result<Vec<Case>> {
    let module = assemble(GPL)?;
    let mut cases = Vec::new();
    for kernel in kernels() {
        let case = |name: &str| Case::new(kernel, format!("{} command line: {name}", kernel.version()));
        let with = |name: &str| case(name).module("a", &module).module("b", &module);
        cases.extend([
            case("nothing"),
            case("invalid option").args("-x"),
            case("invalid option in a cluster").args("-eq"),
            case("invalid byte").arg_list(&["-e", "-\u{e9}"]),
            case("long word").args("--nothing"),
            case("a dash alone").args("-"),
            case("missing argument").args("-i"),
            case("missing argument in a cluster").args("-meo"),
            case("extra warnings").args("-W"),
            with("options after objects").args("a.o -m -e b.o -w"),
            with("end of options").args("-w -- a.o -e"),
            with("posixly correct").env("POSIXLY_CORRECT", "1").args("-w a.o -e"),
            with("attached arguments").args("-wooutput a.o"),
            with("an argument like an option").args("-o -e a.o"),
            with("an argument of two dashes").args("-o -- a.o"),
            with("an empty argument").arg_list(&["-o", "", "a.o"]),
            with("the last of several").args("-o one -o two -d three -d four a.o"),
            with("repeated flags").args("-eee -w -w a.o"),
            with("all flags").args("-emnawEN a.o"),
            with("list").file("list", "a.o\nb.o\n").args("-T list"),
            with("list without last newline").file("list", "a.o\nb.o").args("-T list"),
            with("list with an empty line").file("list", "a.o\n\nb.o\n").args("-T list"),
            with("list with an empty line, ignored").file("list", "a.o\n\nb.o\n").args("-n -T list"),
            with("list with a NUL").file("list", b"a.o\0x\nb.o\n").args("-T list"),
            with("list with a long line").file("list", format!("a.o\n{}\nb.o\n", "x".repeat(5000))).args("-n -T list"),
            with("list from standard input").stdin("b.o\n").args("-T - a.o"),
            with("list is missing").args("-T nothing a.o"),
            with("list is a directory").directory("list").args("-T list a.o"),
            with("object is missing").args("a.o nothing.o b.o"),
            with("object is missing, ignored").args("-n a.o nothing.o b.o"),
            with("object has an empty name").arg_list(&["a.o", "", "b.o"]),
            with("object is a directory").directory("directory.o").args("a.o directory.o"),
            with("object is a directory, ignored").directory("directory.o").args("-n a.o directory.o b.o"),
            with("object is below a file").args("a.o/b.o"),
            with("object twice").args("a.o a.o"),
            with("exports are missing").args("-i nothing a.o"),
            with("output directory is missing").args("-o nothing/symvers a.o"),
            with("output is a directory").directory("symvers").args("-o symvers a.o"),
            with("output of dependencies is a directory").directory("nsdeps").args("-d nsdeps a.o"),
            with("module's file is a directory").directory("a.mod.c").args("a.o b.o"),
        ]);
    }
    Ok(cases)
}
