"""Root in a sandbox, and any user of the host, try to get out or in: a line for each thing tried, none of which works."""
thief, data = "thief-live", "/var/lib/choiros/sandboxes/thief-live"
state = "/run/choiros-seal/state"
works = []


def inside(command, name=thief):
    """What root's command prints in the sandbox, as a service there: with its limits, its ids, its mounts."""
    command = f"{set_path}; {command}"
    return machine.execute(f"systemd-run -M {name} -q --pipe --wait -p RuntimeMaxSec=60 /bin/sh -c {shlex.quote(command)} 2>&1")[1]


def tried(what, output):
    """Whoever gets something prints a line that begins with LOOT."""
    held = not any(line.startswith("LOOT") for line in output.splitlines())
    print(f"tried: {what} -> {'refused' if held else 'WORKS'}")
    if not held:
        works.append(f"{what}: {output}")


def root(what, command):
    tried(what, inside(command))


def user(what, command):
    tried(f"as a user of the host: {what}", machine.execute(f"{nobody} sh -c {shlex.quote(command)} 2>&1")[1])


def python(code):
    return f"timeout 20 python3 -c {shlex.quote(code)}"


def tcp(host, port):
    return python(f"import socket; socket.create_connection(('{host}', {port}), 2); print('LOOT')")


def unix(path):
    return python(f"import socket; socket.socket(socket.AF_UNIX).connect('{path}'); print('LOOT')")


def apart(command):
    """In mounts of one's own, so that what is done to them is over with the command."""
    return f"unshare --mount --propagation private sh -c {shlex.quote(command)}"


def running(*names):
    for name in names:
        machine.wait_until_succeeds(f"hypervisor sandboxes start {name.replace('-', ' ')}", timeout=180)


start_all()
machine.wait_for_unit("choiros-hypervisor")
running("sandbox-live", "sandbox-dev", "thief-live", "rivalry-live")
client.succeed("setsid python3 -m http.server --directory /run 7001 > /dev/null 2>&1 &")
world = client.succeed("ip -4 -o address show scope global | tail -n 1 | tr -s ' ' | cut -d ' ' -f 4 | cut -d / -f 1").strip()
outer = machine.succeed(f"ip -4 route get {world} | grep -o 'src [0-9.]*' | cut -d ' ' -f 2").strip()
client.wait_until_succeeds(f"curl -sf -o /dev/null http://{world}:7001/", timeout=60)

with subtest("the thief is root, has tools, and loot would be seen"):
    t.assertIn("uid=0(root)", inside("id"))
    t.assertIn("LOOT", inside(tcp("127.0.0.1", 8080)))
    t.assertIn("LOOT", inside(tcp(world, 7001)), "egress to the internet")

with subtest("the host's Nix"):
    nix = "nix"
    if machine.execute("test -e /opt/nix")[0] == 0:  # a host without a daemon of its own
        nix = "/data/nix/bin/nix"
        machine.succeed("systemd-run --unit=nix-daemon -E NIX_REMOTE=local /opt/nix/bin/nix --extra-experimental-features nix-command daemon", f"cp -a /opt/nix {data}/nix", f"chown -R 0:0 {data}/nix")
    socket, store = "/nix/var/nix/daemon-socket/socket", f"NIX_REMOTE=daemon HOME=/tmp {nix} --extra-experimental-features nix-command store"
    machine.wait_for_file(socket)
    t.assertIn("LOOT", machine.succeed(unix(socket)))
    t.assertIn("nix", inside(f"{nix} --version"))
    add = f"echo mine > /tmp/mine; {store} add-file /tmp/mine && echo LOOT"
    root("to add a file to the host's store with a real Nix", add)
    for what, command in {
        "the daemon's socket": "true",
        "the daemon's socket, with its cover taken off": "umount /nix/var/nix/daemon-socket; umount -l /nix/var/nix/daemon-socket; umount -l /nix/var/nix/daemon-socket",
        "the daemon's socket, in mounts and users of one's own": "unshare --user --map-root-user --mount umount -l /nix/var/nix/daemon-socket",
        "the daemon's socket, with what covers it moved away": "mkdir -p /x; mount --move /nix/var/nix/daemon-socket /x",
        "the daemon's socket, under a new name of its folder": "mv /nix/var/nix /nix/var/other; ln -s /nix/var/other /nix/var/nix",
        "the daemon's socket, without its mount point": "rmdir /nix/var/nix/daemon-socket; rm -rf /nix/var/nix/daemon-socket",
        "the daemon's socket, past a root that is exchanged": "mkdir -p /x; mount -t tmpfs none /x; mkdir /x/old; pivot_root /x /x/old; umount -l /old/nix/var/nix/daemon-socket",
    }.items():
        root(what, apart(f"{command}; {unix(socket)}"))
    for what, path in {
        "a copy of the tree without its mounts": "mkdir -p /x; mount --bind / /x; cd /x",
        "a copy of the folder without its mounts": "mkdir -p /x/nix/var; mount --bind /nix/var /x/nix/var; cd /x",
        "a copy of the tree with its mounts": "mkdir -p /x; mount --rbind / /x; umount -l /x/nix/var/nix/daemon-socket; cd /x",
        "an overlay of the tree": "mkdir -p /x; mount -t overlay -o lowerdir=/nix:/etc o /x; cd /x",
    }.items():
        root(f"the daemon's socket, by {what}", apart(f"{path} && {unix('.' + socket)}"))
    root("the daemon's socket, by process 1", unix(f"/proc/1/root{socket}"))
    root("the daemon's socket, in the namespaces of process 1", f"nsenter --target 1 --all sh -c {shlex.quote('umount -l /nix/var/nix/daemon-socket; ' + unix(socket))}")
    root("to read the store's database", "cat /nix/var/nix/db/* && echo LOOT")
    for folder in ("db", "profiles", "gcroots", "daemon-socket"):
        root(f"to write to Nix' {folder}", f"touch /nix/var/nix/{folder}/mine && echo LOOT")
    root("to write to the store", "touch /nix/store/mine && echo LOOT; mount -o remount,rw /nix/store; touch /nix/store/mine && echo LOOT")

