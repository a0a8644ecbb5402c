"""Somebody else's web service, that knows nothing of us, with passkeys, TLS and swaps."""
start_all()
machine.wait_for_unit("choiros-hypervisor")
trust()
both_running()

with subtest("nobody sees it without a session"):
    t.assertEqual(redirect(f"{origin}/"), f"303 {origin}/login?next=%2F")

with subtest("who has a passkey sees it"):
    sign_up("ada@choir.test", Passkey())
    t.assertIn("a-page-of-my-own", page(f"{sandboxes['live']}/"))
    t.assertIn("the-next-page", page(f"{sandboxes['dev']}/"))

with subtest("it is swapped as ours is"):
    machine.succeed("hypervisor swap")
    t.assertIn("the-next-page", get("/", sandboxes["live"]))

with subtest("its data is its own"):
    t.assertEqual(machine.succeed("stat -c %u /var/lib/choiros/sandboxes/sandbox-live/index.html").strip(), "2990")
