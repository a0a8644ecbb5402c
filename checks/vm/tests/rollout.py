"""A deployment that goes to dev, and from there to live and, if it fails there, back again."""


def live():
    return json.loads(machine.succeed("hypervisor sandboxes --json | jq 'map({key: .role, value: .sandbox}) | from_entries'"))["live"]


def new_version_of(sandbox):
    """What a switch leaves: a closure that isn't the one that runs."""
    machine.succeed("mkdir -p /run/choiros-sandboxes", f"echo another > /run/choiros-sandboxes/{sandbox}")


def settled():
    """As after a switch, with nothing new."""
    plan = machine.succeed("systemctl show -p ExecStart choiros-rollout").split(" ; ")[1].split()[-1]
    machine.succeed("mkdir -p /run/choiros-sandboxes", f"while read -r _ name closure _; do echo $closure > /run/choiros-sandboxes/$name; done < {plan}")


def starts(sandbox):
    return machine.succeed(f"systemctl show -p ActiveEnterTimestampMonotonic container@{sandbox}").strip()


start_all()
machine.wait_for_unit("hypervisor")
both_running()
settled()
if live() != "sandbox-live":
    machine.succeed("hypervisor swap")

with subtest("nothing new, nothing done"):
    before = starts("sandbox-live"), starts("sandbox-dev")
    machine.succeed("systemctl restart choiros-rollout")
    t.assertEqual((starts("sandbox-live"), starts("sandbox-dev")), before)

with subtest("a new version of what is live leaves it alone"):
    before = starts("sandbox-live")
    new_version_of("sandbox-live")
    machine.succeed("systemctl restart choiros-rollout")
    t.assertEqual((starts("sandbox-live"), live()), (before, "sandbox-live"))
    settled()

with subtest("a new version of dev is started, and goes live"):
    before = starts("sandbox-live"), starts("sandbox-dev")
    new_version_of("sandbox-dev")
    machine.succeed("systemctl restart choiros-rollout")
    t.assertEqual(starts("sandbox-live"), before[0])
    t.assertNotEqual(starts("sandbox-dev"), before[1])
    t.assertEqual(live(), "sandbox-dev")
    settled()

with subtest("the containers' roles follow the route, not their names"):
    before = starts("sandbox-dev")
    new_version_of("sandbox-dev")
    machine.succeed("systemctl restart choiros-rollout")
    t.assertEqual((starts("sandbox-dev"), live()), (before, "sandbox-dev"))
    settled()

with subtest("a version that fails on probation is taken back"):
    new_version_of("sandbox-live")
    machine.succeed("systemctl restart --no-block choiros-rollout")
    machine.wait_until_succeeds("hypervisor sandboxes --json | jq -e '.[] | select(.role == \"live\") | .sandbox == \"sandbox-live\"'", timeout=120)
    machine.succeed("systemctl -M sandbox-live stop sandbox")
    machine.wait_until_succeeds("systemctl is-failed choiros-rollout", timeout=120)
    t.assertEqual(live(), "sandbox-dev")
    machine.succeed("systemctl -M sandbox-live start sandbox")
    settled()

with subtest("a version that doesn't start leaves live alone, and the deployment fails"):
    both_running()
    machine.succeed("mount --bind /dev/null /var/lib/choiros/sandboxes/sandbox-live/events.db")
    new_version_of("sandbox-live")
    machine.fail("systemctl restart choiros-rollout")
    t.assertEqual(live(), "sandbox-dev")
