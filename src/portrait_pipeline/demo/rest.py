"""For programs: a photo is posted and its portrait is the answer, within the page's limits.

    curl --data-binary @me.jpg http://127.0.0.1:7860/api/portrait --output painted.png

`?size=512` asks for an edge in pixels; by default the answer has that of the face in the photo, at
most 1,024. Whatever is refused is answered with a JSON object whose `detail` says why. Nothing is
written to the disk.
"""

import io

import numpy as np
from jaxtyping import UInt8
from PIL import Image
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from portrait_pipeline.decoding.colour import srgb_profile
from portrait_pipeline.demo.service import PortraitService, RefusedError
from portrait_pipeline.demo.uploads import BUSY
from portrait_pipeline.demo.visitors import FullError, Places, visitor_at
from portrait_pipeline.parameters import MAX_PORTRAIT_PX, MIN_PORTRAIT_PX

PORTRAIT_ADDRESS = "/api/portrait"
ONLY_SIZE = "nothing but one size can be asked for"
WRONG_SIZE = f"size is no number of pixels in [{MIN_PORTRAIT_PX}, {MAX_PORTRAIT_PX}]"


def portrait_route(service: PortraitService, waiting: Places) -> Route:
    """Answer a posted photo with a PNG of its largest face's portrait.

    Args:
        service: What answers the page too.
        waiting: The places of photos that wait, the page's among them.
    """

    async def portrait(request: Request) -> Response:
        asked = [name for name, _ in request.query_params.multi_items()]
        if asked not in ([], ["size"]):
            return JSONResponse({"detail": f"{', '.join(asked)[:80]} was asked; {ONLY_SIZE}"}, 422)
        if unread := _unread_form(request.headers):
            return JSONResponse({"detail": unread}, 415)
        size_px = _size_px(request.query_params.get("size"))
        if size_px == 0:
            return JSONResponse({"detail": WRONG_SIZE}, 422)
        data = await request.body()
        visitor = visitor_at(request.client.host if request.client else None)
        try:
            with waiting.taken_by(visitor):
                pixels = await run_in_threadpool(service.portrait, data, size_px)
        except FullError:
            return JSONResponse({"detail": BUSY}, 503)
        except RefusedError as error:
            return JSONResponse({"detail": str(error)}, 422)
        content = await run_in_threadpool(_png, pixels)
        return Response(content, media_type="image/png", headers={"cache-control": "no-store"})

    return Route(PORTRAIT_ADDRESS, portrait, methods=["POST"])


def _unread_form(headers: Headers) -> str | None:
    """Return what is wrong with the form in which a photo is sent, if anything is."""
    kind, coding = (headers.get(name, "") for name in ("content-type", "content-encoding"))
    if kind.startswith("multipart/"):
        return "the body is a form, expected the photo itself (curl --data-binary @me.jpg)"
    if coding not in ("", "identity"):
        return "the body is compressed, expected the photo as it is in its file"
    return None


def _size_px(given: str | None) -> int | None:
    """Read the size that is asked for: None without one, 0 for what is none."""
    if given is None:
        return None
    is_number = given.isascii() and given.isdecimal() and len(given) <= 5
    is_allowed = is_number and MIN_PORTRAIT_PX <= int(given) <= MAX_PORTRAIT_PX
    return int(given) if is_allowed else 0


def _png(pixels: UInt8[np.ndarray, "size size 3"]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", icc_profile=srgb_profile())
    return buffer.getvalue()
