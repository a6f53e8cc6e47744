"""Run a command that dies with its parent, and takes what it started with it: python mortal.py SIGNAL COMMAND …

A thin process stays between: the supervisor's death ends it (by the kernel, however the supervisor died). It asks the
command to end with SIGNAL, gives it a while, and kills its whole process group, so that the children of a killed web
server or worker do not live on. Should this thin process itself be killed, the command gets SIGNAL from the kernel.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
GRACE = 8.0  # seconds that a command gets to end once the supervisor is gone


def main() -> None:
    parent = os.getppid()
    stop_signal, command = int(sys.argv[1]), sys.argv[2:]
    die_with_parent(signal.SIGUSR1, parent)
    own_id = os.getpid()
    child = os.fork()  # safe here: one thread, nothing imported that minds
    if child == 0:
        os.setpgid(0, 0)
        die_with_parent(stop_signal, own_id)
        os.execvp(command[0], command)

    def orphaned(*_: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, GRACE)
        os.kill(child, stop_signal)

    # Asked gently, only the command's first process hears: Celery's children would drop their work on SIGTERM.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, lambda number, _: os.kill(child, number))
    signal.signal(signal.SIGUSR1, orphaned)
    for number in (signal.SIGUSR2, signal.SIGALRM):
        signal.signal(number, lambda *_: kill_group(child))
    _, status = os.waitpid(child, 0)
    kill_group(child)  # what it left behind
    code = os.waitstatus_to_exitcode(status)
    sys.exit(code if code >= 0 else 128 - code)


def die_with_parent(number: int, parent: int) -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the parent died first")


def kill_group(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


if __name__ == "__main__":
    main()
