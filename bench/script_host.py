"""The Python that can run bench/peers_script.py: ours, or that of the distribution, whose packages it takes."""

import json
import os
import subprocess
import sys

from measuring import Failure

PACKAGES = "python3-redis python3-psycopg2"
DISTRIBUTION = "/usr/bin/python3"

TELL = """
import json, platform, psycopg2, redis
from redis.connection import HIREDIS_AVAILABLE
print(json.dumps({"python": platform.python_version(), "redis-py": redis.__version__,
    "psycopg2": psycopg2.__version__.split()[0], "parser": "hiredis" if HIREDIS_AVAILABLE else "redis-py's own"}))
"""


def script_host():
    """(the interpreter, versions of what it brings), or None when none has the packages."""
    for python in (sys.executable, DISTRIBUTION):
        if not os.access(python, os.X_OK):
            continue
        told = subprocess.run([python, "-c", TELL], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if told.returncode == 0:
            return python, json.loads(told.stdout)
    return None


def need_script_host():
    if (found := script_host()) is None:
        raise Failure(f"no Python here has what the script takes: apt-get install {PACKAGES} "
                      "(scripts/setup --tests does), or leave the script out with --peers")
    return found
