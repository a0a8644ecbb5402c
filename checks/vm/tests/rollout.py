"""A deployment that goes to dev, and from there to live and, if it fails there, back again."""
on_probation = "pgrep -fc 'hypervisor.* swa[p] .*--probation'"


def live(workspace="sandbox"):
    rows = json.loads(machine.succeed("hypervisor sandboxes --json"))
    return next(row["sandbox"] for row in rows if (row["workspace"], row["role"]) == (workspace, "live"))


def generation():
    return {row["generation"] for row in json.loads(machine.succeed("hypervisor sandboxes --json")) if row["workspace"] == "sandbox"}


def new_version_of(*sandboxes):
    """What a switch leaves: a closure that is neither the one that was given last, nor the one that runs."""
    for sandbox in sandboxes:
        machine.succeed(f"echo another | tee /var/lib/choiros/rollout/{sandbox} > /run/choiros-sandboxes/{sandbox}")


def settled():
    """As after a switch, with nothing new."""
    machine.succeed("while read -r _ name closure; do echo $closure | tee /var/lib/choiros/rollout/$name > /run/choiros-sandboxes/$name; done < /etc/choiros/rollout",
                    "chown choiros:choiros /var/lib/choiros/rollout/*", "systemctl reset-failed choiros-rollout || true")


def starts(sandbox):
    return machine.succeed(f"systemctl show -p ActiveEnterTimestampMonotonic container@{sandbox}").strip()


def all_running():
    for role in ("live", "dev"):
        machine.wait_until_succeeds(f"hypervisor sandboxes start team {role}", timeout=120)
    both_running()


def said():
    return machine.succeed("journalctl -o cat -b -u choiros-rollout")


start_all()
machine.wait_for_unit("hypervisor")
machine.wait_for_unit("choiros-rollout")

with subtest("at the first boot live is the sandbox that was born so, and dev isn't even started"):
    t.assertEqual((live(), live("team"), generation()), ("sandbox-live", "team-live", {1}))
    t.assertEqual(machine.succeed("ls /var/lib/choiros/rollout").split(), ["sandbox-dev", "sandbox-live", "team-dev", "team-live"])
    machine.require_unit_state("container@sandbox-dev.service", "inactive")

with subtest("a reboot with nothing new changes nothing"):
    for _ in range(2):
        machine.reboot()
        machine.wait_for_unit("hypervisor")
        machine.wait_for_unit("choiros-rollout")
        t.assertEqual((live(), generation()), ("sandbox-live", {1}))
        machine.require_unit_state("container@sandbox-dev.service", "inactive")

all_running()

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

with subtest("and that once: neither a restart nor a reboot swaps again"):
    machine.succeed("systemctl restart choiros-rollout")
    t.assertEqual(live(), "sandbox-dev")
    machine.reboot()
    machine.wait_for_unit("choiros-rollout")
    t.assertEqual(live(), "sandbox-dev")
    all_running()

with subtest("the containers' roles follow the route, not their names"):
    before = starts("sandbox-dev")
    new_version_of("sandbox-dev")
    machine.succeed("systemctl restart choiros-rollout")
    t.assertEqual((starts("sandbox-dev"), live()), (before, "sandbox-dev"))
    settled()

with subtest("a version that fails on probation is taken back, is said, and isn't tried again"):
    new_version_of("sandbox-live")
    machine.succeed("systemctl restart --no-block choiros-rollout")
    machine.wait_until_succeeds("hypervisor sandboxes --json | jq -e '.[] | select(.role == \"live\" and .workspace == \"sandbox\") | .sandbox == \"sandbox-live\"'", timeout=120)
    machine.succeed("systemctl -M sandbox-live stop sandbox")
    machine.wait_until_succeeds("systemctl is-failed choiros-rollout", timeout=120)
    t.assertEqual(live(), "sandbox-dev")
    t.assertIn("sandbox-live didn't stay live", said())
    machine.succeed("systemctl -M sandbox-live start sandbox", "systemctl restart choiros-rollout")
    t.assertEqual(live(), "sandbox-dev")
    settled()

with subtest("a rollout that is ended on probation leaves no unproven version live"):
    all_running()
    new_version_of("sandbox-live")
    machine.succeed("systemctl restart --no-block choiros-rollout")
    machine.wait_until_succeeds("hypervisor sandboxes --json | jq -e '.[] | select(.role == \"live\" and .workspace == \"sandbox\") | .sandbox == \"sandbox-live\"'", timeout=120)
    machine.succeed("systemctl stop choiros-rollout", "systemctl -M sandbox-live stop sandbox")
    machine.wait_until_succeeds("hypervisor sandboxes --json | jq -e '.[] | select(.role == \"live\" and .workspace == \"sandbox\") | .sandbox == \"sandbox-dev\"'", timeout=120)
    machine.succeed("systemctl -M sandbox-live start sandbox")
    settled()
    machine.succeed("systemctl start choiros-rollout")

with subtest("two workspaces are on probation at once"):
    all_running()
    new_version_of("sandbox-live", "team-dev")
    machine.succeed("systemctl restart --no-block choiros-rollout")
    machine.wait_until_succeeds(f"test $({on_probation}) -ge 2", timeout=120)
    machine.wait_for_unit("choiros-rollout")
    t.assertEqual((live(), live("team")), ("sandbox-live", "team-dev"))
    settled()

with subtest("a version that doesn't start leaves live alone, and the deployment fails"):
    all_running()
    machine.succeed("mount --bind /dev/null /var/lib/choiros/sandboxes/sandbox-dev/events.db")
    new_version_of("sandbox-dev")
    machine.fail("systemctl restart choiros-rollout", timeout=400)
    t.assertEqual(live(), "sandbox-live")
