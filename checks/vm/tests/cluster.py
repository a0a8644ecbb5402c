"""Three machines with one store: each knows whom another has let in, each leads to the one sandbox, and one that is gone is noticed."""
hosts = {"a": machine, "b": b, "c": c}
gateway_units = "choiros-hypervisor.socket choiros-hypervisor-gateway.socket choiros-hypervisor.service"


def by(name):
    """The browser, whose requests come to that machine."""
    return curl.replace("/tmp/ca.pem", f"/tmp/{name}.pem").replace("::machine:", f"::{hosts[name].name}:")


def well(name):
    """Its gateway, and what people need of it."""
    hosts[name].wait_for_unit("choiros-hypervisor")
    hosts[name].wait_until_succeeds("curl -sf --max-time 5 'http://127.0.0.1:9090/health?deep'", timeout=300)


def told(name, question):
    """Waits until that machine says so of all machines; the question is jq's, about {name: row}."""
    hosts[name].wait_until_succeeds(f"hypervisor machines --json | jq -e 'map({{(.name): .}}) | add | {question}'", timeout=60)


def is_known(name):
    """Whether the person is logged in at that machine."""
    return json.loads(client.succeed(f"{by(name)} -f {origin}/auth/me"))["authenticated"]


def events(name):
    """What the sandbox has kept, as the person is shown it by that machine."""
    return client.succeed(f"{by(name)} -f {sandboxes['live']}/logs/events")


machine.start(allow_reboot=True)
db.start()
db.wait_for_unit("postgresql.target")
# the first to come is the home of the workspace that each of them declares
well("a")
start_all()
for name, host in hosts.items():
    well(name)
    host.wait_for_file(ca)
    client.succeed(f"cat > /tmp/{name}.pem <<'EOF'\n{host.succeed(f'cat {ca}')}EOF")
trust()

with subtest("each machine knows all three, and that they are there"):
    for name in hosts:
        told(name, '[.a, .b, .c] | all(.is_there and .behind == 0 and .free_memory > 0)')
        told(name, '[.a, .b, .c] | map(.workspaces) == [1, 0, 0]')

with subtest("whom one has let in, all know at once"):
    passkey = Passkey()
    sign_up("ada@choir.test", passkey)
    for name in hosts:
        t.assertTrue(is_known(name), name)

with subtest("whichever machine a person comes to, they see the one sandbox, and each what was written by the others"):
    for number, name in enumerate(hosts):
        t.assertIn("sandbox-live", client.succeed(f"{by(name)} -f -L {navigation} {origin}/"))
        note = json.dumps({"kind": "note", "payload": {"by": name}})
        client.succeed(f"{by(name)} -f -H 'Content-Type: application/json' -H 'Origin: {sandboxes['live']}' -d '{note}' {sandboxes['live']}/logs/events")
        for other in hosts:
            shown = events(other)
            for written in list(hosts)[: number + 1]:
                t.assertRegex(shown, f'"by": ?"{written}"', f"{written}, by {other}")

with subtest("nobody but a machine gets in where machines do"):
    place = machine.succeed("ss -Hltn 'sport = :9443' | awk '{ print $4 }'").strip()
    connect = f"timeout 5 bash -c '</dev/tcp/{place.replace(':', '/')}'"
    b.succeed(connect)
    client.fail(connect)
    # without a certificate
    b.fail(f"curl -sk --max-time 5 https://{place}/health")

with subtest("a gateway that is stopped is noticed, and people go on by the others"):
    c.succeed(f"systemctl stop {gateway_units}")
    for name in ("a", "b"):
        told(name, '.c.is_there == false and .a.is_there and .b.is_there')
        t.assertTrue(is_known(name))
        t.assertIn("note", events(name))

with subtest("one that comes back knows what was decided meanwhile"):
    # whoever has taken a copy of the session
    client.succeed("cp /tmp/jar /tmp/taken", f"{by('b')} -f -X POST {origin}/auth/logout")
    c.succeed(f"systemctl start {gateway_units}")
    well("c")
    for name in hosts:
        told(name, '[.a, .b, .c] | all(.is_there)')
        client.succeed("cp /tmp/taken /tmp/jar")
        t.assertFalse(is_known(name), name)
    client.succeed("rm /tmp/jar")
    options = post("/auth/login/start", {"username": "ada@choir.test"})["publicKey"]
    post("/auth/login/finish", passkey.get(options, None))
    for name in hosts:
        t.assertTrue(is_known(name), name)

with subtest("while the store is away, who is known goes on, and nothing is decided"):
    page(f"{sandboxes['live']}/")
    for name in hosts:
        t.assertIn("note", events(name))
    db.succeed("systemctl stop postgresql")
    for name in hosts:
        t.assertIn("note", events(name))
        hosts[name].fail("hypervisor invite --json")
    db.succeed("systemctl start postgresql.target")
    for name in hosts:
        well(name)
        hosts[name].wait_until_succeeds("hypervisor invite --json", timeout=60)

with subtest("a workspace goes from machine to machine with its data, and is found there by whichever machine a person comes to"):
    client.succeed("mv /tmp/jar /tmp/of-ada")
    sign_up("bob@choir.test", Passkey())
    own = "https://bob.choir.test"
    page(f"{own}/")
    note = json.dumps({"kind": "note", "payload": {"by": "bob"}})
    client.succeed(f"{curl} -f -H 'Content-Type: application/json' -H 'Origin: {own}' -d '{note}' {own}/logs/events")
    has = {name: "bob" in {row["workspace"] for row in json.loads(host.succeed("hypervisor sandboxes --json"))} for name, host in hosts.items()}
    t.assertEqual(sum(has.values()), 1, has)
    home = next(name for name in hosts if has[name])
    for target in [name for name in hosts if name != home] + [home]:
        # whichever machine is told
        moved = json.loads(b.succeed(f"hypervisor move bob --to {target} --json"))
        t.assertEqual(moved["to"], target)
        for name in hosts:
            t.assertRegex(client.succeed(f"{by(name)} -f {own}/logs/events"), '"by": ?"bob"', f"at {target}, by {name}")
        # the machine that it was at keeps what it had, and has the slot again
        hosts[moved["from"]].wait_until_succeeds(f"hypervisor archives list --json | grep {moved['archive']}", timeout=60)
    client.succeed("mv /tmp/of-ada /tmp/jar")

with subtest("without the home there is no sandbox, and after its power cut all is there again by itself"):
    machine.crash()
    told("b", '.a.is_there == false')
    t.assertTrue(is_known("b"))
    t.assertRegex(client.succeed(f"{by('b')} -o /dev/null -w '%{{http_code}}' {sandboxes['live']}/"), "50[0-9]")
    machine.start(allow_reboot=True)
    well("a")
    told("b", '[.a, .b, .c] | all(.is_there)')
    client.wait_until_succeeds(f"{by('b')} -f {sandboxes['live']}/logs/events | grep note", timeout=120)
