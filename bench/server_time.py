"""Processor time of the private servers, from /proc."""

import os

from measuring import redis

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def stat_of(pid):
    """(parent, its own ticks, those of children that it has waited for), or None when it has ended; see proc(5)."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as line:
            fields = line.read().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    own, waited_for = (int(fields[place]) + int(fields[place + 1]) for place in (11, 13))
    return int(fields[1]), own, waited_for


def postmaster():
    with open(os.path.join(os.environ["SANDBOX_FOLDER"], "data", "postmaster.pid"), encoding="ascii") as lines:
        return int(next(lines))


def postgres_ticks():
    """Of the postmaster, of its living children, and of those that have ended: a session is a process."""
    pid = postmaster()
    while True:
        _, own, ended = stat_of(pid)
        stats = [stat_of(int(name)) for name in os.listdir("/proc") if name.isdigit()]
        children = sum(stat[1] + stat[2] for stat in stats if stat is not None and stat[0] == pid)
        if stat_of(pid)[2] == ended:  # no child has changed from one account to the other meanwhile
            return own + ended + children


def server_seconds():
    """What both servers have used of the processors since they were started."""
    pid = int(next(line.partition(":")[2] for line in redis("INFO", "server").splitlines()
                   if line.startswith("process_id:")))
    return {"redis": stat_of(pid)[1] / TICKS_PER_SECOND, "postgres": postgres_ticks() / TICKS_PER_SECOND}


def seconds_between(before, after):
    return {name: after[name] - before[name] for name in before}
