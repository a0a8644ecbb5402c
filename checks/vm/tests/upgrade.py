"""What an old release has written, today's reads: accounts and routes."""
store = "/var/lib/choiros/hypervisor/hypervisor.db"


def asked(what):
    return json.loads(machine.succeed(f"hypervisor {what} --json"))


start_all()
machine.wait_for_unit("container@sandbox-live")
machine.wait_for_unit("hypervisor")

with subtest("there is a release to upgrade from"):
    releases = machine.succeed("ls /etc/releases").split()
    t.assertIn("v1.sql", releases)

for release in releases:
    with subtest(f"the store of {release} is taken over with its accounts and routes"):
        machine.succeed(
            "systemctl stop hypervisor.socket hypervisor",
            f"rm -f {store}*",
            # the release's passkeys are bound to its own domain
            f"{{ cat /etc/releases/{release}; echo \"update meta set value = 'choir.test' where key = 'rp_id';\"; }} | sqlite3 {store}",
            f"chown choiros:choiros {store}",
            f"chmod 0600 {store}",
            "systemctl start hypervisor.socket hypervisor",
        )
        machine.wait_for_unit("hypervisor")
        t.assertIn("ada@example.org", [user["username"] for user in asked("users")])
        live = next(row for row in asked("sandboxes") if (row["workspace"], row["role"]) == ("sandbox", "live"))
        t.assertEqual((live["sandbox"], live["generation"], live["username"]), ("sandbox-dev", 4, "ada@example.org"))

    with subtest(f"and what comes after {release} is written"):
        machine.succeed("hypervisor sandboxes start sandbox dev", "hypervisor swap")
        machine.succeed("systemctl restart hypervisor")
        machine.wait_for_unit("hypervisor")
        t.assertEqual({row["generation"] for row in asked("sandboxes") if row["workspace"] == "sandbox"}, {5})

with subtest("a newer release's store is refused with a sentence, and left alone"):
    machine.succeed("systemctl stop hypervisor.socket hypervisor", f"sqlite3 {store} 'pragma user_version = 999'")
    before = machine.succeed(f"sha256sum < {store}")
    machine.fail("systemctl start hypervisor")
    machine.wait_until_succeeds("journalctl -u hypervisor | grep -q 'version 999.*run the newer program'", timeout=30)
    machine.succeed("systemctl stop hypervisor.socket hypervisor")
    t.assertEqual(machine.succeed(f"sha256sum < {store}"), before)
