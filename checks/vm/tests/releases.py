"""Releases: what a deployment adds, what a sandbox is pinned to, and that nothing else moves the pin."""
id_ = "20260102T030405Z-0a1b"


def restarted(sandbox="sandbox-live"):
    machine.wait_until_succeeds(f"systemctl is-active container@{sandbox} && curl -sf --max-time 5 http://10.233.1.2:8080/health", timeout=120)
    return runs(sandbox)


def told(sandbox):
    """What the service inside was told of itself."""
    pid = machine.succeed(f"systemctl -M {sandbox} show sandbox -p MainPID --value").strip()
    environment = machine.succeed(f"nsenter -t {leader_of(sandbox)} -m -p cat /proc/{pid}/environ")
    return dict(line.split("=", 1) for line in environment.split("\0") if "=" in line)


machine.start(allow_reboot=True)
start_all()
machine.wait_for_unit("container@sandbox-live")
machine.wait_for_unit("choiros-rollout")
first = restarted()

with subtest("at first there is one release, which both are pinned to"):
    for workspace in ("sandbox", "team"):
        t.assertEqual(len(releases(workspace)), 1)
        t.assertEqual(pinned(f"{workspace}-live"), releases(workspace)[0])
        t.assertEqual(pinned(f"{workspace}-dev"), releases(workspace)[0])
    t.assertEqual(releases()[0], (1, first))

with subtest("who a sandbox is comes from outside: one closure is two sandboxes"):
    machine.succeed("systemctl start container@sandbox-dev")
    machine.wait_until_succeeds("curl -sf http://10.233.2.2:8080/health", timeout=120)
    t.assertEqual(runs("sandbox-dev"), first)
    for n, role in ((1, "live"), (2, "dev")):
        health = json.loads(machine.succeed(f"curl -sf http://10.233.{n}.2:8080/health"))
        t.assertEqual((health["name"], health["instance_role"], health["hostname"]), (f"sandbox-{role}", role, f"sandbox-{role}"))
        known = {"SANDBOX_NAME": f"sandbox-{role}", "SANDBOX_RELEASE": "1", "PORT": "8080", "DATA_DIR": "/data", "SANDBOX_LISTEN": "0.0.0.0:8080", "SANDBOX_DATA_DIR": "/data"}
        t.assertEqual(told(f"sandbox-{role}") | known, told(f"sandbox-{role}"))

with subtest("a deployment adds a release, once, and moves no pin"):
    switch_to("next")
    switch_to("next")
    t.assertEqual(releases(), [(1, first), (2, closure("next"))])
    t.assertEqual(pinned("sandbox-live"), (1, first))
    t.assertEqual(len(releases("team")), 1)
    t.assertEqual(runs("sandbox-live"), first)

with subtest("whatever restarts live, it starts what it is pinned to"):
    machine.succeed("systemctl restart container@sandbox-live")
    t.assertEqual(restarted(), first)
    machine.succeed("kill -9 $(systemctl show container@sandbox-live -p MainPID --value)")
    machine.wait_until_succeeds("! systemctl is-active container@sandbox-live", timeout=30)
    machine.wait_until_succeeds("systemctl start container@sandbox-live", timeout=60)
    t.assertEqual(restarted(), first)
    machine.reboot()
    machine.wait_for_unit("container@sandbox-live")
    t.assertEqual(restarted(), first)
    machine.succeed("sync")
    machine.crash()
    machine.start(allow_reboot=True)
    machine.wait_for_unit("container@sandbox-live")
    t.assertEqual((restarted(), pinned("sandbox-live")), (first, (1, first)))
    t.assertEqual(releases(), [(1, first), (2, closure("next"))])

with subtest("nothing brings another closure into what runs"):
    machine.fail("systemctl reload container@sandbox-live")
    t.assertEqual(runs("sandbox-live"), first)

with subtest("the gateway pins a sandbox to a release of its workspace, and the next start runs that"):
    machine.succeed(f"{gateway} systemctl --no-ask-password start choiros-release-sandbox-live@2")
    t.assertEqual((pinned("sandbox-live"), runs("sandbox-live")), ((2, closure("next")), first))
    machine.succeed("systemctl restart container@sandbox-live")
    t.assertEqual((restarted(), told("sandbox-live")["SANDBOX_RELEASE"]), (closure("next"), "2"))
    t.assertEqual(pinned("sandbox-dev"), (1, first))
    machine.reboot()
    machine.wait_for_unit("container@sandbox-live")
    t.assertEqual(restarted(), closure("next"))

