"""Backups of whole volumes that are made while these are in use and kept by rule, whatever a sandbox plants in its own."""
folder = "/var/lib/choiros/sandboxes"
data, copies = f"{folder}/sandbox-live", "/var/lib/choiros/backups/sandbox-live"
store = "/var/lib/choiros/hypervisor/hypervisor.db"


def events(database):
    return int(machine.succeed(f"sqlite3 'file:{database}?mode=ro' 'select count(*) from events'"))


def plant(*commands):
    """What root inside can make of its /data: its user's files, and others."""
    machine.succeed(*(f"cd {data} && {command}" for command in commands))


def newest():
    """Its folder."""
    return f"{copies}/{machine.succeed(f'readlink {copies}/latest').strip()}"


def about(backup=None):
    return json.loads(machine.succeed(f"cat {backup or newest()}/backup.json"))


def faults(backup=None):
    return {it["file"]: it.get("fault") for it in about(backup)["databases"]}


def backup(fails=False):
    """What a run says."""
    since = machine.succeed("date +%s.%N").strip()
    (machine.fail if fails else machine.succeed)("systemctl start choiros-backup-sandbox-live", timeout=600)
    return machine.succeed(f"journalctl --sync; journalctl -o cat -u choiros-backup-sandbox-live --since @{since}")


def names():
    """The ids."""
    return machine.succeed(f"ls {copies} | grep -E '^[0-9]{{8}}T[0-9]{{6}}Z-[0-9a-f]{{4}}$'").split()


def tree(top):
    """What is in it, with owners, modes, links and contents; databases aside, which are written to."""
    return machine.succeed(f"cd {top} && find . -mindepth 1 ! -name '*.db*' ! -type s -printf '%P %y %U:%G %m %l\\n' | sort; cd {top} && find . -type f ! -name '*.db*' -exec sha256sum {{}} + | sort")


def numbers(count):
    return f"with recursive n(i) as (values(1) union all select i + 1 from n where i < {count})"


start_all()
machine.wait_for_unit("choiros-hypervisor")
both_running()
machine.wait_until_succeeds("curl -sf --max-time 10 http://10.233.1.2:8080/health", timeout=120)

with subtest("timers are set"):
    for name in ("hypervisor", "sandbox-live", "sandbox-dev"):
        machine.require_unit_state(f"choiros-backup-{name}.timer", "active")
        machine.succeed(f"systemctl start choiros-backup-{name}")

with subtest("a backup is whole, with owners and all, and nobody else's to see"):
    plant("mkdir -p -m 2750 shared/deep && chown -R 2990:2990 shared && echo kept > shared/deep/file && chmod 0640 shared/deep/file && ln -s ../deep shared/link && truncate -s 1G hollow && mkfifo pipe && touch -d 2020-02-02 old && cp /bin/sh suid && chmod 6755 suid",
          "ln shared/deep/file shared/twin", "python3 -c \"[open(n, 'w').close() for n in (b'\\\\xff\\\\xfe', b'a\\\\nb', b'-rf', b'x' * 255)]\"")
    machine.succeed(f"sqlite3 {data}/whole.db 'create table t(a); insert into t values (1)' && chown 2990 {data}/whole.db")
    backup()
    t.assertEqual(tree(f"{newest()}/data"), tree(data))
    t.assertEqual(events(f"{newest()}/data/events.db"), events(f"{data}/events.db"))
    t.assertEqual(faults(), {"events.db": None, "whole.db": None})
    t.assertLess(int(machine.succeed(f"stat -c %b {newest()}/data/hollow")), 1000, "holes stay holes")
    t.assertEqual(machine.succeed(f"stat -c %u:%a {copies} {newest()}").split(), ["0:711", "0:700"])
    t.assertEqual(set(machine.succeed(f"stat -c %u {data}/events.db* {newest()}/data/events.db").split()), {"2990"})
    for user in (65534, 2990, 2991):
        for what in (copies, f"{newest()}/data", f"{newest()}/data/events.db"):
            machine.fail(f"setpriv --reuid {user} --regid {user} --clear-groups ls {what}/. || setpriv --reuid {user} --regid {user} --clear-groups cat {what}")
    t.assertEqual(machine.succeed(f"ls -A {copies} | grep -vE '^[0-9]{{8}}T|^latest$|^lock$' || true"), "")
    t.assertEqual(machine.succeed(f"ls {folder}/.snapshots/sandbox-live | grep Z- || true"), "", "the snapshot that it was made of is gone")

