"""Slots: what they cost unused, what keeps them apart in use, and what root does for them and for nobody else."""
import time

hypervisor = f"{gateway} systemctl --no-ask-password"
try_ = "curl -sf -o /dev/null --max-time 3"
folder, results = "/var/lib/choiros/slots", "/run/choiros-volumes"
# as the address plan has it; the gateway gives people the first slots, and these are free
address = {"s901-live": "10.233.28.150", "s901-dev": "10.233.28.154", "s902-live": "10.233.28.158", "s1000-dev": "10.233.31.190"}


def order(sandbox, words):
    """Has the hypervisor's user ask for something of a slot's volume; what came of it."""
    number = sandbox[1:].split("-")[0]
    machine.succeed(f"{hypervisor} start 'choiros-slot-volume-{number}@{sandbox}:{words}.service'")
    return json.loads(machine.succeed(f"{gateway} cat '{results}/{sandbox}/{words}.json'"))


def pinned_slot(sandbox):
    """The number of the release that a slot's sandbox is pinned to."""
    return int(machine.succeed(f"readlink {profiles}/slots/{sandbox}").split("-")[1])


machine.start(allow_reboot=True)
start_all()
machine.wait_for_unit("multi-user.target")
machine.wait_for_unit("choiros-firewall")

with subtest("a thousand slots cost no process and no mount, and little time where all units and rules are read"):
    t.assertEqual(machine.succeed("systemctl list-units --all --plain --no-legend 'container@s[0-9]*' 'choiros-slot*@*'"), "")
    t.assertEqual(machine.succeed(f"ls -A {folder}"), "")
    t.assertEqual(machine.succeed("findmnt -rno TARGET | grep -c /var/lib/choiros/slots").strip(), "1")
    for what in ("systemctl daemon-reload", "systemctl reload choiros-firewall"):
        begun = time.monotonic()
        machine.succeed(what)
        print(f"{what}: {time.monotonic() - begun:.2f} s")
    t.assertEqual(machine.succeed("nft list set inet choiros links | grep -o ve- | wc -l").strip(), "2002")

with subtest("who is invited has a workspace of their own, in a slot, by the time that they come to its page"):
    trust()
    sign_up("ada@choir.test", Passkey())
    client.succeed("rm /tmp/jar")
    passkey, marks = Passkey(), [time.monotonic()]
    invite = json.loads(machine.succeed("hypervisor invite --json"))["url"].split("invite=")[1]
    marks.append(time.monotonic())
    get(f"/register?invite={invite}")
    options = post("/auth/register/start", {"username": "bob@choir.test", "invite": invite})["publicKey"]
    credential = passkey.create(options)
    marks.append(time.monotonic())
    post("/auth/register/finish", credential)
    marks.append(time.monotonic())
    t.assertIn("s1-live", page(f"{origin}/"))
    marks.append(time.monotonic())
    parts = [after - before for before, after in zip(marks, marks[1:])]
    print("invite {:.2f} s, page and challenge {:.2f} s, account and slot {:.2f} s, own page {:.2f} s: opened to own page {:.2f} s".format(*parts, sum(parts[1:])))
    row = {row["sandbox"]: row for row in json.loads(machine.succeed("hypervisor sandboxes --json"))}["s1-live"]
    t.assertEqual((row["role"], row["status"]), ("live", "running"))
    t.assertEqual(pinned_slot("s1-live"), releases("slots")[-1][0])
    t.assertEqual(machine.succeed(f"stat -c %u {folder}/1/s1-live").strip(), "40001")

with subtest("what is deployed is given to dev of the workspaces in slots, and live keeps what it has"):
    number, system = releases("slots")[-1]
    machine.succeed(f"ln -s {system} {profiles}/slots/release-{number + 1}-link", "systemctl start choiros-rollout-slots")
    given = f"hypervisor sandboxes --json | jq -e 'map(select(.sandbox == \"s1-dev\" and .release == {number + 1})) | length == 1'"
    machine.wait_until_succeeds(given, timeout=60)
    machine.wait_until_succeeds("systemctl show -p ActiveState --value choiros-rollout-slots | grep -x inactive", timeout=60)
    t.assertEqual(pinned_slot("s1-live"), number)

with subtest("a slot's sandboxes are started by the hypervisor, with their address, their name, and an owner of their own"):
    machine.fail(f"{hypervisor} start container@s901-live")
    for name in address:
        machine.succeed(f"{hypervisor} start choiros-slot@{name[1:].split('-')[0]}", f"{hypervisor} start container@{name}")
    for name, at in address.items():
        machine.wait_until_succeeds(f"{try_} http://{at}:8080/health", timeout=120)
        health = json.loads(machine.succeed(f"curl -sf http://{at}:8080/health"))
        t.assertEqual((health["name"], health["instance_role"]), (name, name.split("-")[1]))
        number = int(name[1:].split("-")[0])
        t.assertEqual(machine.succeed(f"stat -c '%u %g %a' {folder}/{number}/{name} {folder}/{number}/{name}/events.db").split(), [str(40000 + number)] * 2 + ["700"] + [str(40000 + number)] * 2 + ["600"])
        t.assertIn(f"sandbox:x:{40000 + number}:{40000 + number}:", machine.succeed(f"cat /proc/{leader_of(name)}/root/etc/passwd"))
    t.assertEqual(machine.succeed(f"stat -c %a {folder} {folder}/901 {folder}/901/.snapshots {results}/s901-live").split(), ["700", "700", "700", "2750"])

