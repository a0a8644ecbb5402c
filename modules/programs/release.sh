# choiros-release FOLDER SANDBOX:NUMBER: pin SANDBOX to that release of its workspace, whose releases are in FOLDER.
folder=$1 sandbox=${2%:*} number=${2##*:}
[[ $number =~ ^[1-9][0-9]{0,8}$ ]] || {
  echo "a release has a number" >&2
  exit 1
}
[[ $sandbox =~ ^[a-z][a-z0-9-]*-(live|dev)$ ]] || {
  echo "$sandbox is no sandbox" >&2
  exit 1
}
alone "$(dirname "$folder")"
if [ ! -L "$folder/release-$number-link" ] || [ ! -e "$folder/release-$number-link" ]; then
  echo "$(basename "$folder") has no release $number: see hypervisor releases" >&2
  exit 1
fi
before=$(readlink "$folder/$sandbox" || true)
[ "$before" != "release-$number-link" ] || exit 0
# the way back is kept, however old
[ -z "$before" ] || place "$before" "$folder/.$sandbox-before"
place "release-$number-link" "$folder/$sandbox"
