"""Copies that are made while the database is in use, kept by rule, and put back when it is gone."""
data, copies = "/var/lib/choiros/sandboxes/sandbox-live", "/var/lib/choiros/backups/sandbox-live"
count = "select count(*) from events"


def healthy():
    machine.wait_until_succeeds("curl -sf --max-time 10 http://10.233.1.2:8080/health", timeout=120)


def events(database):
    return int(machine.succeed(f"sqlite3 'file:{database}?mode=ro' '{count}'"))


start_all()
machine.wait_for_unit("container@sandbox-live")
healthy()

with subtest("timers are set"):
    for name in ("hypervisor", "sandbox-live", "sandbox-dev"):
        machine.require_unit_state(f"choiros-backup-{name}.timer", "active")

with subtest("a copy is whole, its owner's, and nobody else's"):
    machine.succeed("systemctl start choiros-backup-sandbox-live")
    copy = machine.succeed(f"ls {copies}/events.*.db").strip()
    t.assertEqual(events(copy), events(f"{data}/events.db"))
    t.assertEqual(machine.succeed(f"stat -c %u:%a {copy} {copies}").split(), ["2990:600", "2990:700"])

with subtest("SQLite's own files stay the owner's"):
    t.assertEqual(set(machine.succeed(f"stat -c %u {data}/events.db*").split()), {"2990"})

with subtest("the rule keeps the newest, and one a day before them"):
    for day in range(1, 29):
        for hour in (3, 9, 21):
            machine.succeed(f"install -o 2990 -m 0600 {copy} {copies}/events.202001{day:02}T{hour:02}0000Z.db")
    machine.succeed("systemctl start choiros-backup-sandbox-live")
    kept = [name.split(".")[-2] for name in machine.succeed(f"ls {copies}").split()]
    ours = [name for name in kept if name.startswith("2020")]
    # 24 newest: the 2 true ones and 22 of 2020's; then the last copy of each of 14 days
    newest = [f"202001{day:02}T{hour:02}0000Z" for day in range(28, 0, -1) for hour in (21, 9, 3)][:22]
    t.assertEqual(len(kept), 24 + 14, kept)
    t.assertTrue(set(newest) <= set(ours))
    t.assertEqual(len({name[:8] for name in set(ours) - set(newest)}), 14)

with subtest("what was destroyed comes back"):
    machine.succeed("systemctl start choiros-backup-sandbox-live")
    before = events(f"{data}/events.db")
    machine.succeed("systemctl stop container@sandbox-live", f"dd if=/dev/urandom of={data}/events.db bs=4096 count=4 conv=notrunc", f"rm -f {data}/events.db-*")
    machine.succeed("choiros-restore sandbox-live")
    healthy()
    t.assertGreaterEqual(events(f"{data}/events.db"), before)
    t.assertEqual(machine.succeed(f"stat -c %u {data}/events.db").strip(), "2990")
    machine.succeed(f"ls {data}/before-restore-*/events.db")

with subtest("a damaged copy is refused, and nothing changes"):
    machine.succeed(f"install -o 2990 -m 0600 /dev/null {copies}/events.20990101T000000Z.db", f"head -c 9000 /dev/urandom > {copies}/events.20990101T000000Z.db")
    before = events(f"{data}/events.db")
    machine.fail("choiros-restore sandbox-live 20990101T000000Z")
    t.assertEqual(events(f"{data}/events.db"), before)
    machine.require_unit_state("container@sandbox-live.service", "active")

with subtest("a name that isn't there is told so"):
    t.assertIn("nothing here is called sandbox-lief", machine.execute("choiros-restore sandbox-lief 2>&1")[1])