with subtest("other workspaces' names, and their members'"):
    listing = "[ -n \"$(ls -A .)\" ] && echo LOOT"
    root("to list the store", f"cd /nix/store && {listing}")
    for what, command in {
        "with its cover taken off": "umount -l /nix/store; umount -l /nix/store; cd /nix/store",
        "by process 1": "cd /proc/1/root/nix/store",
        "by an overlay": "mkdir -p /y /empty; mount -t overlay -o lowerdir=/nix/store:/empty o /y && cd /y",
        "by an overlay beneath another": "mkdir -p /y /empty; mount -t overlay -o lowerdir=/empty:/nix/store o /y && cd /y",
        "by a copy of its mount": "mkdir -p /y; mount --bind /nix/store /y; umount -l /nix/store; cd /y",
        "by a copy of the tree without its mounts": "mkdir -p /y; mount --bind / /y && cd /y/nix/store",
        "as the owner that the folder has": "setpriv --reuid 65534 ls /nix/store && echo LOOT; false",
    }.items():
        root(f"to list the store {what}", apart(f"{command} && {listing}"))
    root("files with another's name", "find / -xdev -name '*r[i]valry*' | grep -q . && echo LOOT")
    root("files that say another's name", "grep -rqsI 'r[i]valry' /etc /run /var /root /home && echo LOOT")
    root("what the kernel says", "cat /proc/[0-9]*/mountinfo /proc/[0-9]*/cgroup /proc/[0-9]*/environ /proc/net/* /proc/mounts /proc/cmdline 2> /dev/null | grep -aq 'r[i]valry' && echo LOOT; { dmesg; ip link; ip neigh; ip addr; } | grep -q 'r[i]valry' && echo LOOT")
    root("cgroups of others", "find /sys -name '*r[i]valry*' 2> /dev/null | grep -q . && echo LOOT")
    root("the configuration", "cat /etc/choiros/* /proc/1/root/etc/choiros/* && echo LOOT")

