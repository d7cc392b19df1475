# For Nixpkgs: `pkgs.callPackage ./package.nix { }`. In the Nix store nothing is ever
# swapped: a kernel is built with it by `makeFlags = [ "MODPOST=${kbuild-rs}/bin/modpost" ]`
# (for 5.10, see docs/packaging.md).
{
  lib,
  rustPlatform,
}:

rustPlatform.buildRustPackage {
  pname = "kbuild-rs";
  version = (lib.importTOML ../../../Cargo.toml).workspace.package.version;
  src = lib.cleanSource ../../..;
  cargoLock.lockFile = ../../../Cargo.lock;
  cargoBuildFlags = lib.concatMap (name: [ "-p" name ]) [
    "modpost"
    "mk_elfconfig"
    "fixdep"
    "genksyms"
    "file2alias"
    "sumversion"
    "modcheck"
    "kbuild-rs-prove"
  ];
  # They compare with originals from Debian's archive.
  doCheck = false;
  postInstall = ''
    install -D -m 644 -t $out/share/man/man1 docs/man/*.1
    install -D -m 644 -t $out/share/man/man5 docs/man/*.5
    install -D -m 644 -t $out/share/man/man7 docs/man/*.7
  '';
  meta = {
    description = "modpost and its family for building Linux kernel modules";
    license = lib.licenses.gpl2Only;
    platforms = lib.platforms.linux;
    mainProgram = "modpost";
  };
}
