"""Somebody else's web service, that knows nothing of us, with passkeys, TLS and promotions that keep what people wrote."""
start_all()
machine.wait_for_unit("choiros-hypervisor")
trust()
both_running()
live, dev = (f"{sandboxes[role]}/" for role in ("live", "dev"))


def write(text):
    """As the form on the page does it; who wrote it, the service is told by the gateway alone."""
    return client.succeed(f"{curl} -f -o /dev/null -w '%{{http_code}}' -H 'Origin: {sandboxes['live']}' -H 'X-ChoirOS-User-Name: eve' --data-urlencode 'text={text}' {live}")


def colour(page):
    return "crimson" if "crimson" in page else "teal" if "teal" in page else page


def migrations():
    """How many of them live's data have seen."""
    return int(machine.succeed("sqlite3 -readonly /var/lib/choiros/sandboxes/sandbox-live/notes.db 'pragma user_version'"))


with subtest("nobody sees it without a session"):
    t.assertEqual(redirect(f"{origin}/"), f"303 {origin}/login?next=%2F")

with subtest("who has a passkey sees it, and writes to it in their own name"):
    sign_up("ada@choir.test", Passkey())
    t.assertEqual((colour(page(live)), colour(page(dev))), ("teal", "crimson"))
    t.assertEqual(write("Milk"), "303")
    t.assertIn("<li>Milk <small>ada@choir.test</small></li>", get("/", sandboxes["live"]))
    t.assertNotIn("Milk", get("/", sandboxes["dev"]))
    t.assertEqual(get("/health", sandboxes["live"]), "well")

with subtest("its data is its own"):
    t.assertEqual(machine.succeed("stat -c %u /var/lib/choiros/sandboxes/sandbox-live/notes.db").strip(), "2990")

with subtest("a promotion gives live the next release, which migrates what was written, and keeps it"):
    t.assertEqual(migrations(), 2)
    machine.succeed("hypervisor promote sandbox", timeout=300)
    seen = get("/", sandboxes["live"])
    t.assertEqual((colour(seen), seen.count("<li>"), migrations()), ("crimson", 1, 3))
    # dev runs it, too, on a copy of live's data: that was the rehearsal
    seen = get("/", sandboxes["dev"])
    t.assertEqual((colour(seen), seen.count("<li>")), ("crimson", 1))
    write("Bread")

with subtest("an undo takes the release back alone"):
    machine.succeed("hypervisor undo sandbox", timeout=300)
    seen = get("/", sandboxes["live"])
    t.assertEqual((colour(seen), seen.count("<li>")), ("teal", 2))

with subtest("a swap takes the data along"):
    machine.succeed("hypervisor swap sandbox")
    t.assertEqual(get("/", sandboxes["dev"]).count("<li>"), 2)