with subtest("what did not change is shared with the backup before"):
    machine.succeed(f"head -c 20M /dev/urandom > {data}/big", "sleep 3")
    backup()
    first = newest()
    backup()
    t.assertLess(about()["new_bytes"], 5_000_000)
    t.assertEqual(*machine.succeed(f"stat -c %i {first}/data/big {newest()}/data/big").split())
    machine.succeed(f"printf x | dd of={data}/big bs=1 conv=notrunc")
    backup()
    machine.succeed(f"cmp {data}/big {newest()}/data/big", f"! cmp {data}/big {first}/data/big", f"rm {data}/big")

with subtest("the hypervisor makes and lists them as well"):
    made = json.loads(machine.succeed("hypervisor backup sandbox live --json"))
    listed = json.loads(machine.succeed("hypervisor backups sandbox --json"))
    t.assertEqual({row["id"] for row in listed if row["role"] == "live"}, set(names()))
    t.assertTrue(newest().endswith(made["id"]))

with subtest("no link leads out of the sandbox's own folder, and none beside a database"):
    machine.succeed("install -o 2990 -m 0644 /dev/null /run/theirs.db", "sqlite3 /run/theirs.db \"create table secret(a); insert into secret values ('of-the-host')\"", "echo of-the-host > /root/of-the-host", f"sha256sum {store} /etc/passwd /run/theirs.db > /run/sums")
    targets = (store, f"{folder}/sandbox-dev/events.db", "/run/theirs.db", "/root/of-the-host", "/etc/passwd", "/proc/self/environ", "/dev/zero", "/dev/stdin", copies, "..", "/")
    plant(*(f"ln -sfn {target} link{n}.db" for n, target in enumerate(targets)), *(f"ln -sfn /run/theirs.db whole.db{suffix}" for suffix in ("-wal", "-shm", "-journal")), "chown -h 2990 link*.db whole.db*")
    backup()
    t.assertEqual(faults(), {"events.db": None, "whole.db": None})
    t.assertEqual(machine.succeed(f"cd {newest()}/data; readlink link?.db link10.db").split(), [*targets])
    t.assertEqual(machine.succeed(f"grep -rl of-the-host {newest()} || true"), "")
    plant("rm whole.db-*", *(f"mkfifo whole.db{suffix}" for suffix in ("-wal", "-shm", "-journal")))
    backup()
    plant("rm whole.db-*", *(f"mkdir whole.db{suffix}" for suffix in ("-wal", "-shm", "-journal")))
    backup()
    plant("rmdir whole.db-*", "rm -f link*.db")
    machine.succeed("sha256sum -c --quiet /run/sums")

with subtest("a program in the backup's view sees volumes of its workspace and its own backups, and nothing else of the host"):
    machine.succeed(f"systemd-run -q --unit=holder flock {copies}/lock sleep 600", f"while flock --nonblock {copies}/lock true; do sleep 0.1; done", "systemctl start --no-block choiros-backup-sandbox-live")
    pid = machine.wait_until_succeeds("pgrep -f '^[^ ]*hypervisor volume .* backup$'", timeout=60).strip()
    root = f"/proc/{pid}/root"
    seen = machine.succeed(f"ls -A {root} {root}/var/lib {root}/var/lib/choiros {root}/var/lib/choiros/backups {root}/run {root}/run/choiros-volumes; for p in /etc/shadow /root/of-the-host {store} /run/dbus {copies}/../sandbox-dev/latest; do test ! -e {root}$p || echo LEAK; done; touch {root}/x 2> /dev/null && echo LEAK; test -e {root}{data}/events.db && echo OWN; true").split()
    t.assertIn("OWN", seen)
    t.assertEqual(machine.succeed(f"ls -A {root}/var/lib/choiros/backups").split(), ["sandbox-live"])
    for leak in ("LEAK", "hypervisor", "caddy", "dbus"):
        t.assertNotIn(leak, seen)
    machine.succeed("systemctl stop holder")
    machine.wait_until_succeeds("systemctl show choiros-backup-sandbox-live -p ActiveState | grep -q inactive", timeout=120)

