"""The space and the files that a workspace may have: what it stores past them fails for itself alone, snapshots count,
what takes a change back works all the same, and nothing that it plants gets anything of the host's counted as its own."""
folder = "/var/lib/choiros/sandboxes"
data = f"{folder}/sandbox-live"
live = "http://10.233.1.2:8080/health"
projects = {"sandbox": 2990, "team": 3002}


def inside(command, sandbox="sandbox-live", user="root"):
    """Whether it succeeds there, and what it says."""
    return machine.execute(f"systemd-run -M {sandbox} -q --pipe --wait --uid={user} /bin/sh -c {shlex.quote(f'{set_path}; {command}')} 2>&1")


def used(workspace="sandbox"):
    """Bytes and files that count."""
    line = machine.succeed(f"repquota -P -O csv /var/lib/choiros | grep '^#{projects[workspace]},'").split(",")
    return int(line[3]) << 10, int(line[7])


def limit(workspace, bytes, files):
    """As a switch does that brings other limits."""
    table = machine.succeed("cat /etc/choiros/limits").splitlines()
    table = [" ".join([w, p, str(bytes), str(files), *more]) if w == workspace else line for line in table for w, p, _, _, *more in [line.split(" ")]]
    script = machine.succeed("systemctl cat choiros-quota | sed -n 's/^ExecStart=//p'").strip()
    source = machine.succeed(f"sed -n 's/^done < //p' {script}").strip()
    machine.succeed(f"mkdir -p /run/limits && sed 's,^done < .*,done < /run/limits/table,' {script} > /run/limits/set")
    machine.succeed("cat > /run/limits/table <<'END'\n" + "\n".join(table) + "\nEND")
    t.assertIn("/nix/store/", source)
    return machine.execute("bash /run/limits/set 2>&1")


def serves(url=live):
    machine.succeed(f"curl -sf --max-time 10 {url}")


def snapshots():
    return json.loads(machine.succeed("hypervisor snapshots sandbox --json"))


def running():
    return machine.succeed("systemctl show -p MainPID container@sandbox-live")


start_all()
machine.wait_for_unit("choiros-quota")
with subtest("a slot is a project with its limits, from when it is made on"):
    machine.succeed("systemctl start choiros-slot@1", "systemctl restart choiros-slot-quotas")
    for of in ("", "/.snapshots", "/s1-live", "/s1-dev"):
        number, flags, _ = machine.succeed(f"lsattr -pd /var/lib/choiros/slots/1{of}").split()
        t.assertTrue(int(number) == 40001 and "P" in flags, of)
    t.assertEqual(machine.succeed("df -B1 --output=size /var/lib/choiros/slots/1/s1-live | tail -1").strip(), str(64 << 20))
    machine.fail("systemctl start choiros-slot@3")

machine.wait_for_unit("choiros-hypervisor")
both_running()
machine.succeed("systemctl start container@team-live container@team-dev")
kind = machine.succeed("findmnt -no FSTYPE /var/lib/choiros").strip()

with subtest("volumes and their snapshots are one project each workspace, with its limits"):
    machine.require_unit_state("choiros-quota", "active")
    for workspace, project in projects.items():
        for role in ("live", "dev"):
            for of in (f"{folder}/{workspace}-{role}", f"{folder}/.snapshots/{workspace}-{role}"):
                number, flags, _ = machine.succeed(f"lsattr -pd {of}").split()
                t.assertTrue(int(number) == project and "P" in flags, of)
    t.assertEqual(machine.succeed(f"df -B1 --output=size {data} | tail -1").strip(), str(96 << 20))
    t.assertEqual(machine.succeed(f"df --output=itotal {data} | tail -1").strip(), "2000")
    machine.succeed(f"test $(df -B1 --output=size {folder}/team-live | tail -1) = {10 << 30} -o $(df -B1 --output=size {folder}/team-live | tail -1) -lt {2 << 30}")

with subtest("root inside writes up to the limit of its workspace, and its service says that it is full"):
    code, said = inside("dd if=/dev/zero of=/data/big bs=1M count=200")
    t.assertNotEqual(code, 0)
    t.assertRegex(said, "No space left|quota exceeded")
    t.assertLess(used()[0], 97 << 20)
    t.assertGreater(used()[0], 90 << 20)
    t.assertNotEqual(inside("dd if=/dev/zero of=/data/more bs=1M count=8 conv=fsync", "sandbox-dev")[0], 0, "dev's volume is of the same project")
    inside("rm -f /data/more", "sandbox-dev")
    t.assertEqual(inside("dd if=/dev/zero of=/data/big bs=1M count=100", "team-live")[0], 0)
    serves("http://10.233.3.2:8080/health")

with subtest("neither root inside nor its services can leave the project, or be another's"):
    for command in ("chattr -p 0 /data", "chattr -p 3002 /data/big", "chattr -P /data", "chattr +P /data/big"):
        number, flags, _ = machine.succeed(f"lsattr -pd {data}").split()
        inside(command)
        t.assertEqual(machine.succeed(f"lsattr -pd {data}").split()[:2], [number, flags])

with subtest("a snapshot of what is full is refused with a sentence, and nothing is left behind"):
    before = used()
    said = machine.execute("hypervisor snapshot sandbox live 2>&1")
    t.assertNotEqual(said[0], 0)
    t.assertIn("are free", said[1])
    t.assertEqual(machine.succeed(f"ls {folder}/.snapshots/sandbox-live | grep -vx lock || true"), "")
    t.assertLessEqual(used()[0], before[0] + 65536)

with subtest("a snapshot counts"):
    inside("rm /data/big; dd if=/dev/zero of=/data/big bs=1M count=20; sync")
    machine.succeed("hypervisor snapshot sandbox live")
    t.assertGreater(used()[0], 40 << 20)
    t.assertEqual([s["role"] for s in snapshots()], ["live"])

