# choiros-restore NAME [TIME]: put the copies of one moment (by default the newest) back in place.
# NAME is `hypervisor` or a sandbox. What was there before is kept beside it. TABLE and COPIES are in the environment.
if [ $# -lt 1 ]; then
  echo "usage: choiros-restore NAME [TIME]; these have copies:"
  for folder in "$COPIES"/*/; do
    echo "  $(basename "$folder"): $(find "$folder" -name '*.db' -printf '%f\n' | sed -E 's/.*\.([0-9TZ]+)\.db/\1/' | sort -u | tail -n 5 | tr '\n' ' ')"
  done
  exit 2
fi
name=$1
read -r folder owner unit < <(awk -v name="$name" '$1 == name { print $2, $3, $4 }' "$TABLE") || {
  echo "nothing here is called $name: choose one of $(cut -d ' ' -f 1 "$TABLE" | tr '\n' ' ')" >&2
  exit 2
}
at=${2:-$(find "$COPIES/$name" -name '*.db' -printf '%f\n' | sed -E 's/.*\.([0-9TZ]+)\.db/\1/' | sort | tail -n 1)}
found=("$COPIES/$name"/*."$at".db)
if [ -z "$at" ] || [ ! -e "${found[0]}" ]; then
  echo "$name has no copy of ${at:-any time}: call choiros-restore without arguments for a list" >&2
  exit 2
fi
for copy in "${found[@]}"; do
  [ "$(sqlite3 "file:$copy?mode=ro&immutable=1" 'PRAGMA integrity_check')" = ok ] || {
    echo "$copy is damaged: choose another time; nothing was changed" >&2
    exit 1
  }
done

systemctl stop "$unit"
before=$folder/before-restore-$(date --utc +%Y%m%dT%H%M%SZ)
install -d -m 0700 -o "$owner" -g "$owner" "$before"
for copy in "${found[@]}"; do
  database=$folder/$(basename "$copy" ".$at.db").db
  for file in "$database" "$database-wal" "$database-shm"; do
    [ ! -e "$file" ] || mv "$file" "$before/"
  done
  install -m 0600 -o "$owner" -g "$owner" "$copy" "$database.part"
  sync "$database.part"
  mv "$database.part" "$database"
done
systemctl start "$unit"
echo "$name is as it was at $at; what it was until now is in $before"
