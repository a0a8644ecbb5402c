"""A person's way: a redirect, a passkey, their own sandbox, a swap and its undo, and all of it after a reboot."""
live, dev = sandboxes["live"], sandboxes["dev"]
machine.start(allow_reboot=True)
start_all()
machine.wait_for_unit("choiros-hypervisor")
trust()
both_running()

with subtest("plain HTTP and the other domain answer 308, with path and query"):
    for url in ("http://choir.test/a?b=c", "https://www.choir.test/a?b=c"):
        t.assertEqual(redirect(url), f"308 {origin}/a?b=c")
    for at in (live, dev):
        t.assertEqual(redirect(f"{at.replace('https', 'http')}/a?b=c"), f"308 {at}/a?b=c")

with subtest("browsers are told to stay with TLS, and are spoken to as they ask"):
    for options, version in (("--http2 --tlsv1.3", "2"), ("--http1.1 --tls-max 1.2", "1.1")):
        for url in (f"{origin}/health", f"{live}/"):
            said = client.succeed(f"{curl} {options} -o /dev/null -D - -w '%{{http_version}}' {url}")
            t.assertIn("strict-transport-security: max-age=31536000", said.lower())
            t.assertEqual(said.splitlines()[-1], version)

with subtest("a host that there is no sandbox of is nobody's"):
    if kind == "caddy":
        client.fail(f"{stranger} https://eve.choir.test/")
        issued = "/var/lib/caddy/.local/share/caddy/certificates/local"
        t.assertEqual(machine.succeed(f"ls {issued}").split(), ["choir.test", "sandbox.choir.test", "site.choir.test", "www.choir.test"])
    else:
        t.assertEqual(client.succeed(f"{stranger} -o /dev/null -w '%{{http_code}}' https://eve.choir.test/"), "404")
    client.fail(f"{stranger} -f '{origin}/api/hosts?domain=sandbox.choir.test'")

if kind == "caddy":
    with subtest("a site of the host's own has its certificate, though a sandbox could have its name"):
        t.assertEqual(client.succeed(f"{stranger} -f https://site.choir.test/"), "a-site-of-the-hosts-own")

with subtest("without a session a page leads to the login, and a call is refused"):
    t.assertEqual(redirect(f"{origin}/"), f"303 {origin}/login?next=%2F")
    for at in (live, dev):
        t.assertTrue(redirect(f"{at}/").startswith(f"303 {origin}/auth/enter?"))
        for method in ("GET", "POST"):
            t.assertEqual(client.succeed(f"{curl} -o /dev/null -w '%{{http_code}}' -X {method} {at}/x"), "401")

with subtest("the operator's shell and man know the commands"):
    share = "/run/current-system/sw/share"
    machine.succeed(f"grep -q promote {share}/bash-completion/completions/hypervisor.bash", f"ls {share}/man/man1/hypervisor-promote.1*")

with subtest("an invite and a passkey make an account"):
    passkey = Passkey()
    registered = sign_up("ada@choir.test", passkey)
    t.assertEqual(len(registered["recovery_codes"]), 10)

with subtest("an invite serves once"):
    client.fail(f"{curl} -f -H 'Content-Type: application/json' -d '{{\"username\": \"eve\", \"invite\": \"{registered['invite']}\"}}' {origin}/auth/register/start")

with subtest("the person lands on the live sandbox, and finds the other at its own host"):
    t.assertIn("sandbox-live", page(f"{origin}/"))
    t.assertIn("sandbox-dev", page(f"{origin}/dev/"))
    t.assertIn("sandbox-live", get("/", live))
    t.assertIn("sandbox-dev", page(f"{dev}/"))
    t.assertEqual(client.succeed(f"{curl} -o /dev/null -w '%{{http_code}}' {origin}/x"), "404")

with subtest("a stopped sandbox is started by the request that needs it"):
    machine.succeed("systemctl stop container@sandbox-dev")
    machine.wait_until_succeeds("hypervisor sandboxes --json | jq -e '.[] | select(.role == \"dev\") | .status == \"stopped\"'", timeout=60)
    t.assertIn("sandbox-dev", get("/", dev))

with subtest("a sandbox that crashes is seen, and comes back"):
    machine.succeed("systemctl kill --signal=KILL container@sandbox-live")
    client.wait_until_succeeds(f"{curl} -f {live}/ | grep sandbox-live", timeout=120)

with subtest("what a client says in the gateway's name doesn't reach the sandbox"):
    shown = client.succeed(f"{curl} -f -H 'X-ChoirOS-Generation: 4711' -H 'X-ChoirOS-Role: dev' {live}/")
    t.assertNotIn("4711", shown)

