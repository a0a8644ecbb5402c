"""What the hypervisor has in Caddy's place: sockets without a capability, and certificates that change while it serves."""
folder = "/var/lib/choiros/certificate"
renew = f"rm -f {folder}/names && systemctl start choiros-certificate"
shown = f"{stranger} -f -o /dev/null -w '%{{certs}}' {origin}/health"
held = """
import http.client, os, socket, ssl, time
context = ssl.create_default_context(cafile="/tmp/ca.pem")
connection = http.client.HTTPSConnection("choir.test", context=context)
connection.sock = context.wrap_socket(socket.create_connection(("machine", 443)), server_hostname="choir.test")
for turn in (1, 2):
    while not os.path.exists(f"/tmp/turn{turn}"):
        time.sleep(0.1)
    connection.request("GET", "/health")
    response = connection.getresponse()
    response.read()
    print(response.status, flush=True)
"""
another = f"{shown} > /tmp/shown.new && ! cmp -s /tmp/shown.new /tmp/shown"

with subtest("443 and 80 need no capability, and their unit is sealed as before"):
    capabilities = machine.succeed("grep -E '^Cap(Inh|Prm|Eff|Amb)' /proc/$(systemctl show -p MainPID --value choiros-hypervisor)/status")
    t.assertEqual({int(line.split()[1], 16) for line in capabilities.splitlines()}, {0})
    sealed(("choiros-hypervisor.service", "choiros-certificate.service"))

with subtest("nobody else reads the key, nor the hypervisor the authority's; and there is no proxy to be believed"):
    hypervisor = "setpriv --reuid $(id -u choiros) --regid $(id -g choiros) --groups $(getent group choiros-certificate | cut -d : -f 3)"
    machine.fail(f"{nobody} cat {folder}/key.pem")
    machine.succeed(f"{hypervisor} cat {folder}/key.pem > /dev/null")
    machine.fail(f"{hypervisor} cat {folder}/ca-key.pem")
    machine.fail("test -e /run/choiros-ingress/http.sock")

with subtest("what ACME's authority asks for is answered on port 80, from its folder alone"):
    challenges = "/var/lib/challenges/.well-known/acme-challenge"
    machine.succeed(f"mkdir -p {challenges}", f"echo the-answer > {challenges}/a-token", f"echo a-secret > {challenges}/../secret")
    asked = f"{stranger} --path-as-is http://choir.test/.well-known/acme-challenge"
    t.assertEqual(client.succeed(f"{asked}/a-token"), "the-answer\n")
    for path in ("../secret", "..%2fsecret", "%2e%2e/secret", "none"):
        t.assertNotIn("a-secret", client.succeed(f"{asked}/{path}"))

with subtest("a new certificate is seen by itself, and a connection that stands goes on"):
    client.succeed("rm -f /tmp/turn*", f"cat > /tmp/held.py <<'EOF'\n{held}EOF", "touch /tmp/turn1", "python3 /tmp/held.py > /tmp/held 2>&1 &")
    client.wait_until_succeeds("grep -x 200 /tmp/held", timeout=60)
    client.succeed(f"{shown} > /tmp/shown")
    machine.succeed(renew)
    client.wait_until_succeeds(another, timeout=120)
    client.succeed("touch /tmp/turn2")
    client.wait_until_succeeds("test $(wc -l < /tmp/held) -ge 2", timeout=60)
    t.assertEqual(client.succeed("cat /tmp/held").split(), ["200", "200"])

with subtest("after a reload it is there at once"):
    client.succeed(f"{shown} > /tmp/shown")
    machine.succeed(renew, "systemctl reload choiros-hypervisor")
    client.succeed(another)

with subtest("a broken one is told in the log, and the one before it stays"):
    client.succeed(f"{shown} > /tmp/shown")
    machine.succeed(f"echo broken > {folder}/key.pem")
    machine.execute("systemctl reload choiros-hypervisor")
    machine.wait_until_succeeds(f"journalctl -u choiros-hypervisor -o cat --since -1min | grep {folder}/key.pem", timeout=60)
    client.succeed(f"{shown} | cmp - /tmp/shown")
    machine.succeed(renew, "systemctl reload choiros-hypervisor")
    client.succeed(another)