with subtest("what has a database's name and is none, or an odd name, harms nothing"):
    plant("mkfifo pipe.db", "mkdir folder.db", "echo nothing > text.db", ": > empty.db", "truncate -s 100G sparse.db", "mknod null.db c 1 3", "mknod disk.db b 7 0", "python3 -c \"import socket; socket.socket(socket.AF_UNIX).bind('socket.db')\"",
          *(f"sqlite3 {shlex.quote('./' + name)} 'create table t(a)'" for name in ("it's.db", "-dash.db", "per%cent.db", "line\nbreak.db", "question?mode=rw.db")),
          "ln whole.db hard.db", "install -o 0 -m 0600 whole.db roots.db", "find . -name '*.db' ! -name roots.db -exec chown -h 2990 {} +")
    backup()
    t.assertEqual(about()["left_out"], 3)
    t.assertEqual(set(faults()), {"events.db", "whole.db", "hard.db", "roots.db", "it\\'s.db", "-dash.db", "per%cent.db", "line\\nbreak.db", "question?mode=rw.db"})
    t.assertEqual(set(faults().values()), {None})
    t.assertLess(int(machine.succeed(f"stat -c %b {newest()}/data/sparse.db")), 1000)
    machine.succeed(f"test $(stat -c %i {newest()}/data/whole.db) = $(stat -c %i {newest()}/data/hard.db)", f"test $(stat -c %u:%a {newest()}/data/roots.db) = 0:600")
    plant("rm -rf pipe.db folder.db text.db empty.db sparse.db null.db disk.db socket.db hard.db roots.db ./it*.db ./-dash.db per*.db line*.db question*.db")

with subtest("a database that is damaged fails the backup, after all others were copied, and pushes none out"):
    backup()
    whole = newest()
    plant(f"sqlite3 broken.db 'create table t(a); {numbers(9999)} insert into t select i from n'",
          "dd if=/dev/urandom of=broken.db bs=4096 seek=2 count=4 conv=notrunc", "chown 2990 broken.db")
    t.assertIn("broken.db is damaged", backup(fails=True))
    t.assertEqual(machine.get_unit_info("choiros-backup-sandbox-live")["ActiveState"], "failed")
    t.assertEqual([name for name, fault in faults().items() if fault], ["broken.db"])
    machine.succeed(f"test $(sqlite3 {newest()}/data/whole.db 'select count(*) from t') = 1", f"test -e {whole}/backup.json")
    # and again, though nothing has changed
    t.assertIn("broken.db is damaged", backup(fails=True))
    plant("dd if=/dev/urandom of=whole.db bs=64 count=1 conv=notrunc")
    t.assertIn("whole.db was a database", backup(fails=True))
    plant("rm -f broken.db whole.db")
    backup()

with subtest("a claim to be huge, an order to load code, or the name of another's file in a journal costs nothing"):
    plant("sqlite3 huge.db 'create table t(a)'", "truncate -s 100G huge.db", "printf '\\1\\220\\0\\0' | dd of=huge.db bs=1 seek=28 conv=notrunc",
          "sqlite3 code.db \"create table t(a check (load_extension('/data/evil.so'))); create view v as select load_extension('/data/evil.so')\" || true",
          "sqlite3 master.db 'create table t(a)'", "printf '\\331\\325\\5\\371\\40\\241\\143\\327\\0\\0\\0\\0%0500d%s\\0\\0\\0\\10\\0\\0\\0\\0\\331\\325\\5\\371\\40\\241\\143\\327' 0 /run/theirs.db > master.db-journal", "chown 2990 huge.db code.db master.db*")
    machine.execute("systemctl start choiros-backup-sandbox-live", timeout=600)
    t.assertEqual(set(faults()), {"events.db", "huge.db", "code.db", "master.db"})
    t.assertEqual((faults()["events.db"], faults()["code.db"]), (None, None))
    t.assertTrue(faults()["huge.db"])
    machine.succeed("sha256sum -c --quiet /run/sums")
    plant("rm -f huge.db code.db master.db*")

with subtest("many files, and many databases, are no way to hold up a backup"):
    plant("mkdir many deep", "cd many && seq -f f%.0f.db 20000 | xargs touch", "python3 -c 'import os\nfor n in range(3000): os.mkdir(\"d\"); os.chdir(\"d\")'")
    backup()
    t.assertGreater(about()["files"], 20000)
    plant("rm -rf many d deep", "mkdir many", "sqlite3 many/1.db 'create table t(a)'", "for n in $(seq 2 1010); do cp many/1.db many/$n.db; done", "chown -R 2990 many")
    t.assertIn("more than 1000 databases", backup(fails=True))
    plant("rm -rf many")
    backup()

