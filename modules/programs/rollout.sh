# choiros-rollout declared|slots PLAN PROFILES RECORDS: give each workspace of PLAN, or each that is in a slot, its newest
# release, once, to dev; and promote it if asked to. All that can go wrong on the way to live is the gateway's to take
# back. HYPERVISOR, KIND and PROBATION are in the environment.
which=$1 plan=$2 profiles=$3 records=$4

now() { # WORKSPACE ROLE FIELD -- what the gateway says of it
  "$HYPERVISOR" sandboxes --json | jq -er --arg workspace "$1" --arg role "$2" --arg field "$3" \
    'map(select(.workspace == $workspace and .role == $role))[0][$field]'
}

answers() { # COMMAND -- once the gateway has started
  local end=$((SECONDS + 60))
  until "$@" > /dev/null 2>&1; do
    if [ "$SECONDS" -ge "$end" ]; then
      echo "the hypervisor doesn't answer: see journalctl -u choiros-hypervisor" >&2
      return 1
    fi
    sleep 1
  done
}

newest() { # FOLDER
  find "$profiles/$1" -maxdepth 1 -type l -name 'release-*-link' -printf '%f\n' | sed -nE 's/^release-([0-9]+)-link$/\1/p' | sort -n | tail -n 1
}

# written WORKSPACE NUMBER -- before anything is made of it: what failed once isn't tried again at each boot
written() {
  echo "$2" > "$records/$1.part"
  sync "$records/$1.part"
  mv "$records/$1.part" "$records/$1.release"
}

workspace() { # NAME FOLDER
  local name=$1 number given
  number=$(newest "$2")
  given=$(cat "$records/$name.release" 2> /dev/null || true)
  [ "$given" != "$number" ] || return 0
  # born with it: no deployment before this one has left a record, by the name that these had at first either
  if [ "$which" = declared ] && [ -z "$given" ] && [ ! -e "$records/$name-dev" ]; then
    written "$name" "$number"
    return 0
  fi
  answers now "$name" dev release || return 1
  written "$name" "$number"
  if [ "$(now "$name" dev release)" != "$number" ]; then
    "$HYPERVISOR" release give "$name" "$number" || {
      echo "dev of $name isn't well with release $number, and has what it had; live is untouched: see hypervisor history $name" >&2
      return 1
    }
  fi
  if [ "$KIND" = promote ] && [ "$(now "$name" live release)" != "$number" ]; then
    "$HYPERVISOR" promote "$name" --release "$number" --expect-generation "$(now "$name" live generation)" --probation "$PROBATION" || {
      echo "release $number of $name isn't live; what was live before is: see hypervisor history $name" >&2
      return 1
    }
  fi
}

failed=0
if [ "$which" = slots ]; then
  # one after the other, since there may be thousands; one that isn't used has the newest from its first start
  answers "$HYPERVISOR" status
  in_slots=$("$HYPERVISOR" sandboxes --json | jq -r '[.[] | select(.sandbox | test("^s[1-9][0-9]*-(live|dev)$")) | .workspace] | unique[]')
  for name in $in_slots; do
    workspace "$name" slots || failed=1
  done
  exit "$failed"
fi
waited=()
while read -r name; do
  workspace "$name" "$name" < /dev/null &
  waited+=($!)
done < <(cut -d ' ' -f 1 "$plan" | sed '/^slots$/d' | sort -u)
for one in "${waited[@]}"; do
  wait "$one" || failed=1
done
exit "$failed"