with subtest("it pins nothing else"):
    before = machine.succeed(f"find {profiles} -printf '%p %l\\n' | sort")
    for order in ("3", "0", "01", "99999999999", "-1", "1;2", "2-link", "..", r"..\x2f..\x2fteam\x2frelease-1-link", r"\x2fnix\x2fstore"):
        machine.fail(f"{gateway} systemctl --no-ask-password start {shlex.quote(f'choiros-release-sandbox-live@{order}')}")
    # the other workspace has no second one
    machine.fail(f"{gateway} systemctl --no-ask-password start choiros-release-team-live@2")
    machine.fail(f"{gateway} systemctl --no-ask-password start choiros-release-other-live@1")
    # root may start any instance, and gets no further
    for order in ("3", "0", r"..\x2f1", r"1\x20../../team"):
        machine.fail(f"systemctl start {shlex.quote(f'choiros-release-sandbox-live@{order}')}")
    t.assertEqual(machine.succeed(f"find {profiles} -printf '%p %l\\n' | sort"), before)
    machine.fail(f"{gateway} sh -c 'ln -sfn /etc {profiles}/sandbox/sandbox-live || touch {profiles}/x || rm {profiles}/sandbox/release-1-link'")

with subtest("nor does it order what is no order, or by another verb"):
    for unit in (
        "choiros-volume-other-live@list", "choiros-volume-sandbox-live@", "choiros-volume-sandbox-live@format", f"choiros-volume-sandbox-live@snapshot:{id_}",
        f"choiros-volume-sandbox-live@snapshot:{id_}:whim", "choiros-volume-sandbox-live@prepare:..", "choiros-volume-sandbox-live@prepare:20260102T030405Z-0A1B",
        f"choiros-volume-sandbox-live@replace:team-live:{id_}:{id_}", f"choiros-volume-sandbox-live@replace:sandbox-dev:{id_}", f"choiros-volume-sandbox-live@prune:{id_}:x", "choiros-volume-sandbox-live@thaw", r"choiros-volume-sandbox-live@remove:..\x2f..",
        f"choiros-volume-sandbox-live@list:{id_}", "choiros-releases", "choiros-rollout",
    ):
        machine.fail(f"{gateway} systemctl --no-ask-password start {shlex.quote(unit)}")
    for verb in ("stop", "restart", "reload", "kill", "mask", "try-restart", "set-property TasksMax=1"):
        verb, *more = verb.split()
        for unit in ("choiros-release-sandbox-live@1", "choiros-volume-sandbox-live@list"):
            machine.fail(f"{gateway} systemctl --no-ask-password {verb} {unit} {' '.join(more)}")
    machine.fail(f"{nobody} systemctl --no-ask-password start choiros-release-sandbox-live@1")

with subtest("root inside a sandbox reaches no pin"):
    inside = "systemd-run -M sandbox-live -q --pipe --wait /bin/sh -c"
    machine.fail(f"{inside} 'PATH=/run/current-system/sw/bin:/usr/bin; umount -l /nix/var/nix/profiles; ls /nix/var/nix/profiles/choiros'")
    machine.execute(f"{inside} 'PATH=/run/current-system/sw/bin:/usr/bin; umount -l /nix/var/nix/profiles; ln -sfn /data /nix/var/nix/profiles/system'")
    machine.succeed("systemctl restart container@sandbox-live")
    t.assertEqual(restarted(), closure("next"))

with subtest("garbage collection takes no release for an old generation"):
    before = releases()
    if machine.execute("command -v nix-collect-garbage")[0] == 0:
        machine.succeed("nix-collect-garbage --delete-old")
        machine.succeed(f"nix-env --profile {profiles}/sandbox/release --list-generations | grep -c . | grep -qx 2")
    t.assertEqual(releases(), before)
    machine.fail(f"test -e {profiles}/sandbox/release")

with subtest("old releases go by rule: not the newest, nor what is pinned, was pinned before, or runs"):
    for name in ("later", "sick") * 7:
        switch_to(name)
    numbers = [number for number, _ in releases()]
    t.assertEqual(numbers, [1, 2, *range(7, 17)], "live has 2, and had 1, as dev has")
    machine.succeed("systemctl start choiros-release-sandbox-live@16", "systemctl start choiros-release-sandbox-dev@16", "systemctl reload choiros-releases")
    t.assertEqual([number for number, _ in releases()], [1, 2, *range(7, 17)], "one runs, the other was there before")
    machine.succeed("systemctl start choiros-release-sandbox-live@15 choiros-release-sandbox-dev@15", "systemctl stop container@sandbox-live container@sandbox-dev", "rm /run/choiros-sandboxes/sandbox-*", "systemctl reload choiros-releases")
    t.assertEqual([number for number, _ in releases()], [*range(7, 17)])

with subtest("a pin that leads nowhere is said, and starts nothing else"):
    machine.succeed(f"rm {profiles}/sandbox/release-15-link")
    machine.fail("systemctl start container@sandbox-live")
    machine.fail("systemctl restart choiros-releases")
    t.assertIn("sandbox-live is pinned to release-15-link, which is gone", machine.succeed("journalctl -o cat -b -u choiros-releases"))
    machine.succeed("systemctl start choiros-release-sandbox-live@16 choiros-release-sandbox-dev@16", "systemctl restart choiros-releases", "systemctl start container@sandbox-live")
    t.assertEqual(runs("sandbox-live"), closure("sick"))

with subtest("the units that do this are sealed"):
    sealed(("choiros-releases.service", "choiros-release-sandbox-live@1.service", "choiros-volume-sandbox-live@list.service"))
