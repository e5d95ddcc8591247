"""Laws of the mailbox, for which every command on a cluster waits as it starts."""

import subprocess
import sys

HEAVY = ("kedro", "mlflow", "numpy", "pandas", "pydantic", "torch")


def test_its_process_imports_no_library() -> None:
    """Law: it keeps events, and takes none of the seconds that the libraries of nodes take."""
    code = f"""
import sys
import portrait_pipeline.runners.mailbox
found = {set(HEAVY)} & sys.modules.keys()
sys.exit(str(found) if found else 0)
"""
    command = [sys.executable, "-c", code]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
