"""What deploy-rs does on a machine, step by step, from another: a version stays only if it is well and can be reached."""
ssh = "ssh -o StrictHostKeyChecking=no -o ConnectTimeout=5 -i /root/.ssh/id_ed25519 root@machine"


def deploy(version):
    """The commands that `deploy` sends: activate, wait, and, as whoever can still log in, confirm."""
    profile = machine.succeed(f"readlink -f /etc/versions/{version}").strip()
    activate = f"{profile}/activate-rs activate {profile} --profile-path /nix/var/nix/profiles/system --temp-path /tmp --confirm-timeout 30 --magic-rollback --auto-rollback"
    client.succeed(f"({ssh} '{activate}' > /tmp/activation 2>&1; echo $? > /tmp/status) > /dev/null 2>&1 &")
    client.execute(f"{ssh} '{profile}/activate-rs wait {profile} --temp-path /tmp --activation-timeout 240'", timeout=300)
    client.execute(f"{ssh} 'rm /tmp/deploy-rs-canary-*'", timeout=60)
    client.wait_until_succeeds("test -s /tmp/status", timeout=300)
    return int(client.succeed("cat /tmp/status; rm /tmp/status"))


def version():
    return machine.execute("cat /etc/version")[1].strip()


def well():
    machine.wait_until_succeeds("curl -sf --max-time 5 'http://127.0.0.1:9090/health?deep'", timeout=120)


start_all()
machine.wait_for_unit("choiros-hypervisor")
well()
client.succeed("mkdir -p /root/.ssh", "ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519")
key = client.succeed("cat /root/.ssh/id_ed25519.pub").strip()
machine.succeed("mkdir -p -m 0700 /root/.ssh", f"echo '{key}' > /root/.ssh/authorized_keys")
client.wait_until_succeeds(f"{ssh} true", timeout=60)

with subtest("a good version stays, and live isn't restarted for it"):
    before = machine.succeed("systemctl show -p ActiveEnterTimestampMonotonic container@sandbox-live")
    t.assertEqual(deploy("good"), 0)
    t.assertEqual(version(), "good")
    t.assertEqual(machine.succeed("systemctl show -p ActiveEnterTimestampMonotonic container@sandbox-live"), before)

with subtest("a version whose gateway isn't well is rolled back"):
    t.assertNotEqual(deploy("sick"), 0)
    t.assertEqual(version(), "good")
    well()

with subtest("a version that nobody can log in to is rolled back"):
    deploy("locked")
    client.wait_until_succeeds(f"{ssh} true", timeout=120)
    t.assertEqual(version(), "good")
    well()
