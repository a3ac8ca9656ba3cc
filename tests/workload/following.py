"""A `redis2pg sync` that is looked after, and everything else that is asked of redis2pg."""

import json
import os
import signal
import subprocess
import tempfile

from measuring import Failure, output_of

FOLDER = os.path.dirname(os.path.abspath(__file__))


class Sync:
    """It is started again whenever it has ended while it should run."""

    def __init__(self, program):
        self.program = program
        self.words = []
        self.most_deleted = 100  # percent
        self.fault = None  # gives REDIS2PG_FAULT of the next start, or None
        self.log = tempfile.NamedTemporaryFile(prefix="r2p-sync-", suffix=".log", mode="w+")
        self.process = None
        self.n_starts = 0
        self.is_armed = False

    def argv(self):
        return [self.program, "sync", "--mapping", os.path.join(FOLDER, "model.yaml"), "--progress", "none",
                "--max-delete-percent", str(self.most_deleted), *self.words]

    def start(self):
        environment = dict(os.environ)
        fault = self.fault() if self.fault is not None else None
        if fault is not None:
            environment["REDIS2PG_FAULT"] = fault
        self.n_starts += 1
        self.is_armed = fault is not None
        self.process = subprocess.Popen(self.argv(), stdout=subprocess.DEVNULL, stderr=self.log, env=environment)

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def look_after(self):
        status = self.process.poll()
        if status is None:
            return
        if status != -signal.SIGKILL:
            raise Failure(f"sync ended with status {status}\n{self.tail()}")
        self.start()

    def tail(self):
        self.log.flush()
        with open(self.log.name) as log:
            return "".join(log.readlines()[-30:])

    def await_end(self, status, seconds=60):
        """It ends by itself, and with that status."""
        try:
            ended = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failure(f"sync did not end within {seconds} s\n{self.tail()}") from None
        if ended != status and not (self.is_armed and ended == -signal.SIGKILL):
            raise Failure(f"sync ended with status {ended}, not {status}\n{self.tail()}")

    def stop(self):
        if self.is_running():
            self.process.send_signal(signal.SIGTERM)
            self.await_end(5, 30)

    def kill(self):
        if self.is_running():
            self.process.kill()
            self.process.wait()

    def end(self):
        self.kill()
        self.log.close()

    def status(self):
        return json.loads(output_of([self.program, "status", "--json"], "redis2pg status"))

    def ask(self, *words):
        output_of([self.program, "sync", *words], f"sync {words[0]}")

    def load(self):
        """A `run`, before anything follows."""
        done = subprocess.run([self.program, "run", "--mapping", os.path.join(FOLDER, "model.yaml"), "--progress", "none"],
                              stdout=subprocess.DEVNULL, stderr=self.log)
        if done.returncode not in (0, 1):
            raise Failure(f"run ended with status {done.returncode}\n{self.tail()}")

    def roll_back(self, run):
        done = subprocess.run([self.program, "rollback", str(run)], stdout=subprocess.PIPE, stderr=self.log, text=True)
        if done.returncode != 0:
            raise Failure(f"rollback {run} ended with status {done.returncode}\n{done.stdout}{self.tail()}")
