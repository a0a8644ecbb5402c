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
