//! Compiles what has to run before Rust's runtime.

fn main() {
    println!("cargo::rerun-if-changed=streams.c");
    // Nothing refers to it, so the linker has to be told to keep it.
    cc::Build::new().file("streams.c").link_lib_modifier("+whole-archive").compile("kbuild_rs_streams");
}
