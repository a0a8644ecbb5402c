"""A host with one name: live at it, dev below /dev/, and the gateway's own pages below a path that neither needs."""
pages = f"{origin}/.choiros"

start_all()
machine.wait_for_unit("choiros-hypervisor")
trust()
both_running()

with subtest("no other name has a certificate"):
    for at in sandboxes.values():
        client.fail(f"{stranger} -k {at}/")

with subtest("live is at the name itself, dev below /dev/, and a page of live's own where the gateway's would be"):
    t.assertEqual(redirect(f"{origin}/"), f"303 {pages}/login?next=%2F")
    sign_up("ada@choir.test", Passkey())
    t.assertIn("sandbox-live", get("/", origin))
    t.assertIn("sandbox-dev", get("/dev/", origin))
    t.assertIn("sandbox-live", get("/health", origin))
    t.assertEqual(redirect(f"{origin}/dev"), f"308 {origin}/dev/")

with subtest("a swap exchanges them"):
    machine.succeed("hypervisor swap")
    t.assertIn("sandbox-dev", get("/", origin))
    t.assertIn("sandbox-live", get("/dev/", origin))
