"""Data and the store that are put back under traffic: who comes meanwhile waits, and what doesn't serve is taken out again."""
data, copies = "/var/lib/choiros/sandboxes/sandbox-live", "/var/lib/choiros/backups"
store = "/var/lib/choiros/hypervisor/hypervisor.db"
live = "http://10.233.1.2:8080"


def healthy():
    machine.wait_until_succeeds(f"curl -sf --max-time 10 {live}/health", timeout=120)


def events(database):
    return int(machine.succeed(f"sqlite3 'file:{database}?mode=ro' 'select count(*) from events'"))


def backup():
    """The id of one that is made now."""
    machine.succeed("systemctl start choiros-backup-sandbox-live", timeout=300)
    return machine.succeed(f"readlink {copies}/sandbox-live/latest").strip()


def restore(id, more="", fails=False):
    """What it says."""
    status, said = machine.execute(f"hypervisor restore sandbox live {id} {more} --json 2>&1", timeout=300)
    t.assertEqual(status != 0, fails, said)
    return said if fails else json.loads(said)


def users():
    return {user["username"] for user in json.loads(machine.succeed("hypervisor users --json"))}


def person(name):
    return f"insert into users (id, username, display_name, admin, created_at) values (randomblob(16), '{name}', '{name}', 0, 0)"


def traffic(unit, command):
    """Asks without a pause, and writes down each response's code."""
    machine.succeed(f"rm -f /run/{unit}.codes", f"systemd-run -q --unit={unit} bash -c 'while true; do {command} >> /run/{unit}.codes; done'")


def codes(unit):
    machine.succeed(f"systemctl stop {unit}")
    return set(machine.succeed(f"cat /run/{unit}.codes").split())


def asks(host):
    return f"curl -s --max-time 60 -o /dev/null -w \"%{{http_code}}\\n\" -H \"Host: {host}\" -H \"X-Forwarded-Proto: https\" http://127.0.0.1:9090/health"


def started():
    return machine.succeed("systemctl show -p ActiveEnterTimestampMonotonic container@sandbox-live")


start_all()
machine.wait_for_unit("choiros-hypervisor")
both_running()
healthy()

with subtest("what was destroyed comes back, its owner's, and what is left of it is kept"):
    id, before = backup(), events(f"{data}/events.db")
    machine.succeed("systemctl stop container@sandbox-live", f"dd if=/dev/urandom of={data}/events.db bs=4096 count=4 conv=notrunc", f"rm -f {data}/events.db-*")
    kept = restore(id)["snapshot"]
    healthy()
    t.assertGreaterEqual(events(f"{data}/events.db"), before)
    t.assertEqual(machine.succeed(f"stat -c %u:%a {data} {data}/events.db").split(), ["2990:700", "2990:600"])
    machine.succeed(f"test -e {data}/../.snapshots/sandbox-live/{kept}/data/events.db")

with subtest("whoever comes while data are put back waits, and what was written since is kept"):
    machine.succeed("hypervisor access sandbox live public")
    id = backup()
    machine.succeed(f"echo later > {data}/later; chown 2990 {data}/later")
    was = started()
    traffic("callers", asks("sandbox.choir.test"))
    machine.sleep(2)
    kept = restore(id, "--rehearse")["snapshot"]
    machine.sleep(2)
    t.assertEqual(codes("callers"), {"200"})
    machine.succeed(f"sqlite3 'file:{data}/events.db?mode=ro' 'pragma integrity_check' | grep -qx ok")
    machine.fail(f"test -e {data}/later")
    t.assertEqual(machine.succeed(f"cat {data}/../.snapshots/sandbox-live/{kept}/data/later").strip(), "later")
    t.assertNotEqual(started(), was)

with subtest("data that a sandbox can't serve are taken out again, and with a rehearsal never get there"):
    machine.succeed(f"echo mine > {data}/mine", f"chown 2990 {data}/mine")
    id = backup()
    other = f"{copies}/sandbox-live/{id}/data/events.db"
    machine.succeed(f"rm {other}", f"sqlite3 {other} 'create table events(other)'", f"chown 2990:2990 {other}", f"rm {data}/mine")
    before, was = events(f"{data}/events.db"), started()
    t.assertIn("rehears", restore(id, "--rehearse", fails=True))
    t.assertEqual(started(), was)
    traffic("callers", asks("sandbox.choir.test"))
    said = restore(id, fails=True)
    machine.sleep(1)
    t.assertEqual(codes("callers"), {"200"}, said)
    healthy()
    t.assertGreaterEqual(events(f"{data}/events.db"), before)
    machine.fail(f"test -e {data}/mine")
    machine.succeed(f"rm -r {copies}/sandbox-live/{id}")

