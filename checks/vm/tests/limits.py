"""A sandbox that takes what it can get of processor, processes, memory, log and disk is noticed by itself alone: beside it
the gateway and another sandbox answer, and the host's own work is done."""
group = "/sys/fs/cgroup/machine.slice/container@sandbox-live.service"
# sandbox-live is the one that takes, team-live the one beside it
urls = {"gateway": "http://127.0.0.1:9090/health", "neighbour": "http://10.233.3.2:8080/health"}
measure = """
import http.client, sys, time, urllib.parse
url = urllib.parse.urlsplit(sys.argv[1])
took = []
for _ in range(200):
    begun = time.monotonic()
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=60)
    connection.request("GET", url.path)
    assert connection.getresponse().status == 200
    connection.close()
    took.append(1000 * (time.monotonic() - begun))
took.sort()
print(took[99], took[197])
"""


def timed(url):
    """The median and the 99th percentile of 200 requests, in milliseconds."""
    asked = f"{gateway} python3 -c {shlex.quote(measure)} {url}"
    return [float(word) for word in machine.succeed(asked, timeout=600).split()]


def read(name, of=group):
    return machine.succeed(f"cat {of}/{name}").strip()


def takes(name, command):
    """Has something done inside, as root, until `ends`."""
    machine.succeed(f"systemd-run -M sandbox-live -q --collect --unit={name} -p KillMode=control-group -p TimeoutStopSec=5 /bin/sh -c {shlex.quote(f'{set_path}; {command}')}")


def ends(*names):
    """As the host would without the inside's help."""
    machine.execute(f"timeout 60 systemctl -M sandbox-live stop {' '.join(names)}")


def noticed(what):
    """Nowhere but inside: the bounds are wide, since the machines that this runs on differ, and what they hold off is a
    gateway that waits its turn among a hundred processes."""
    for name, url in urls.items():
        median, high = timed(url)
        print(f"{what}: {name} {median:.1f} ms, p99 {high:.1f} ms; at rest {rest[name][0]:.1f} and {rest[name][1]:.1f} ms; ratio of p99 {high / rest[name][1]:.1f}")
        t.assertLess(high, max(20 * rest[name][1], 1000), f"{what}: {name}")
    machine.succeed("hypervisor invite | grep -q /register", "curl -sf -o /dev/null --max-time 60 http://127.0.0.1:9090/health")


def again():
    machine.succeed("systemctl restart container@sandbox-live", timeout=180)
    machine.wait_until_succeeds("curl -sf --max-time 10 http://10.233.1.2:8080/health", timeout=180)


start_all()
machine.wait_for_unit("choiros-hypervisor")
machine.wait_for_unit("container@sandbox-live")
machine.wait_for_unit("container@team-live")
for url in ("http://10.233.1.2:8080/health", urls["neighbour"]):
    machine.wait_until_succeeds(f"curl -sf --max-time 10 {url}", timeout=180)
machine.succeed("systemctl stop choiros-rollout", "logger -t witness the-host-was-here", "journalctl --sync")
rest = {name: timed(url) for name, url in urls.items()}

with subtest("the kernel has the limits, and the shares"):
    t.assertEqual(read("memory.max"), str(256 << 20))
    t.assertEqual(read("memory.swap.max"), "0")
    t.assertEqual(read("pids.max"), "200")
    t.assertEqual(read("cpu.weight"), "100")
    top = "/sys/fs/cgroup"
    t.assertEqual((read("cpu.weight", f"{top}/machine.slice"), read("cpu.weight", f"{top}/system.slice"), read("cpu.weight", f"{top}/system.slice/choiros-hypervisor.service")), ("100", "500", "500"))
    t.assertEqual((read("memory.low", f"{top}/system.slice"), read("memory.low", f"{top}/system.slice/choiros-hypervisor.service")), (str(256 << 20), str(128 << 20)))
    whole = int(machine.succeed("awk '/^MemTotal/ {print $2}' /proc/meminfo")) << 10
    t.assertLess(int(read("memory.max", f"{top}/machine.slice")), 0.81 * whole)
    leader = leader_of("sandbox-live")
    t.assertEqual(machine.succeed(f"cat /proc/{leader}/oom_score_adj /proc/$(systemctl show -p MainPID --value choiros-hypervisor)/oom_score_adj").split(), ["500", "-500"])
    machine.execute("systemd-run -M sandbox-live -q --pipe --wait /bin/sh -c 'echo -900 > /proc/1/oom_score_adj'")
    t.assertEqual(machine.succeed(f"cat /proc/{leader}/oom_score_adj").strip(), "500")

