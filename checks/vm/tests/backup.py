"""Copies that are made while the databases are in use and kept by rule, whatever a sandbox plants between them."""
data, copies = "/var/lib/choiros/sandboxes/sandbox-live", "/var/lib/choiros/backups/sandbox-live"
store = "/var/lib/choiros/hypervisor/hypervisor.db"


def events(database):
    return int(machine.succeed(f"sqlite3 'file:{database}?mode=ro' 'select count(*) from events'"))


def plant(*commands):
    """What root inside can make of its /data: its user's files, and others."""
    machine.succeed(f"cd {data}", *(f"cd {data} && {command}" for command in commands))


def backup(fails=False):
    """What a run says."""
    since = machine.succeed("date +%s.%N").strip()
    (machine.fail if fails else machine.succeed)("systemctl start choiros-backup-sandbox-live", timeout=300)
    return machine.succeed(f"journalctl -o cat -u choiros-backup-sandbox-live --since @{since}")


def names():
    return machine.succeed(f"ls -A {copies}").split()


start_all()
machine.wait_for_unit("container@sandbox-live")
machine.wait_until_succeeds("curl -sf --max-time 10 http://10.233.1.2:8080/health", timeout=120)
machine.wait_for_unit("hypervisor")

with subtest("timers are set"):
    for name in ("hypervisor", "sandbox-live", "sandbox-dev"):
        machine.require_unit_state(f"choiros-backup-{name}.timer", "active")
        machine.succeed(f"systemctl start choiros-backup-{name}")

with subtest("a copy is whole, its owner's, and nobody else's"):
    copy = f"{copies}/{names()[0]}"
    t.assertRegex(copy, r"/events\.000001\.\d{8}T\d{6}Z\.db$")
    t.assertEqual(events(copy), events(f"{data}/events.db"))
    t.assertEqual(machine.succeed(f"stat -c %u:%a {copy} {copies}").split(), ["2990:600", "2990:700"])
    t.assertEqual(machine.succeed(f"head -c 20 {copy} | tail -c 2 | od -An -tx1").split(), ["01", "01"])

with subtest("SQLite's own files stay the owner's"):
    t.assertEqual(set(machine.succeed(f"stat -c %u {data}/events.db*").split()), {"2990"})

with subtest("no link leads out of the sandbox's own folder"):
    machine.succeed("install -o 2990 -m 0644 /dev/null /run/theirs.db", "sqlite3 /run/theirs.db 'create table secret(a)'", f"mkdir -p {data}/inner")
    for target in (store, "/var/lib/choiros/sandboxes/sandbox-dev/events.db", "/run/theirs.db", "/etc/passwd", "/proc/self/environ", "/dev/zero", "/dev/stdin", copies):
        plant(f"ln -sfn {target} link.db", "chown -h 2990 link.db", "sqlite3 whole.db 'create table if not exists t(a); insert into t values (1)'", "chown 2990 whole.db")
        t.assertIn("link.db is no regular file", backup())
        t.assertFalse([name for name in names() if name.startswith("link.")], target)
        plant("rm -f link.db")
    for suffix in ("-wal", "-shm", "-journal"):
        plant(f"ln -sfn {store} whole.db{suffix}", f"chown -h 2990 whole.db{suffix}")
        machine.execute("systemctl start choiros-backup-sandbox-live")
        plant(f"rm -f whole.db{suffix}")
    machine.succeed(f"sqlite3 {store} 'pragma integrity_check' | grep -qx ok")

with subtest("a program in the backup's view sees that folder, and nothing else of the host"):
    machine.succeed("mkdir -p /run/systemd/system/choiros-backup-sandbox-live.service.d")
    script = f"ls -A / /etc /home /root /run /var/lib /var/lib/choiros /var/lib/choiros/sandboxes /var/lib/choiros/backups 2> /dev/null > {copies}/seen; cat {store} /etc/passwd /run/choiros/* >> {copies}/seen 2> /dev/null; true"
    shell = machine.succeed("systemctl show -p ExecStart --value choiros-backup-sandbox-live | grep -o '/nix/store/[^ ]*choiros-backup' | head -n 1 | xargs head -n 1").strip()[2:]
    machine.succeed(f"printf '[Service]\\nExecStart=\\nExecStart={shell} -c \"%s\"\\n' '{script}' > /run/systemd/system/choiros-backup-sandbox-live.service.d/look.conf",
                    "systemctl daemon-reload", "systemctl start choiros-backup-sandbox-live", "rm /run/systemd/system/choiros-backup-sandbox-live.service.d/look.conf", "systemctl daemon-reload")
    seen = machine.succeed(f"cat {copies}/seen; rm {copies}/seen")
    for word in ("sandbox-dev", "hypervisor", "root:", "dbus"):
        t.assertNotIn(word, seen)

with subtest("what is no database is named, and harms nobody else's copy"):
    number = len([name for name in names() if name.startswith("whole.")])
    plant(
        "mkfifo pipe.db", "mkdir folder.db", "echo nothing > text.db", ": > empty.db", "truncate -s 100G sparse.db",
        "sqlite3 \"it's.db\" 'create table t(a)'", "sqlite3 -- ./-dash.db 'create table t(a)'", "sqlite3 'per%cent.db' 'create table t(a)'", "sqlite3 $'line\\nbreak.db' 'create table t(a)'",
        "ln events.db hard.db", "find . -name '*.db' -exec chown -h 2990 {} +",
    )
    said = backup()
    for name in ("pipe.db", "folder.db", "text.db", "empty.db", "sparse.db", r"it\'s.db", "-dash.db", "per%cent.db", r"$'line\nbreak.db'"):
        t.assertIn(f"{name} is", said)
    t.assertEqual(len([name for name in names() if name.startswith("whole.")]), number + 1)
    t.assertFalse([name for name in names() if name.split(".")[0] in ("pipe", "folder", "text", "empty", "sparse", "line")])

