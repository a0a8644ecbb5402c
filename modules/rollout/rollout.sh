# choiros-rollout PLAN RECORDS: give each workspace's dev sandbox its closure of PLAN, if that is another than the one in
# RECORDS that it was given last; and swap if asked to. HYPERVISOR, SWAP and PROBATION are in the environment.
plan=$1 records=$2

# within SECONDS COMMAND... -- until it succeeds
within() {
  local end=$((SECONDS + $1))
  shift
  until "$@" > /dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 1
  done
}

# now SANDBOX FIELD -- what the hypervisor says of it: role, generation …
now() {
  "$HYPERVISOR" sandboxes --json | jq -er --arg name "$1" --arg field "$2" 'map(select(.sandbox == $name))[0][$field]'
}

# runs SANDBOX -- its closure, if it is running
runs() {
  if systemctl is-active --quiet "container@$1.service"; then cat "/run/choiros-sandboxes/$1" 2> /dev/null || true; fi
}

given() { cat "$records/$1" 2> /dev/null || true; }

# give SANDBOX CLOSURE -- written down before anything is made of it: what failed once isn't tried again at each boot
give() {
  echo "$2" > "$records/$1.part"
  sync "$records/$1.part"
  mv "$records/$1.part" "$records/$1"
}

promote() { # WORKSPACE SANDBOX
  local generation end=$((SECONDS + 60))
  generation=$(now "$2" generation)
  # the gateway holds the watch: it takes the swap back by itself, also when nobody waits for it any more
  until "$HYPERVISOR" swap "$1" --expect-generation "$generation" --probation "$PROBATION"; do
    if [ "$(now "$2" generation)" != "$generation" ] || [ "$SECONDS" -ge "$end" ]; then
      echo "$2 didn't stay live: see journalctl -u hypervisor; what was live before is" >&2
      return 1
    fi
    sleep 1
  done
}

renew() { # WORKSPACE SANDBOX CLOSURE
  echo "$2 is dev: giving it $3"
  give "$2" "$3"
  if [ "$SWAP" = manual ] && ! systemctl is-active --quiet "container@$2.service"; then
    echo "$2 is stopped, and has the new version when a request starts it"
    return
  fi
  if [ "$(runs "$2")" != "$3" ]; then systemctl restart "container@$2.service" || true; fi
  if ! within 120 "$HYPERVISOR" sandboxes start "$1" dev; then
    echo "$2 isn't healthy: see hypervisor sandboxes, and journalctl -M $2; live is untouched" >&2
    return 1
  fi
  [ "$SWAP" = manual ] || promote "$1" "$2"
}

workspace() { # NAME -- with its two lines of the plan
  local name sandbox closure running role dev='' new='' started=''
  while read -r name sandbox closure; do
    if [ "$name" != "$1" ] || [ "$(given "$sandbox")" = "$closure" ]; then
      continue
    fi
    running=$(runs "$sandbox")
    if [ -z "$(given "$sandbox")" ] && { [ -z "$running" ] || [ "$running" = "$closure" ]; }; then
      # the first time: it is born with what the plan has
      give "$sandbox" "$closure"
      continue
    fi
    within 60 now "$sandbox" role || {
      echo "the hypervisor doesn't answer: see journalctl -u hypervisor" >&2
      return 1
    }
    role=$(now "$sandbox" role)
    if [ "$role" = dev ]; then
      dev=$sandbox new=$closure
    elif [ "$running" = "$closure" ]; then
      # the host was started anew
      give "$sandbox" "$closure"
      started=1
    else
      echo "$sandbox is live and stays as it is; it is renewed when it is dev at a switch"
    fi
  done < "$plan"
  if [ -n "$dev" ] && [ -n "$started" ]; then
    echo "live of $1 has its new version since the host started: there is nothing to swap"
    give "$dev" "$new"
  elif [ -n "$dev" ]; then
    renew "$1" "$dev" "$new"
  fi
}

failed=0 waited=()
while read -r name; do
  workspace "$name" < /dev/null &
  waited+=($!)
done < <(cut -d ' ' -f 1 "$plan" | sort -u)
for one in "${waited[@]}"; do
  wait "$one" || failed=1
done
exit "$failed"
