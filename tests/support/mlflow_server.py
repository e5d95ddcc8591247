"""A real MLflow server on 127.0.0.1, as a process of its own."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry


def free_port() -> int:
    """Return a port at which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


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
    """Start a server, wait until it answers for a path, and end it afterwards."""
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet, start_new_session=True) as process:
        try:
            with requests.Session() as session:
                patient = Retry(total=None, connect=1000, backoff_factor=0.1, backoff_max=0.5)
                session.mount("http://", HTTPAdapter(max_retries=patient))
                session.get(f"http://127.0.0.1:{port}/{path}", timeout=60).raise_for_status()
            yield process
        finally:
            kill(process)
