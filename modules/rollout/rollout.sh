# choiros-rollout PLAN: restart the dev sandbox of each workspace whose closure is another now; swap if asked to.
# SWAP and PROBATION are in the environment.
plan=$1

# role_of SANDBOX -- live or dev, as the hypervisor routes it now
role_of() {
  hypervisor sandboxes --json | jq -er --arg name "$1" 'map(select(.sandbox == $name))[0].role'
}

# within SECONDS COMMAND... -- until it succeeds
within() {
  local end=$((SECONDS + $1))
  shift
  until "$@" > /dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 1
  done
}

healthy() { curl --silent --fail --max-time 3 --output /dev/null "$1"; }

generation() {
  hypervisor sandboxes --json | jq -er --arg name "$1" 'map(select(.workspace == $name))[0].generation'
}

# on_probation URL -- healthy each second, for all of the time
on_probation() {
  local end=$((SECONDS + PROBATION))
  while [ "$SECONDS" -lt "$end" ]; do
    healthy "$1" || healthy "$1" || return 1
    sleep 1
  done
}

promote() { # WORKSPACE SANDBOX URL
  hypervisor swap "$1" --expect-generation "$(generation "$1")"
  on_probation "$3" && return
  echo "$2 was live, and is no longer healthy: taking the swap of $1 back" >&2
  hypervisor swap "$1" --force
  return 1
}

failed=0
within 60 hypervisor sandboxes --json || {
  echo "the hypervisor doesn't answer on its socket: see journalctl -u hypervisor" >&2
  exit 1
}
while read -r workspace sandbox closure url; do
  [ "$(cat "/run/choiros-sandboxes/$sandbox" 2> /dev/null)" != "$closure" ] || continue
  if [ "$(role_of "$sandbox")" != dev ]; then
    echo "$sandbox is live and stays as it is; it is renewed when it is dev at a switch"
    continue
  fi
  echo "$sandbox is dev: restarting it with $closure"
  systemctl restart "container@$sandbox.service"
  if ! within 120 healthy "$url"; then
    echo "$sandbox isn't healthy at $url: see journalctl -M $sandbox; live is untouched" >&2
    failed=1
  elif [ "$SWAP" = automatic ]; then
    promote "$workspace" "$sandbox" "$url" || failed=1
  fi
done < "$plan"
exit "$failed"
