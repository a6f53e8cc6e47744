"""Run a command that dies with its parent, and takes what it started with it: python mortal.py SIGNAL COMMAND …

A thin process stays between: the supervisor's death ends it (by the kernel, however the supervisor died), and it then
signals the command's whole process group, so that the children of a killed web server or worker do not live on.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
GRACE = 8.0


def main() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getppid()
    orphan_signal, command = signal.Signals(int(sys.argv[1])), sys.argv[2:]
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGUSR1, 0, 0, 0)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the parent died first")
    child = os.posix_spawnp(command[0], command, os.environ, setpgroup=0)
    orphaned = False

    def pass_on(number: int, _frame: object) -> None:
        nonlocal orphaned
        if number == signal.SIGUSR1:
            orphaned = True
            number = orphan_signal
            signal.setitimer(signal.ITIMER_REAL, GRACE)
        _signal_group(child, number if number != signal.SIGALRM else signal.SIGKILL)

    for number in (signal.SIGUSR1, signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, pass_on)
    status = _wait(child)
    _signal_group(child, signal.SIGKILL)  # what it left behind
    sys.exit(os.waitstatus_to_exitcode(status) & 0xFF if not orphaned else 1)


def _wait(child: int) -> int:
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == child:
            return status


def _signal_group(leader: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, number)


if __name__ == "__main__":
    main()
