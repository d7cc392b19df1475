source <(KBUILD_RS_COMPLETE=bash modcheck)
