# deploy [--ssm INSTANCE] HOST…: see deploy.nix. What a build checks (the options, the hypervisor's and Caddy's files, the
# firewall's rules) holds before anything is sent; tests of services and virtual machines are CI's, or `nix flake check`.
# Hosts are deployed one after the other, as they are named. The first that isn't well is the last: those before it keep
# what they have got, and those after it what they had.
instance=
if [ "${1:-}" = --ssm ]; then instance=${2:-} && shift 2; fi
if [ $# = 0 ] || { [ -n "$instance" ] && [ $# -gt 1 ]; }; then
  echo "usage: deploy HOST…, or deploy --ssm INSTANCE HOST: folders in hosts/" >&2
  exit 1
fi

step() { printf '\n== %s\n' "$*" >&2; }
# what the configuration of the host says
value() { nix eval --raw ".#nixosConfigurations.$host.config.$1" "${@:2}"; }
# shellcheck disable=SC2029 # what is expanded here is meant to be
remote() { ssh "${options[@]}" "root@$address" "$@"; }
roll() { deploy --skip-checks ${options:+"--ssh-opts=${options[*]}"} "$@"; }

# all of them, before anything is sent to one
declare -A systems
for host; do
  step "build $host"
  systems[$host]=$(nix build --no-link --print-out-paths ".#nixosConfigurations.$host.config.system.build.toplevel")
done

for host; do
  built=${systems[$host]}
  domain=$(value services.choiros.domain)
  prefix=$(value services.choiros.gatewayPrefix --apply toString)
  redirects=$(value services.choiros.redirectDomains --apply toString)
  # of several machines with one domain, this one
  address=$(nix eval --raw ".#deploy.nodes.$host.hostname")
  at=()
  if [ "$address" != "$domain" ]; then at=(--connect-to "::$address:"); fi

  options=()
  if [ -n "$instance" ]; then
    # through AWS Systems Manager, which needs no open port and no address of ours
    ways=$(mktemp)
    trap 'rm -f "$ways"' EXIT
    cat > "$ways" << END
Host $address
  ProxyCommand aws ssm start-session --target $instance --document-name AWS-StartSSHSession --parameters portNumber=%p
Match all
Include ~/.ssh/config
END
    options=(-F "$ways")
  fi

  step "what would change on $address"
  before=$(remote readlink -f /run/current-system)
  echo "from $before to $built" >&2
  roll --dry-activate ".#$host"

  # deploy-rs goes back to a generation of its own making. Before there is one, a timer of the machine's does.
  undo=choiros-first-deployment
  first=
  if ! remote test -e /nix/var/nix/profiles/system/deploy-rs-activate; then
    first=1
    step "the first deployment: $address goes back to what it has in 30 minutes, unless all of this succeeds"
    remote systemd-run --quiet --collect --unit="$undo" --on-active=30min \
      "$before/sw/bin/bash" -c "'$before/sw/bin/nix-env -p /nix/var/nix/profiles/system --set $before && $before/bin/switch-to-configuration switch'" \
      || { echo "a first deployment is on probation already: wait until $undo.timer on $address is over" >&2 && exit 1; }
  fi

  step "deploy $host"
  roll ".#$host"

  # a rollback may end with success, too
  step "what runs"
  now=$(remote readlink -f /run/current-system)
  if [ "$now" != "$built" ]; then
    echo "$address runs $now, not $built: it was rolled back; see journalctl there" >&2
    exit 1
  fi

  step "from outside"
  curl --silent --show-error --fail --retry 5 --retry-all-errors --output /dev/null "${at[@]}" "https://$domain$prefix/health"
  for name in "$domain" $redirects; do
    answer=$(curl --silent --show-error --output /dev/null --write-out '%{http_code}' "${at[@]}" "http://$name/")
    if [ "$answer" != 308 ]; then
      echo "http://$name/ answers $answer at $address, not 308" >&2
      exit 1
    fi
  done
  if [ -n "$first" ]; then remote systemctl stop "$undo.timer"; fi
  echo "$address runs $built" >&2
done
