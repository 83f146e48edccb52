"""A real PostgreSQL for tests: its own data directory, a free port on loopback, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.ports import free_port

WHO = "nobody"


def binaries() -> Path | None:
    """Where PostgreSQL's programs are; None where there is none."""
    if found := shutil.which("initdb"):
        return Path(os.path.realpath(found)).parent
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return places[-1].parent if places else None


class Postgres:
    """One server. `initdb` and the server refuse to run as root, so root runs them as another.

    Unless it is to be `durable` it does not wait for the disk, which may stall for longer than the fleet is patient.
    """

    def __init__(self, *, durable: bool = True) -> None:
        found = binaries()
        assert found, "PostgreSQL is not installed: apt-get install postgresql"
        self.bin = found
        self._durable = durable
        self.directory = Path(tempfile.mkdtemp(prefix="reconciler-postgres-"))  # pytest's own are closed to others
        self.data = self.directory / "data"
        self.port = free_port()

    @property
    def url(self) -> str:
        return f"postgresql://fleet@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        if os.geteuid() == 0:
            who = pwd.getpwnam(WHO)
            os.chown(self.directory, who.pw_uid, who.pw_gid)
        self._as_other("initdb", "-D", str(self.data), "-U", "fleet", "-A", "trust", "-E", "UTF8", "--no-sync")
        with (self.data / "postgresql.conf").open("a") as file:
            file.write(
                f"listen_addresses = '127.0.0.1'\nport = {self.port}\nunix_socket_directories = ''\n"
                "max_connections = 200\nshared_buffers = 64MB\nrecovery_init_sync_method = syncfs\n"
                f"fsync = {'on' if self._durable else 'off'}\n"
            )
        self.ctl("start")

    def ctl(self, *words: str) -> None:
        log = self.directory / "log"
        self._as_other("pg_ctl", "-D", str(self.data), "-l", str(log), "-w", "-t", "300", *words)

    def crash(self) -> None:
        """What a power cut does, and up again."""
        self.ctl("restart", "-m", "immediate")

    def cpu(self) -> float:
        """Seconds of a core it took since it was last started."""
        main = int((self.data / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        ticks = 0
        for pid in (main, *children):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, fields[11:15] if pid == main else fields[11:13]))
        return ticks / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        try:
            self.ctl("stop", "-m", "immediate")
        finally:
            shutil.rmtree(self.directory)

    def _as_other(self, program: str, *words: str) -> None:
        command = [str(self.bin / program), *words]
        if os.geteuid() == 0:
            who = pwd.getpwnam(WHO)
            user = (f"--reuid={who.pw_uid}", f"--regid={who.pw_gid}")
            command = ["setpriv", *user, "--clear-groups", *command]
        ran = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/", check=False)
        assert ran.returncode == 0, ran.stderr.decode()
