"""The exit codes of the command line: a contract with scripts and CI jobs."""

from enum import IntEnum


class Exit(IntEnum):
    """What a command's exit code says."""

    DONE = 0
    ERROR = 1
    CHANGES = 2
    STALE = 3
    BLOCKED = 4
    PARTLY = 5
    BUG = 70
    INTERRUPTED = 130