with subtest("without a pin a slot runs the newest release, and with one that which it names"):
    newest = releases("slots")[-1]
    t.assertEqual(machine.succeed("cat /run/choiros-sandboxes/s901-live").strip(), newest[1])
    machine.succeed(f"{hypervisor} start choiros-slot-release@s901-live:{newest[0]}")
    t.assertEqual(machine.succeed(f"readlink {profiles}/slots/s901-live").strip(), f"release-{newest[0]}-link")
    machine.fail(f"{hypervisor} start choiros-slot-release@s901-live:99")
    machine.succeed("systemctl reload choiros-releases", "systemctl restart container@s901-live")
    machine.wait_until_succeeds(f"{try_} http://{address['s901-live']}:8080/health", timeout=120)

with subtest("a slot's sandbox reaches no other, neither its own sister, nor the host, nor other machines"):
    machine.wait_until_succeeds("systemctl start container@sandbox-live && curl -sf -o /dev/null http://10.233.1.2:8080/health", timeout=120)
    machine.succeed("systemd-run --unit=bait $(command -v python3) -m http.server --directory /run 7000")
    machine.wait_for_open_port(7000)
    others = [f"{at}:8080" for name, at in address.items() if name != "s902-live"] + ["10.233.1.2:8080", "10.233.28.157:7000", "10.233.28.157:80", "10.233.28.149:7000"]
    for other in others:
        machine.fail(in_network_of("s902-live", f"curl -s -o /dev/null --max-time 2 http://{other}/"))
    machine.fail(in_network_of("sandbox-live", f"{try_} http://{address['s902-live']}:8080/health"))

with subtest("root inside sees neither the host's store nor its Nix, nor anything of other slots"):
    leader = leader_of("s902-live")
    for seen in ("/nix/store", "/nix/var/nix/profiles", "/nix/var/nix/db", "/nix/var/nix/daemon-socket"):
        machine.fail(f"nsenter -t {leader} -a ls {seen}/")
    machine.succeed(f"nsenter -t {leader} -a test -e /data/events.db")
    machine.fail(f"nsenter -t {leader} -a test -e {folder}")

with subtest("it can't speak from another slot's address, nor does a user of the host call it in the gateway's name"):
    machine.succeed(in_network_of("s902-live", f"ip address add {address['s901-live']} dev eth0"))
    machine.fail(in_network_of("s902-live", f"curl -sf --max-time 2 --interface {address['s901-live']} http://10.233.28.157:7000/"))
    machine.succeed(in_network_of("s902-live", f"ip address del {address['s901-live']} dev eth0"))
    machine.fail(f"{nobody} {try_} http://{address['s902-live']}:8080/health")

with subtest("a slot that is taken out of the firewall's sets is put back"):
    gone = f'"ve-s902-live" . {address["s902-live"]}'
    machine.succeed(f"nft delete element inet choiros addresses '{{ {gone} }}'")
    machine.wait_until_succeeds(f"nft list set inet choiros addresses | grep -F '{gone}'", timeout=30)
    t.assertEqual(machine.succeed("systemctl is-active container@s902-live").strip(), "active")

with subtest("the hypervisor has a slot's volumes copied, and sees what came of it"):
    machine.succeed(f"curl -sf --max-time 10 -X POST -H 'Content-Type: application/json' -d '{{\"kind\": \"note\"}}' -o /dev/null http://{address['s901-live']}:8080/logs/events")
    taken = "20260101T000000Z-0001"
    for words in ("list", f"prepare:{taken}", f"snapshot:{taken}:asked"):
        order("s901-live", words)
    machine.succeed(f"test -d {folder}/901/.snapshots/s901-live/{taken}")
    machine.succeed("systemctl stop container@s901-dev")
    order("s901-dev", f"replace:s901-live:{taken}:20260101T000000Z-0002")
    machine.succeed(f"cmp {folder}/901/.snapshots/s901-live/{taken}/*/events.db {folder}/901/s901-dev/events.db || cmp {folder}/901/.snapshots/s901-live/{taken}/events.db {folder}/901/s901-dev/events.db")

