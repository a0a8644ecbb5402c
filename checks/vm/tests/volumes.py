"""Copies of what a sandbox has written, made by root on the gateway's word, whatever the sandbox plants in the way."""
folder = "/var/lib/choiros/sandboxes"
data = f"{folder}/sandbox-live"
ids = iter(f"20260102T03{n // 60:02}{n % 60:02}Z-0a1b" for n in range(600))


def order(text, sandbox="sandbox-live", fails=False):
    """What comes of an order of the gateway's."""
    machine.succeed(f"rm -f '/run/choiros-volumes/{sandbox}/{text}.json'")
    (machine.fail if fails else machine.succeed)(f"{gateway} systemctl --no-ask-password start 'choiros-volume-{sandbox}@{text}'", timeout=300)
    return json.loads(machine.succeed(f"{gateway} cat '/run/choiros-volumes/{sandbox}/{text}.json'"))["error" if fails else "ok"]


def inside(command):
    return root_in("sandbox-live", command)


def snapshot(prepared=False):
    id = next(ids)
    if prepared:
        order(f"prepare:{id}")
    return order(f"snapshot:{id}:asked"), f"{folder}/.snapshots/sandbox-live/{id}/data"


def tree(top):
    """What is in it, with owners, modes, sizes, links and contents."""
    return machine.succeed(f"cd {top} && find . -mindepth 1 ! -name '*.db*' -printf '%P %y %U:%G %m %l %n\\n' | sort; cd {top} && find . -type f ! -name '*.db*' -exec sha256sum {{}} + | sort")


def serves():
    machine.succeed("curl -sf --max-time 10 http://10.233.1.2:8080/health")


start_all()
machine.wait_for_unit("container@sandbox-live")
machine.wait_until_succeeds("curl -sf --max-time 10 http://10.233.1.2:8080/health", timeout=120)
machine.succeed("systemctl stop choiros-rollout")

with subtest("a snapshot has all that there is, as it is"):
    inside("cd /data && mkdir -p -m 2750 shared/deep && chown -R sandbox:sandbox shared && echo kept > shared/deep/file && chmod 0640 shared/deep/file && ln shared/deep/file shared/twin && ln -s ../deep shared/link && truncate -s 1G hollow && echo end >> hollow && mkfifo pipe && touch -d 2020-02-02 old && cp /bin/sh suid && chmod 6755 suid")
    machine.succeed(f"python3 -c \"import os; os.makedirs(b'{data}/names'); [open(b'{data}/names/' + n, 'w').close() for n in (b'\\\\xff\\\\xfe', b'a\\\\nb', b'-rf', b'x' * 255)]\"")
    taken, copy = snapshot()
    t.assertEqual(tree(copy), tree(data))
    t.assertEqual(machine.succeed(f"stat -c '%Y %a' {copy}/old {copy}/suid"), machine.succeed(f"stat -c '%Y %a' {data}/old {data}/suid"))
    t.assertLess(int(machine.succeed(f"stat -c %b {copy}/hollow")), 1000, "holes stay holes")
    t.assertEqual(order("list")[-1]["id"], taken["id"])
    t.assertEqual(machine.succeed(f"sqlite3 -readonly {copy}/events.db 'pragma integrity_check'").strip(), "ok")
    serves()

with subtest("nobody but root sees a snapshot, and nobody but the gateway what came of it"):
    t.assertEqual(machine.succeed(f"stat -c '%a %u' {folder}/.snapshots").strip(), "700 0")
    for there in (copy, "/run/choiros-volumes/sandbox-live"):
        machine.fail(f"{nobody} ls {there}")
        machine.fail(f"setpriv --reuid 2990 --regid 2990 --clear-groups ls {there}")
    machine.fail(f"{gateway} ls {copy}")
    machine.fail(f"{gateway} touch /run/choiros-volumes/sandbox-live/x")

with subtest("what is set-uid in a snapshot is none"):
    machine.succeed(f"findmnt -no OPTIONS -T {copy} | grep -q nosuid", f"findmnt -no OPTIONS -T {copy} | grep -q nodev")

with subtest("links lead nowhere, pipes and devices hold nothing up"):
    machine.succeed("echo of-the-host > /root/secret", f"mknod {data}/mem c 1 1", f"python3 -c \"import socket; socket.socket(socket.AF_UNIX).bind('{data}/socket')\"")
    inside("cd /data && ln -s /root/secret secret && ln -s / host && ln -s /proc/self/fd fds && ln -s ../.. up && ln -s ../../.. snapshots && ln -s loop loop")
    taken, copy = snapshot()
    machine.fail(f"grep -rqs of-the-host {copy}")
    t.assertEqual(machine.succeed(f"readlink {copy}/secret {copy}/host {copy}/up").split(), ["/root/secret", "/", "../.."])
    machine.fail(f"test -e {copy}/mem -o -e {copy}/socket")
    t.assertEqual(taken["left_out"], 2)
    machine.succeed(f"rm {data}/mem {data}/socket")

