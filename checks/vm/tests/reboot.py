"""A reboot, which cuts no response that is under way, and after which all is there again by itself."""


def download(role):
    """Starts one that goes on by itself; its end is in a file."""
    client.succeed(f"rm -f /tmp/{role}.*; ({curl} -f -o /tmp/{role}.body {sandboxes[role]}/slow; echo $? > /tmp/{role}.code) > /dev/null 2>&1 &")
    client.wait_until_succeeds(f"test -s /tmp/{role}.body", timeout=60)


def whole(role):
    client.wait_until_succeeds(f"test -e /tmp/{role}.code", timeout=60)
    t.assertEqual(client.succeed(f"cat /tmp/{role}.code").strip(), "0")
    t.assertEqual(client.succeed(f"wc -c < /tmp/{role}.body").strip(), "800")


machine.start(allow_reboot=True)
start_all()
machine.wait_for_unit("choiros-hypervisor")
trust()
sign_up("ada@example.org", Passkey())
both_running()
machine.wait_for_unit("choiros-drain")

with subtest("the response of a sandbox comes to its end while its host shuts down"):
    for role in sandboxes:
        t.assertEqual(page(f"{sandboxes[role]}/").strip(), "line000")
    for role in sandboxes:
        download(role)
    machine.reboot()
    for role in sandboxes:
        whole(role)

with subtest("sandboxes end after the gateway, and the gateway after Caddy"):
    log = machine.succeed("journalctl -o cat _PID=1 | grep -E '^Stopped|^Stopping'").splitlines()
    order = [next(i for i, line in enumerate(log) if line.startswith(said)) for said in ("Stopped caddy", "Stopped choiros-hypervisor", "Stopping container@sandbox-live")]
    t.assertEqual(order, sorted(order), log)

with subtest("all is there again"):
    machine.wait_for_unit("choiros-hypervisor")
    client.wait_until_succeeds(f"{curl} -f {origin}/health", timeout=120)
    t.assertEqual(client.wait_until_succeeds(f"{curl} -f {sandboxes['live']}/", timeout=120).strip(), "line000")

with subtest("a deployment that changes the order stops nothing"):
    before = machine.succeed("systemctl show -p ActiveEnterTimestampMonotonic choiros-hypervisor")
    machine.succeed("systemctl restart choiros-drain")
    t.assertEqual(machine.succeed("systemctl show -p ActiveEnterTimestampMonotonic choiros-hypervisor"), before)

with subtest("the gateway serves before the slowest sandbox has started"):
    machine.succeed("systemctl stop container@sandbox-live container@sandbox-dev choiros-hypervisor.service")
    machine.succeed("mkdir -p /run/systemd/system/container@sandbox-dev.service.d", "printf '[Service]\\nExecStartPre=sleep 30\\n' > /run/systemd/system/container@sandbox-dev.service.d/slow.conf", "systemctl daemon-reload")
    machine.succeed("systemctl start --no-block container@sandbox-dev choiros-drain choiros-hypervisor")
    machine.wait_until_succeeds("curl -sf --max-time 5 http://127.0.0.1:9090/health", timeout=20)
    machine.require_unit_state("container@sandbox-dev.service", "activating")
