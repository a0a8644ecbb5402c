"""A certificate for each name, from an ACME server: when someone comes, for names that exist alone, and kept."""
ingress = {"caddy": "caddy", "gateway": "choiros-hypervisor"}[kind]
keys = {"caddy": "/var/lib/caddy/.local/share/caddy/certificates", "gateway": "/var/lib/choiros/hypervisor/acme"}[kind]
served = [origin, "https://www.choir.test", *sandboxes.values()]
orders = "journalctl -u pebble -o cat"


def shown(url):
    """The certificates that a stranger is shown there, once the authority's own is among them."""
    return client.wait_until_succeeds(f"{stranger} -o /dev/null -w '%{{certs}}' {url}/", timeout=120)


start_all()
machine.wait_for_unit("choiros-hypervisor")
client.wait_until_succeeds("curl -skf https://acme.test:15000/roots/0 > /tmp/ca.pem && test -s /tmp/ca.pem", timeout=120)

with subtest("each name has a certificate of its own"):
    certificates = {url: shown(url) for url in served}
    t.assertEqual(len(set(certificates.values())), len(served))
    t.assertEqual(redirect("https://www.choir.test/a?b=c"), f"308 {origin}/a?b=c")

with subtest("a name that nothing is at has none, and the authority never hears of it"):
    for _ in range(5):
        client.fail(f"{stranger} -k https://eve.choir.test/")
    log = acme.succeed(orders)
    t.assertIn("sandbox.choir.test", log)
    t.assertNotIn("eve.choir.test", log)

with subtest("one that many come to at once is ordered once"):
    machine.succeed(f"systemctl stop {ingress}.service", f"find {keys} -name '*sandbox-dev*' | xargs rm -rf", f"systemctl start {ingress}.service")
    issued = "Issued certificate serial"
    before = acme.succeed(orders).count(issued)
    url = sandboxes["dev"]
    client.succeed("rm -f /tmp/many.*", f"for i in $(seq 12); do ({stranger} --retry 20 --retry-delay 1 --retry-all-errors -o /dev/null -w '%{{certs}}' {url}/ > /tmp/many.$i) & done; wait")
    many = {client.succeed(f"cat /tmp/many.{i}") for i in range(1, 13)}
    t.assertEqual(len(many), 1)
    t.assertEqual(acme.succeed(orders).count(issued), before + 1)
    certificates[url] = many.pop()

with subtest("keys are nobody else's to read, and who speaks to the authority is sealed as before"):
    sealed((f"{ingress}.service",))
    t.assertTrue(machine.succeed(f"find {keys} -type f"))
    t.assertEqual(machine.succeed(f"find {keys} -type f -perm /077"), "")
    machine.fail(f"{nobody} find {keys} -type f | grep .")

with subtest("after a restart, without the authority, they are there"):
    acme.succeed("systemctl stop pebble")
    machine.succeed(f"systemctl restart {ingress}")
    for url, certificate in certificates.items():
        t.assertEqual(shown(url), certificate)
    client.fail(f"{stranger} -k https://eve.choir.test/")
