"""The services' browser tests, with nixpkgs' Chromium."""
start_all()
machine.wait_for_unit("multi-user.target")
machine.succeed(
    "su - tester -c \"CHROMIUM=$(command -v chromium) cargo-nextest nextest run --archive-file /etc/tests/archive/tests.tar.zst"
    " --workspace-remap /etc/tests/source -E 'binary(/browser/) - binary(/screenshots/)'\"",
    timeout=1200,
)
