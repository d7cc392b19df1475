//! Files are written when they change and left alone when they don't.

use std::io;

use kbuild_rs_tests::case::Case;
use kbuild_rs_tests::fixture::assemble;
use kbuild_rs_tests::original::{Kernel, kernels};

use crate::asm::{GPL, exporter, uses};

/// More modules than workers take at once, and in their middle one that ends
/// the run: what it leaves behind is what came before.
fn among_many(kernel: &'static Kernel, plain: &[u8]) -> io::Result<[Case; 2]> {
    let names: Vec<String> = (0..60).map(|number| format!("m{number}")).collect();
    let objects: Vec<String> = names.iter().map(|name| format!("{name}.o")).collect();
    let arguments = format!("-w -o symvers {}", objects.join(" "));
    let modules = |name: &str, other: &[u8]| {
        let case = Case::new(kernel, format!("{} outputs: {name} among many", kernel.version())).args(&arguments);
        names.iter().enumerate().fold(case, |case, (n, name)| case.module(name, if n == 30 { other } else { plain }))
    };
    let long = assemble(&exporter(&"s".repeat(498)))?;
    Ok([modules("a directory in a file's place", plain).directory("m30.mod.c"), modules("a long line", &long)])
}

/// Outputs that are no plain files of their own.
fn places(kernel: &'static Kernel, user: &[u8]) -> Vec<Case> {
    let case = |name: &str| {
        let name = format!("{} outputs: {name}", kernel.version());
        Case::new(kernel, name).module("user", user).args("-w -o symvers user.o")
    };
    // The longest path that there is, and one for which an object's fits alone.
    let long = |len: usize| format!("{}user", "./".repeat((len - ".o".len() - "user".len()) / 2));
    let long_case = |name: &str, len: usize| case(name).args(&format!("-w -o symvers {}.o", long(len)));
    let mut cases = vec![
        case("a file with a mode").file("user.mod.c", "x").mode("user.mod.c", 0o640),
        case("a set-user-id file").file("user.mod.c", "x").mode("user.mod.c", 0o4755),
        case("a file with two names").file("other", "x").hard_link("user.mod.c", "other"),
        case("through a link").file("other", "x").symlink("user.mod.c", "other"),
        case("through a link to a file with a mode")
            .file("other", "x")
            .mode("other", 0o600)
            .symlink("symvers", "other"),
        case("through a link to nothing yet").symlink("symvers", "other"),
        case("through a link in a circle").symlink("symvers", "other").symlink("other", "symvers"),
        case("a directory that isn't there").args("-w -o missing/symvers user.o"),
        case("a full device").args("-w -o /dev/full user.o"),
        case("standard output").args("-w -o /dev/stdout user.o"),
        case("an object's path that is too long").args(&format!("-w -o symvers {}.o", "x".repeat(5000))),
        case("an output's name that is too long").args(&format!("-w -o {} user.o", "x".repeat(300))),
        case("an output's name that is long").args(&format!("-w -o {} user.o", "x".repeat(255))),
        long_case("a long path", 4000),
    ];
    if kernel.dialect().errors_stop_output {
        // Kernels before overflow an array.
        cases.push(long_case("a path that is too long", 4094));
    }
    cases
}

pub(crate) fn cases() -> io::Result<Vec<Case>> {
    let (owner, user) = (assemble(&exporter("f"))?, assemble(&[GPL, &uses("f")].concat())?);
    let broken = assemble(&[GPL, &uses("missing")].concat())?;
    let mut cases = Vec::new();
    for kernel in kernels() {
        let case = |name: &str| {
            Case::new(kernel, format!("{} outputs: {name}", kernel.version()))
                .module("owner", &owner)
                .module("user", &user)
                .module("broken", &broken)
                .module("vmlinux", &owner)
                .file(".vmlinux.objs", "\n")
        };
        let with_vmlinux = "-m -o symvers -d nsdeps vmlinux.o user.o";
        cases.extend([
            case("twice").args("-o symvers -d nsdeps owner.o user.o").again(),
            case("twice, then with another option")
                .args("-o symvers owner.o user.o")
                .again()
                .args("-e -o symvers owner.o user.o"),
            case("over others").file("user.mod.c", "x").file("symvers", "y").args("-o symvers owner.o user.o"),
            case("over others of the same size").file("nsdeps", "").args("-d nsdeps owner.o user.o"),
            case("with vmlinux, twice").args(with_vmlinux).again(),
            case("after an error").args("-o symvers -d nsdeps vmlinux.o broken.o user.o"),
            case("before an error").args("-o symvers -d nsdeps vmlinux.o user.o broken.o"),
            case("before an error, twice").args("-o symvers vmlinux.o user.o broken.o").again(),
        ]);
        cases.extend(among_many(kernel, &user)?);
        cases.extend(places(kernel, &user));
    }
    Ok(cases)
}