with subtest("one that burns processor time"):
    takes("burn", "for n in 1 2 3 4 5 6 7 8; do while :; do :; done & done; wait")
    noticed("processor")
    ends("burn")

with subtest("one that forks without end"):
    takes("bomb", "bomb() { bomb | bomb & }; while :; do bomb; sleep 0.01; done 2> /dev/null")
    machine.wait_until_succeeds(f"test $(cat {group}/pids.current) -ge 150 -o $(awk '/^max/ {{print $2}}' {group}/pids.events) -gt 0", timeout=120)
    noticed("processes")
    t.assertLessEqual(int(read("pids.current")), 200)
    again()

with subtest("one that takes all memory"):
    takes("hog", "while :; do tail /dev/zero; done 2> /dev/null")
    machine.wait_until_succeeds(f"awk '/^oom_kill / && $2 > 0 {{found = 1}} END {{exit !found}}' {group}/memory.events", timeout=180)
    noticed("memory")
    t.assertLessEqual(int(read("memory.current")), 260 << 20)
    machine.require_unit_state("container@sandbox-live", "active")
    machine.succeed("systemctl show -p NRestarts --value choiros-hypervisor container@team-live | grep -vx '' | sort -u | grep -qx 0")
    ends("hog")

with subtest("one that floods its log and its console"):
    used = int(machine.succeed("du -sb --exclude='*.sandboxes' /var/log/journal | cut -f 1"))
    takes("flood", "yes flooding-the-log | systemd-cat & yes flooding-the-console > /dev/console & wait")
    noticed("log")
    machine.succeed("journalctl --sync", "journalctl -t witness | grep -q the-host-was-here")
    t.assertLess(int(machine.succeed("du -sb --exclude='*.sandboxes' /var/log/journal | cut -f 1")) - used, 30_000_000)
    t.assertLess(int(machine.succeed("du -sb /var/log/journal/*.sandboxes | cut -f 1")), 100_000_000)
    ends("flood")
    again()

with subtest("one that fills its disk, over and over"):
    takes("fill", "while :; do dd if=/dev/zero of=/data/fill bs=1M; dd if=/dev/zero of=/data/fill bs=4k oflag=append conv=notrunc; i=0; while [ $i -lt 3000 ] && : > /data/f$i; do i=$((i+1)); done; sync; rm -f /data/fill /data/f*; done 2> /dev/null")
    machine.wait_until_succeeds("test $(df --output=avail -B1 /var/lib/choiros/sandboxes/sandbox-live | tail -1) -lt 1000000", timeout=300)
    noticed("disk")
    t.assertGreater(int(machine.succeed("df --output=avail -B1 /var/lib/choiros/hypervisor | tail -1")), 300 << 20)
    machine.succeed("systemd-run -M team-live -q --pipe --wait /bin/sh -c 'head -c 20000000 /dev/zero > /data/own && rm /data/own'")
    ends("fill")

with subtest("all of it at once"):
    takes("burn", "for n in 1 2 3 4; do while :; do :; done & done; wait")
    takes("hog", "while :; do tail /dev/zero; done 2> /dev/null")
    takes("fill", "while :; do dd if=/dev/zero of=/data/fill bs=1M; sync; rm -f /data/fill; done 2> /dev/null")
    takes("flood", "yes flooding-the-log | systemd-cat & yes flooding-the-console > /dev/console & wait")
    noticed("all at once")
    again()