with subtest("the host's kernel"):
    for what, path in {
        "its core dumps' program": "/proc/sys/kernel/core_pattern", "its module loader": "/proc/sys/kernel/modprobe", "its magic keys": "/proc/sysrq-trigger",
        "its log": "/dev/kmsg", "its uevents' program": "/sys/kernel/uevent_helper", "its forwarding between hosts": "/proc/sys/kernel/hostname_of_the_host",
        "its memory limit": "/sys/fs/cgroup/memory.max", "its limit of tasks": "/sys/fs/cgroup/pids.max", "its cgroup's freezer": "/sys/fs/cgroup/cgroup.freeze",
    }.items():
        root(f"to open {what} to write", f"test -e {path} && echo 1 2> /dev/null | dd of={path} conv=notrunc count=0 && echo LOOT")
    for what, command in {
        "a disk of the host, by a node": "for d in /data /tmp /root /dev; do for n in '254 0' '253 0' '8 0'; do mknod $d/disk b $n && head -c 1 $d/disk > /dev/null && echo LOOT; rm -f $d/disk; done; done",
        "the host's memory, by a node": "for d in /data /tmp /root; do mknod $d/mem c 1 1 && echo LOOT; done",
        "kernel log": "timeout 2 head -c 1 /proc/kmsg | grep -q . && echo LOOT",
        "kernel symbols and keys": "for f in /proc/kcore /proc/kallsyms /proc/keys /proc/timer_list; do head -c 1 $f | grep -q . && echo LOOT; done",
        "to mount the host's debugging, tracing or firmware": "mkdir -p /x; for k in debugfs tracefs securityfs bpf configfs efivarfs pstore; do mount -t $k none /x && ls -A /x | grep -q . && echo LOOT; done",
        "to mount a device": "mkdir -p /x; for d in /dev/vda /dev/vda1 /dev/sda; do mount $d /x && echo LOOT; done",
        "all cgroups of the host": "mkdir -p /x; mount -t cgroup2 none /x; find /x -maxdepth 3 -name '*.slice' -o -name 'container@*' | grep -vE 'x/(system|user|machine|init)' | grep -q . && echo LOOT",
        "to load a module": python("import ctypes, os; l = ctypes.CDLL(None, use_errno=True); l.syscall(313, -1, b'', 0); print('LOOT' if ctypes.get_errno() == 9 else '')"),
        "to set the clock": "date -s @$(date +%s) && echo LOOT",
        "to switch a swap off": "swapoff -a 2> /dev/null && test -s /proc/swaps && [ $(wc -l < /proc/swaps) -gt 1 ] && echo LOOT",
    }.items():
        root(what, command)

with subtest("the host's and the cloud's services"):
    link = machine.succeed("ip -6 -o address show dev ve-thief-live scope link | grep -o 'fe80[^/]*' || true").strip()
    machine.succeed("systemd-run --unit=bait $(command -v python3) -m http.server --bind :: --directory /run 7000", "nft insert rule inet nixos-fw input tcp dport 7000 accept")
    client.wait_until_succeeds("curl -sf -o /dev/null http://machine:7000/", timeout=60)
    ports = [(host, port) for host in ("10.233.3.1", "10.233.1.1", outer) for port in (22, 80, 443, 2019, 7000, 9090)]
    ports += [("127.0.0.1", 2019), ("169.254.169.254", 80), ("10.233.1.2", 8080), ("10.233.2.2", 8080), ("10.233.5.2", 8080)]
    ports += [(f"{link}%eth0", 7000)] if link else []
    scan = python(f"""
import socket, threading
def call(host, port):
  try: socket.create_connection((host, port), 3); print('OPEN', host, port, flush=True)
  except OSError: pass
for there in {ports}: threading.Thread(target=call, args=there).start()""")
    found = inside(scan)
    for host, port in ports:
        tried(f"port {port} of {host}", "LOOT" if f"OPEN {host} {port}\n" in found else "")
    for name, net in {"sandbox-live": "10.233.1", "rivalry-live": "10.233.5"}.items():
        root(f"{name}, by an address and a route of its link", f"ip address add {net}.9/24 dev eth0; {tcp(f'{net}.2', 8080)}; ip address del {net}.9/24 dev eth0")
    for path in ("/run/choiros/control.sock", "/run/choiros-ingress/http.sock", "/run/caddy/admin.sock"):
        root(path, unix(path))

