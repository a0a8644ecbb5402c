"""A deployment that is given to dev, and from there promoted, or taken back; live's data stays where it is."""


def row(role, workspace="sandbox"):
    rows = json.loads(machine.succeed("hypervisor sandboxes --json"))
    return next(row for row in rows if (row["workspace"], row["role"]) == (workspace, role))


def live(workspace="sandbox"):
    """Which sandbox is live, with the number of its release."""
    now = row("live", workspace)
    return now["sandbox"], now["release"]


def events():
    return int(machine.succeed("sqlite3 'file:/var/lib/choiros/sandboxes/sandbox-live/events.db?mode=ro' 'select count(*) from events'"))


def wrote():
    """Something that people have written to live since."""
    machine.succeed("curl -sf --max-time 10 -X POST -H 'Content-Type: application/json' -d '{\"kind\": \"note\"}' -o /dev/null http://10.233.1.2:8080/logs/events")
    return events()


def starts(sandbox):
    return machine.succeed(f"systemctl show -p ActiveEnterTimestampMonotonic container@{sandbox}").strip()


def said():
    return machine.succeed("journalctl -o cat -b -u choiros-rollout")


def on_probation():
    """Starts a rollout, and comes back when its release is live and watched."""
    watched = "journalctl -o cat -b -u choiros-rollout | grep -c 'watches live until' || true"
    before = int(machine.succeed(watched))
    machine.succeed("systemctl restart --no-block choiros-rollout")
    machine.wait_until_succeeds(f"test $({watched}) -gt {before}", timeout=120)
    t.assertEqual(live()[1], newest())


def newest(workspace="sandbox"):
    return releases(workspace)[-1][0]


machine.start(allow_reboot=True)
start_all()
machine.wait_for_unit("choiros-hypervisor")
machine.wait_for_unit("choiros-rollout")

with subtest("at the first boot live is the sandbox that was born so, and dev isn't even started"):
    t.assertEqual((live(), live("team")), (("sandbox-live", 1), ("team-live", 1)))
    machine.require_unit_state("container@sandbox-dev.service", "inactive")

with subtest("a reboot with nothing new changes nothing"):
    machine.reboot()
    machine.wait_for_unit("choiros-hypervisor")
    machine.wait_for_unit("choiros-rollout")
    t.assertEqual((live(), row("live")["generation"]), (("sandbox-live", 1), 1))
    machine.require_unit_state("container@sandbox-dev.service", "inactive")

both_running()

with subtest("nothing new, nothing done"):
    before = starts("sandbox-live"), starts("sandbox-dev")
    machine.succeed("systemctl restart choiros-rollout")
    t.assertEqual((starts("sandbox-live"), starts("sandbox-dev")), before)

with subtest("a new release is given to dev, and goes live where live is, with its data"):
    before = wrote()
    switch_to("next")
    t.assertTrue(rolled_out(), "it stays well for its probation")
    t.assertEqual((live(), runs("sandbox-live"), pinned("sandbox-live")), (("sandbox-live", 2), closure("next"), (2, closure("next"))))
    t.assertGreaterEqual(events(), before)
    t.assertEqual(live("team"), ("team-live", 1))

with subtest("and that once: neither a restart, nor a reboot, nor a crash does it again"):
    generation = row("live")["generation"]
    machine.succeed("systemctl restart choiros-rollout")
    machine.reboot()
    machine.wait_for_unit("choiros-rollout")
    both_running()
    t.assertEqual((live(), row("live")["generation"], runs("sandbox-live")), (("sandbox-live", 2), generation, closure("next")))

with subtest("a release that isn't well never gets to live, and isn't tried again"):
    before, start = wrote(), starts("sandbox-live")
    switch_to("sick")
    t.assertFalse(rolled_out())
    t.assertIn(f"dev of sandbox isn't well with release {newest()}", said())
    t.assertEqual((live(), runs("sandbox-live"), starts("sandbox-live")), (("sandbox-live", 2), closure("next"), start))
    t.assertGreaterEqual(events(), before)
    machine.succeed("systemctl restart choiros-rollout")
    t.assertEqual(live(), ("sandbox-live", 2))

with subtest("one that fails on probation is taken back, and what was written meanwhile stays"):
    switch_to("later")
    on_probation()
    before = wrote()
    machine.succeed("systemctl -M sandbox-live stop sandbox")
    machine.wait_until_succeeds("systemctl is-failed choiros-rollout", timeout=120)
    machine.wait_until_succeeds("curl -sf --max-time 5 http://10.233.1.2:8080/health", timeout=60)
    t.assertEqual((live(), runs("sandbox-live"), pinned("sandbox-live")[0]), (("sandbox-live", 2), closure("next"), 2))
    t.assertGreaterEqual(events(), before)
    machine.succeed("systemctl restart choiros-rollout")
    t.assertEqual(live(), ("sandbox-live", 2))

with subtest("a rollout that is ended on probation leaves no unproven release live"):
    switch_to("next")
    on_probation()
    machine.succeed("systemctl stop choiros-rollout", "systemctl -M sandbox-live stop sandbox")
    machine.wait_until_succeeds("hypervisor sandboxes --json | jq -e '.[] | select(.workspace == \"sandbox\" and .role == \"live\") | .release == 2'", timeout=120)
    machine.wait_until_succeeds("curl -sf --max-time 5 http://10.233.1.2:8080/health", timeout=60)
    machine.succeed("systemctl start choiros-rollout")

with subtest("after a swap, the sandboxes' roles count, not their names"):
    both_running()
    machine.succeed("hypervisor swap sandbox")
    switch_to("later")
    t.assertTrue(rolled_out())
    t.assertEqual((live(), runs("sandbox-dev")), (("sandbox-dev", newest()), closure("later")))
