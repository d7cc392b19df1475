KBUILD_RS_COMPLETE=fish modcheck | source