with subtest("logging out closes the sandboxes, too, and the passkey opens them again"):
    client.succeed(f"{curl} -f -X POST {origin}/auth/logout")
    t.assertFalse(json.loads(get("/auth/me"))["authenticated"])
    for at in (live, dev):
        t.assertEqual(client.succeed(f"{curl} -o /dev/null -w '%{{http_code}}' {at}/"), "401")
    options = post("/auth/login/start", {"username": "ada@choir.test"})["publicKey"]
    t.assertEqual(post("/auth/login/finish", passkey.get(options, None))["username"], "ada@choir.test")
    t.assertIn("sandbox-live", page(f"{live}/"))
    t.assertIn("sandbox-dev", page(f"{dev}/"))

with subtest("a swap makes dev live, and its undo takes that back"):
    before = rows()["sandbox-live"]["generation"]
    swap = {"user_id": registered["user_id"], "drain_secs": 1}
    response = act(passkey, "swap", **swap)
    t.assertEqual((response["live"], response["generation"]), ("sandbox-dev", before + 1))
    t.assertIn("sandbox-dev", get("/", live))
    t.assertEqual(act(passkey, "swap", **response["undo"] | swap)["live"], "sandbox-live")
    t.assertIn("sandbox-live", get("/", live))

with subtest("a restart of the hypervisor refuses no connection and no TLS handshake, not even one that Caddy wouldn't try again"):
    callers = ((machine, "/run/answers", "curl -sS --max-time 60", "http://127.0.0.1:9090"), (client, "/tmp/answers", stranger, origin))
    for host, answers, program, url in callers:
        ask = f"{program} -o /dev/null -w '%{{http_code}}\\n' {url}/health || echo cut"
        host.succeed(f"rm -f {answers}", f"for caller in 1 2 3 4; do (for i in $(seq 40); do {ask}; sleep 0.1; done) >> {answers} 2>&1 & done")
    machine.succeed("sleep 1", "systemctl restart choiros-hypervisor")
    for host, answers, *_ in callers:
        host.wait_until_succeeds(f"test $(wc -l < {answers}) -ge 160", timeout=120)
        t.assertEqual(set(host.succeed(f"cat {answers}").splitlines()), {"200"})

with subtest("metrics are for loopback, and for who has the token; without a token file, for nobody else"):
    machine.succeed("curl -sf -o /dev/null http://127.0.0.1:9090/metrics")
    metrics = f"{curl} -o /dev/null -w '%{{http_code}}' {origin}/metrics -H 'Authorization: Bearer "
    t.assertEqual([client.succeed(f"{metrics}{token}'") for token in ("", "x")], ["403", "403"])
    machine.succeed("install -d -m 0700 /run/secrets", "(umask 077; echo a-long-token > /run/secrets/metrics-token)", "systemctl restart choiros-hypervisor")
    # a host in namespaces can't hand a unit its credentials
    able = machine.execute("systemd-run -q --wait -p SetCredential=x:y bash -c 'test -s $CREDENTIALS_DIRECTORY/x'")[0] == 0
    t.assertEqual([client.succeed(f"{metrics}{token}'") for token in ("", "x", "a-long-token")], ["403", "403", "200" if able else "403"])

if kind == "caddy":
    with subtest("no other user of the host rules Caddy, reads its keys, or speaks to the gateway in its name"):
        at_most = "curl -s --max-time 3"
        machine.fail(f"{at_most} http://127.0.0.1:2019/config/")
        machine.fail(f"{nobody} {at_most} --unix-socket /run/caddy/admin.sock http://localhost/config/")
        machine.succeed(f"{at_most} -f --unix-socket /run/caddy/admin.sock http://localhost/config/ > /dev/null")
        machine.fail(f"{nobody} {at_most} --unix-socket /run/choiros-ingress/http.sock {origin.replace('https', 'http')}/health")
        caddy = "setpriv --reuid $(id -u caddy) --regid $(id -g caddy) --clear-groups"
        machine.succeed(f"{caddy} {at_most} -f --unix-socket /run/choiros-ingress/http.sock {origin.replace('https', 'http')}/health")

    with subtest("Caddy is reloaded by its socket"):
        machine.succeed("systemctl reload caddy")
        client.succeed(f"{curl} -f {origin}/health")
        t.assertIn("sandbox-live", get("/", live))

with subtest("a reboot keeps the route, the account and the session"):
    both_running()
    machine.succeed("hypervisor swap")
    machine.reboot()
    machine.wait_for_unit("choiros-hypervisor")
    client.wait_until_succeeds(f"{curl} -f {origin}/health", timeout=120)
    both_running()
    t.assertIn("sandbox-dev", get("/", live))
    t.assertIn("sandbox-live", get("/", dev))
