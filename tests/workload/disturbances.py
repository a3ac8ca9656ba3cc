"""What may happen to a sync and to the servers while keys are written. Each is a function of the scene."""

import os
import signal
import subprocess
import time

from measuring import Failure, psql
from redis_server import free_port

EVENTS = ["run_opened", "page_read", "batch_filled", "batch_mapped", "batch_begun", "rows_staged", "rows_checked",
          "rows_merged", "rows_departed", "rows_parked", "batch_accounted", "before_commit", "after_commit", "pass_ended",
          "before_close", "run_closed", "stream_attached", "stream_read", "touched_read"]


# ---- of redis2pg ----

def nothing(scene):
    scene.sync.start()
    scene.write_for(scene.seconds)


def kills(scene):
    """redis2pg is killed at random events, again and again."""
    scene.sync.fault = lambda: f"kill:{scene.chance.choice(EVENTS)}:{scene.chance.choice([1, 2, 3, 8])}"
    scene.prefill()
    scene.sync.start()
    limit = time.monotonic() + scene.seconds
    while time.monotonic() < limit:
        scene.write_for(min(1, scene.seconds / 4))
        if scene.chance.random() < 0.3:
            scene.sync.kill()


def kills_while_loading(scene):
    """It never comes to the end of the keys, until it does."""
    scene.client.send("EVAL", "for i = 1, ARGV[1] do redis.call('SET', 'note:l' .. i, i) end", 0, scene.many // 10)
    scene.client.receive()
    scene.prefill()
    scene.sync.fault = lambda: (f"kill:{scene.chance.choice(['page_read', 'rows_merged', 'after_commit', 'pass_ended'])}:"
                                f"{scene.chance.randint(1, 12)}")
    scene.sync.start()
    scene.write_for(scene.seconds)


def kills_while_parking(scene):
    """Children without parents, and values that another key has."""
    scene.sync.fault = lambda: (f"kill:{scene.chance.choice(['rows_parked', 'rows_departed', 'before_commit'])}:"
                                f"{scene.chance.randint(1, 6)}")
    scene.sync.start()
    families = scene.operations.families
    scene.operations.families = [scene.operations.parts, scene.operations.seats, scene.operations.slots]
    scene.write_for(scene.seconds / 2)
    scene.operations.families = families
    scene.write_for(scene.seconds / 2)


def pauses(scene):
    """It is told to pause, killed while it pauses, and told to go on."""
    scene.sync.start()
    scene.write_for(scene.seconds / 3)
    scene.sync.ask("--pause")
    limit = time.monotonic() + 20
    while scene.sync.status()["state"] != "paused":
        if time.monotonic() > limit:
            raise Failure(f"not paused: {scene.sync.status()}")
        scene.write()
    scene.write_for(scene.seconds / 3)
    scene.sync.kill()
    scene.write_for(scene.seconds / 3)
    scene.sync.ask("--continue")


def after_a_run(scene):
    """A run has loaded before; rows that stood before it have no keys, or other values."""
    scene.prefill()
    for _ in range(30):
        scene.write()
    scene.sync.load()
    nothing(scene)


def hot_key(scene):
    """One key is written over and over."""
    scene.sync.start()
    scene.write_for(1)
    for first in range(0, scene.many, 1000):
        for i in range(1000):
            scene.client.send("HSET", "thing:hot", "n", first + i)
        for i in range(1000):
            scene.client.receive()
    scene.write_for(1)


# ---- of Redis ----

def dies(scene):
    scene.redis.kill()
    time.sleep(scene.chance.random())
    scene.redis.start()
    scene.reconnect()


def keep_commands(scene):
    scene.use(scene.add_server("--appendonly", "yes", "--appendfsync", "always"))


def redis_dies(scene):
    """Redis is killed, and started with what its log of commands has."""
    keep_commands(scene)
    scene.sync.start()
    scene.await_mark()  # a Redis that is not there at the beginning is not waited for
    for _ in range(4):
        scene.write_for(scene.seconds / 4)
        dies(scene)


def emptied(scene):
    """Redis is started without its data: nothing goes, until somebody says that it may."""
    scene.sync.most_deleted = 1
    scene.sync.start()
    scene.write_for(scene.seconds)
    scene.client.ask("MSET", *[word for i in range(200) for word in (f"note:full{i}", "x")])
    scene.await_mark()
    standing = psql("SELECT count(*) FROM notes WHERE id LIKE 'full%'")
    dies(scene)
    for _ in range(2):
        scene.sync.await_end(6)
        if psql("SELECT count(*) FROM notes WHERE id LIKE 'full%'") != standing:
            raise Failure("rows went with the data that Redis has lost")
        scene.sync.start()
    scene.sync.await_end(6)
    scene.sync.most_deleted = 100
    scene.sync.start()


def stall(scene, pids, go_on):
    limit = time.monotonic() + 3
    while time.monotonic() < limit:
        scene.sync.look_after()
        time.sleep(0.1)
    go_on(pids)


def redis_stalls(scene):
    """It stands still for three seconds, as behind a line that swallows everything."""
    pid = scene.redis.process.pid
    os.kill(pid, signal.SIGSTOP)
    stall(scene, pid, lambda stopped: os.kill(stopped, signal.SIGCONT))


def stalls(scene):
    scene.sync.words = ["--timeout-seconds", "2"]
    scene.sync.start()
    for act in (redis_stalls, postgres_stalls, drop_replicas, pause_writes, pause_all):
        scene.write_for(scene.seconds / 5)
        act(scene)


def drop_replicas(scene):
    scene.client.ask("CLIENT", "KILL", "TYPE", "replica")


def pause_writes(scene):
    scene.client.ask("CLIENT", "PAUSE", 500, "WRITE")


def pause_all(scene):
    scene.client.ask("CLIENT", "PAUSE", 500, "ALL")


def databases(scene):
    """Databases take each other's place, ours and others'."""
    scene.sync.start()
    for swapped in ((0, 1), (1, 2), (2, 0), (0, 1)):
        scene.write_for(scene.seconds / 4)
        scene.client.ask("SWAPDB", *swapped)


def failover(scene):
    """The replica is promoted, and we are told of it as an operator would: by its address."""
    replica_port = free_port()
    master = scene.add_server(port=free_port())
    replica = scene.add_server(port=replica_port)
    scene.use(master)
    replica.client().ask("REPLICAOF", "127.0.0.1", master.port)
    limit = time.monotonic() + 20
    while replica.client().info("replication").get("master_link_status") != "up":
        if time.monotonic() > limit:
            raise Failure("the replica does not follow")
        time.sleep(0.05)
    scene.sync.start()
    scene.write_for(scene.seconds / 2)
    scene.await_mark()  # before all keys were read nothing tells that the replica has the same history
    scene.client.ask("WAIT", 1, 5000)
    master.kill()
    replica.client().ask("REPLICAOF", "NO", "ONE")
    scene.sync.kill()
    scene.use(replica)
    scene.sync.start()
    scene.write_for(scene.seconds / 2)


def backlog_overrun(scene):
    """redis2pg stands still until Redis has forgotten what it missed."""
    scene.client.ask("CONFIG", "SET", "repl-backlog-size", "16384")
    scene.client.ask("CONFIG", "SET", "client-output-buffer-limit", "replica 64kb 64kb 1")
    scene.sync.start()
    scene.write_for(scene.seconds / 2)
    scene.sync.process.send_signal(signal.SIGSTOP)
    limit = time.monotonic() + 15
    while "replica" in scene.client.info("replication").get("slave0", "replica") and time.monotonic() < limit:
        for _ in range(200):
            scene.client.ask("SET", "tmp:big", "x" * 2000)
        scene.write()
        if int(scene.client.info("replication")["connected_slaves"]) == 0:
            break
    scene.sync.process.send_signal(signal.SIGCONT)
    scene.write_for(scene.seconds / 2)


def flushes(scene):
    """FLUSHALL, FLUSHDB of ours and another database, SWAPDB."""
    scene.sync.start()
    for barrier in (["FLUSHALL"], ["SWAPDB", 0, 1], ["FLUSHDB"]):
        scene.write_for(scene.seconds / 4)
        scene.client.ask(*barrier)
    scene.write_for(scene.seconds / 4)


def expiries(scene):
    """Very many keys end within a second."""
    scene.rolls_back = False  # so many rows take their time
    scene.sync.start()
    n_keys = scene.many
    for first in range(0, n_keys, 1000):
        for i in range(first, min(first + 1000, n_keys)):
            scene.client.send("SET", f"note:e{i}", "short", "PXAT", int((time.time() + scene.seconds / 2) * 1000))
        for i in range(first, min(first + 1000, n_keys)):
            scene.client.receive()
    scene.write_for(scene.seconds)


def notifications(scene):
    """Captured by notifications, over a lost connection."""
    scene.sync.words = ["--capture", "notify", "--configure-notifications"]
    scene.sync.start()
    scene.write_for(scene.seconds / 2)
    scene.client.ask("CLIENT", "KILL", "TYPE", "pubsub")
    scene.write_for(scene.seconds / 2)


# ---- of PostgreSQL ----

def backend_dies(scene):
    """PostgreSQL ends all sessions, and recovers."""
    pid = psql("SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() "
               "AND datname = current_database() ORDER BY random() LIMIT 1")
    if pid:
        os.kill(int(pid), signal.SIGKILL)
    scene.await_postgres()


def backends_die(scene):
    scene.sync.start()
    for _ in range(3):
        scene.write_for(scene.seconds / 3)
        backend_dies(scene)


def postgres_dies(scene):
    scene.postgres.kill()
    time.sleep(scene.chance.random())
    scene.postgres.start()


def postgres_dies_whole(scene):
    """All of it is killed, and started again."""
    scene.prefill()
    scene.sync.start()
    for _ in range(2):
        scene.write_for(scene.seconds / 2)
        postgres_dies(scene)


def postgres_stalls(scene):
    stall(scene, scene.postgres.stand_still(), scene.postgres.go_on)


def slow_postgres(scene):
    """Each row takes its time; then somebody locks a table for a while."""
    psql("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.02); RETURN NEW; END $$;"
         "CREATE TRIGGER slow BEFORE INSERT OR UPDATE ON notes FOR EACH ROW EXECUTE FUNCTION slow()")
    scene.prefill()
    scene.sync.start()
    scene.write_for(scene.seconds / 2)
    holder = subprocess.Popen(["psql", "-X", "-q", "-c", "BEGIN; LOCK TABLE things; SELECT pg_sleep(2)"], stdout=subprocess.DEVNULL)
    scene.write_for(scene.seconds / 2)
    holder.wait()
    psql("DROP TRIGGER slow ON notes")


# ---- all of it ----

def mixed(scene):
    """One after the other, by chance."""
    keep_commands(scene)
    scene.prefill()
    scene.sync.fault = lambda: (f"kill:{scene.chance.choice(EVENTS)}:{scene.chance.randint(1, 20)}"
                                if scene.chance.random() < 0.3 else None)
    scene.sync.start()
    scene.await_mark()  # a Redis that is not there at the beginning is not waited for
    acts = [lambda scene: scene.sync.kill(), backend_dies, postgres_dies, dies, redis_stalls, postgres_stalls, drop_replicas,
            pause_writes, pause_all, lambda scene: scene.client.ask("SWAPDB", 0, 1),
            lambda scene: scene.client.ask("FLUSHDB")]
    limit = time.monotonic() + scene.seconds
    while time.monotonic() < limit:
        scene.write_for(scene.chance.random() * 3)
        scene.chance.choice(acts)(scene)


DISTURBANCES = {"nothing": nothing, "run": after_a_run, "kills": kills, "loading": kills_while_loading,
                "parking": kills_while_parking, "pauses": pauses, "redis": redis_dies, "emptied": emptied,
                "failover": failover, "backlog": backlog_overrun, "flushes": flushes, "databases": databases,
                "stalls": stalls, "expiries": expiries, "hot": hot_key, "notify": notifications, "backends": backends_die,
                "postgres": postgres_dies_whole, "slow": slow_postgres, "mixed": mixed}
