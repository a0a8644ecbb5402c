"""What an old version has written, today's reads: accounts and routes; and what it has left running goes on."""
store = "/var/lib/choiros/hypervisor/hypervisor.db"


def asked(what):
    return json.loads(machine.succeed(f"hypervisor {what} --json"))


machine.start(allow_reboot=True)
start_all()
machine.wait_for_unit("container@sandbox-live")
machine.wait_for_unit("choiros-hypervisor")
machine.wait_for_unit("choiros-rollout")

with subtest("the gateway's units are known by their older names"):
    before = machine.succeed("systemctl show -p MainPID --value choiros-hypervisor")
    machine.succeed("systemctl restart hypervisor", "hypervisor status")
    t.assertNotEqual(machine.succeed("systemctl show -p MainPID --value choiros-hypervisor"), before)
    t.assertEqual(machine.succeed("systemctl show -p Id --value hypervisor hypervisor.socket").split(), ["choiros-hypervisor.service", "choiros-hypervisor.socket"])

with subtest("a host from before releases keeps live running, and pinned to what it runs"):
    folder = f"{profiles}/sandbox"
    # as such a host was: live runs a closure of its own, dev rests, nobody has heard of profiles
    machine.succeed(
        "systemctl stop choiros-rollout container@sandbox-live", f"rm -r {folder}", f"mkdir {folder}", f"ln -s {closure('before')} {folder}/release-1-link", f"ln -s release-1-link {folder}/sandbox-live",
        "mkdir -p /run/systemd/system/choiros-releases.service.d", "printf '[Unit]\\nConditionPathExists=/none\\n' > /run/systemd/system/choiros-releases.service.d/no.conf", "systemctl daemon-reload",
        "systemctl stop choiros-releases", "systemctl start container@sandbox-live", f"rm -r {folder}",
        *(f"echo {closure('before')} > /var/lib/choiros/rollout/sandbox-{role}" for role in ("live", "dev")), "rm /var/lib/choiros/rollout/*.release", "chown -R choiros:choiros /var/lib/choiros/rollout",
    )
    start = machine.succeed("systemctl show -p ActiveEnterTimestampMonotonic container@sandbox-live")
    # the switch
    machine.succeed("rm -r /run/systemd/system/choiros-releases.service.d", "systemctl daemon-reload", "systemctl start choiros-releases", f"systemctl stop choiros-hypervisor.socket choiros-hypervisor; rm {store}*; systemctl start choiros-hypervisor.socket choiros-hypervisor", "systemctl start choiros-rollout")
    t.assertEqual([closure for _, closure in releases()], [closure("before"), machine.succeed("awk '$2 == \"sandbox-dev\" { printf \"%s\", $3 }' /etc/choiros/releases")])
    t.assertEqual((pinned("sandbox-live")[0], pinned("sandbox-dev")[0]), (1, 2))
    t.assertEqual(machine.succeed("systemctl show -p ActiveEnterTimestampMonotonic container@sandbox-live"), start)
    machine.succeed("kill -9 $(systemctl show container@sandbox-live -p MainPID --value)")
    machine.wait_until_succeeds("hypervisor sandboxes start sandbox live", timeout=120)
    t.assertEqual(runs("sandbox-live"), closure("before"))
    machine.reboot()
    machine.wait_until_succeeds("hypervisor sandboxes start sandbox live", timeout=120)
    t.assertEqual(runs("sandbox-live"), closure("before"))

with subtest("from there it is promoted, and back"):
    machine.wait_for_unit("choiros-rollout")
    machine.succeed("hypervisor promote sandbox", timeout=300)
    t.assertEqual((pinned("sandbox-live"), runs("sandbox-live")), (releases()[1], releases()[1][1]))
    machine.succeed("hypervisor undo sandbox", timeout=300)
    t.assertEqual((pinned("sandbox-live"), runs("sandbox-live")), (releases()[0], closure("before")))

with subtest("there is a version to upgrade from"):
    stores = machine.succeed("ls /etc/stores").split()
    t.assertIn("v1.sql", stores)

for version in stores:
    with subtest(f"the store of {version} is taken over with its accounts and routes"):
        machine.succeed(
            "systemctl stop choiros-hypervisor.socket choiros-hypervisor",
            f"rm -f {store}*",
            # its passkeys are bound to its own domain
            f"{{ cat /etc/stores/{version}; echo \"update meta set value = 'choir.test' where key = 'rp_id';\"; }} | sqlite3 {store}",
            f"chown choiros:choiros {store}",
            f"chmod 0600 {store}",
            # so many starts in so few seconds
            "systemctl reset-failed choiros-hypervisor.socket",
            "systemctl start choiros-hypervisor.socket choiros-hypervisor",
        )
        machine.wait_for_unit("choiros-hypervisor")
        t.assertIn("ada@example.org", [user["username"] for user in asked("users")])
        live = next(row for row in asked("sandboxes") if (row["workspace"], row["role"]) == ("sandbox", "live"))
        t.assertEqual((live["sandbox"], live["generation"], live["username"]), ("sandbox-dev", 4, "ada@example.org"))

    with subtest(f"and what comes after {version} is written"):
        machine.succeed("hypervisor sandboxes start sandbox dev", "hypervisor swap")
        machine.succeed("systemctl restart choiros-hypervisor")
        machine.wait_for_unit("choiros-hypervisor")
        t.assertEqual({row["generation"] for row in asked("sandboxes") if row["workspace"] == "sandbox"}, {5})

with subtest("a newer version's store is refused with a sentence, and left alone"):
    machine.succeed("systemctl stop choiros-hypervisor.socket choiros-hypervisor", f"sqlite3 {store} 'pragma user_version = 999'")
    before = machine.succeed(f"sha256sum < {store}")
    machine.fail("systemctl start choiros-hypervisor")
    machine.wait_until_succeeds("journalctl -u choiros-hypervisor | grep -q 'version 999.*run the newer program'", timeout=30)
    machine.succeed("systemctl stop choiros-hypervisor.socket choiros-hypervisor")
    t.assertEqual(machine.succeed(f"sha256sum < {store}"), before)
