"""The environments of the configuration that are committed, as its folders say."""

from pathlib import Path

CONF = Path(__file__).resolve().parents[2] / "conf"
ENVIRONMENTS = sorted({folder.name for folder in CONF.iterdir() if folder.is_dir()} - {"local"})
