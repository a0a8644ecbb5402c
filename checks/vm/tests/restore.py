"""Copies that are put back under traffic: who comes meanwhile waits, and a copy that doesn't serve is taken out again."""
data, copies = "/var/lib/choiros/sandboxes/sandbox-live", "/var/lib/choiros/backups/sandbox-live"
folder, store = "/var/lib/choiros/hypervisor", "/var/lib/choiros/hypervisor/hypervisor.db"


def healthy():
    machine.wait_until_succeeds("curl -sf --max-time 10 http://10.233.1.2:8080/health", timeout=120)


def events(database):
    return int(machine.succeed(f"sqlite3 'file:{database}?mode=ro' 'select count(*) from events'"))


def users():
    return [user["username"] for user in json.loads(machine.succeed("hypervisor users --json"))]


def person(name):
    return f"insert into users (id, username, display_name, admin, created_at) values (randomblob(16), '{name}', '{name}', 0, 0)"


def traffic(unit, command):
    """Asks without a pause, and writes down each response's code."""
    machine.succeed(f"rm -f /run/{unit}.codes", f"systemd-run -q --unit={unit} bash -c 'while true; do {command} >> /run/{unit}.codes; done'")


def codes(unit):
    machine.succeed(f"systemctl stop {unit}")
    return set(machine.succeed(f"cat /run/{unit}.codes").split())


start_all()
machine.wait_for_unit("hypervisor")
both_running()
healthy()

with subtest("what was destroyed comes back"):
    machine.succeed("systemctl start choiros-backup-sandbox-live")
    before = events(f"{data}/events.db")
    machine.succeed("systemctl stop container@sandbox-live", f"dd if=/dev/urandom of={data}/events.db bs=4096 count=4 conv=notrunc", f"rm -f {data}/events.db-*")
    said = machine.succeed("choiros-restore sandbox-live", timeout=200)
    t.assertIn("serves again", said)
    healthy()
    t.assertGreaterEqual(events(f"{data}/events.db"), before)
    t.assertEqual(machine.succeed(f"stat -c %u:%a {data}/events.db").strip(), "2990:600")
    machine.succeed(f"test -e {said.split()[-1].strip()}/events.db")

with subtest("a sandbox that is written to is as it was, and whoever starts it meanwhile waits"):
    machine.succeed("systemctl start choiros-backup-sandbox-live")
    copy = machine.succeed(f"ls {copies}/events.*.db").split()[-1]
    traffic("writer", "curl -s --max-time 5 -o /dev/null -X POST -H \"Content-Type: application/json\" -d \"{}\" http://10.233.1.2:8080/logs/events; hypervisor sandboxes start sandbox live > /dev/null; echo $?")
    machine.sleep(2)
    started = machine.succeed("systemctl show -p ActiveEnterTimestampMonotonic container@sandbox-live")
    machine.succeed("choiros-restore sandbox-live", timeout=200)
    codes("writer")
    kept = machine.succeed(f"ls -d {data}/before-restore-*").split()[-1]
    machine.succeed(f"sqlite3 'file:{data}/events.db?mode=ro' 'pragma integrity_check' | grep -qx ok")
    t.assertGreaterEqual(events(f"{data}/events.db"), events(copy))
    t.assertNotEqual(machine.succeed("systemctl show -p ActiveEnterTimestampMonotonic container@sandbox-live"), started)
    machine.succeed(f"test -e {kept}/events.db")

with subtest("the gateway's store comes back while people call, none of whom is refused"):
    machine.succeed(f"sqlite3 {store} \"{person('ada')}\"", "systemctl restart hypervisor", "systemctl start choiros-backup-hypervisor")
    machine.succeed(f"sqlite3 {store} \"{person('eve')}\"", "systemctl restart hypervisor")
    t.assertEqual(set(users()), {"ada", "eve"})
    traffic("callers", "curl -s --max-time 30 -o /dev/null -w \"%{http_code}\\n\" http://127.0.0.1:9090/health")
    machine.sleep(1)
    t.assertIn("serves again", machine.succeed("choiros-restore hypervisor", timeout=200))
    machine.sleep(1)
    t.assertEqual(codes("callers"), {"200"})
    t.assertEqual(users(), ["ada"])
    machine.require_unit_state("hypervisor.socket", "active")

with subtest("a copy that doesn't serve is taken out again, and it is said"):
    number = machine.succeed(f"ls {copies} | tail -n 1 | cut -d . -f 2").strip()
    other = f"{int(number) + 1:06}"
    machine.succeed(f"sqlite3 {copies}/events.{other}.20260101T000000Z.db 'create table events(other)'", f"chown 2990:2990 {copies}/events.{other}*")
    before = events(f"{data}/events.db")
    status, said = machine.execute(f"choiros-restore sandbox-live {other} 2>&1", timeout=400)
    t.assertEqual(status, 1, said)
    t.assertIn("putting back what was there", said)
    t.assertIn("serves again, with what was there before", said)
    healthy()
    t.assertGreaterEqual(events(f"{data}/events.db"), before)
    machine.succeed(f"rm {copies}/events.{other}*")

with subtest("what a sandbox plants where a restore puts things changes nothing of the host's"):
    victim = "/run/victim"
    machine.succeed(f"mkdir -m 0755 {victim}", f"touch {victim}/file", "systemctl stop container@sandbox-live",
                    f"cd {data}; rm -f events.db*; ln -s {victim}/file events.db; ln -s {victim} events.db-wal; for s in $(seq 0 90); do ln -sfn {victim} before-restore-$(date --utc -d \"+$s seconds\" +%Y%m%dT%H%M%SZ); done; chown -h 2990 *")
    machine.succeed("choiros-restore sandbox-live", timeout=200)
    healthy()
    t.assertEqual(machine.succeed(f"stat -c %a:%u {victim} {victim}/file; ls -A {victim}").split(), ["755:0", "644:0", "file"])
    t.assertEqual(machine.succeed(f"stat -c %F {data}/events.db").strip(), "regular file")

with subtest("a damaged copy is refused, and nothing changes"):
    machine.succeed(f"head -c 9000 /dev/urandom > {copies}/events.20990101T000000Z.db", f"chown 2990 {copies}/events.2099*")
    before = events(f"{data}/events.db")
    machine.fail("choiros-restore sandbox-live 20990101T000000Z")
    t.assertEqual(events(f"{data}/events.db"), before)
    machine.require_unit_state("container@sandbox-live.service", "active")

with subtest("a name or a run that isn't there is told so"):
    t.assertIn("nothing here is called sandbox-lief", machine.execute("choiros-restore sandbox-lief 2>&1")[1])
    for run in ("000999", "'../../etc'", "'check-1'"):
        t.assertIn("has no copy called", machine.execute(f"choiros-restore sandbox-live {run} 2>&1")[1])
