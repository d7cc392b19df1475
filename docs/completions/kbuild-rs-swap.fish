KBUILD_RS_COMPLETE=fish kbuild-rs-swap | source
