"""A worker of a run that holds a workspace, as it is started in each way that Python knows."""

import os
import signal
from multiprocessing.connection import Connection

from portrait_pipeline.file_locks import share_lock_of_run


def share_and_wait(ready: Connection) -> None:
    """Begin as a worker does, say which process this is, and wait to be killed."""
    share_lock_of_run()
    ready.send(os.getpid())
    signal.pause()
