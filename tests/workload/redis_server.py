"""A redis-server of our own, and a client of it that sends and reads RESP2."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time


class RedisError(Exception):
    """An error reply."""


class Client:
    """Sends commands (words are str, bytes or numbers) and gives replies: bytes, int, None, lists of such."""

    def __init__(self, path):
        self.connection = socket.socket(socket.AF_UNIX)
        self.connection.settimeout(20)
        self.connection.connect(path)
        self.replies = self.connection.makefile("rb")

    def close(self):
        self.replies.close()
        self.connection.close()

    def send(self, *words):
        encoded = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        parts = [b"*%d\r\n" % len(encoded)]
        parts += [b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded]
        self.connection.sendall(b"".join(parts))

    def receive(self):
        head = self.replies.readline()
        if not head.endswith(b"\r\n"):
            raise ConnectionError("Redis closed the connection")
        kind, rest = head[:1], head[1:-2]
        if kind == b"-":
            return RedisError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self.replies.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return None if rest == b"-1" else [self.receive() for _ in range(int(rest))]
        return rest

    def ask(self, *words):
        self.send(*words)
        reply = self.receive()
        if isinstance(reply, RedisError):
            raise reply
        return reply

    def info(self, section):
        lines = self.ask("INFO", section).decode().splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)


class Server:
    """Private: in a folder of its own, on a Unix socket; with a port of the loopback where it has replicas."""

    def __init__(self, name, *options, port=0):
        self.folder = tempfile.mkdtemp(prefix=f"r2p-{name}-")
        self.path = os.path.join(self.folder, "redis.sock")
        self.options = options
        self.port = port
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--unixsocket", self.path, "--dir",
             self.folder, "--save", "", "--repl-diskless-sync-delay", "0", "--logfile",
             os.path.join(self.folder, "log"), *self.options])
        limit = time.monotonic() + 20
        while True:
            try:
                client = Client(self.path)
                client.ask("PING")
                client.close()
                return
            except (OSError, RedisError):
                if time.monotonic() > limit or self.process.poll() is not None:
                    raise
                time.sleep(0.02)

    def client(self):
        return Client(self.path)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def remove(self):
        if self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
