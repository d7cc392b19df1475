source <(KBUILD_RS_COMPLETE=bash kbuild-rs-swap)