with subtest("a fork and its way back are renames within the project"):
    machine.succeed("hypervisor fork sandbox", timeout=180)
    t.assertEqual(inside("stat -c %s /data/big")[1].strip(), str(20 << 20))

with subtest("what takes a change back works with the disk at its limit, in bytes and in files"):
    id = next(s["id"] for s in snapshots() if s["role"] == "live")
    inside("echo newer > /data/newer")
    inside("dd if=/dev/zero of=/data/fill bs=1M; dd if=/dev/zero of=/data/fill2 bs=512; i=0; while : > /data/f$i; do i=$((i+1)); done; sync")
    t.assertGreater(used()[0], 95 << 20)
    machine.succeed("systemctl stop container@sandbox-live")
    aside = "20260102T030405Z-0a1b"
    order = f"choiros-volume-sandbox-live@put-back:{id}:{aside}"
    machine.succeed(f"{gateway} systemctl --no-ask-password start '{order}'", timeout=120)
    machine.fail(f"test -e {data}/fill")
    machine.succeed(f"test -e {folder}/.snapshots/sandbox-live/{aside}/data/fill", f"test -e {folder}/.snapshots/sandbox-live/{aside}/snapshot.json")
    # room is made by removing what is not wanted
    machine.succeed(f"{gateway} systemctl --no-ask-password start 'choiros-volume-sandbox-live@remove:{aside}'", "systemctl start container@sandbox-live")
    machine.wait_until_succeeds(f"curl -sf --max-time 10 {live}", timeout=120)
    t.assertLess(used()[0], 90 << 20)

with subtest("a number of files is held as well"):
    inside("i=0; while [ $i -lt 3000 ] && : > /data/n$i; do i=$((i+1)); done")
    t.assertLessEqual(used()[1], 2000)
    t.assertGreater(used()[1], 1990)
    inside("rm -f /data/n*")

with subtest("a changed limit counts at once, and a removed one is off, without a restart"):
    pid = running()
    t.assertEqual(limit("sandbox", 160 << 20, 2000)[0], 0)
    t.assertEqual(inside("dd if=/dev/zero of=/data/big2 bs=1M count=60 && rm /data/big2")[0], 0)
    t.assertEqual(limit("sandbox", 0, 0)[0], 0)
    t.assertEqual(inside("dd if=/dev/zero of=/data/big2 bs=1M count=200 && rm /data/big2")[0], 0)
    machine.succeed("systemctl restart choiros-quota")
    t.assertNotEqual(inside("dd if=/dev/zero of=/data/big2 bs=1M count=200")[0], 0)
    inside("rm /data/big2")
    t.assertEqual(running(), pid)

with subtest("a volume from before is counted whole, while it is written to, and no link in it leads anywhere"):
    machine.succeed("rm /var/lib/choiros/quota/2990", f"find {data} -xdev -type d -execdir chattr -p 0 -P -- {{}} \\;", f"find {data} -xdev -type f -execdir chattr -p 0 -- {{}} +")
    machine.succeed("mkdir -p /var/lib/choiros/of-the-host", "echo host > /var/lib/choiros/of-the-host/file")
    for n in range(1, 9):
        inside(f"mkdir -p /data/d{n}/e /data/g{n}; for i in $(seq 20); do echo {n} > /data/d{n}/e/$i; done; ln -s /var/lib/choiros/of-the-host /data/lure{n}; ln -s ../../of-the-host /data/d{n}/up; mkfifo /data/d{n}/pipe")
    machine.succeed(f"systemd-run -M sandbox-live --unit=racer /bin/sh -c {shlex.quote(f'{set_path}; cd /data; while :; do for n in 1 2 3 4 5 6 7 8; do mv -T d$n gone; mv -T lure$n d$n; mv -T d$n lure$n; mv -T gone d$n; mv d$n/e/1 g$n/ ; mv g$n/1 d$n/e/; echo new > g$n/new; done; done')}")
    machine.succeed("systemctl restart choiros-quota", timeout=300)
    machine.succeed("systemctl -M sandbox-live stop racer")
    machine.succeed("test $(lsattr -pd /var/lib/choiros/of-the-host | awk '{print $1}') = 0", "test $(lsattr -p /var/lib/choiros/of-the-host/file | awk '{print $1}') = 0")
    inside("sync")
    left = machine.succeed(f"find {data} -xdev \\( -type d -o -type f \\) -execdir lsattr -pd -- {{}} \\; | awk '$1 != 2990'")
    t.assertEqual(left, "")
    serves()

with subtest("where limits can't be held, that is said, and no sandbox with limits starts"):
    machine.succeed("systemctl stop container@sandbox-dev", "mkdir /run/none", "mount -t tmpfs none /run/none", f"cp -a {folder}/. /run/none/", f"mount --bind /run/none {folder}")
    machine.fail("systemctl restart choiros-quota")
    machine.succeed("journalctl -u choiros-quota -o cat | grep 'not mounted with project quotas'")
    machine.fail("systemctl start container@sandbox-dev")
    machine.succeed("journalctl -u container@sandbox-dev --namespace='*' -o cat | grep 'is not started, since the limit of its disk space'")
    machine.succeed(f"umount {folder}", "umount /run/none", "systemctl restart choiros-quota")
    both_running()

with subtest("after a reboot all is as it was"):
    before = used()
    machine.shutdown()
    machine.start()
    machine.wait_for_unit("container@sandbox-live")
    machine.require_unit_state("choiros-quota", "active")
    t.assertNotEqual(inside("dd if=/dev/zero of=/data/big2 bs=1M count=200")[0], 0)
    inside("rm /data/big2")
