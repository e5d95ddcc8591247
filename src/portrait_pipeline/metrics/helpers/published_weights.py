"""Weights that other libraries publish: from PyTorch's cache, or fetched into it once."""

from pathlib import Path
from urllib.parse import urlsplit

import pooch
import torch

from portrait_pipeline.downloads import DownloadError, Patience, download_file

QUICK = Patience(num_attempts=2, longest_wait_s=10.0)
"""What is measured with these weights can be left out, so nobody waits long for them."""


def fetch_published_weights(url: str, hint: str, patience: Patience = QUICK) -> Path:
    """Return the file of an address from PyTorch's cache, fetching it the first time.

    By PyTorch's convention the name ends in the first digits of the file's SHA-256, as in
    `weights-6726825d.pth`; a file fetched with another hash is not kept.

    Args:
        url: Address of the file.
        hint: What the person can do when it cannot be downloaded; ends the error's sentence.
        patience: How failures are waited out.

    Raises:
        DownloadError: if it cannot be downloaded or has another hash than its name says.
    """
    name = Path(urlsplit(url).path).name
    target = Path(torch.hub.get_dir()) / "checkpoints" / name
    if target.is_file():
        return target
    download_file(url, target, None, hint, patience)
    digits = Path(name).stem.rpartition("-")[2]
    actual = pooch.file_hash(str(target))
    if not actual.startswith(digits):
        target.unlink()
        raise DownloadError(f"{url} has the SHA-256 {actual}, expected {digits}…; {hint}")
    return target
