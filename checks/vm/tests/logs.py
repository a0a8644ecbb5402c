"""What a sandbox has logged, as the hypervisor is told it: its own, printable, bounded; and nothing of the host's or of
another sandbox's, whatever it plants where its journal should be."""
ask = """
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(60)
s.connect("/run/choiros-logs.sock")
s.sendall(sys.argv[1].encode().decode("unicode_escape").encode("latin-1"))
while part := s.recv(65536):
    sys.stdout.buffer.write(part)
    sys.stdout.buffer.flush()
    if len(sys.argv) > 2 and sys.argv[2].encode() in part:
        break
"""


def inside(command, sandbox="sandbox-live"):
    return root_in(sandbox, command)


def logged(question, *until):
    return machine.succeed(f"{gateway} python3 -c {shlex.quote(ask)} {shlex.quote(question)} {' '.join(map(shlex.quote, until))}", timeout=120)


def log(text, sandbox="sandbox-live"):
    inside(f"printf %b {shlex.quote(text)} | systemd-cat -t witness; journalctl --sync", sandbox)


start_all()
machine.wait_for_unit("container@sandbox-live")
machine.wait_for_unit("choiros-logs.socket")
machine.succeed("systemctl start container@sandbox-dev", "logger -t host of-the-host-alone", "journalctl --sync")

with subtest("the hypervisor, and no other user, is told what a sandbox has logged"):
    log("hello from live\\n")
    log("hello from dev\\n", "sandbox-dev")
    told = logged("sandbox-live 200 once\\n")
    t.assertRegex(told, r"(?m)^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\S* witness\[\d+\]: hello from live$")
    t.assertNotIn("hello from dev", told)
    t.assertNotIn("of-the-host-alone", told)
    t.assertEqual(len(logged("sandbox-live 3 once\\n").splitlines()), 3)
    machine.fail(f"{nobody} python3 -c {shlex.quote(ask)} 'sandbox-live 3 once\\n'")
    t.assertEqual(machine.succeed("stat -c '%U %a' /run/choiros-logs.sock").split(), ["choiros", "600"])

with subtest("whoever follows is told the next line as well, and its end is the end"):
    machine.succeed(f"systemd-run --unit=follower --collect -p StandardOutput=file:/run/followed {gateway} $(command -v python3) -c {shlex.quote(ask)} 'sandbox-live 1 follow\\n' 'the next line'")
    machine.wait_until_succeeds("test -s /run/followed", timeout=60)
    log("the next line\\n")
    machine.wait_until_succeeds("grep -q 'the next line' /run/followed", timeout=60)
    machine.wait_until_succeeds("test -z \"$(systemctl list-units --plain --no-legend 'choiros-logs@*')\"", timeout=60)

with subtest("only questions are answered"):
    for question in ("sandbox-live 2001 once\\n", "sandbox-live 10 forever\\n", "nobody-live 10 once\\n", ".host 10 once\\n", "s8001-live 1 once\\n", "../sandbox-live 1 once\\n", "sandbox-live 1 once", "sandbox-live -1 once\\n", "\\xff\\xfe\\n", "x" * 300):
        t.assertEqual(machine.succeed(f"{gateway} timeout 20 python3 -c {shlex.quote(ask.replace('while part', 's.shutdown(socket.SHUT_WR)' + chr(10) + 'while part'))} {shlex.quote(question)} || true"), "", question)
    machine.succeed("systemctl is-active choiros-logs.socket")

with subtest("a sandbox that doesn't run has no journal, and that is said"):
    machine.succeed("systemctl stop container@sandbox-dev")
    t.assertIn("not running", logged("sandbox-dev 5 once\\n"))
    machine.succeed("systemctl start container@sandbox-dev")

