# choiros-restore hypervisor [RUN]: put the copy of the store that one run made (by default the newest) back in place. RUN is
# its number, or the time in its name. Who comes meanwhile waits; what was there is kept, and comes back if the copy
# doesn't serve. HYPERVISOR and COPIES are in the environment.
runs() { # "NUMBER TIME" of each run, the oldest first
  find "$COPIES" -maxdepth 1 -type f -name 'hypervisor.*.db' -printf '%f\n' \
    | sed -nE -e 's/^.*\.([0-9]{6,12})\.([0-9]{8}T[0-9]{6}Z)\.db$/\1 \2/p' -e t -e 's/^.*\.([0-9]{8}T[0-9]{6}Z)\.db$/0 \1/p' \
    | sort -u -k 1,1n -k 2,2
}
if [ "${1:-}" != hypervisor ]; then
  [ $# -eq 0 ] || echo "a sandbox's data are restored by: hypervisor restore <workspace> live|dev <id>; hypervisor backups lists the ids" >&2
  echo "usage: choiros-restore hypervisor [RUN]; the newest runs, with their times:"
  runs | tail -n 5 | awk '{ print "  " ($1 == 0 ? $2 : $1 " (" $2 ")") }'
  exit 2
fi
run=${2:-$(runs | tail -n 1 | awk '{ print $1 == 0 ? $2 : $1 }')}
at=$(runs | awk -v run="$run" '$1 == run || $2 == run { time = $2 } END { print time }')
if [ -z "$at" ] || [[ ! $run =~ ^[0-9TZ]+$ ]]; then
  echo "hypervisor has no copy called ${run:-anything}: call choiros-restore without arguments for a list" >&2
  exit 2
fi

step() { # VERB
  systemctl start "choiros-restore-hypervisor@$1.service" && return
  journalctl --no-pager --quiet -o cat -n 3 _SYSTEMD_UNIT="choiros-restore-hypervisor@$1.service" >&2 || true
  return 1
}

# serves -- whether it answers within two minutes
serves() {
  local end=$((SECONDS + 120))
  systemctl start choiros-hypervisor.service || return 1
  until "$HYPERVISOR" status > /dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 1
  done
}

# what was brought back to this host may be root's
systemd-tmpfiles --create --prefix="$COPIES" || true
step "place-$run" || {
  systemctl start choiros-hypervisor.service || true
  echo "this copy can't be used: choose another; nothing was changed" >&2
  exit 1
}
if serves; then
  echo "hypervisor serves again, with its store as of $at; what was there until now is $(tr -cd '[:alnum:]./_-' < "$COPIES/.restored")"
  exit 0
fi
echo "hypervisor isn't well with its store as of $at: putting back what was there" >&2
step undo || {
  echo "that failed, too: stop choiros-hypervisor.service, and call: hypervisor restore --from $(tr -cd '[:alnum:]./_-' < "$COPIES/.restored")" >&2
  exit 1
}
if serves; then
  echo "hypervisor serves again, with what was there before; choose another copy" >&2
else
  echo "what was there before is in place, and isn't well either: see journalctl -u choiros-hypervisor, and choose another copy" >&2
fi
exit 1
