"""Starts a build from what `src` holds now.

setuptools copies modules into `build/lib` and packs all that lies there: a module or a model that
was removed since an earlier build would come along. Everything else stands in `pyproject.toml`.
"""

import shutil

from setuptools import setup

shutil.rmtree("build/lib", ignore_errors=True)
setup()
