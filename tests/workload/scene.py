"""Redis, a sync of it, and whoever writes; and what must hold in the end."""

import os
import random
import subprocess
import time

import oracle
from following import Sync
from measuring import Failure, psql
from operations import Operations
from redis_server import Server

SETTLE_SECONDS = 100  # what was parked for long is tried once a minute

OPEN_REJECTS = "FROM redis2pg.rejects WHERE resolved_by IS NULL AND replaced_by IS NULL"


class Scene:
    def __init__(self, arguments, program, postgres):
        self.seconds = arguments.seconds
        self.many = arguments.many
        self.chance = random.Random(arguments.seed)
        self.operations = Operations(random.Random(f"{arguments.seed} operations"))
        self.postgres = postgres
        self.servers = []
        self.redis = None
        self.client = None
        self.sync = Sync(program)
        self.n_commands = 0
        self.rolls_back = True
        self.before = oracle.found(psql)

    def add_server(self, *options, port=0):
        server = Server("work", *options, port=port)
        self.servers.append(server)
        return server

    def use(self, server):
        self.redis = server
        self.reconnect()
        os.environ["REDIS2PG_REDIS_URL"] = f"unix://{server.path}"

    def reconnect(self):
        if self.client is not None:
            self.client.close()
        self.client = self.redis.client()

    def prefill(self):
        """Rows that nobody here has written: keys will change some, and lack for others."""
        psql("INSERT INTO things SELECT i, 'before', i, NULL FROM generate_series(0, 60) i;"
             "INSERT INTO parts SELECT i, i % 60, 'before' FROM generate_series(0, 80) i;"
             "INSERT INTO tags SELECT i % 50, 'before' || i FROM generate_series(0, 200) i;"
             "INSERT INTO seats SELECT i, 'b' || i, 'before' FROM generate_series(0, 50) i;"
             "INSERT INTO slots SELECT 'o' || i, 'before' || i, 'before' FROM generate_series(0, 50) i")
        self.before = oracle.found(psql)

    def write(self):
        """One pipeline of random operations; errors of single commands are part of the game."""
        commands = [command for _ in range(self.chance.randint(1, 30)) for command in self.operations.next()]
        try:
            for command in commands:
                self.client.send(*command)
            for _ in commands:
                self.client.receive()
            self.n_commands += len(commands)
        except OSError:
            self.reconnect()

    def write_for(self, seconds, rate=0.01):
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            self.write()
            self.sync.look_after()
            time.sleep(rate * self.chance.random())

    # ---- the end ----

    def make_unique(self, pattern, field, mend):
        """Only the first of the keys that give one value keeps it."""
        taken = set()
        for key in oracle.keys_of(self.client, pattern):
            value = self.client.ask("HGET", key, field)
            if value is None or value in taken:
                self.client.ask(*mend(key, value))
            taken.add(value)

    def calm_down(self):
        """Nothing expires any more, no part is without its thing, and no two keys want the same."""
        self.reconnect()
        self.client.ask("CONFIG", "SET", "hz", "100")
        for key in oracle.keys_of(self.client, "*"):
            self.client.ask("PERSIST", key)
        for key in oracle.keys_of(self.client, "part:*"):
            thing = self.client.ask("HGET", key, "thing")
            if thing is None:
                self.client.ask("DEL", key)
            elif not self.client.ask("EXISTS", b"thing:" + thing):
                self.client.ask("HSET", b"thing:" + thing, "a", "again")
        for key in oracle.keys_of(self.client, "form:*"):
            self.client.ask("HSETNX", key, "must", "mended")
        self.make_unique("seat:*", "badge", lambda key, value: ["HDEL", key, "badge"])
        self.make_unique("slot:*", "owner", lambda key, value: ["DEL", key])
        for key in oracle.keys_of(self.client, "slot:*"):
            self.client.ask("HSET", key, "seal", b"of " + key)

    def mark(self):
        """Has all that was written before it behind it when it is in the target."""
        mark = f"{time.time_ns()}"
        self.client.ask("HSET", "thing:mark", "a", mark)
        return mark

    def has_arrived(self, mark):
        return psql(f"SELECT count(*) FROM things WHERE id = 'mark' AND a = '{mark}'") == "1"

    def await_mark(self):
        mark = self.mark()
        limit = time.monotonic() + SETTLE_SECONDS
        while not self.has_arrived(mark):
            if time.monotonic() > limit:
                raise Failure(f"a key has not arrived after {SETTLE_SECONDS} s: {self.sync.status()}\n{self.sync.tail()}")
            self.sync.look_after()
            time.sleep(0.05)

    def await_postgres(self):
        limit = time.monotonic() + SETTLE_SECONDS
        while subprocess.run(["psql", "-X", "-q", "-c", "SELECT"], stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL).returncode != 0:
            if time.monotonic() > limit:
                raise Failure("PostgreSQL does not come back")
            time.sleep(0.05)

    def has_settled(self, mark):
        if not self.has_arrived(mark):
            return False
        began = time.monotonic()
        while time.monotonic() < began + 1.2:  # what it says of itself is a second old
            time.sleep(0.1)
        state = self.sync.status()
        return (state["state"] == "following" and state["keys_waiting"] == 0 and state["parked"] == 0 and
                state["lag_ms"] == 0 and state["rescan_reason"] is None and psql(f"SELECT count(*) {OPEN_REJECTS}") == "0")

    def await_settled(self):
        mark = self.mark()
        limit = time.monotonic() + SETTLE_SECONDS
        while not self.has_settled(mark):
            if time.monotonic() > limit:
                raise Failure(f"not caught up after {SETTLE_SECONDS} s: {self.sync.status()}\n" + "\n".join(
                    oracle.differences(oracle.expected(self.client), oracle.found(psql))) + "\nopen rejects: " + psql(
                        f"SELECT entity, convert_from(key, 'UTF8'), code, message {OPEN_REJECTS} LIMIT 5") + "\nparked: " +
                    psql("SELECT * FROM redis2pg.parked LIMIT 5") + "\n" + self.sync.tail())
            self.sync.look_after()
            time.sleep(0.05)

    def compare(self, what):
        lines = oracle.differences(oracle.expected(self.client), oracle.found(psql), self.operations.may_expire)
        if lines:
            raise Failure("\n".join([f"the sides differ {what}:", *lines, self.sync.tail()]))

    def part(self):
        """Of visits that stand, some expire and some are deleted: their rows tell them apart."""
        for i in range(20):
            self.client.ask("HSET", f"visit:part{i}", "v", "stands")
        self.await_settled()
        for i in range(10):
            self.client.ask("PEXPIRE", f"visit:part{i}", 20 + 40 * (i % 2))  # a time that is over at once is a DEL
            self.client.ask("DEL", f"visit:part{10 + i}")
        while any(self.client.ask("EXISTS", f"visit:part{i}") for i in range(10)):
            time.sleep(0.01)
        self.operations.may_expire.update(f"part{i}" for i in range(10))
        self.await_settled()
        standing = psql("SELECT string_agg(id, ' ' ORDER BY id) FROM visits WHERE id LIKE 'part%'")
        if standing != " ".join(f"part{i}" for i in range(10)):
            raise Failure(f"of visits that expired or were deleted those stand: {standing}\n{self.sync.tail()}")

    def roll_back(self):
        runs = psql("SELECT run FROM redis2pg.runs WHERE kind IN ('run', 'sync', 'repair') ORDER BY run DESC")
        for run in runs.split():
            self.sync.roll_back(run)
        lines = oracle.differences(self.before, oracle.found(psql))
        if lines:
            raise Failure("\n".join(["after the rollback of all runs the tables are not what they were:", *lines]))

    def finish(self):
        self.sync.fault = None
        if not self.sync.is_running():
            self.sync.start()
        self.calm_down()
        self.part()
        self.compare("at the end")
        self.sync.stop()
        unbalanced = psql("SELECT count(*) FROM redis2pg.batch_counts WHERE read <> inserted + updated + unchanged + "
                          "rejected + filtered + vanished + parked")
        if unbalanced != "0":
            raise Failure(f"{unbalanced} accounts do not balance")
        if self.rolls_back:
            self.roll_back()

    def close(self):
        self.sync.end()
        for server in self.servers:
            server.remove()
