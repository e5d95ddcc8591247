"""Make README's first picture: a public-domain photograph, its portrait, and all of it painted.

`python docs/images/portrait.py FILE` writes it to another file.
"""

import sys
from pathlib import Path

from PIL import Image
from skimage import data

from portrait_pipeline import Portrayer

EDGE_PX = 384

photo = Image.fromarray(data.astronaut())
portrayer = Portrayer.pretrained()
pictures = [photo, portrayer.portray(photo, size_px=EDGE_PX), portrayer.paint_whole(photo)]
sheet = Image.new("RGB", (EDGE_PX * len(pictures), EDGE_PX))
for column, picture in enumerate(pictures):
    shown = picture.resize((EDGE_PX, EDGE_PX), Image.Resampling.LANCZOS)
    sheet.paste(shown, (EDGE_PX * column, 0))
file = Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).with_name("portrait.jpg")
sheet.save(file, quality=88)
sys.stdout.write(f"a photograph, and its portrait by the model of the package: {file}\n")
