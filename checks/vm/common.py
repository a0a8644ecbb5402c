"""What the tests share: a passkey in software, and a question or two. It stands before each script."""
import json
import secrets
import shlex
from hashlib import sha256

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData

Flag = AuthenticatorData.FLAG

origin = "https://choir.test"
# where the gateway's own pages are
pages = origin
sandboxes = {"live": "https://sandbox.choir.test", "dev": "https://sandbox-dev.choir.test"}


# -- a passkey in software, and the two credentials that a browser would give


class Passkey:
    def __init__(self):
        self.key, self.id = ec.generate_private_key(ec.SECP256R1()), secrets.token_bytes(16)

    def data(self, rp_id, flags, credential=b""):
        # user verified, and no counter
        return AuthenticatorData.create(sha256(rp_id.encode()).digest(), Flag.UP | Flag.UV | flags, 0, credential)

    def credential(self, kind, options, response):
        said = CollectedClientData.create(kind, options["challenge"], origin)
        return {"id": websafe_encode(self.id), "rawId": websafe_encode(self.id), "type": "public-key", "extensions": {},
                "response": {"clientDataJSON": websafe_encode(said)} | response(said)}

    def create(self, options):
        public = ES256.from_cryptography_key(self.key.public_key())
        data = self.data(options["rp"]["id"], Flag.AT, AttestedCredentialData.create(bytes(16), self.id, public))
        attestation = websafe_encode(AttestationObject.create("none", data, {}))
        return self.credential(CollectedClientData.TYPE.CREATE, options, lambda _: {"attestationObject": attestation})

    def get(self, options, user_id):
        data = self.data(options["rpId"], Flag(0))

        def signed(said):
            signature = self.key.sign(data + said.hash, ec.ECDSA(hashes.SHA256()))
            return {"authenticatorData": websafe_encode(data), "signature": websafe_encode(signature), "userHandle": user_id}

        return self.credential(CollectedClientData.TYPE.GET, options, signed)


# -- whoever does something on the host or inside of a sandbox

# the hypervisor's user, and one that is nobody's
gateway = "setpriv --reuid 2991 --regid 2991 --clear-groups"
nobody = "setpriv --reuid 65534 --regid 65534 --clear-groups"
# what a shell inside lacks
set_path = "export PATH=/run/current-system/sw/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def leader_of(sandbox):
    """The number of its first process."""
    return machine.succeed(f"machinectl show {sandbox} -p Leader --value").strip()


addresses = {"sandbox-live": "10.233.1.2", "sandbox-dev": "10.233.2.2"}


def in_network_of(sandbox, command):
    """A command as it runs there, with the host's programs, or a guest's own."""
    if isolation == "microvm":
        return f"in-guest {addresses[sandbox]} {shlex.quote(command)}"
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
        machine.wait_until_succeeds(f"hypervisor sandboxes start sandbox {role}", timeout=patience)
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
