# deploy [--ssm INSTANCE] HOST: see deploy.nix. What a build checks (the options, the hypervisor's and Caddy's files, the
# firewall's rules) holds before anything is sent; tests of services and virtual machines are CI's, or `nix flake check`.
instance=
if [ "${1:-}" = --ssm ]; then instance=${2:-} && shift 2; fi
host=${1:?usage: deploy [--ssm INSTANCE] HOST, one of the folders in hosts/}
config=.#nixosConfigurations.$host.config

step() { printf '\n== %s\n' "$*" >&2; }

step "build $host"
built=$(nix build --no-link --print-out-paths "$config.system.build.toplevel")
domain=$(nix eval --raw "$config.services.choiros.domain")
prefix=$(nix eval --raw "$config.services.choiros.gatewayPrefix" --apply toString)
redirects=$(nix eval --raw "$config.services.choiros.redirectDomains" --apply toString)

options=()
if [ -n "$instance" ]; then
  # through AWS Systems Manager, which needs no open port and no address of ours
  ways=$(mktemp)
  trap 'rm -f "$ways"' EXIT
  cat > "$ways" << EOF
Host $domain
  ProxyCommand aws ssm start-session --target $instance --document-name AWS-StartSSHSession --parameters portNumber=%p
Match all
Include ~/.ssh/config
EOF
  options=(-F "$ways")
fi
# shellcheck disable=SC2029 # what is expanded here is meant to be
remote() { ssh "${options[@]}" "root@$domain" "$@"; }
roll() { deploy --skip-checks ${options:+"--ssh-opts=${options[*]}"} "$@"; }

step "what would change on $domain"
before=$(remote readlink -f /run/current-system)
echo "from $before to $built" >&2
roll --dry-activate ".#$host"

# deploy-rs goes back to a generation of its own making. Before there is one, a timer of the machine's does.
undo=choiros-first-deployment
first=
if ! remote test -e /nix/var/nix/profiles/system/deploy-rs-activate; then
  first=1
  step "the first deployment: $domain goes back to what it has in 30 minutes, unless all of this succeeds"
  remote systemd-run --quiet --collect --unit="$undo" --on-active=30min \
    "$before/sw/bin/bash" -c "'$before/sw/bin/nix-env -p /nix/var/nix/profiles/system --set $before && $before/bin/switch-to-configuration switch'" \
    || { echo "a first deployment is on probation already: wait until $undo.timer on $domain is over" >&2 && exit 1; }
fi

step "deploy"
roll ".#$host"

# a rollback may end with success, too
step "what runs"
now=$(remote readlink -f /run/current-system)
if [ "$now" != "$built" ]; then
  echo "$domain runs $now, not $built: it was rolled back; see journalctl there" >&2
  exit 1
fi

step "from outside"
curl --silent --show-error --fail --retry 5 --retry-all-errors --output /dev/null "https://$domain$prefix/health"
for name in "$domain" $redirects; do
  answer=$(curl --silent --show-error --output /dev/null --write-out '%{http_code}' "http://$name/")
  if [ "$answer" != 308 ]; then
    echo "http://$name/ answers $answer, not 308" >&2
    exit 1
  fi
done
if [ -n "$first" ]; then remote systemctl stop "$undo.timer"; fi
echo "$domain runs $built" >&2
