//! Compiles what has to run before Rust's runtime.

fn main() {
    println!("cargo::rerun-if-changed=streams.c");
    // No code refers to the function, and linkers drop such objects from archives.
    cc::Build::new().file("streams.c").link_lib_modifier("+whole-archive").compile("kbuild_rs_streams");
}
