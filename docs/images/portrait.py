"""Make README's first picture: a public-domain photograph, its portrait, and both in one."""

from pathlib import Path

from PIL import Image
from skimage import data

from portrait_pipeline import Portrayer

EDGE_PX = 384

photo = Image.fromarray(data.astronaut())
portrayer = Portrayer.pretrained()
pictures = [photo, portrayer.portray(photo, size_px=EDGE_PX), portrayer.paste_back(photo)]
sheet = Image.new("RGB", (EDGE_PX * len(pictures), EDGE_PX))
for column, picture in enumerate(pictures):
    shown = picture.resize((EDGE_PX, EDGE_PX), Image.Resampling.LANCZOS)
    sheet.paste(shown, (EDGE_PX * column, 0))
sheet.save(Path(__file__).with_name("portrait.jpg"), quality=88)
