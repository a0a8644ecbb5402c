# choiros-restore NAME [RUN]: put the copies of one run (by default the newest) back in place. NAME is `hypervisor` or a
# sandbox, RUN its number, or the time in the names of its copies. Who comes meanwhile waits; what was there is kept, and
# comes back if the copies don't serve. TABLE and COPIES are in the environment.
runs() { # NAME -- "NUMBER TIME" of each run, the oldest first
  find "$COPIES/$1" -maxdepth 1 -type f -name '*.db' -printf '%f\n' \
    | sed -nE -e 's/^.*\.([0-9]{6,12})\.([0-9]{8}T[0-9]{6}Z)\.db$/\1 \2/p' -e t -e 's/^.*\.([0-9]{8}T[0-9]{6}Z)\.db$/0 \1/p' \
    | sort -u -k 1,1n -k 2,2
}
if [ $# -lt 1 ]; then
  echo "usage: choiros-restore NAME [RUN]; the newest runs, with their times:"
  while read -r name _; do
    echo "  $name: $(runs "$name" | tail -n 5 | awk '{ printf("%s%s", (NR > 1 ? ", " : ""), ($1 == 0 ? $2 : $1 " (" $2 ")")) }')"
  done < "$TABLE"
  exit 2
fi
name=$1
read -r folder unit workspace < <(awk -v name="$name" '$1 == name { print $2, $3, $4 }' "$TABLE") || {
  echo "nothing here is called $name: choose one of $(cut -d ' ' -f 1 "$TABLE" | tr '\n' ' ')" >&2
  exit 2
}
run=${2:-$(runs "$name" | tail -n 1 | awk '{ print $1 == 0 ? $2 : $1 }')}
at=$(runs "$name" | awk -v run="$run" '$1 == run || $2 == run { time = $2 } END { print time }')
if [ -z "$at" ] || [[ ! $run =~ ^[0-9TZ]+$ ]]; then
  echo "$name has no copy called ${run:-anything}: call choiros-restore without arguments for a list" >&2
  exit 2
fi

step() { # VERB
  systemctl start "choiros-restore-$name@$1-$run.service" && return
  journalctl --no-pager --quiet -o cat -n 3 _SYSTEMD_UNIT="choiros-restore-$name@$1-$run.service" >&2 || true
  return 1
}

# serves -- whether it is well by the gateway's own probe, within two minutes
serves() {
  local end=$((SECONDS + 120)) role
  systemctl start "$unit" || return 1
  while [ "$SECONDS" -lt "$end" ]; do
    if [ "$name" = hypervisor ]; then
      "$HYPERVISOR" status > /dev/null 2>&1 && return
    else
      role=$("$HYPERVISOR" sandboxes --json 2> /dev/null | jq -r --arg name "$name" '.[] | select(.sandbox == $name) | .role' || true)
      if [ -n "$role" ]; then "$HYPERVISOR" sandboxes start "$workspace" "$role" > /dev/null 2>&1 && return; fi
    fi
    sleep 1
  done
  return 1
}

step check || {
  echo "these copies can't be used: choose others; nothing was changed" >&2
  exit 1
}
step place || {
  systemctl start "$unit" || true
  echo "$name could not be restored: see journalctl -u 'choiros-restore-$name@*'; what was there is in $folder, or in its newest before-restore-…" >&2
  exit 1
}
{ read -r before && mapfile -t files; } < <(tr -cd '[:alnum:]._\n-' < "$COPIES/$name/.restored")
if serves; then
  echo "$name serves again, with ${files[*]} as of $at; what was there until now is in $folder/$before"
  exit 0
fi
echo "$name isn't well with ${files[*]} as of $at: putting back what was there" >&2
step undo || {
  echo "that failed, too: stop $unit, and move the files of $folder/$before to $folder" >&2
  exit 1
}
if serves; then
  echo "$name serves again, with what was there before; choose another copy" >&2
else
  echo "what was there before is in place, and isn't well either: see journalctl -u $unit, and choose another copy" >&2
fi
exit 1
