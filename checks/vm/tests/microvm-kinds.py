"""A workspace whose container becomes a microVM, and a container again, while people write: it keeps its data, and all wait."""


def kind():
    """Of what live runs."""
    return "microvm" if machine.execute(f"test -e {runs('sandbox-live')}/etc/choiros/microvm")[0] == 0 else "container"


def became(expected, before):
    """The kind that live has become, with each note that was acknowledged."""
    notes, others = came()
    t.assertEqual((kind(), written() - before, others), (expected, notes, []))
    whole()


ready_for("microvm")

with subtest("a promotion makes a microVM of a container that people write to"):
    t.assertEqual(kind(), "container")
    before = written()
    writers()
    machine.succeed("hypervisor promote sandbox --release 2", timeout=patience)
    became("microvm", before)

with subtest("a copy of what is written there has all that was acknowledged until then"):
    before = written()
    writers()
    machine.succeed("hypervisor release give sandbox 1", "hypervisor fork sandbox", timeout=patience)
    notes, others = came()
    t.assertEqual((written() - before, others), (notes, []))
    copy = "/var/lib/choiros/sandboxes/sandbox-dev/events.db"
    t.assertEqual(machine.succeed(f"sqlite3 {copy} 'pragma integrity_check'").strip(), "ok")
    t.assertGreaterEqual(int(machine.succeed(f"sqlite3 {copy} 'select count(*) from events where kind = \"note\"'")), before)

with subtest("a guest whose monitor dies is there again, with all that was acknowledged"):
    before = written()
    writers()
    machine.succeed("systemctl -M sandbox-live kill --signal=KILL vmm")
    client.wait_until_succeeds(f"{stranger} -f -b /tmp/jar -o /dev/null {sandboxes['live']}/health", timeout=patience)
    notes, _ = came()
    t.assertGreaterEqual(written() - before, notes)

with subtest("a guest that is stopped ends in peace"):
    machine.succeed("systemctl stop container@sandbox-live", timeout=patience)
    t.assertEqual(machine.get_unit_property("container@sandbox-live", "Result"), "success")
    machine.succeed("hypervisor sandboxes start sandbox live", timeout=patience)

with subtest("an undo makes a container of it again"):
    before = written()
    writers()
    machine.succeed("hypervisor undo sandbox", timeout=patience)
    became("container", before)
