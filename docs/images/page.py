"""Make README's picture of the web page: `python docs/images/page.py`, where Chromium is.

It opens `portrait serve`, uploads a public-domain photograph and waits for the portrait.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from browser import opened_page
from PIL import Image
from skimage import data

START = "from portrait_pipeline.portrait_command import main; main()"
PORT = "7859"

photo = Path(tempfile.mkdtemp(), "astronaut.png")
Image.fromarray(data.astronaut()).save(photo)
command = [sys.executable, "-c", START, "serve", "--port", PORT]
with subprocess.Popen(command, stderr=subprocess.PIPE) as server:
    assert server.stderr
    server.stderr.readline()  # the page is open
    with opened_page(1280, 900, scale=0.75) as page:
        page.goto(f"http://127.0.0.1:{PORT}/")
        page.locator("#photo input[type=file]").first.set_input_files(photo)
        page.locator("#slider img").first.wait_for()
        page.wait_for_timeout(1500)  # the line of the slider moves to its place
        page.screenshot(path=Path(__file__).with_name("page.png"), full_page=True)
    server.terminate()
shutil.rmtree(photo.parent)