with subtest("nor do they while a folder is one, and then a link to the host's, a thousand times"):
    inside("mkdir -p /data/flip /data/flop; for n in 1 2 3 4 5 6 7 8 9; do echo own > /data/flip/secret$n; done; ln -s /root /data/lure; echo own > /data/flop/secret")
    machine.succeed(f"systemd-run -M sandbox-live --unit=racer /bin/sh -c {shlex.quote(f'{set_path}; cd /data; while :; do mv -T flip gone; mv -T lure flip; mv -T flip lure; mv -T gone flip; rm flop/secret; ln -s /root/secret flop/secret; rm flop/secret; mkfifo flop/secret; rm flop/secret; echo own > flop/secret; done')}")
    for n in range(12):
        taken, copy = snapshot(prepared=n % 2 == 1)
        machine.fail(f"grep -rqs of-the-host {copy}")
        t.assertEqual(machine.succeed(f"find {copy} -name 'secret*' -type f -exec cat {{}} + | sort -u").split(), ["own"])
    machine.succeed("systemctl -M sandbox-live stop racer")
    serves()

with subtest("a link where a volume or its snapshots should be is no volume"):
    machine.succeed("systemctl stop container@sandbox-dev", f"mv {folder}/sandbox-dev {folder}/aside", f"ln -s /root {folder}/sandbox-dev")
    order(f"snapshot:{next(ids)}:asked", "sandbox-dev", fails=True)
    t.assertNotIn("choiros-volume", machine.succeed("systemctl list-units --failed --no-legend"))
    machine.succeed(f"rm {folder}/sandbox-dev", f"mv {folder}/aside {folder}/sandbox-dev")

with subtest("the program sees volumes of its workspace, and nothing else of the host"):
    lock = f"{folder}/.snapshots/sandbox-live/lock"
    unit = f"choiros-volume-sandbox-live@prepare:{next(ids)}.service"
    machine.succeed(f"touch {folder}/team-live/theirs", f"systemd-run --unit=holder flock {lock} sleep 600", f"while flock --nonblock {lock} true; do sleep 0.1; done")
    # it waits for its turn
    machine.succeed(f"systemctl start --no-block '{unit}'")
    pid = machine.wait_until_succeeds("pgrep -f '^[^ ]*hypervisor volume .*prepare'", timeout=20).strip()
    root = f"/proc/{pid}/root"
    seen = machine.succeed(f"ls -A {root} {root}/var/lib/choiros {root}/run; test -e {root}{folder}/team-live/theirs && echo THEIRS; test -e {root}/etc/shadow && echo SHADOW; touch {root}{data}/own && echo WRITES; touch {root}/x 2> /dev/null && echo ROOT; true")
    t.assertIn("WRITES", seen)
    for leak in ("THEIRS", "SHADOW", "ROOT", "hypervisor", "dbus"):
        t.assertNotIn(leak, seen.split(), seen)
    # of backups and results its own, and not even others' names
    for inner in ("/var/lib/choiros/backups", "/run/choiros-volumes"):
        t.assertEqual(machine.succeed(f"ls -A {root}{inner}").split(), ["sandbox-live"])
    machine.succeed(f"grep -q '^NoNewPrivs:.*1' /proc/{pid}/status", f"test $(stat -Lc %i /proc/{pid}/ns/net) != $(stat -Lc %i /proc/1/ns/net)")
    machine.succeed("systemctl stop holder")
    machine.wait_until_succeeds(f"systemctl show '{unit}' -p ActiveState | grep -qE 'inactive|failed'", timeout=60)

with subtest("thirty thousand files are copied as well"):
    machine.succeed(f"mkdir -p {data}/many", f"python3 -c \"[open(f'{data}/many/{{n}}', 'w').close() for n in range(30000)]\"")
    taken, copy = snapshot(prepared=True)
    t.assertGreater(taken["files"], 30000)
    print("30000 files: frozen for", taken["frozen_ms"], "ms")
    serves()

with subtest("a copy that is killed leaves the sandbox running, and nothing half"):
    cgroup = "/sys/fs/cgroup/machine.slice/container@sandbox-live.service"
    for n in range(3):
        unit = f"choiros-volume-sandbox-live@snapshot:{next(ids)}:asked.service"
        machine.succeed(f"systemctl start --no-block '{unit}'", f"until grep -q 'frozen 1' {cgroup}/cgroup.events; do sleep 0.02; done")
        machine.succeed(f"systemctl kill --kill-whom=main --signal=KILL '{unit}'")
        machine.wait_until_succeeds(f"systemctl show '{unit}' -p ActiveState | grep -qE '=(failed|inactive)'", timeout=60)
        machine.succeed(f"grep -q 'frozen 0' {cgroup}/cgroup.events")
        serves()
    order("recover")
    t.assertEqual(machine.succeed(f"find {folder}/.snapshots/sandbox-live -maxdepth 1 -name '*.part'"), "")
    for one in order("list"):
        machine.succeed(f"test -e {folder}/.snapshots/sandbox-live/{one['id']}/data/events.db")

