"""Turns photographs of people into painted portraits that keep the person recognisable."""

import os

__version__ = "0.1.0"

# PyTorch's threads wait by spinning, and starve each other where another program keeps a core busy:
# finding the faces of 24 portraits took 40 s instead of 0.9 s. Read when PyTorch is imported.
os.environ.setdefault("GOMP_SPINCOUNT", "0")