with subtest("to speak for others"):
    frame = """
import socket, struct, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(("eth0", 0))
mac = s.getsockname()[4]
ip = socket.inet_aton
def arp(operation, sender, target):
    s.send(b"\\xff" * 6 + mac + struct.pack("!HHHBBH", 0x0806, 1, 0x0800, 6, 4, operation) + mac + ip(sender) + b"\\0" * 6 + ip(target))
"""
    flood = frame + "for i in range(2000): arp(1, f'10.99.{i // 250}.{i % 250 + 1}', '10.233.3.1')\nfor a in ('10.233.1.2', '10.233.5.2', '10.233.1.1', 'OUTER', 'WORLD'):\n  arp(1, a, '10.233.3.1'); arp(2, a, '10.233.3.1'); arp(1, a, a); arp(2, a, a)\n".replace("OUTER", outer).replace("WORLD", world)
    neighbours = "ip -4 neigh show dev ve-thief-live | grep -vc '^10.233.3.2 ' || true"
    inside(python(flood))
    tried("to fill the host's table of neighbours, and to speak there for others", f"LOOT {n}" if (n := int(machine.succeed(neighbours))) else "")
    for name, address in {"sandbox-live": "10.233.1.2", "rivalry-live": "10.233.5.2"}.items():
        machine.succeed(f"curl -sf -o /dev/null --max-time 10 http://{address}:8080/health")
    ask = frame + f"s.settimeout(1)\nfor a in ('{outer}', '10.233.1.1', '10.233.5.1'): arp(1, '10.233.3.2', a)\ntry:\n  while True:\n    f = s.recv(99)\n    if f[12:14] == b'\\x08\\x06' and f[20:22] == b'\\0\\2': print('LOOT')\nexcept OSError: pass\n"
    root("to learn what else the host is called", python(ask))
    count = "sysctl -n net.netfilter.nf_conntrack_count"
    before = int(machine.succeed(count))
    inside(python(f"import socket\nfor p in range(20000, 27000):\n  s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('', p)); s.sendto(b'x', ('{world}', 9)); s.close()"))
    flows = int(machine.succeed(count)) - before
    t.assertGreater(flows, 1000, "egress works, and is counted")
    tried("to fill the host's table of connections", "LOOT" if flows > 4500 else "")
    machine.succeed("systemctl kill --signal=STOP choiros-firewall-watch", "nft delete table arp choiros")
    inside(python(flood))
    t.assertGreater(int(machine.succeed(neighbours)), 100, "it is the table that keeps the neighbours")
    machine.succeed("systemctl kill --signal=CONT choiros-firewall-watch", "ip -4 neigh flush dev ve-thief-live")

with subtest("what root leaves behind"):
    mode = "stat -c '%a %u %n' / /etc /root /home /var /var/lib /var/lib/private 2> /dev/null; stat -c %Y /etc"
    before = machine.succeed(mode)
    inside("cp $(readlink -f $(command -v id)) /data/id; chmod 6755 /data/id; cp /data/id /id; chmod 6755 /id; mkfifo /data/fifo; mknod /data/null c 1 3; ln -s /etc/shadow /data/shadow; ln -s / /data/host")
    inside("rm -rf /root /var/lib/private /etc/resolv.conf /etc/os-release /etc/machine-id; ln -s /data/host/etc /root; mkdir -p /var/lib; ln -s /etc /var/lib/private; ln -s /data/host/etc/passwd /etc/resolv.conf; ln -s /etc/passwd /etc/machine-id; touch /planted")
    t.assertIn(" 6755 ", f" {machine.succeed(f'stat -c %a {data}/id').strip()} ")
    user("a set-uid program of the sandbox's", f"{data}/id -u && echo LOOT")
    leader = leader_of(thief)
    user("the same by its process", f"/proc/{leader}/root/data/id -u && echo LOOT; /proc/{leader}/root/id -u && echo LOOT; ls /proc/{leader}/root && echo LOOT")
    machine.succeed("chmod 0755 /var/lib/choiros/sandboxes", f"chmod 0755 {data}")
    user("the same with its folders open", f"[ \"$({data}/id -u)\" = 65534 ] || echo LOOT")
    user("a device of the sandbox's", f"[ -c {data}/null ] && echo x > {data}/null && echo LOOT")
    machine.succeed("chmod 0700 /var/lib/choiros/sandboxes", f"chmod 0700 {data}")
    user("the roots of sandboxes", "for d in /var/lib/nixos-containers /run/nixos-containers; do ls $d/* && echo LOOT; done")
    machine.succeed(f"systemctl restart container@{thief}")
    tried("links at /root and elsewhere, for the host's root to follow at a start", "" if machine.succeed(mode) == before else "LOOT")
    root("what was planted in the tree, after a restart", "for f in /root /var/lib/private /etc/machine-id; do [ ! -L $f ] || echo LOOT; done; [ ! -e /planted ] || echo LOOT; [ ! -e /id ] || echo LOOT")
    rival = "/var/lib/choiros/sandboxes/rivalry-live"
    machine.succeed("systemctl stop container@rivalry-live", f"mkdir {rival}/old; touch {rival}/old/file; ln -s /etc/passwd {rival}/old/link; chown -hR 2990:2990 {rival}/old")
    running("rivalry-live")
    t.assertEqual(set(machine.succeed(f"stat -c %u {rival}/old {rival}/old/file {rival}/old/link /etc/passwd").split()), {"3003", "0"}, "data of an older release has its workspace's own id")
    machine.succeed(f"rm {data}/id {data}/fifo {data}/shadow {data}/host", f"rm -f {data}/null")

