"""Promotions while people write: live keeps its data, whoever comes waits, and whatever ends in the middle, one release or the other is there, whole."""


def other():
    return 3 - pinned("sandbox-live")[0]


machine.start(allow_reboot=True)
ready_for("next")

with subtest("a promotion that people write through: all wait, none fails, each note is there once"):
    before = written()
    writers()
    for _ in range(4):
        done = json.loads(machine.succeed(f"hypervisor promote sandbox --release {other()} --json", timeout=patience))
        print("held for", done["held_ms"], "ms:", done["held_requests"], "requests")
        t.assertEqual(whole(), done["release"])
    notes, others = came()
    t.assertEqual((written() - before, others), (notes, []))
    t.assertGreater(notes, 50)

with subtest("a release that isn't well never becomes live's, and live doesn't notice"):
    switch_to("sick")
    before, start = written(), machine.succeed("systemctl show -p ActiveEnterTimestampMonotonic container@sandbox-live")
    number = pinned("sandbox-live")[0]
    writers()
    machine.fail("hypervisor promote sandbox --release 3", timeout=patience)
    notes, others = came()
    t.assertEqual((whole(), written() - before, others), (number, notes, []))
    t.assertEqual(machine.succeed("systemctl show -p ActiveEnterTimestampMonotonic container@sandbox-live"), start)

with subtest("without a rehearsal live has it, and is given back what it had, with all that was written"):
    before = written()
    writers()
    machine.fail("hypervisor promote sandbox --release 3 --no-rehearsal", timeout=patience)
    notes, others = came()
    t.assertEqual((whole(), written() - before, others), (number, notes, []))

with subtest("a fork gives dev live's data, and nothing of live's changes"):
    before = written()
    machine.succeed("hypervisor release give sandbox 1", "hypervisor fork sandbox", timeout=patience)
    t.assertEqual(written(), before)
    there = machine.succeed("sqlite3 'file:/var/lib/choiros/sandboxes/sandbox-dev/events.db?mode=ro' 'select count(*) from events where kind = \"note\"'")
    t.assertEqual(int(there), before)

with subtest("an undo takes the release back, and keeps the data"):
    machine.succeed(f"hypervisor promote sandbox --release {other()}", timeout=patience)
    before = written()
    machine.succeed("hypervisor undo sandbox", timeout=patience)
    t.assertEqual((whole(), written()), (number, before))

# the newest release, which isn't well, has been tried: no boot gives it to dev again
rolled_out()
machine.succeed("hypervisor release give sandbox 1", timeout=patience)


def stopped_at(unit, order, when, once="mkdir /run/stuck/once"):
    """Begins a promotion that waits at a unit of it for such an order, by default at its first run alone, and says whether it came there."""
    wait = f"+/bin/sh -c 'case %i in {order}) ;; *) exit 0 ;; esac; {once} || exit 0; touch /run/stuck/here; while [ -e /run/stuck/here ]; do sleep 0.1; done'"
    machine.succeed("rm -rf /run/stuck; mkdir /run/stuck", f"mkdir -p /run/systemd/system/{unit}.d", f"cat > /run/systemd/system/{unit}.d/stuck.conf <<'EOF'\n[Service]\nRootDirectoryStartOnly=true\n{when}={wait}\nEOF", "systemctl daemon-reload")
    machine.succeed(f"(hypervisor promote sandbox --release {other()} > /run/stuck/said 2>&1 || true; touch /run/stuck/done) > /dev/null 2>&1 &")
    machine.succeed(f"for i in $(seq {20 * patience}); do [ ! -e /run/stuck/here ] && [ ! -e /run/stuck/done ] || exit 0; sleep 0.05; done; exit 1", timeout=patience)
    return machine.execute("test -e /run/stuck/here")[0] == 0


def let_go():
    machine.succeed("rm -rf /run/stuck/here /run/systemd/system/*.d/stuck.conf", "systemctl daemon-reload")


steps = [
    # the rehearsal
    ("choiros-volume-sandbox-live@.service", "snapshot:*:fork", "ExecStartPre"),
    ("choiros-volume-sandbox-live@.service", "snapshot:*:fork", "ExecStopPost"),
    ("choiros-volume-sandbox-dev@.service", "replace:*", "ExecStartPre"),
    ("choiros-volume-sandbox-dev@.service", "replace:*", "ExecStopPost"),
    ("choiros-release-sandbox-dev@.service", "*", "ExecStartPre"),
    ("container@sandbox-dev.service", "*", "ExecStartPre"),
    ("choiros-volume-sandbox-live@.service", "remove:*", "ExecStartPre"),
    # live
    ("choiros-volume-sandbox-live@.service", "prepare:*", "ExecStartPre"),
    ("choiros-volume-sandbox-live@.service", "prepare:*", "ExecStopPost"),
    ("container@sandbox-live.service", "*", "ExecStopPost"),
    ("choiros-volume-sandbox-live@.service", "snapshot:*:promote", "ExecStartPre"),
    ("choiros-volume-sandbox-live@.service", "snapshot:*:promote", "ExecStopPost"),
    ("choiros-release-sandbox-live@.service", "*", "ExecStartPre"),
    ("choiros-release-sandbox-live@.service", "*", "ExecStopPost"),
    ("container@sandbox-live.service", "*", "ExecStartPre"),
    ("container@sandbox-live.service", "*", "ExecStartPost"),
]
ends = {
    "the gateway's death": lambda: machine.succeed("systemctl kill --signal=KILL choiros-hypervisor", "sleep 0.5"),
    "a power cut": lambda: (machine.crash(), machine.start(allow_reboot=True)),
    # what was at work goes on meanwhile
    "a reboot": lambda: (machine.succeed("(sleep 2; rm -f /run/stuck/here) > /dev/null 2>&1 &"), machine.reboot()),
}
for what, end in ends.items():
    with subtest(f"after {what} at any step live is one or the other, and has every note"):
        reached = set()
        for step in steps:
            both_running()
            # a rehearsal gives dev another release
            machine.succeed(f"hypervisor release give sandbox {pinned('sandbox-live')[0]}", timeout=patience)
            before = written()
            machine.succeed("sync")
            if not stopped_at(*step):
                print("not reached:", *step, machine.succeed("cat /run/stuck/said"))
                let_go()
                continue
            reached.add(step)
            end()
            machine.execute("rm -f /run/stuck/here")
            let_go()
            settled()
            print(what, *step, "->", whole())
            t.assertGreaterEqual(written(), before)
        t.assertEqual(reached, set(steps))

# how long that takes is a matter of the gateway's clock, and guests are given more of it here
if isolation == "container":
    with subtest("what hangs is taken back in time, and live goes on"):
        both_running()
        before, number = written(), pinned("sandbox-live")[0]
        writers()
        t.assertTrue(stopped_at("choiros-release-sandbox-live@.service", "*", "ExecStartPre", once="true"))
        machine.succeed("sleep 40")
        let_go()
        settled()
        machine.wait_until_succeeds("test -e /run/stuck/done", timeout=patience)
        notes, others = came()
        print(machine.succeed("cat /run/stuck/said"))
        t.assertEqual((whole(), others), (number, []))
        t.assertGreaterEqual(written() - before, notes)