with subtest("orders about another slot, a slot that there isn't, or of another kind are refused"):
    for unit in ("choiros-slot-volume-901@s902-live:list", "choiros-slot-volume-902@s901-live:list", "choiros-slot-volume-901@s901-live:thaw",
                 f"choiros-slot-volume-901@s901-dev:replace:s902-live:{taken}:20260101T000000Z-0003", "choiros-slot-volume-901@sandbox-live:list",
                 "choiros-slot@1001", "choiros-slot@0", "container@s1001-live", "container@s0901-live", "container@s901-other", "container@slots",
                 "choiros-slot-release@s1001-live:1", "choiros-slot-release@sandbox-live:1", "choiros-slot-release@s901-live:0"):
        machine.fail(f"{hypervisor} start '{unit}.service'")
    for verb in ("stop", "restart"):
        machine.fail(f"{hypervisor} {verb} choiros-slot@901")
    # nor would root's programs
    for unit in ("choiros-slot@1001", "choiros-slot-volume-901@s902-live:list", "choiros-slot-release@..-live:1"):
        machine.fail(f"systemctl start '{unit}.service'")
    machine.fail(f"test -e {folder}/1001")

with subtest("data that came from another slot becomes the slot's own"):
    machine.succeed("systemctl stop container@s902-live", f"install -o 40901 -g 40901 /dev/null {folder}/902/s902-live/from-an-archive",
                    f"install -o 71 -g 71 /dev/null {folder}/902/s902-live/a-database", f"{hypervisor} start container@s902-live")
    machine.wait_until_succeeds(f"{try_} http://{address['s902-live']}:8080/health", timeout=120)
    t.assertEqual(machine.succeed(f"stat -c '%u:%g' {folder}/902/s902-live/from-an-archive {folder}/902/s902-live/a-database").split(), ["40902:40902", "71:71"])

with subtest("the volumes of slots in use are backed up"):
    machine.succeed("systemctl start choiros-backup-slots")
    for name in address:
        machine.succeed(f"test -e /var/lib/choiros/backups/{name}/latest")
    t.assertEqual(machine.succeed("ls /var/lib/choiros/backups | grep -cE '^s(90[0-9]|1000)-'").strip(), "6")

with subtest("what was in a slot goes whole to an archive, the next one finds nothing, and another slot has it as its own"):
    archive, archives = "20260101T000000Z-000a", "/var/lib/choiros/archives"
    for slot in (902, 903):
        machine.succeed(f"{hypervisor} start choiros-slot@{slot}")
    machine.succeed("systemctl stop container@s902-live container@s902-dev", f"ln -s /etc/shadow {folder}/902/s902-live/link && chown -h 40902:40902 {folder}/902/s902-live/link")
    sums = "sh -c 'cd $0 && find . -type f | sort | xargs sha256sum'"
    before = machine.succeed(f"{sums} {folder}/902/s902-live")
    order("s902-live", "snapshot:20260101T000000Z-000c:asked")
    for role in ("live", "dev", "live"):
        order(f"s902-{role}", f"archive:{archive}")
        machine.fail(f"test -e {folder}/902/s902-{role}")
    t.assertEqual(machine.succeed(f"ls -A {folder}/902/.snapshots/s902-live").split(), ["lock"])
    t.assertEqual(machine.succeed(f"{sums} {archives}/{archive}/live/data"), before)
    t.assertEqual(machine.succeed(f"stat -c %a {archives} {archives}/{archive}").split(), ["700", "700"])
    machine.succeed(f"{hypervisor} start choiros-slot@902")
    t.assertEqual(machine.succeed(f"ls -A {folder}/902/s902-live {folder}/902/s902-dev | grep -v :$ | xargs"), "\n")
    t.assertEqual([order("s902-live", words)["ok"] for words in ("list", "backups")], [[], []])
    for role in ("live", "dev"):
        order(f"s903-{role}", f"unarchive:{archive}")
    t.assertEqual(machine.succeed(f"{sums} {folder}/903/s903-live"), before)
    owners = machine.succeed(f"stat -c %u:%g {folder}/903/s903-live {folder}/903/s903-live/events.db {folder}/903/s903-live/link {folder}/903/s903-live/a-database").split()
    t.assertEqual(owners, ["40903:40903"] * 3 + ["71:71"])
    t.assertEqual(machine.succeed("stat -c %u /etc/shadow").strip(), "0")
    order("s902-live", f"discard:{archive}")
    t.assertEqual(machine.succeed(f"ls -A {archives} /var/lib/choiros/backups/s902-live/.archived").split(), [f"{archives}:", "/var/lib/choiros/backups/s902-live/.archived:"])
    # what has no archives has no such order
    machine.fail(f"{hypervisor} start 'choiros-volume-sandbox-live@archive:{archive}.service'")

with subtest("every unit of a slot is sealed"):
    sealed(["choiros-slot@901.service", "choiros-slot-release@s901-live:1.service", "choiros-slot-volume-901@s901-live:list.service", "choiros-backup-slots.service"])

with subtest("a slot's sandboxes are there again after a reboot, when they are asked for"):
    machine.reboot()
    machine.wait_for_unit("choiros-firewall")
    machine.succeed("rm -r /var/lib/choiros/backups/s1000-dev", "systemctl start choiros-backup-slots", "test -e /var/lib/choiros/backups/s1000-dev/latest")
    machine.succeed(f"{hypervisor} start container@s901-live")
    machine.wait_until_succeeds(f"{try_} http://{address['s901-live']}:8080/health", timeout=120)
    t.assertIn("note", machine.succeed(f"curl -sf http://{address['s901-live']}:8080/logs/events"))
