"""Two sandboxes, their data, and what a restart, another range of ids, and a power cut leave of it."""
urls = {"sandbox-live": "http://10.233.1.2:8080", "sandbox-dev": "http://10.233.2.2:8080"}


def health(name):
    return json.loads(machine.wait_until_succeeds(f"curl -sf --max-time 10 {urls[name]}/health", timeout=patience))


def events(name):
    return int(machine.succeed(f"sqlite3 'file:/var/lib/choiros/sandboxes/{name}/events.db?mode=ro' 'select count(*) from events'"))


def first_id(name):
    return int(machine.succeed(f"cat /proc/{leader_of(name)}/uid_map").split()[1])


start_all()

with subtest("live boots with the host, dev when it is asked for, and each knows who it is"):
    machine.wait_for_unit("multi-user.target")
    machine.require_unit_state("container@sandbox-dev.service", "inactive")
    machine.succeed("systemctl start container@sandbox-dev")
    for name in urls:
        machine.wait_for_unit(f"container@{name}")
        found = health(name)
        t.assertEqual((found["status"], found["name"], found["hostname"]), ("healthy", name, name))
        t.assertEqual(found["instance_role"], name.removeprefix("sandbox-"))

with subtest("each has ids of its own, far from the host's, and writes /data as no root"):
    t.assertNotEqual(first_id("sandbox-live"), first_id("sandbox-dev"))
    for name in urls:
        t.assertGreaterEqual(first_id(name), 524288)
        t.assertEqual(machine.succeed(f"stat -c %u:%g /var/lib/choiros/sandboxes/{name}/events.db").strip(), "2990:2990")

with subtest("neither sees the other's data"):
    for name in urls:
        machine.succeed(f"test $(stat -c %a /var/lib/choiros/sandboxes/{name}) = 700")

with subtest("the limits are the ones that were set"):
    for name in urls:
        most = {"container": 2048, "microvm": 1024}[isolation] * 1024**2
        t.assertEqual(machine.get_unit_property(f"container@{name}", "MemoryMax"), str(most))
        t.assertEqual(machine.get_unit_property(f"container@{name}", "TasksMax"), "1024")

with subtest("a restart keeps the data, and notes itself"):
    before = events("sandbox-live")
    machine.succeed("systemctl restart container@sandbox-live")
    health("sandbox-live")
    t.assertGreater(events("sandbox-live"), before)

with subtest("another range of ids keeps the data"):
    before, taken = events("sandbox-dev"), first_id("sandbox-dev")
    machine.succeed("systemctl stop container@sandbox-dev", f"useradd -M -u {taken} blocker", "systemctl start container@sandbox-dev")
    health("sandbox-dev")
    t.assertNotEqual(first_id("sandbox-dev"), taken)
    t.assertGreater(events("sandbox-dev"), before)
    t.assertEqual(machine.succeed("stat -c %u:%g /var/lib/choiros/sandboxes/sandbox-dev/events.db").strip(), "2990:2990")

with subtest("what runs in the container is sealed"):
    service = {"container": "sandbox", "microvm": "vmm"}[isolation]
    score = machine.succeed(f"systemd-run -M sandbox-dev -q --wait --pipe systemd-analyze security {service}.service --no-pager | tail -n 1")
    t.assertLessEqual(float(score.split(f"{service}.service:")[1].split()[0]), 2.0, score)

if isolation == "microvm":
    with subtest("the host has no file open for long that a guest has looked at"):
        machine.succeed(in_network_of("sandbox-live", "mkdir /data/many && cd /data/many && seq 20000 | xargs touch"), timeout=patience)
        processes = "$(find /sys/fs/cgroup -path '*container@sandbox-live*/virtiofsd.service/cgroup.procs')"
        machine.wait_until_succeeds(f"test $(find /proc/$(cat {processes})/fd | wc -l) -lt 13000", timeout=60)
        machine.succeed(in_network_of("sandbox-live", "test $(ls /data/many | wc -l) = 20000 && rm -r /data/many"), timeout=patience)

with subtest("a power cut keeps the data"):
    before = events("sandbox-live")
    machine.succeed("sync")
    machine.crash()
    machine.start()
    machine.wait_for_unit("container@sandbox-live")
    health("sandbox-live")
    t.assertGreater(events("sandbox-live"), before)
