"""A real MLflow server on 127.0.0.1, as a process of its own."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

NUM_TRIES = 4
"""How often a server is asked, at growing intervals, before a look at its process."""
NUM_LAST_LINES = 20


def mlflow_server(port: int, store: str, artifacts: Path) -> list[str]:
    """Return the command of a server that keeps runs in a database, and files in a folder."""
    command = [sys.executable, "-m", "mlflow", "server", "--host=127.0.0.1", f"--port={port}"]
    command += [f"--backend-store-uri={store}", "--serve-artifacts"]
    return [*command, f"--artifacts-destination={artifacts}", "--workers=1"]


def kill(server: subprocess.Popen[bytes]) -> None:
    """End a server and its workers, which are a group of processes of their own."""
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    server.wait()


@contextmanager
def serving(
    command: Sequence[str], port: int, path: str = "health"
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a server, wait until it answers for a path, and end it afterwards.

    Raises:
        RuntimeError: if it ends before it answers, with the last lines that it wrote.
    """
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True) as process,
    ):
        try:
            if not _answers(process, f"http://127.0.0.1:{port}/{path}"):
                log.seek(0)
                last = b"\n".join(log.read().splitlines()[-NUM_LAST_LINES:])
                raise RuntimeError(
                    f"{' '.join(command)} ended with {process.returncode}, expected an answer at"
                    f" {port}/{path}; its last lines:\n{last.decode(errors='replace')}"
                )
            yield process
        finally:
            kill(process)


def _answers(process: subprocess.Popen[bytes], address: str) -> bool:
    """Wait for an answer of a server; False once its process has ended without one."""
    patient = Retry(total=None, connect=NUM_TRIES, read=NUM_TRIES, backoff_factor=0.1)
    with requests.Session() as session:
        session.mount("http://", HTTPAdapter(max_retries=patient))
        while process.poll() is None:
            with suppress(requests.ConnectionError):
                session.get(address, timeout=60).raise_for_status()
                return True
    return False