with subtest("what would steer a terminal, or turn text around, gets through nowhere"):
    log("bell \\a and \\033]0;title\\a and \\033[2J clear\\n")
    inside("python3 -c \"import socket; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.connect('/run/systemd/journal/socket'); s.send('MESSAGE=turned \\u202eround\\nSYSLOG_IDENTIFIER=\\033[31mred\\nPRIORITY=3\\n'.encode())\" || true; journalctl --sync")
    told = logged("sandbox-live 50 once\\n")
    t.assertFalse([c for c in told if not c.isprintable() and c != "\n"])
    t.assertIn("round", told)

with subtest("neither a link in the journal's place nor one in it leads to the host's, or to another sandbox's"):
    there = inside("ls -d /var/log/journal || true").strip() and "/var/log/journal" or "/run/log/journal"
    # as `journalctl -M` on the host would be led there
    for plant in (
        f"mv {there} {there}.aside; ln -s /var/log/journal {there}",
        f"rm {there}; ln -s ../../../../../../../var/log/journal {there}",
        f"rm {there}; mkdir {there}; for m in $(ls /var/log/journal.aside 2> /dev/null || echo x); do ln -s /var/log/journal {there}/deep; ln -s /proc/1/root/var/log/journal {there}/proc; ln -s /run/log/journal {there}/run; done",
        f"cd {there}; id=$(cat /etc/machine-id); mkdir -p $id; for f in {machine.succeed('cd /var/log/journal && find . -name system.journal').split()[0][2:]}; do ln -s /var/log/journal/$f $id/system.journal; ln -s /proc/1/root/var/log/journal/$f $id/user-1.journal; done",
    ):
        inside(plant)
        t.assertNotIn("of-the-host-alone", logged("sandbox-live 2000 once\\n"))

with subtest("a journal that is none ends nothing but the answer"):
    inside(f"cd {there}/$(cat /etc/machine-id) && rm -f *.journal && head -c 8388608 /dev/urandom > system.journal && (printf LPKSHHRH; head -c 8388600 /dev/zero) > user-1000.journal && mkfifo user-1001.journal")
    logged("sandbox-live 2000 once\\n")
    machine.succeed("systemctl is-active choiros-logs.socket")
    machine.succeed("systemctl restart container@sandbox-live")
    machine.wait_until_succeeds("curl -sf --max-time 5 http://10.233.1.2:8080/health", timeout=120)
    log("hello again\\n")
    t.assertIn("hello again", logged("sandbox-live 20 once\\n"))

with subtest("who reads is nobody, has nothing of the host in sight, and may do nothing but read"):
    machine.succeed(f"systemd-run --unit=follower --collect {gateway} $(command -v python3) -c {shlex.quote(ask)} 'sandbox-live 1 follow\\n' never")
    reader = machine.wait_until_succeeds("pgrep -f '^[^ ]*journalctl --directory=/proc/self/fd/3'", timeout=60).split()[0]
    status = dict(line.split(":\t", 1) for line in machine.succeed(f"cat /proc/{reader}/status").splitlines() if ":\t" in line)
    t.assertGreaterEqual(int(status["Uid"].split()[0]), 61184)
    t.assertEqual(int(status["CapEff"], 16), 1 << 2, "CAP_DAC_READ_SEARCH alone")
    t.assertEqual(status["NoNewPrivs"].strip(), "1")
    for leak in ("etc/shadow", "etc/choiros", "run/dbus", "run/choiros", "var/lib/choiros", "var/log", "var/lib/nixos-containers"):
        machine.fail(f"test -e /proc/{reader}/root/{leak}")
    machine.succeed(f"test -e /proc/{reader}/root/run/systemd/machines/sandbox-live")
    machine.succeed(f"test $(stat -Lc %i /proc/{reader}/ns/net) != $(stat -Lc %i /proc/1/ns/net)")
    sealed(machine.succeed("systemctl list-units --plain --no-legend 'choiros-logs@*' | cut -d ' ' -f 1").split())
    machine.succeed("systemctl stop follower")
    machine.wait_until_succeeds("test -z \"$(systemctl list-units --plain --no-legend 'choiros-logs@*')\"", timeout=60)
