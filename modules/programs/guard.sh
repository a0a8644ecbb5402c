# choiros-firewall load: load the tables that keep sandboxes apart, and note how they are listed then.
# choiros-firewall watch: put them back as they were, whoever flushes, deletes or replaces them; fail if they don't stay.
# choiros-firewall stopped: say that nothing holds them.
# How it is stands in a file that the gateway reads: `sealed`, or why not. RULES, and FOLDER for that file, are in the
# environment.
state=$FOLDER/state expected=$FOLDER/expected lock=$FOLDER/lock

say() {
  printf '%s\n' "$1" > "$state.$$"
  mv "$state.$$" "$state"
}

give_up() {
  say "$1"
  echo "$1; the sandboxes are stopped" >&2
  exit 1
}

# Without counters and handles, so that only a change of the rules is one; and of the sets, without that which traffic fills.
listing() {
  nft --stateless --terse list table inet choiros && nft --stateless list table arp choiros \
    && for set in links slots addresses; do nft --stateless list set inet choiros "$set" || return; done
}

load() {
  nft --file "$RULES" || give_up "the rules that keep sandboxes apart can't be loaded: see journalctl -u 'choiros-firewall*'"
}

# not between the two steps of a load
stands() (
  flock 9
  [ "$(listing 2>&1)" = "$(cat "$expected")" ]
) 9> "$lock"

# put_back -- but whoever changes the rules again and again leaves sandboxes without them for much of the time
put_back() {
  echo "someone changed the rules that keep sandboxes apart: putting them back" >&2
  [ "$SECONDS" -lt $((since + 10)) ] || { since=$SECONDS times=0; }
  until
    [ $((times += 1)) -le 10 ] \
      || give_up "the rules that keep sandboxes apart don't stay: see journalctl -u 'choiros-firewall*', and who else changes the firewall"
    load
    stands
  do :; done
}

watch() {
  exec {changes}< <(exec nft monitor)
  local monitor=$! since=0 times=0
  stands || put_back
  systemd-notify --ready
  while kill -0 "$monitor" 2> /dev/null; do
    # At a change at once, and every five seconds whatever was heard. A change may be thousands of lines, which come for
    # a while: what else they tell is looked at when they have been read, or half a second later.
    if read -r -t 5 -u "$changes" _; then
      stands || put_back
      read -r -t 0.5 -N 1000000 -u "$changes" _ || true
    fi
    stands || put_back
    systemd-notify WATCHDOG=1
  done
  # deaf: the unit starts it again
  kill -ABRT $$
}

case $1 in
  load)
    exec 9> "$lock"
    flock 9
    load
    listing > "$expected" || give_up "the rules that keep sandboxes apart can't be read: see journalctl -u 'choiros-firewall*'"
    say sealed
    ;;
  watch) watch ;;
  stopped)
    # who gave up has said why
    [ "$(cat "$state")" != sealed ] || say "the rules that keep sandboxes apart are not held: systemctl start choiros-firewall"
    ;;
esac
