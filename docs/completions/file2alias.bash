source <(KBUILD_RS_COMPLETE=bash file2alias)
