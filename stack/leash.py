"""A leash: the program gets a signal when the process that started it dies, even by SIGKILL.

Runs as `python -IS leash.py SIGNAL PARENT USER PROGRAM [ARGUMENT …]` and becomes the program.
Only the standard library and nothing of this package, since it starts before every program.
"""

import ctypes
import os
import pwd
import signal
import sys

PR_SET_PDEATHSIG = 1  # From <linux/prctl.h>.
SAME_USER = "-"
COMMAND_NOT_FOUND = 127


def leashed(
    command: tuple[str, ...], *, at_death: signal.Signals = signal.SIGKILL, user: str = SAME_USER
) -> list[str]:
    """Return the command line that runs `command` on a leash held by this process.

    The kernel watches the *thread* that starts it: start it from one that lives as long.
    """
    holder = str(os.getpid())
    return [sys.executable, "-IS", __file__, str(int(at_death)), holder, user, *command]


def tie_to_parent(at_death: signal.Signals) -> None:
    """Ask the kernel to send this process `at_death` when its parent dies."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, int(at_death), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")


def become(user: str) -> None:
    """Give up root for `user`, for good."""
    entry = pwd.getpwnam(user)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


def main(arguments: list[str]) -> None:
    """Tie, check that the holder still lives, and become the program."""
    at_death, holder, user, *command = arguments
    if user != SAME_USER:
        become(user)
    # After become(): the kernel forgets the tie when the user changes.
    tie_to_parent(signal.Signals(int(at_death)))
    if os.getppid() != int(holder):
        sys.exit(1)  # The holder died before the tie held.
    try:
        os.execvp(command[0], command)  # noqa: S606 (the caller's own command, no shell)
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        sys.exit(COMMAND_NOT_FOUND)


if __name__ == "__main__":
    main(sys.argv[1:])
