# For Gentoo, named kbuild-rs-VERSION.ebuild. The source is what `make vendor` writes, in
# DISTDIR.
EAPI=8

DESCRIPTION="modpost and its family for building Linux kernel modules"
SRC_URI="${P}.tar.xz"

LICENSE="GPL-2"
SLOT="0"
KEYWORDS="~amd64 ~arm ~arm64 ~ppc64 ~riscv ~s390 ~x86"
RESTRICT="fetch test"

BDEPEND=">=dev-lang/rust-bin-1.85"
# They are static, and stripped by the linker.
QA_PRESTRIPPED="usr/lib/kbuild-rs/.*"

src_compile() {
	env -u CFLAGS -u RUSTFLAGS CARGO_HOME="${T}/cargo" make static || die
}

src_install() {
	env -u CFLAGS -u RUSTFLAGS CARGO_HOME="${T}/cargo" make install DESTDIR="${D}" prefix=/usr || die
	insinto /etc/default
	newins scripts-compat/recipes/debian/kbuild-rs.default kbuild-rs
	dodoc README.md CHANGELOG.md docs/packaging.md
}

pkg_prerm() {
	[[ -n ${REPLACED_BY_VERSION} ]] || kbuild-rs-swap --undo --all || die "kernel trees still use kbuild-rs"
}