with subtest("one order's end lets nothing run that another holds still"):
    machine.succeed(f"systemd-run --unit=holder flock {lock} sleep 600", f"while flock --nonblock {lock} true; do sleep 0.1; done", f"echo 1 > {cgroup}/cgroup.freeze", "sleep 0.5")
    order("list")
    machine.succeed(f"grep -q 'frozen 1' {cgroup}/cgroup.events", "systemctl stop holder", f"flock {lock} true")
    order("list")
    machine.succeed(f"grep -q 'frozen 0' {cgroup}/cgroup.events")
    serves()

with subtest("a fork has live's data, and what was there before is put aside"):
    machine.succeed(f"rm -r {data}/many", f"echo dev > {folder}/sandbox-dev/mine")
    taken, copy = snapshot()
    aside = next(ids)
    order(f"replace:sandbox-live:{taken['id']}:{aside}", "sandbox-dev")
    t.assertEqual(tree(f"{folder}/sandbox-dev"), tree(copy))
    t.assertEqual(machine.succeed(f"cat {folder}/.snapshots/sandbox-dev/{aside}/data/mine").strip(), "dev")
    t.assertEqual(machine.succeed(f"stat -c '%a %u:%g' {folder}/sandbox-dev").strip(), "700 2990:2990")
    machine.succeed("systemctl start container@sandbox-dev")
    machine.wait_until_succeeds("curl -sf --max-time 10 http://10.233.2.2:8080/health", timeout=60)
    machine.succeed("systemctl stop container@sandbox-dev")
    # and back
    again = next(ids)
    order(f"replace:sandbox-dev:{aside}:{again}", "sandbox-dev")
    t.assertEqual(machine.succeed(f"cat {folder}/sandbox-dev/mine").strip(), "dev")

with subtest("a volume comes from its own workspace alone"):
    machine.fail(f"{gateway} systemctl --no-ask-password start 'choiros-volume-team-dev@replace:sandbox-live:{taken['id']}:{next(ids)}'")
    machine.fail(f"systemctl start 'choiros-volume-team-dev@replace:sandbox-live:{taken['id']}:{next(ids)}'")

with subtest("a power cut in the middle of a replacement leaves one or the other, whole"):
    for delay in (0, 0.02, 0.05, 0.1, 0.2):
        before = machine.succeed(f"ls -A {folder}/sandbox-dev")
        source, other = ("sandbox-live", taken["id"]) if "mine" in before.split() else ("sandbox-dev", aside)
        machine.succeed("sync", f"systemctl start --no-block 'choiros-volume-sandbox-dev@replace:{source}:{other}:{next(ids)}'", f"sleep {delay}")
        machine.crash()
        machine.start()
        machine.wait_for_unit("container@sandbox-live")
        order("recover", "sandbox-dev")
        now = machine.succeed(f"ls -A {folder}/sandbox-dev")
        t.assertTrue(("mine" in now.split()) != ("shared" in now.split()), now)
        t.assertEqual(machine.succeed(f"find {folder} -maxdepth 1 -mindepth 1 -printf '%f\\n' | sort").split(), [".snapshots", "sandbox-dev", "sandbox-live", "team-dev", "team-live"])

with subtest("without room nothing is touched, and the sentence says how much there must be"):
    machine.succeed(
        "systemctl stop container@sandbox-live container@sandbox-dev choiros-hypervisor.socket choiros-hypervisor", "mkdir /run/small", "mount -t tmpfs -o size=96m,nosuid,nodev,mode=700 none /run/small",
        f"cp -a --sparse=always {folder}/sandbox-live {folder}/sandbox-dev /run/small/", f"mount --move /run/small {folder}", "systemctl start container@sandbox-live",
    )
    machine.wait_until_succeeds("curl -sf --max-time 10 http://10.233.1.2:8080/health", timeout=60)
    machine.succeed(f"head -c 60M /dev/urandom > {data}/big")
    said = order(f"snapshot:{next(ids)}:asked", fails=True)
    t.assertRegex(said, r"[0-9]+ [KMG]i?B", said)
    t.assertEqual(order("list"), [])
    serves()
    machine.succeed(f"rm {data}/big")
    t.assertEqual(order(f"snapshot:{next(ids)}:asked")["reason"], "asked")
    serves()
