"""A disk that a sandbox has filled, and a console that it floods: the host goes on, and all serves again by itself."""
state, fill = "/var/lib/choiros", "/var/lib/choiros/sandboxes/sandbox-dev/fill"
copies = f"{state}/backups"


def full():
    """As dev leaves it, whose service may write to /data as much as it likes."""
    machine.execute(f"dd if=/dev/zero of={fill} bs=1M; dd if=/dev/zero of={fill} bs=512 oflag=append conv=notrunc; sync")
    machine.fail(f"bash -c 'head -c 65536 /dev/zero > {fill}2'")
    machine.succeed(f"rm -f {fill}2")


def swapped():
    return json.loads(machine.succeed("hypervisor swap --json --force"))["live"]


start_all()
machine.wait_for_unit("choiros-hypervisor")
both_running()

with subtest("the gateway's state and the sandboxes' share a small disk"):
    machine.succeed(
        "systemctl stop choiros-hypervisor.socket choiros-hypervisor container@sandbox-live container@sandbox-dev",
        f"mv {state} {state}.aside", f"mkdir {state}", f"mount -t tmpfs -o size=256m,mode=0755 none {state}", f"cp -a {state}.aside/. {state}/",
        "systemctl start choiros-hypervisor.socket choiros-hypervisor container@sandbox-live container@sandbox-dev",
    )
    both_running()
    trust()
    sign_up("ada@example.org", Passkey())
    machine.wait_until_succeeds(f"test $(stat -c %s {state}/hypervisor/hypervisor.db-wal) -ge 8000000", timeout=60)

with subtest("on a full disk people are let in, invited and swapped, and pages are served"):
    full()
    get("/health")
    for _ in range(20):
        machine.succeed("hypervisor invite")
    t.assertEqual((swapped(), swapped()), ("sandbox-dev", "sandbox-live"))
    sign_up("bob@example.org", Passkey())
    t.assertEqual(client.succeed(f"{curl} -f -o /dev/null -w '%{{http_code}}' {origin}/health"), "200")

with subtest("a backup on a full disk says so, and leaves nothing half behind"):
    # bob's slot is made while the disk is full
    machine.wait_until_succeeds(f"test -d {copies}/s1-dev", timeout=60)
    there = f"find {copies} {state}/sandboxes/.snapshots {state}/hypervisor -mindepth 1 ! -name lock ! -path '*/.snapshots/sandbox-live' ! -name '*-wal' ! -name '*-shm'"
    before = machine.succeed(there)
    for name, why in (("hypervisor", "full"), ("sandbox-live", "needs .* in .*, where .* are free")):
        machine.fail(f"systemctl start choiros-backup-{name}")
        machine.require_unit_state(f"choiros-backup-{name}", "failed")
        machine.succeed(f"journalctl --sync; journalctl -u choiros-backup-{name} -o cat | grep '{why}'")
    t.assertEqual(machine.succeed(there), before)
    t.assertIn("are free", machine.execute("hypervisor backup sandbox live 2>&1")[1])
    t.assertIn("are free", machine.execute("hypervisor snapshot sandbox live 2>&1")[1])

with subtest("what can't start for want of room is there once there is some, and no person was needed"):
    machine.succeed("systemctl kill --signal=KILL choiros-hypervisor", f"rm -f {state}/hypervisor/hypervisor.db-shm")
    machine.succeed(f"head -c 900000 /dev/zero | dd of={fill} oflag=append conv=notrunc bs=512 || true")
    machine.execute("systemctl restart --no-block container@sandbox-dev")
    machine.execute("for i in $(seq 30); do curl -s -o /dev/null --max-time 1 http://127.0.0.1:9090/health || true; sleep 0.5; done")
    for unit in ("choiros-hypervisor.service", "choiros-hypervisor.socket", "caddy.service"):
        t.assertNotIn("limit-hit", machine.succeed(f"systemctl show -p Result {unit}"))
        t.assertNotEqual(machine.get_unit_info(unit)["ActiveState"], "failed", unit)
    machine.succeed(f"rm {fill}")
    client.wait_until_succeeds(f"{curl} -f {origin}/health", timeout=60)
    machine.wait_until_succeeds("curl -sf --max-time 5 http://10.233.1.2:8080/health", timeout=120)
    machine.succeed("hypervisor invite", "systemctl start choiros-backup-hypervisor choiros-backup-sandbox-live")

with subtest("a start that fails over and over is tried until it doesn't"):
    machine.succeed(f"systemctl stop choiros-hypervisor.service && mv {state}/hypervisor/hypervisor.db {state}/hypervisor/aside && mkdir {state}/hypervisor/hypervisor.db && systemctl start --no-block choiros-hypervisor")
    machine.execute("for i in $(seq 60); do curl -s -o /dev/null --max-time 1 http://127.0.0.1:9090/health || true; sleep 0.5; done")
    machine.require_unit_state("choiros-hypervisor.socket", "active")
    t.assertNotEqual(machine.get_unit_info("choiros-hypervisor")["ActiveState"], "failed")
    machine.succeed(f"rmdir {state}/hypervisor/hypervisor.db && mv {state}/hypervisor/aside {state}/hypervisor/hypervisor.db")
    machine.wait_until_succeeds("curl -sf --max-time 5 http://127.0.0.1:9090/health", timeout=60)

with subtest("a sandbox that floods its console evicts nothing of the host's journal, and can be read"):
    both_running()
    machine.succeed("logger -t witness the-host-was-here", "journalctl --sync")
    used = int(machine.succeed("du -sb --exclude='*.sandboxes' /var/log/journal | cut -f 1"))
    machine.succeed(f"nsenter -t {leader_of('sandbox-live')} -m -U -p $(command -v sh) -c 'yes flooding-the-console | head -c 300000000 > /dev/console'", timeout=600)
    machine.succeed("journalctl --sync", "journalctl -t witness | grep the-host-was-here")
    t.assertLess(int(machine.succeed("du -sb --exclude='*.sandboxes' /var/log/journal | cut -f 1")) - used, 30_000_000)
    t.assertLess(int(machine.succeed("du -sb /var/log/journal/*.sandboxes | cut -f 1")), 100_000_000)
    machine.succeed("journalctl --namespace=sandboxes -u container@sandbox-live | grep flooding-the-console | wc -l | grep -vx 0", "journalctl -u container@sandbox-live | grep Started | wc -l | grep -vx 0")
    machine.succeed("journalctl -M sandbox-live -n 1 -o cat")
    machine.wait_until_succeeds("curl -sf --max-time 5 http://10.233.1.2:8080/health", timeout=60)
