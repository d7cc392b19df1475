KBUILD_RS_COMPLETE=fish file2alias | source