with subtest("what a user of the host can do"):
    for path in ("/var/lib/choiros/sandboxes", f"{data}/nix", "/var/lib/choiros/hypervisor", "/var/lib/choiros/backups/hypervisor", "/var/lib/choiros/backups/sandbox-live", "/var/lib/nixos-containers"):
        user(f"to list {path}", f"ls -A {path} && echo LOOT")
    for address in ("10.233.1.2", "10.233.3.2"):
        user(f"to call the sandbox at {address}", tcp(address, 8080))
    for path in ("/run/caddy/admin.sock", "/run/choiros-ingress/http.sock", "/run/choiros/control.sock"):
        t.assertIn("LOOT", machine.succeed(unix(path)), "someone listens there")
        user(f"to speak to {path}", unix(path))
    user("to speak to Caddy's administration on a port", tcp("127.0.0.1", 2019))
    # from loopback the metrics can be read; who is believed to come from elsewhere is refused them
    user("to be believed about an address", "curl -sf -o /dev/null -H 'X-Forwarded-For: 203.0.113.7' http://127.0.0.1:9090/metrics || echo LOOT")
    user("to say that the seal holds", f"echo sealed > {state} && echo LOOT")
    user("to change the rules", "nft flush ruleset && echo LOOT")
    machine.succeed("chmod 0755 /var/lib/choiros/sandboxes")
    other = machine.execute("setpriv --reuid 3002 --regid 3002 --clear-groups sh -c 'ls /var/lib/choiros/sandboxes/sandbox-live && echo LOOT' 2>&1")[1]
    machine.succeed("chmod 0700 /var/lib/choiros/sandboxes")
    tried("another workspace's data, with the id of one's own", other)

with subtest("the rules that keep sandboxes apart, taken away"):
    tables = "nft -s list table inet choiros && nft -s list table arp choiros"
    whole, started = machine.succeed(tables), machine.get_unit_property("container@sandbox-live", "InvocationID")
    chain = "chain x { type filter hook input priority 0; policy accept; };"
    for what, command in {
        "flushed": "nft flush ruleset", "deleted": "nft delete table inet choiros", "its chains emptied": "nft flush table inet choiros", "a rule removed":
        "nft delete rule inet choiros forward handle $(nft -a list chain inet choiros forward | grep -m 1 drop | grep -o '[0-9]*$')", "a rule put before": "nft insert rule inet choiros input accept",
        "replaced by one that accepts": f"nft 'delete table inet choiros; table inet choiros {{ {chain} }};'", "that of ARP deleted": "nft delete table arp choiros",
        "with the host's own": "systemctl stop nftables", "with a restart of the host's own": "systemctl restart nftables", "by a reload": "systemctl reload nftables",
        "after a crash of who watches": "systemctl kill --signal=KILL choiros-firewall-watch; nft flush ruleset",
    }.items():
        machine.succeed(command)
        machine.wait_until_succeeds(f"[ \"$({tables})\" = {shlex.quote(whole.strip())} ]", timeout=30)
        root(f"a sandbox, the table {what}", tcp("10.233.1.2", 8080) + "; " + tcp("10.233.3.1", 7000))
    t.assertEqual(machine.succeed(f"cat {state}").strip(), "sealed")
    t.assertEqual(machine.get_unit_property("container@sandbox-live", "InvocationID"), started, "nothing of it stopped live")

with subtest("where the rules don't stay, no sandbox stays"):
    machine.succeed("systemd-run --unit=vandal -E PATH=\"$PATH\" sh -c 'while :; do nft delete table inet choiros; done'")
    machine.wait_until_succeeds("! systemctl is-active --quiet container@sandbox-live container@thief-live container@rivalry-live", timeout=60)
    t.assertNotEqual(machine.succeed(f"cat {state}").strip(), "sealed")
    machine.wait_until_succeeds("curl -s 'http://127.0.0.1:9090/health?deep' | grep -q 'rules that keep sandboxes apart'", timeout=60)
    machine.fail("hypervisor sandboxes start sandbox live", timeout=60)
    machine.succeed("systemctl stop vandal")
    machine.wait_until_succeeds(f"grep -qx sealed {state}", timeout=60)
    running("sandbox-live")
    machine.wait_until_succeeds("curl -sf 'http://127.0.0.1:9090/health?deep'", timeout=60)

with subtest("none of it works"):
    t.assertEqual(works, [])
