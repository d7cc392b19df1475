# For Yocto. The source is what `make vendor` writes. A kernel recipe uses it by
#
#     DEPENDS += "kbuild-rs-native"
#     EXTRA_OEMAKE += "MODPOST=${STAGING_LIBDIR_NATIVE}/kbuild-rs/modpost"
#
# (for 5.10, see docs/packaging.md). Don't swap STAGING_KERNEL_DIR: recipes share it.
PV = "0.3.0"
SUMMARY = "modpost and its family for building Linux kernel modules"
LICENSE = "GPL-2.0-only"
LIC_FILES_CHKSUM = "file://LICENSE;md5=b234ee4d69f5fce4486a80fdaf4a4263"

SRC_URI = "file://kbuild-rs-${PV}.tar.xz"
S = "${WORKDIR}/kbuild-rs-${PV}"

DEPENDS = "cargo-native"
inherit native

export CARGO_HOME = "${WORKDIR}/cargo"

do_compile() {
	env -u CFLAGS -u RUSTFLAGS make static
}

do_install() {
	env -u CFLAGS -u RUSTFLAGS make install DESTDIR=${D} prefix=${prefix}
}
