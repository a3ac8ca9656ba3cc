"""The sandbox's PostgreSQL: killed as a whole, started again, and made to stand still."""

import os
import pwd
import signal
import subprocess
import time

from measuring import Failure

LIMIT_SECONDS = 60


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as children:
        return [int(child) for child in children.read().split()]


def is_gone(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


class Postgres:
    def __init__(self):
        self.folder = os.environ["SANDBOX_FOLDER"]
        self.started = None  # by us, after a kill

    def pid(self):
        with open(os.path.join(self.folder, "data", "postmaster.pid")) as lines:
            return int(lines.readline())

    def stand_still(self):
        """The first stands before its children are listed: it starts no other one meanwhile."""
        pid = self.pid()
        os.kill(pid, signal.SIGSTOP)
        pids = [pid, *children_of(pid)]
        for child in pids[1:]:
            os.kill(child, signal.SIGSTOP)
        return pids

    def go_on(self, pids):
        for pid in reversed(pids):
            if not is_gone(pid):
                os.kill(pid, signal.SIGCONT)

    def kill(self):
        pid = self.pid()
        with open(f"/proc/{pid}/cmdline", "rb") as words:
            self.argv = words.read().rstrip(b"\0").split(b"\0")
        self.user = pwd.getpwuid(os.stat(f"/proc/{pid}").st_uid).pw_name
        pids = self.stand_still()
        for each in pids:
            os.kill(each, signal.SIGKILL)
        limit = time.monotonic() + LIMIT_SECONDS
        while not all(self.has_ended(each) for each in pids):
            if time.monotonic() > limit:
                raise Failure("PostgreSQL does not end")
            time.sleep(0.005)

    def has_ended(self, pid):
        if self.started is not None and self.started.pid == pid:
            return self.started.poll() is not None
        return is_gone(pid)

    def start(self):
        """With us it ends: whoever has killed us does not know of it."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        becoming = ["setpriv", "--reuid", self.user, "--regid", self.user, "--init-groups"] if os.getuid() == 0 else ["setpriv"]
        log = open(os.path.join(self.folder, "postgres-again.log"), "a")
        self.started = subprocess.Popen([*becoming, "--pdeathsig", "QUIT", "--", *self.argv], stdout=log, stderr=log,
                                        env={**environment, "LC_ALL": "C", "TZ": "UTC"}, cwd=self.folder)
        log.close()
        limit = time.monotonic() + LIMIT_SECONDS
        while subprocess.run(["psql", "-X", "-q", "-c", "SELECT"], stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL).returncode != 0:
            if time.monotonic() > limit or self.started.poll() is not None:
                raise Failure("PostgreSQL does not start again")
            time.sleep(0.05)

    def close(self):
        if self.started is not None and self.started.poll() is None:
            self.started.send_signal(signal.SIGQUIT)
            self.started.wait(LIMIT_SECONDS)
