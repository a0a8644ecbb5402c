"""choiros-logs: one line of standard input, `SANDBOX LINES follow|once`, says whose last lines are told on standard
output, and whether those to come are, until whoever asked has gone. All are printable text.

It runs once as the one who may find a sandbox's journal (SANDBOXES and SLOTS, in the environment, say which there are),
and then, with `tell`, as one who may only read it.
"""
import os
import re
import select
import subprocess
import sys

LONGEST = 8192
MOST_LINES = 2000
READING = "-all,+dac_read_search"
# where the folder that was found is handed on
JOURNAL = 3


def known(sandbox):
    slot = re.fullmatch(r"s([1-9][0-9]{0,3})-(live|dev)", sandbox)
    return sandbox in os.environ["SANDBOXES"].split() or slot is not None and int(slot[1]) <= int(os.environ["SLOTS"])


def question():
    """Sandbox, number of lines, whether to follow; None for anything else."""
    line = sys.stdin.buffer.readline(256).decode("ascii", "replace")
    asked = re.fullmatch(r"([a-z0-9-]{1,64}) ([0-9]{1,4}) (follow|once)\n", line)
    if asked is None or int(asked[2]) > MOST_LINES or not known(asked[1]):
        return None
    return asked[1], asked[2], asked[3]


def enter(folder, *names):
    """A folder below, by folders alone: a link in there leads to wherever whoever made it wants."""
    for name in names:
        folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
    return folder


def root_of(sandbox):
    """The root folder as the processes of a sandbox have it; None if it does not run."""
    try:
        with open(f"/run/systemd/machines/{sandbox}") as about:
            leader = dict(line.rstrip("\n").split("=", 1) for line in about if "=" in line)["LEADER"]
        process = os.open(f"/proc/{leader}", os.O_RDONLY | os.O_DIRECTORY)
        # its number may be another's by now, but not what is open
        with open(os.open("cgroup", os.O_RDONLY, dir_fd=process)) as groups:
            if f"/container@{sandbox}.service/" not in groups.read():
                return None
        return os.open("root", os.O_RDONLY | os.O_DIRECTORY, dir_fd=process)
    except (OSError, KeyError):
        return None


def journal_of(sandbox):
    root = root_of(sandbox)
    for top in ("var", "run") if root is not None else ():
        try:
            return enter(root, top, "log", "journal")
        except OSError:
            continue
    return None


def find():
    asked = question()
    if asked is None:
        sys.exit("what was asked is no sandbox's name, number of lines up to 2000, and follow or once")
    sandbox, lines, until = asked
    journal = journal_of(sandbox)
    if journal is None:
        print(f"{sandbox} has no journal at the moment: it is not running, and what it logged before has gone with it.")
        return
    os.dup2(journal, JOURNAL, inheritable=True)
    os.execvp("setpriv", ["setpriv", f"--inh-caps={READING}", f"--ambient-caps={READING}", sys.executable, __file__, "tell", lines, until])


def printable(line):
    text = line.decode("utf-8", "replace").replace("\t", " ")
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def lines_of(pipe, client):
    """Those that come, cut where they are too long, until there are no more or the client has gone."""
    waiting = select.poll()
    waiting.register(pipe, select.POLLIN)
    waiting.register(client, 0)
    rest = b""
    while True:
        ready = dict(waiting.poll())
        if client in ready:
            return
        more = os.read(pipe, 65536)
        *whole, rest = (rest + more).split(b"\n")
        yield from whole
        if not more or len(rest) > LONGEST:
            if rest:
                yield rest
            rest = b""
        if not more:
            return


def tell(lines, until):
    program = ["journalctl", f"--directory=/proc/self/fd/{JOURNAL}", "--quiet", "--no-pager", "--no-hostname", "--utc", "--output=short-iso", f"--lines={lines}"]
    following = ["--follow"] if until == "follow" else []
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(program + following, pass_fds=(JOURNAL,), **quiet) as reader:
        try:
            for line in lines_of(reader.stdout.fileno(), sys.stdout.fileno()):
                os.write(sys.stdout.fileno(), printable(line[:LONGEST]).encode() + b"\n")
        except BrokenPipeError:
            pass
        finally:
            reader.kill()


if sys.argv[1:2] == ["tell"]:
    tell(*sys.argv[2:])
else:
    find()
