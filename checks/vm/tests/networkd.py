"""systemd-networkd has the host's network, and a file that takes all Ethernet links: the sandboxes' stay as they are."""
roles = {"live": 1, "dev": 2}


def stays(role):
    n, link = roles[role], f"ve-sandbox-{role}"
    # networkd has looked at the link, and decided
    machine.wait_until_succeeds(f"networkctl --no-pager list {link} | grep -w unmanaged", timeout=30)
    t.assertIn(f"10.233.{n}.1", machine.succeed(f"ip -4 -o address show dev {link}"))
    t.assertIn(f"10.233.{n}.2", machine.succeed(f"ip -4 route show dev {link}"))
    machine.succeed(f"curl -sf -o /dev/null --max-time 5 http://10.233.{n}.2:8080/health")


start_all()
machine.wait_for_unit("multi-user.target")
machine.wait_for_unit("systemd-networkd")
machine.succeed("systemctl start container@sandbox-dev")
for n in roles.values():
    machine.wait_until_succeeds(f"curl -sf -o /dev/null --max-time 3 http://10.233.{n}.2:8080/health", timeout=120)

with subtest("networkd leaves the sandboxes' links alone"):
    for role in roles:
        stays(role)

with subtest("also when it is restarted, reads its files anew, or is told to take the links up"):
    machine.succeed("systemctl restart systemd-networkd", "networkctl reload")
    machine.execute("networkctl reconfigure ve-sandbox-live ve-sandbox-dev")
    for role in roles:
        stays(role)

with subtest("also for a sandbox that is started anew"):
    machine.succeed("systemctl restart container@sandbox-dev")
    machine.wait_until_succeeds("curl -sf -o /dev/null --max-time 3 http://10.233.2.2:8080/health", timeout=120)
    stays("dev")

with subtest("a host that has the sandboxes' network otherwise starts none, and says why"):
    machine.succeed("ip link add elsewhere type veth peer name beyond", "ip link set elsewhere up", "ip address add 10.233.77.1/24 dev elsewhere")
    machine.fail("systemctl restart container@sandbox-dev")
    machine.wait_until_succeeds("journalctl --no-pager -u choiros-addresses | grep -F '10.233.0.0/16 is in use on this host'", timeout=10)
    machine.succeed("ip link delete elsewhere", "systemctl restart container@sandbox-dev")
