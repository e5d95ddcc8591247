"""What the pipeline's own MLflow run records."""

import subprocess
import sys


def test_hooks_load_without_pytorch() -> None:
    """Kedro imports settings and hooks for every command; exported models need no PyTorch."""
    check = (
        "import importlib, pkgutil, sys, portrait_pipeline.settings\n"
        "from portrait_pipeline import hooks\n"
        "for each in pkgutil.iter_modules(hooks.__path__, hooks.__name__ + '.'):\n"
        "    importlib.import_module(each.name)\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
