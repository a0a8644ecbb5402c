"""The services' browser tests, with nixpkgs' Chromium."""
start_all()
machine.wait_for_unit("multi-user.target")
# they know the programs and their own files by the path that these had where they were built
workspace = machine.succeed("cat /etc/tests/archive/workspace").strip()
machine.succeed(f"mkdir -p {workspace}", f"cp -r --no-preserve=mode /etc/tests/source/. {workspace}", f"chown -R tester {workspace}")
machine.succeed(
    f"su - tester -c \"cd {workspace} && CHROMIUM=$(command -v chromium) cargo-nextest nextest run --archive-file /etc/tests/archive/tests.tar.zst"
    " --extract-to . --workspace-remap . -E 'binary(/browser/) - binary(/screenshots/)'\"",
    timeout=1200,
)
