"""A browser of curl's on the machine `client`: one cookie jar, and the certificate authority of the host's own.

It stands after common.py, before the scripts of tests that have such a machine."""
ca = {"caddy": "/var/lib/caddy/.local/share/caddy/pki/authorities/local/root.crt",
      "gateway": "/var/lib/choiros/certificate/ca.pem"}[kind]
stranger = ("curl -sS --max-time 60 --cacert /tmp/ca.pem "
            "--connect-to choir.test:443:machine:443 --connect-to www.choir.test:443:machine:443 --connect-to choir.test:80:machine:80")
curl = f"{stranger} --cookie /tmp/jar --cookie-jar /tmp/jar"


def get(path):
    return client.succeed(f"{curl} -f '{origin}{path}'")


def post(path, body):
    return json.loads(client.succeed(f"{curl} --fail-with-body -H 'Content-Type: application/json' -d '{json.dumps(body)}' {origin}{path}"))


def redirect(url):
    return client.succeed(f"{curl} -o /dev/null -w '%{{http_code}} %{{redirect_url}}' '{url}'")


def rows():
    return {row["sandbox"]: row for row in json.loads(get("/admin/sandboxes"))}


def trust():
    """Gives the browser the host's certificate authority, and waits until it answers."""
    machine.wait_for_file(ca)
    client.succeed(f"cat > /tmp/ca.pem <<'EOF'\n{machine.succeed(f'cat {ca}')}EOF")
    client.wait_until_succeeds(f"{curl} -f {origin}/health", timeout=120)


def sign_up(username, passkey):
    invite = json.loads(machine.succeed("hypervisor invite --admin --json"))["url"].split("invite=")[1]
    options = post("/auth/register/start", {"username": username, "invite": invite})["publicKey"]
    return post("/auth/register/finish", passkey.create(options)) | {"invite": invite}
