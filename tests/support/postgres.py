"""A PostgreSQL server in a temporary folder, as a user of its own, for this machine alone."""

import getpass
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

DEBIAN = Path("/usr/lib/postgresql")
USER = "postgres"
"""Whom Debian's package makes: PostgreSQL refuses to be run by root."""


@contextmanager
def serving_postgres() -> Iterator[str]:
    """Start a server, hand out the address of its database, and end it.

    The server listens at a socket in its folder alone. The test skips where PostgreSQL, or the
    package by which SQLAlchemy reaches it, is not there.
    """
    pytest.importorskip("psycopg2", reason="psycopg2 is not installed: pip install -e '.[ray]'")
    places = os.pathsep.join([os.environ["PATH"], *map(str, DEBIAN.glob("*/bin"))])
    if shutil.which("initdb", path=places) is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    user = USER if os.getuid() == 0 else getpass.getuser()
    with tempfile.TemporaryDirectory(prefix="postgres-") as name:
        shutil.chown(name, user)
        folder = Path(name)

        def run(program: str, *words: str) -> None:
            command = [str(shutil.which(program, path=places)), *words, f"--pgdata={folder}/data"]
            with (folder / "log").open("ab") as log:
                code = subprocess.call(command, user=user, cwd=name, stdout=log, stderr=log)
            assert code == 0, (folder / "log").read_text()

        run("initdb", "--auth=trust", "--username=mlflow", "--no-sync")
        options = f"-c listen_addresses= -c fsync=off -k {folder}"
        run("pg_ctl", "start", "--wait", f"--options={options}")
        try:
            yield f"postgresql+psycopg2://mlflow@/postgres?host={folder}"
        finally:
            run("pg_ctl", "stop", "--mode=immediate")
