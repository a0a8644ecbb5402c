# deploy [--checked] HOST: see deploy.nix. With --checked someone else has run the checks on this very commit.
checked=
if [ "${1:-}" = --checked ]; then checked=1 && shift; fi
host=${1:?usage: deploy [--checked] HOST, one of the folders in hosts/}
config=.#nixosConfigurations.$host.config

step() { printf '\n== %s\n' "$*" >&2; }

step "build $host"
built=$(nix build --no-link --print-out-paths "$config.system.build.toplevel")
domain=$(nix eval --raw "$config.services.choiros.domain")
redirects=$(nix eval --raw "$config.services.choiros.redirectDomains" --apply toString)

if [ -z "$checked" ]; then
  step "check"
  nix flake check
fi

step "what would change on $domain"
before=$(ssh "root@$domain" readlink -f /run/current-system)
echo "from $before to $built" >&2
deploy --skip-checks --dry-activate ".#$host"

step "deploy"
deploy --skip-checks ".#$host"

# a rollback may end with success, too
step "what runs"
now=$(ssh "root@$domain" readlink -f /run/current-system)
if [ "$now" != "$built" ]; then
  echo "$domain runs $now, not $built: it was rolled back; see journalctl there" >&2
  exit 1
fi

step "from outside"
curl --silent --show-error --fail --retry 5 --retry-all-errors --output /dev/null "https://$domain/health"
for name in "$domain" $redirects; do
  answer=$(curl --silent --show-error --output /dev/null --write-out '%{http_code}' "http://$name/")
  if [ "$answer" != 308 ]; then
    echo "http://$name/ answers $answer, not 308" >&2
    exit 1
  fi
done
echo "$domain runs $built" >&2
