"""What is closed: the host to the world, the sandboxes to each other, to the host, to the world, and to the host's users."""
live, dev = "http://10.233.1.2:8080/health", "http://10.233.2.2:8080/health"
try_ = "curl -sf -o /dev/null --max-time 3"


def open_ports(run, host, ports):
    """Those of the ports that take a connection."""
    tries = "; ".join(f"(timeout 3 bash -c '</dev/tcp/{host}/{port}' 2> /dev/null && echo {port}) &" for port in ports)
    return sorted(map(int, run(f"{tries.replace(' &;', ' &')} wait").split()))


start_all()
machine.wait_for_unit("multi-user.target")
machine.wait_for_open_port(443)
machine.succeed("systemctl start container@sandbox-dev")
for url in (live, dev):
    machine.wait_until_succeeds(f"{try_} {url}", timeout=patience)

with subtest("the world reaches 80 and 443, and nothing else"):
    client.wait_until_succeeds(f"{try_} http://machine/ || test $? = 22", timeout=60)
    t.assertEqual(open_ports(client.succeed, "machine", (22, 53, 80, 443, 2019, 8080, 9090, 9091, 9100)), [80, 443])

with subtest("the world reaches no sandbox, even by a route through a host that forwards"):
    machine.succeed("sysctl -w net.ipv4.ip_forward=1")
    client.succeed("ip route add 10.233.0.0/16 via $(getent ahostsv4 machine | head -n 1 | cut -d ' ' -f 1)")
    client.fail(f"{try_} {live}")

with subtest("a sandbox reaches itself, and no other"):
    machine.succeed(in_network_of("sandbox-live", f"{try_} {live}"))
    machine.fail(in_network_of("sandbox-dev", f"{try_} {live}"))
    machine.fail(in_network_of("sandbox-live", f"{try_} {dev}"))

with subtest("a sandbox reaches nothing of the host"):
    machine.succeed("systemd-run --unit=bait $(command -v python3) -m http.server --directory /run 7000")
    machine.wait_for_open_port(7000)
    t.assertEqual(open_ports(machine.succeed, "127.0.0.1", (7000, 9090)), [7000, 9090])
    for address in ("10.233.2.1", "10.233.1.1"):
        found = open_ports(lambda command: machine.succeed(in_network_of("sandbox-dev", f'bash -c "{command}"')), address, (22, 80, 443, 7000, 9090))
        t.assertEqual(found, [])

with subtest("a sandbox reaches no other machine"):
    client.succeed("setsid python3 -m http.server --directory /run 7001 > /dev/null 2>&1 &")
    address = client.succeed("ip -4 -o address show scope global | tail -n 1 | tr -s ' ' | cut -d ' ' -f 4 | cut -d / -f 1").strip()
    machine.wait_until_succeeds(f"{try_} http://{address}:7001/", timeout=60)
    machine.fail(in_network_of("sandbox-dev", f"{try_} http://{address}:7001/"))

with subtest("a sandbox can't speak from another's address"):
    machine.succeed(in_network_of("sandbox-dev", "ip address add 10.233.1.2 dev eth0"))
    machine.fail(in_network_of("sandbox-dev", "curl -sf --max-time 3 --interface 10.233.1.2 http://10.233.2.1:7000/"))
    machine.succeed(in_network_of("sandbox-dev", "ip address del 10.233.1.2 dev eth0"))

with subtest("a user of the host calls no sandbox in the gateway's name"):
    machine.fail(f"{nobody} {try_} -H 'X-ChoirOS-User-Id: 1' {live}")
    machine.succeed(f"{gateway} {try_} {live}")

with subtest("the hypervisor may start and stop its sandboxes, and nothing else"):
    for verb in ("restart", "stop", "start"):
        machine.succeed(f"{gateway} systemctl --no-ask-password {verb} container@sandbox-dev")
    for order in ("restart caddy", "stop choiros-hypervisor", "start container@other", "kill container@sandbox-dev", "daemon-reload", "set-property container@sandbox-dev TasksMax=9"):
        machine.fail(f"{gateway} systemctl --no-ask-password {order}")
    machine.fail(f"{gateway} systemd-run --no-ask-password true")
    machine.fail(f"{nobody} systemctl --no-ask-password stop container@sandbox-dev")

with subtest("every unit of ours is sealed"):
    units = machine.succeed("systemctl list-unit-files --no-legend caddy.service 'choiros-*.service' | cut -d ' ' -f 1").split()
    t.assertGreater(len(units), 9, units)
    sealed(unit.replace("@.", "@check-1.") for unit in units)

with subtest("it is the table that keeps them in, and what comes from another sandbox is refused without it, too"):
    machine.succeed("systemctl kill --signal=STOP choiros-firewall-watch", "nft delete table inet choiros")
    # a program of the host's isn't the unit's; what a guest sends is, and meets the second wall
    reaches = machine.fail if isolation == "microvm" else machine.succeed
    reaches(in_network_of("sandbox-dev", f"curl -sf -o /dev/null --max-time 10 http://{address}:7001/"))
    machine.fail(in_network_of("sandbox-dev", f"{try_} {live}"))
    machine.succeed("systemctl kill --signal=CONT choiros-firewall-watch")
    machine.wait_until_succeeds("nft list table inet choiros", timeout=30)
    machine.fail(in_network_of("sandbox-dev", f"{try_} http://{address}:7001/"))
