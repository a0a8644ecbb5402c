"""What the tests share: a passkey in software, and a question or two. It stands before each script."""
import base64
import hashlib
import json
import secrets
import shlex
import struct

origin = "https://choir.test"
# where the gateway's own pages are
pages = origin
sandboxes = {"live": "https://sandbox.choir.test", "dev": "https://sandbox-dev.choir.test"}


# -- a passkey in software: P-256 by the book, and the two credentials that a browser would give

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)


def add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0]:
        if a != b:
            return None
        slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, P)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def times(k, point):
    result = None
    while k:
        if k & 1:
            result = add(result, point)
        point, k = add(point, point), k >> 1
    return result


def der(*numbers):
    def integer(n):
        body = n.to_bytes(n.bit_length() // 8 + 1, "big")
        return b"\x02" + bytes([len(body)]) + body

    body = b"".join(map(integer, numbers))
    return b"\x30" + bytes([len(body)]) + body


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Passkey:
    def __init__(self):
        self.secret, self.id = secrets.randbelow(N - 1) + 1, secrets.token_bytes(16)

    def data(self, rp_id, flags, more=b""):
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + struct.pack(">I", 0) + more

    def credential(self, kind, options, response):
        said = json.dumps({"type": kind, "challenge": options["challenge"], "origin": origin, "crossOrigin": False}).encode()
        return {"id": b64(self.id), "rawId": b64(self.id), "type": "public-key", "extensions": {},
                "response": {"clientDataJSON": b64(said)} | response(said)}

    def create(self, options):
        x, y = (n.to_bytes(32, "big") for n in times(self.secret, G))
        key = b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20" + x + b"\x22\x58\x20" + y
        data = self.data(options["rp"]["id"], 0x45, bytes(16) + struct.pack(">H", len(self.id)) + self.id + key)
        attestation = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58" + bytes([len(data)]) + data
        return self.credential("webauthn.create", options, lambda _: {"attestationObject": b64(attestation)})

    def get(self, options, user_id):
        data = self.data(options["rpId"], 0x05)

        def signed(said):
            digest = int.from_bytes(hashlib.sha256(data + hashlib.sha256(said).digest()).digest(), "big")
            k = secrets.randbelow(N - 1) + 1
            r = times(k, G)[0] % N
            return {"authenticatorData": b64(data), "signature": b64(der(r, pow(k, -1, N) * (digest + r * self.secret) % N)), "userHandle": user_id}

        return self.credential("webauthn.get", options, signed)


# -- whoever does something on the host or inside of a sandbox

# the hypervisor's user, and one that is nobody's
gateway = "setpriv --reuid 2991 --regid 2991 --clear-groups"
nobody = "setpriv --reuid 65534 --regid 65534 --clear-groups"
# what a shell inside lacks
set_path = "export PATH=/run/current-system/sw/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def leader_of(sandbox):
    """The number of its first process."""
    return machine.succeed(f"machinectl show {sandbox} -p Leader --value").strip()


def in_network_of(sandbox, command):
    """A command as it runs there, with the host's programs."""
    return f"nsenter -t {leader_of(sandbox)} -n {command}"


def root_in(sandbox, command):
    """What a command of root's inside says, which succeeds."""
    return machine.succeed(f"systemd-run -M {sandbox} -q --pipe --wait /bin/sh -c {shlex.quote(f'{set_path}; {command}')}")


def sealed(units):
    """Each is rated 2.0 or better by systemd."""
    for unit in units:
        score = machine.succeed(f"systemd-analyze security {unit} --no-pager | tail -n 1")
        t.assertLessEqual(float(score.split(".service:")[1].split()[0]), 2.0, score)


def both_running():
    """Both sandboxes are, and no rollout is about to restart one."""
    machine.wait_until_succeeds("systemctl show -p ActiveState choiros-rollout | grep -qE '=(active|failed)'", timeout=300)
    for role in ("live", "dev"):
        machine.wait_until_succeeds(f"hypervisor sandboxes start sandbox {role}", timeout=120)
    machine.wait_until_succeeds("hypervisor sandboxes --json | jq -e 'map(select(.workspace == \"sandbox\")) | all(.[]; .status == \"running\")'", timeout=120)


# -- releases, on a host with deployments to come

profiles = "/nix/var/nix/profiles/choiros"


def closure(name):
    """Of a deployment to come."""
    return machine.succeed(f"awk '$1 == \"{name}\" {{ printf \"%s\", $2 }}' /etc/deployments")


def switch_to(name, workspace="sandbox"):
    """Does what a switch does first that brings a workspace another closure."""
    machine.succeed(f"sed -Ei 's,^({workspace} [^ ]*) .*,\\1 {closure(name)},' $(readlink -f /etc/choiros/releases)", "systemctl reload choiros-releases")


def rolled_out():
    """What it does then; whether that came to a good end."""
    return machine.execute("systemctl restart choiros-rollout")[0] == 0


def runs(sandbox):
    """The closure whose system is running inside."""
    return machine.succeed(f"readlink /proc/{leader_of(sandbox)}/root/run/current-system").strip()


def pinned(sandbox):
    """The number of its release, and the closure that this is."""
    folder = f"{profiles}/{sandbox.rpartition('-')[0]}"
    link = machine.succeed(f"readlink {folder}/{sandbox}").strip()
    return int(link.split("-")[1]), machine.succeed(f"readlink {folder}/{link}").strip()


def releases(workspace="sandbox"):
    """Numbers and closures, the oldest first."""
    links = machine.succeed(f"find {profiles}/{workspace} -name 'release-*-link' -printf '%f %l\\n'").splitlines()
    return sorted((int(line.split("-")[1]), line.split(" ")[1]) for line in links)