with subtest("a database under constant writes is copied as of one moment, and checked as the sandbox's user"):
    plant(f"sqlite3 busy.db 'pragma journal_mode = wal; create table t(a); create table n(i); {numbers(300)} insert into t select randomblob(1000000) from n'", "chown 2990 busy.db*")
    machine.succeed(f"systemd-run -q --unit=writer $(command -v python3) -c 'import sqlite3, time\nd = sqlite3.connect(\"{data}/busy.db\", timeout=60, isolation_level=None)\nwhile True: d.execute(\"insert into n values (1)\"); time.sleep(0.05)'",
                    "systemd-run -q --unit=watcher bash -c 'while :; do for p in $(pgrep -f check-database); do grep -h ^Uid /proc/$p/status >> /run/uids || true; done; done'")
    machine.wait_until_succeeds(f"test $(sqlite3 'file:{data}/busy.db?mode=ro' 'select count(*) from n') -gt 20", timeout=60)
    # who writes from outside can't be held still, and so it is the copy that tells
    machine.execute("systemctl start choiros-backup-sandbox-live", timeout=600)
    machine.succeed("systemctl stop writer watcher")
    t.assertIsNone(faults()["busy.db"])
    t.assertEqual(set(machine.succeed("grep -c 2990 /run/uids > /dev/null; awk '{ print $2, $3 }' /run/uids | sort -u").splitlines()) - {"0 0"}, {"2990 2990"})
    copy = f"{newest()}/data/busy.db"
    machine.succeed(f"cp {copy}* /run/")
    t.assertEqual(machine.succeed("sqlite3 /run/busy.db 'select count(*) from t'").strip(), "300")
    t.assertGreater(int(machine.succeed("sqlite3 /run/busy.db 'select count(*) from n'")), 20)
    plant("rm -f busy.db* /run/busy.db*")


def made(id, at):
    """One that says to be of that moment."""
    there = f"{copies}/{id}"
    machine.succeed(f"mkdir -p -m 0700 {there}/data", f"jq '.id = \"{id}\" | .at = {at}' {newest()}/backup.json > {there}/backup.json")


with subtest("the rule keeps the newest, and one a day"):
    machine.succeed(f"cd {copies}; ls | grep Z- | grep -vx $(readlink latest) | xargs rm -rf")
    day = 1_577_836_800_000
    for n in range(28):
        for hour in (3, 9, 21):
            made(f"202001{n + 1:02}T{hour:02}0000Z-0000", day + (n * 24 + hour) * 3_600_000)
    backup()
    ours = {name for name in names() if name.startswith("2020")}
    true = set(names()) - ours
    last = [f"202001{n:02}T{hour:02}0000Z-0000" for n in range(28, 0, -1) for hour in (21, 9, 3)][: 24 - len(true)]
    t.assertTrue(set(last) <= ours)
    # on 14 days, the newest's among them; and never an older one of a day than another
    t.assertEqual(len({name[:8] for name in names()}), 14)
    t.assertEqual({name for name in ours if name not in last and name[9:11] != "21"}, set())

with subtest("a clock that was ahead for a while costs no copy of today, and what it left isn't the newest"):
    machine.succeed(f"rm -r {copies}/2020*", f"head -c 20M /dev/urandom > {data}/big")
    made("20990101T000000Z-0000", 4_070_908_800_000)
    machine.succeed("sleep 3")
    today = set(names())
    backup()
    t.assertNotIn("2099", newest())
    backup()
    t.assertLess(about()["new_bytes"], 5_000_000, "it is the newest that is shared with")
    t.assertTrue(today <= set(names()))
    machine.succeed(f"rm -r {copies}/2099* {data}/big")

with subtest("without room there is no half a copy, and what is there stays"):
    plant("head -c 40M /dev/urandom > large")
    machine.succeed(f"mount -t tmpfs -o size=16m,mode=0711 none {copies}")
    t.assertRegex(backup(fails=True), r"needs [0-9.]+ [KMG]i?B in ")
    t.assertEqual(machine.succeed(f"ls {copies} | grep -v lock || true; ls {folder}/.snapshots/sandbox-live | grep Z- || true"), "")
    machine.succeed(f"umount {copies}", f"rm {data}/large")
    backup()

with subtest("one that is killed leaves the sandbox running, and the next takes away what is half"):
    machine.succeed(f"head -c 300M /dev/urandom > {data}/large", "systemctl start --no-block choiros-backup-sandbox-live", f"until ls {copies} | grep -q part; do sleep 0.05; done", "systemctl kill --kill-whom=main --signal=KILL choiros-backup-sandbox-live")
    machine.wait_until_succeeds("systemctl show choiros-backup-sandbox-live -p ActiveState | grep -qE 'inactive|failed'", timeout=60)
    machine.succeed("curl -sf --max-time 10 http://10.233.1.2:8080/health", f"rm {data}/large")
    backup()
    t.assertEqual(machine.succeed(f"ls -A {copies} | grep -E 'part|gone|check' || true; ls {folder}/.snapshots/sandbox-live | grep Z- || true"), "")
