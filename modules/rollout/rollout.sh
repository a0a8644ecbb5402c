# choiros-rollout PLAN: restart the dev sandbox of each workspace whose closure is another now; swap if asked to.
# HYPERVISOR, SWAP and PROBATION are in the environment.
plan=$1

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

healthy() { curl --silent --fail --max-time 3 --output /dev/null "$1"; }

# on_probation URL -- healthy each second, for all of the time; one slow answer is forgiven
on_probation() {
  local end=$((SECONDS + PROBATION))
  while [ "$SECONDS" -lt "$end" ]; do
    healthy "$1" || healthy "$1" || return 1
    sleep 1
  done
}

promote() { # WORKSPACE SANDBOX URL
  # the hypervisor probes by itself, and has to have seen the new one
  within 60 "$HYPERVISOR" swap "$1" --expect-generation "$(now "$2" generation)" || return 1
  on_probation "$3" && return
  echo "$2 was live, and is no longer healthy: taking the swap of $1 back" >&2
  "$HYPERVISOR" swap "$1" --force
  return 1
}

renew() { # WORKSPACE SANDBOX CLOSURE URL
  if [ "$SWAP" = manual ] && ! systemctl is-active --quiet "container@$2.service"; then
    echo "$2 is stopped, and has the new version when a request starts it"
    return
  fi
  within 60 now "$2" role || {
    echo "the hypervisor doesn't answer: see journalctl -u hypervisor" >&2
    return 1
  }
  if [ "$(now "$2" role)" != dev ]; then
    echo "$2 is live and stays as it is; it is renewed when it is dev at a switch"
    return
  fi
  echo "$2 is dev: restarting it with $3"
  systemctl restart "container@$2.service"
  if ! within 120 healthy "$4"; then
    echo "$2 isn't healthy at $4: see journalctl -M $2; live is untouched" >&2
    return 1
  fi
  [ "$SWAP" = manual ] || promote "$1" "$2" "$4"
}

failed=0
while read -r workspace sandbox closure url; do
  if [ "$(cat "/run/choiros-sandboxes/$sandbox" 2> /dev/null)" != "$closure" ]; then
    renew "$workspace" "$sandbox" "$closure" "$url" < /dev/null || failed=1
  fi
done < "$plan"
exit "$failed"
