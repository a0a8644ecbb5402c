# place TARGET LINK -- whole, or not at all, and there after a power cut
place() {
  rm -f -- "$2.part"
  ln -s -- "$1" "$2.part"
  mv -T -- "$2.part" "$2"
  sync "$(dirname "$2")"
}

# alone PROFILES -- releases aren't pruned while a pin is set
alone() {
  exec 9< "$1"
  flock 9
}