with subtest("what a sandbox plants where a restore puts things changes nothing of the host's"):
    victim = "/run/victim"
    machine.succeed(f"mkdir -m 0755 {victim}", f"touch {victim}/file", f"cd {data}; ln -s {victim} planted; ln -s {victim}/file planted.db; chown -h 2990 planted*")
    id = backup()
    machine.succeed("systemctl stop container@sandbox-live", f"cd {data}; rm -rf planted events.db*; mkdir planted; ln -s {victim}/file events.db; ln -s {victim} events.db-wal; chown -h 2990 *")
    restore(id)
    healthy()
    t.assertEqual(machine.succeed(f"stat -c %a:%u {victim} {victim}/file; ls -A {victim}").split(), ["755:0", "644:0", "file"])
    t.assertEqual(machine.succeed(f"stat -c %F:%u {data}/events.db {data}/planted").splitlines(), ["regular file:2990", "symbolic link:2990"])

with subtest("an id that isn't there, or is a path, is told so"):
    was = started()
    for id in ("20260101T000000Z-0000", "../../etc", "'../sandbox-dev/latest'", "latest"):
        said = restore(id, fails=True)
        t.assertRegex(said, "neither a snapshot nor a backup|is no snapshot", said)
    t.assertEqual(started(), was)

with subtest("the gateway's store comes back while people call, none of whom is refused"):
    machine.succeed(f"sqlite3 {store} \"{person('ada')}\"", "systemctl restart choiros-hypervisor", "systemctl start choiros-backup-hypervisor")
    machine.succeed(f"sqlite3 {store} \"{person('eve')}\"", "systemctl restart choiros-hypervisor")
    t.assertEqual(users(), {"ada", "eve"})
    traffic("callers", asks("choir.test"))
    traffic("visitors", asks("sandbox.choir.test"))
    was = started()
    machine.sleep(1)
    t.assertIn("serves again", machine.succeed("choiros-restore hypervisor", timeout=300))
    machine.sleep(1)
    t.assertEqual((codes("callers"), codes("visitors")), ({"200"}, {"200"}))
    t.assertEqual(users(), {"ada"})
    t.assertEqual(started(), was)
    machine.require_unit_state("choiros-hypervisor.socket", "active")


def copy(number, change):
    """A copy of the newest, as of another run, which isn't what it was."""
    newest = machine.succeed(f"ls {copies}/hypervisor/hypervisor.0*.db | tail -n 1").strip()
    made = f"{copies}/hypervisor/hypervisor.{number}.20260101T000000Z.db"
    machine.succeed(f"cp {newest} {made}", change.format(made), f"chown -h choiros:choiros {made}")


with subtest("a copy of the store that doesn't serve is taken out again, and it is said"):
    copy("000200", "sqlite3 {} \"update meta set value = 'elsewhere.test' where key = 'rp_id'\"")
    status, said = machine.execute("choiros-restore hypervisor 000200 2>&1", timeout=400)
    t.assertEqual(status, 1, said)
    t.assertIn("putting back what was there", said)
    t.assertIn("serves again, with what was there before", said)
    t.assertEqual(users(), {"ada"})
    machine.succeed(f"rm {copies}/hypervisor/hypervisor.000200.*")

with subtest("a damaged copy of it is refused, and nothing changes"):
    for number, change in (("000201", "head -c 9000 /dev/urandom > {}"), ("000202", "dd if=/dev/urandom of={} bs=4096 seek=2 count=6 conv=notrunc"), ("000203", "rm {0}; ln -s /var/lib/caddy {0}")):
        copy(number, change)
        t.assertRegex(machine.execute(f"choiros-restore hypervisor {number} 2>&1", timeout=300)[1], "nothing was changed|has no copy called")
        t.assertEqual(users(), {"ada"})
        machine.succeed(f"rm {copies}/hypervisor/hypervisor.{number}.*")

with subtest("copies that root brought back to a host are of use as well"):
    copy("000204", "true")
    machine.succeed(f"chown root:root {copies}/hypervisor/*.000204.*")
    t.assertIn("serves again", machine.succeed("choiros-restore hypervisor 000204", timeout=300))

with subtest("a name or a run that isn't there is told so"):
    t.assertIn("hypervisor restore", machine.execute("choiros-restore sandbox-live 2>&1")[1])
    for run in ("000999", "'../../etc'", "'.*'", "'0002*'"):
        t.assertIn("has no copy called", machine.execute(f"choiros-restore hypervisor {run} 2>&1")[1])
    machine.require_unit_state("choiros-hypervisor.service", "active")