with subtest("a database that is damaged fails the backup, after all others were copied"):
    before = len([name for name in names() if name.startswith("whole.")])
    plant("rm -f hard.db", "sqlite3 broken.db 'create table t(a); with recursive n(i) as (values(1) union all select i + 1 from n where i < 9999) insert into t select i from n'",
          "dd if=/dev/urandom of=broken.db bs=4096 seek=2 count=4 conv=notrunc", "chown 2990 broken.db")
    t.assertIn("broken.db is damaged", backup(fails=True))
    t.assertEqual(len([name for name in names() if name.startswith("whole.")]), before + 1)
    plant("dd if=/dev/urandom of=whole.db bs=64 count=1 conv=notrunc")
    t.assertIn("whole.db was a database", backup(fails=True))
    plant("rm -f broken.db whole.db")

with subtest("a database with a claim to be huge, an order to load code, or an owner of its own costs nobody else's copy"):
    plant("sqlite3 huge.db 'create table t(a)'", "truncate -s 100G huge.db", "printf '\\1\\220\\0\\0' | dd of=huge.db bs=1 seek=28 conv=notrunc", "chown 2990 huge.db",
          "sqlite3 code.db \"create view v as select load_extension('/data/evil.so'); create trigger g after insert on sqlite_sequence begin select 1; end; create table t(a)\" || true", "chown 2990 code.db",
          "install -o 0 -m 0600 events.db roots.db")
    said = backup(fails=True)
    t.assertIn("roots.db can't be read", said)
    t.assertIn("huge.db", said)
    plant("rm -f huge.db code.db roots.db")

with subtest("many files are no way to hold up a backup"):
    plant("mkdir many", "cd many && seq -f f%.0f.db 3000 | xargs touch", "mv many/* .")
    t.assertIn("more than 1000 files", backup(fails=True))
    plant("find . -name 'f*.db' -delete")
    plant("rm -rf *.db.d pipe.db folder.db text.db empty.db sparse.db *his*.db it*.db ./-dash.db per*.db line*.db many inner")

with subtest("a database under constant writes is copied, once and as of one moment"):
    plant("sqlite3 busy.db 'pragma journal_mode = wal; create table t(a); create table n(i); with recursive n(i) as (values(1) union all select i + 1 from n where i < 300) insert into t select randomblob(1000000) from n'", "chown 2990 busy.db*")
    machine.succeed(f"systemd-run -q --unit=writer $(command -v python3) -c 'import sqlite3, time\nd = sqlite3.connect(\"{data}/busy.db\", timeout=60, isolation_level=None)\nwhile True: d.execute(\"insert into n values (1)\"); time.sleep(0.05)'")
    machine.wait_until_succeeds(f"test $(sqlite3 'file:{data}/busy.db?mode=ro' 'select count(*) from n') -gt 20", timeout=60)
    backup()
    busy = machine.succeed(f"ls {copies}/busy.*.db").split()[-1]
    t.assertEqual(machine.succeed(f"sqlite3 {busy} 'select count(*) from t'").strip(), "300")
    t.assertGreater(int(machine.succeed(f"sqlite3 {busy} 'select count(*) from n'")), 20)
    machine.succeed("systemctl stop writer", f"rm -f {data}/busy.db* {copies}/busy.*")

with subtest("the rule keeps the newest, and one a day before them"):
    machine.succeed(f"find {copies} -name '*.db' ! -name 'events.*' -delete")
    for day in range(1, 29):
        for hour in (3, 9, 21):
            machine.succeed(f"install -o 2990 -m 0600 {copy} {copies}/events.202001{day:02}T{hour:02}0000Z.db")
    backup()
    ours = {name.split(".")[1] for name in names() if ".2020" in name}
    true = [name for name in names() if ".2020" not in name]
    newest = [f"202001{day:02}T{hour:02}0000Z" for day in range(28, 0, -1) for hour in (21, 9, 3)][: 24 - len(true)]
    t.assertEqual(len(names()), 24 + 14, names())
    t.assertTrue(set(newest) <= ours)
    t.assertEqual(len({time[:8] for time in ours - set(newest)}), 14)

with subtest("a clock that was ahead for a while costs no copy of today, and leaves none that stays the newest"):
    machine.succeed(f"rm {copies}/events.2020*")
    numbers = sorted(name.split(".")[1] for name in names())
    future = int(numbers[-1]) + 1
    machine.succeed(f"install -o 2990 -m 0600 {copy} {copies}/events.{future:06}.20990101T000000Z.db")
    backup()
    today = max(names(), key=lambda name: name.split(".")[1])
    t.assertEqual(today.split(".")[1], f"{future + 1:06}")
    t.assertNotIn("2099", today)
    t.assertTrue(set(numbers) <= {name.split(".")[1] for name in names()})
    t.assertIn(f"{future + 1:06}", machine.execute("choiros-restore")[1])

with subtest("without room there is no half a copy, and the gateway's room stays"):
    plant("sqlite3 large.db 'create table t(a); with recursive n(i) as (values(1) union all select i + 1 from n where i < 20) insert into t select randomblob(1000000) from n'", "chown 2990 large.db")
    machine.succeed(f"mount -t tmpfs -o size=16m,mode=0700,uid=2990,gid=2990 none {copies}")
    said = backup(fails=True)
    t.assertIn("too little room for its", said)
    t.assertEqual([name.split(".")[0] for name in names()], ["events"])
    machine.succeed(f"umount {copies}", f"rm {data}/large.db")
    backup()
