# choiros-put FOLDER COPIES VERB-RUN: what choiros-restore does with the databases of one run, as their owner and where
# nothing but FOLDER and COPIES is in sight. check: are the copies whole? place: what is there goes into a folder beside,
# and the copies in its place. undo: what was there comes back.
folder=$1 copies=$2 verb=${3%%-*} run=${3#*-}
exec 9< "$copies"
flock 9

# names FILE... -- of the databases that these are copies of
shopt -s nullglob
if [[ $run =~ ^[0-9]{6,12}$ ]]; then
  found=("$copies"/*."$run".*Z.db)
  ending="\.$run\.[0-9]{8}T[0-9]{6}Z\.db$"
elif [[ $run =~ ^[0-9]{8}T[0-9]{6}Z$ ]]; then
  found=("$copies"/*."$run".db)
  ending="(\.[0-9]{6,12})?\.$run\.db$"
else
  found=()
fi
[ "${#found[@]}" -gt 0 ] || {
  echo "there is no copy called $run" >&2
  exit 2
}
name() { basename "$1" | sed -E "s/$ending/.db/"; }

case $verb in
  check)
    for copy in "${found[@]}"; do
      [ "$(sqlite3 -batch -init /dev/null -readonly -nofollow -safe "file:$copy?immutable=1" 'PRAGMA integrity_check(1)' 2>&1)" = ok ] || {
        echo "$(basename "$copy") is damaged" >&2
        exit 1
      }
    done
    ;;
  place)
    parts=$(mktemp -d "$folder/.restore-XXXXXXXX")
    trap 'rm -rf -- "$parts"' EXIT
    # all that needs room comes before anything is touched
    for copy in "${found[@]}"; do
      cp --sparse=always --no-preserve=all -- "$copy" "$parts/$(name "$copy")"
      chmod 0600 "$parts/$(name "$copy")"
      sync "$parts/$(name "$copy")"
    done
    before=$(mktemp -d "$folder/before-restore-$(date --utc +%Y%m%dT%H%M%SZ)-XXXX")
    { basename "$before" && for copy in "${found[@]}"; do name "$copy"; done; } > "$copies/.restored"
    sync "$copies/.restored"
    for copy in "${found[@]}"; do
      file=$(name "$copy")
      for suffix in "" -wal -shm -journal; do
        if [ -e "$folder/$file$suffix" ] || [ -L "$folder/$file$suffix" ]; then mv -T -- "$folder/$file$suffix" "$before/$file$suffix"; fi
      done
      mv -T -- "$parts/$file" "$folder/$file"
    done
    sync "$folder"
    ;;
  undo)
    {
      read -r before
      while read -r file; do
        for suffix in "" -wal -shm -journal; do
          rm -rf -- "${folder:?}/$file$suffix"
          if [ -e "$folder/$before/$file$suffix" ] || [ -L "$folder/$before/$file$suffix" ]; then
            mv -T -- "$folder/$before/$file$suffix" "$folder/$file$suffix"
          fi
        done
      done
    } < "$copies/.restored"
    rmdir -- "$folder/$before"
    sync "$folder"
    ;;
esac
