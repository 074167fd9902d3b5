"""Runs one server for a parent that may die at any moment: `python supervisor.py COMMAND...`, nothing else imported.

Standard input is a pipe from the parent to which nothing is written: when it ends, the server is killed.
Standard output is one line, the server's pid. What the server says goes to standard error.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence

PARENT_CHECK_SECONDS = 0.5
PR_SET_PDEATHSIG = 1  # from Linux's sys/prctl.h


def supervise(command: Sequence[str]) -> int:
    """Run the server and return its exit status, 128 and the signal's number where a signal ended it."""
    parent = os.getppid()
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, preexec_fn=die_with_supervisor)  # noqa: S603 (the command is ours)
    print(server.pid, flush=True)
    threading.Thread(target=outlive, args=(parent, server), daemon=True).start()
    status = server.wait()
    return status if status >= 0 else 128 - status


def die_with_supervisor() -> None:
    """Where the system can do it: no server without supervisor, should somebody kill that."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def outlive(parent: int, server: subprocess.Popen[bytes]) -> None:
    """Kill the server when the parent is gone, which the end of the pipe tells at once."""
    # A fork of the parent holds the pipe open beyond its death: so its pid is looked at now and then.
    while os.getppid() == parent and not select.select([0], [], [], PARENT_CHECK_SECONDS)[0]:
        pass
    server.kill()


if __name__ == "__main__":
    sys.exit(supervise(sys.argv[1:]))
