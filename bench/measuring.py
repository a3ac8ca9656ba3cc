"""What the measurements share: other programs, the build, private servers."""

import collections
import itertools
import json
import os
import socket
import subprocess
import sys
import time

INSIDE = "REDIS2PG_BENCH_INSIDE"

# Of a process that has ended: how long it took, the most memory that it held, its user and system time.
Usage = collections.namedtuple("Usage", "seconds peak_mib cpu_seconds")


class Failure(Exception):
    """The measurement cannot go on, or would mean nothing."""


# ---- Other programs ----

def output_of(argv, what):
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise Failure(f"{what} ended with status {done.returncode}: {' '.join(argv)}")
    return done.stdout


def used(argv, what, stdout_path=os.devnull, expected=0):
    """Runs argv, which must end with that status; gives its Usage.

    Linux counts what the forking process held into its child's peak, so ours is the least that can be told."""
    with open(stdout_path, "wb") as stdout:
        start = time.monotonic()
        child = subprocess.Popen(argv, stdout=stdout)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.monotonic() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != expected:
        raise Failure(f"{what} ended with status {child.returncode}: {' '.join(argv)}")
    return Usage(seconds, usage.ru_maxrss / 1024, usage.ru_utime + usage.ru_stime)


def timed(argv, what, stdout_path=os.devnull, expected=0):
    """As used(), only seconds and memory."""
    return used(argv, what, stdout_path, expected)[:2]


def psql(sql):
    return output_of(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql], "psql").strip()


def redis(*words):
    """One command; gives the reply's first line, the whole of a bulk string, or a list of such."""
    request = f"*{len(words)}\r\n" + "".join(f"${len(word.encode())}\r\n{word}\r\n" for word in words)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(os.environ["REDIS_SOCKET"])
        connection.sendall(request.encode())
        with connection.makefile("rb") as replies:
            return read_reply(replies, words[0])


def redis_pipeline(commands, n_at_once=500):
    """Sends commands, each a list of bytes, and reads the replies of so many at a time."""
    commands = iter(commands)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(os.environ["REDIS_SOCKET"])
        with connection.makefile("rb") as replies:
            while part := list(itertools.islice(commands, n_at_once)):
                connection.sendall(b"".join(
                    b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)
                    for words in part))
                for words in part:
                    read_reply(replies, words[0].decode())


def read_reply(replies, command):
    head = replies.readline().decode().rstrip()
    if head.startswith("-"):
        raise Failure(f"Redis: {command}: {head[1:]}")
    if head.startswith("*"):
        return [read_reply(replies, command) for _ in range(int(head[1:]))]
    return replies.read(int(head[1:]) + 2)[:-2].decode() if head.startswith("$") else head


# ---- The build ----

def introspect(build, what):
    return json.loads(output_of(["meson", "introspect", f"--{what}", build], "meson introspect"))


def programs(build, is_any_build, *names):
    """Paths of programs in a build folder that must be a release build, unless any will do."""
    if not os.path.isfile(os.path.join(build, "build.ninja")):
        raise Failure(f"{build} is no build folder: meson setup {build} --buildtype=release && ninja -C {build}")
    options = {option["name"]: option["value"] for option in introspect(build, "buildoptions")}
    if options["buildtype"] != "release" and not is_any_build:
        raise Failure(f"{build} is built as {options['buildtype']}; the figures are of a release build: "
                      f"meson setup {build}-release --buildtype=release")
    paths = {target["name"]: target["filename"][0] for target in introspect(build, "targets")}
    found = [paths.get(name, name) for name in names]
    for path in found:
        if not os.access(path, os.X_OK):
            raise Failure(f"{path} is not there: ninja -C {build}")
    return found


# ---- The sandbox ----

def is_inside():
    return INSIDE in os.environ


def enter_sandbox(sandbox, *options):
    """Runs this program again, with private servers around it."""
    os.environ[INSIDE] = "1"
    os.execv(sandbox, [sandbox, *options, "--", sys.executable, os.path.abspath(sys.argv[0]), *sys.argv[1:]])


def saying(name):
    return lambda text: print(f"{name}: {text}", file=sys.stderr, flush=True)
