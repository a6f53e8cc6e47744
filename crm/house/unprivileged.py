"""Run a command as nobody special, since PostgreSQL refuses root: python unprivileged.py SIGNAL COMMAND …

Started as a script of its own, before exec, and never as code in a forked child. Root goes into a user namespace in which
it is an ordinary user and still owns its files; where the kernel forbids that, it becomes `nobody`, keeping only the
capability to reach the files. The command gets SIGNAL when its parent dies, so that no server outlives its supervisor.
"""

from __future__ import annotations

import ctypes
import os
import sys

CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG, PR_SET_SECUREBITS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 1, 28, 47, 2
SECBIT_KEEP_CAPS, SECBIT_NO_SETUID_FIXUP = 1 << 4, 1 << 2
CAP_DAC_OVERRIDE = 1
LINUX_CAPABILITY_VERSION_3 = 0x20080522
NOBODY = 65534

libc = ctypes.CDLL(None, use_errno=True)


def enter_user_namespace() -> bool:
    """Become uid 65534 of a new user namespace that stands for root outside. False where the kernel says no."""
    uid, gid = os.getuid(), os.getgid()
    if libc.unshare(CLONE_NEWUSER) != 0:
        return False
    for name, text in (("setgroups", "deny"), ("uid_map", f"{NOBODY} {uid} 1"), ("gid_map", f"{NOBODY} {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    return True


def become_nobody() -> None:
    """Give up root but for CAP_DAC_OVERRIDE, which survives exec as an ambient capability."""
    # Without NO_SETUID_FIXUP the kernel would drop the capability from the effective set, and initdb's access check fails.
    _call("prctl", PR_SET_SECUREBITS, SECBIT_KEEP_CAPS | SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    header = (ctypes.c_uint32 * 2)(LINUX_CAPABILITY_VERSION_3, 0)
    only = 1 << CAP_DAC_OVERRIDE
    _call("capset", header, (ctypes.c_uint32 * 6)(only, only, only, 0, 0, 0))
    _call("prctl", PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0)


def _call(name: str, *arguments: object) -> None:
    if getattr(libc, name)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), f"{name}: {os.strerror(ctypes.get_errno())}")


def main() -> None:
    parent = os.getppid()
    signal_number, command = int(sys.argv[1]), sys.argv[2:]
    if os.geteuid() == 0 and (os.environ.get("PARETO_NO_USER_NAMESPACE") or not enter_user_namespace()):
        become_nobody()
    # After the change of credentials, which would clear it.
    _call("prctl", PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    if os.getppid() != parent and os.getppid() != 0:
        sys.exit("the parent died first")
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
