"""A browser of curl's on the machine `client`: one cookie jar, and the certificate authority of the host's own.

It stands after common.py, before the scripts of tests that have such a machine."""
ca = {"caddy": "/var/lib/caddy/.local/share/caddy/pki/authorities/local/root.crt",
      "gateway": "/var/lib/choiros/certificate/ca.pem"}[kind]
stranger = "curl -sS --max-time 60 --cacert /tmp/ca.pem --connect-to ::machine:"
# what a browser says when a person goes to a page
navigation = "-H 'Accept: text/html' -H 'Sec-Fetch-Mode: navigate' -H 'Sec-Fetch-Dest: document' -H 'Sec-Fetch-Site: none'"
curl = f"{stranger} --cookie /tmp/jar --cookie-jar /tmp/jar"


def get(path, at=None):
    return client.succeed(f"{curl} -f '{at or pages}{path}'")


def post(path, body):
    return json.loads(client.succeed(f"{curl} --fail-with-body -H 'Content-Type: application/json' -d '{json.dumps(body)}' {pages}{path}"))


def page(url):
    """As a person comes to it: to a sandbox's by the gateway, which gives the browser a cookie for that host."""
    return client.succeed(f"{curl} -f -L {navigation} '{url}'")


def redirect(url):
    return client.succeed(f"{curl} {navigation} -o /dev/null -w '%{{http_code}} %{{redirect_url}}' '{url}'")


def rows():
    return {row["sandbox"]: row for row in json.loads(get("/admin/sandboxes"))}


def trust():
    """Gives the browser the host's certificate authority, and waits until it answers."""
    machine.wait_for_file(ca)
    client.succeed(f"cat > /tmp/ca.pem <<'EOF'\n{machine.succeed(f'cat {ca}')}EOF")
    client.wait_until_succeeds(f"{curl} -f {pages}/health", timeout=120)


def act(passkey, name, **parameters):
    """Does what needs a passkey for that very act."""
    begun = post("/auth/acts/start", {"act": name} | parameters)
    return post("/auth/acts/finish", {"id": begun["id"], "credential": passkey.get(begun["publicKey"], None)})


def sign_up(username, passkey):
    invite = json.loads(machine.succeed("hypervisor invite --admin --json"))["url"].split("invite=")[1]
    options = post("/auth/register/start", {"username": username, "invite": invite})["publicKey"]
    return post("/auth/register/finish", passkey.create(options)) | {"invite": invite}


# -- people who write while a release changes


def ready_for(deployment):
    """Somebody who may write to live, and a deployment that live may be given."""
    start_all()
    machine.wait_for_unit("choiros-hypervisor")
    trust()
    sign_up("ada@example.org", Passkey())
    switch_to(deployment)
    both_running()
    page(f"{sandboxes['live']}/health")


database = "/var/lib/choiros/sandboxes/sandbox-live/events.db"


def row(role):
    rows = json.loads(machine.succeed("hypervisor sandboxes --json"))
    return next(row for row in rows if (row["workspace"], row["role"]) == ("sandbox", role))


def written():
    return int(machine.succeed(f"sqlite3 'file:{database}?mode=ro' 'select count(*) from events where kind = \"note\"'"))


def writers(n=4):
    """People who write to live, one note after the other, and write down what came of each; a page that is looked at meanwhile."""
    patient = f"{stranger} --max-time {patience}"
    write = f"{patient} -b /tmp/jar -X POST -H 'Content-Type: application/json' -H 'Origin: {sandboxes['live']}' -d '{{\"kind\": \"note\"}}' -o /dev/null -w '%{{http_code}}\\n' {sandboxes['live']}/logs/events"
    look = f"{patient} -b /tmp/jar -o /dev/null -w '%{{http_code}}\\n' {sandboxes['live']}/health"
    client.succeed(f"rm -f /tmp/live.*; touch /tmp/live.on; for n in $(seq {n}); do (while [ -e /tmp/live.on ]; do {write} >> /tmp/live.$n.wrote; done) > /dev/null 2>&1 & done; (while [ -e /tmp/live.on ]; do {look} >> /tmp/live.looked; done) > /dev/null 2>&1 &")
    client.wait_until_succeeds("test -s /tmp/live.1.wrote && test -s /tmp/live.looked", timeout=30)


def came():
    """How many notes were acknowledged, and what else came."""
    client.succeed("rm /tmp/live.on; sleep 1", "while pgrep -f '[l]ogs/events' > /dev/null; do sleep 0.2; done")
    answers = client.succeed("cat /tmp/live.*.wrote /tmp/live.looked").split()
    notes = client.succeed("cat /tmp/live.*.wrote").split()
    return sum(answer.startswith("2") for answer in notes), sorted({answer for answer in answers if not answer.startswith("2")})


def settled():
    """A gateway that runs, with a live that is well."""
    machine.wait_until_succeeds("hypervisor status && hypervisor sandboxes start sandbox live", timeout=patience)


def whole():
    """Live is pinned to what it runs, and what it runs is what the gateway says."""
    number, path = pinned("sandbox-live")
    t.assertEqual((row("live")["release"], runs("sandbox-live"), row("live")["sandbox"]), (number, path, "sandbox-live"))
    t.assertEqual(machine.succeed(f"sqlite3 -readonly {database} 'pragma integrity_check'").strip(), "ok")
    # what a copy has left that was broken off goes in the background
    machine.wait_until_succeeds("left=$(find /var/lib/choiros/sandboxes -maxdepth 3 -name '*.part') && [ -z \"$left\" ]", timeout=60)
    return number
