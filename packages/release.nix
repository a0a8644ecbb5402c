# What a release has for one kind of machine: the static programs with their pages, the image, and checksums of both.
{
  runCommand,
  hypervisor,
  image,
  skopeo,
  static,
  stdenv,
}:
let
  name = "choiros-host-${static.version}-${stdenv.hostPlatform.parsed.cpu.name}-linux";
in
runCommand "choiros-host-release-${static.version}" { nativeBuildInputs = [ skopeo ]; } ''
  mkdir -p $out ${name}
  cp ${static}/bin/* ${name}
  install -m 644 ${../LICENSE} ${name}/LICENSE
  # manual pages and completions, of the program that runs where this is built
  cp -r ${hypervisor}/share ${name}/share
  tar --create --sort=name --mtime=@1 --owner=0 --group=0 --numeric-owner --mode=u+w,go-w ${name} |
    gzip --no-name --best > $out/${name}.tar.gz
  # skopeo doesn't know a compressed archive for what it is
  gzip --decompress --stdout ${image} > image.tar
  skopeo --insecure-policy copy --tmpdir $TMPDIR docker-archive:image.tar oci-archive:$out/${name}.oci.tar
  cd $out && sha256sum ${name}.* > SHA256SUMS
''
