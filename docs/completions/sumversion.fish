KBUILD_RS_COMPLETE=fish sumversion | source
