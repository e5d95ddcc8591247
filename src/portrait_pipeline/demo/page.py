"""The layout of the page and what its parts do; the answers come from the service."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import gradio
import numpy as np
from jaxtyping import UInt8
from PIL import Image

from portrait_pipeline.demo import words
from portrait_pipeline.demo.limits import (
    KEEP_SECONDS,
    MAX_REQUESTS,
    MAX_WAITING,
    MAX_WAITING_OF_ONE,
)
from portrait_pipeline.demo.service import BASELINE, Answer, PortraitService, RefusedError
from portrait_pipeline.demo.uploads import BUSY, UploadFolder
from portrait_pipeline.demo.visitors import FullError, Places, visitor_at
from portrait_pipeline.sample import draw_photo

SHOWN_PX = 512
EXAMPLE_PX = 256
EXAMPLE_SEED = 7
NUM_EXAMPLES = 4
TRIO = ("photo", BASELINE, "proposed")

Pixels = UInt8[np.ndarray, "size size 3"]
Updates = list[Any]
"""One value for each part of the results, in the order of `Results.parts`."""


@dataclass(frozen=True)
class Results:
    """The parts of the page that an answer changes."""

    says: gradio.HTML
    trio: Sequence[gradio.Image]
    captions: Sequence[gradio.HTML]
    slider: gradio.ImageSlider
    download: gradio.DownloadButton
    crop: gradio.State

    @property
    def parts(self) -> list[Any]:
        """Return all parts, always in the same order."""
        return [self.says, *self.trio, *self.captions, self.slider, self.download, self.crop]


class Page:
    """One page with its service and its examples.

    Args:
        service: Answers photos.
        uploads: Where they lie until they are answered.
        waiting: Places for photos that wait for their portrait.
    """

    def __init__(
        self, service: PortraitService, uploads: UploadFolder, waiting: Places | None = None
    ) -> None:
        self._service = service
        self._uploads = uploads
        self._waiting = waiting or Places(MAX_WAITING, MAX_WAITING_OF_ONE)
        self._examples = [
            draw_photo(index, EXAMPLE_SEED, EXAMPLE_PX).photo for index in range(NUM_EXAMPLES)
        ]

    def build(self) -> gradio.Blocks:
        """Lay the page out and wire it."""
        page = gradio.Blocks(title=words.TITLE, analytics_enabled=False)
        with page:
            gradio.HTML(words.introduction(self._service.shelf.names()), padding=False)
            with gradio.Row(equal_height=False):
                with gradio.Column(scale=2, min_width=280):
                    photo, examples, model = self._inputs()
                with gradio.Column(scale=3, min_width=280, elem_classes="results"):
                    results = self._results()
            gradio.HTML(words.PRIVACY, padding=False)
            self._wire(photo, examples, model, results)
            page.load(self.list_models, None, [model, results.says], api_visibility="private")
        # Whoever may wait is decided by `_waiting`, visitor by visitor, not by Gradio's queue.
        page.queue(max_size=MAX_REQUESTS, default_concurrency_limit=None, api_open=False)
        return page

    def _inputs(self) -> tuple[gradio.Image, gradio.Gallery, gradio.Dropdown]:
        photo = gradio.Image(
            label="Your photo",
            sources=["upload", "webcam", "clipboard"],
            height=240,
            buttons=[],
            elem_id="photo",
        )
        gradio.HTML(words.EXAMPLES, padding=False)
        examples = gradio.Gallery(
            [(Image.fromarray(pixels), None) for pixels in self._examples],
            label="Examples",
            show_label=False,
            columns=NUM_EXAMPLES,
            rows=1,
            height=112,
            allow_preview=False,
            interactive=False,
            buttons=[],
            format="jpeg",
            elem_id="examples",
        )
        model = gradio.Dropdown([], label="Model", visible=False, elem_id="model")
        return photo, examples, model

    def _results(self) -> Results:
        says = gradio.HTML(words.WELCOME, padding=False, elem_id="says")
        trio, captions = [], []
        with gradio.Row(elem_classes="trio"):
            for name in TRIO:
                with gradio.Column(min_width=90):
                    trio.append(_picture(name))
                    caption = gradio.HTML(visible=False, padding=False, elem_id=f"caption_{name}")
                    captions.append(caption)
        slider = gradio.ImageSlider(
            label="Photo and portrait",
            show_label=False,
            visible=False,
            format="png",
            interactive=False,
            buttons=[],
            max_height=460,
            elem_id="slider",
        )
        download = gradio.DownloadButton(
            "Download the portrait", visible=False, variant="primary", elem_id="download"
        )
        crop = gradio.State(None, time_to_live=KEEP_SECONDS)
        return Results(says, trio, captions, slider, download, crop)

    def _wire(
        self,
        photo: gradio.Image,
        examples: gradio.Gallery,
        model: gradio.Dropdown,
        results: Results,
    ) -> None:
        common: dict[str, Any] = {
            "concurrency_limit": None,
            # Values arrive as the browser sent them: Gradio would open an upload before anybody
            # had looked at its size.
            "preprocess": False,
            "api_visibility": "private",
            "show_progress": "minimal",
            "show_progress_on": [results.says],
            "scroll_to_output": True,
        }
        photo.input(self.answer_upload, [photo, model], [*results.parts, photo], **common)
        examples.select(self.answer_example, [model], results.parts, **common)
        model.input(self.answer_model, [results.crop, model], results.parts, **common)

    def list_models(self) -> tuple[Any, Any]:
        """Offer the models that are trained at this moment; say so when there is none."""
        models = self._service.shelf.names()
        if not models:
            return gradio.Dropdown(choices=[], value=None, visible=False), words.NOT_TRAINED
        picker = gradio.Dropdown(choices=list(models), value=models[0][1], visible=len(models) > 1)
        return picker, words.WELCOME

    def answer_upload(
        self, photo: Mapping[str, Any] | None, model: Any, request: gradio.Request
    ) -> Updates:
        """Answer an upload, delete it and empty the field."""
        upload = self._uploads.take(photo["path"] if photo else None)
        if upload is None:
            return [*_nothing(words.refusal(words.GONE)), None]
        with upload:
            ask = partial(self._service.portray, upload.data, _name(model))
            return [*self._answer(ask, request), None]

    def answer_example(
        self, model: Any, event: gradio.SelectData, request: gradio.Request
    ) -> Updates:
        """Answer a click on one of the drawn faces."""
        index = event.index if isinstance(event.index, int) else 0
        picture = Image.fromarray(self._examples[index % NUM_EXAMPLES])
        return self._answer(partial(self._service.portray_image, picture, _name(model)), request)

    def answer_model(self, crop: Pixels | None, model: Any, request: gradio.Request) -> Updates:
        """Show the face that is there as another model paints it."""
        if crop is None:
            return _nothing(words.WELCOME)
        return self._answer(partial(self._service.portray_again, crop, _name(model)), request)

    def _answer(self, ask: Callable[[], Answer], request: gradio.Request) -> Updates:
        if not self._service.shelf.names():
            return _nothing(words.NOT_TRAINED)
        visitor = visitor_at(request.client.host if request.client else None)
        try:
            with self._waiting.taken_by(visitor):
                answer = ask()
        except FullError:
            return _nothing(words.refusal(BUSY))
        except RefusedError as error:
            return _nothing(words.refusal(str(error)))
        return self._shown(answer, self._uploads.new_folder(visitor))

    def _shown(self, answer: Answer, folder: Path) -> Updates:
        photo = _written(answer.photo, folder / "photo.png")
        portraits = {
            name: _written(pixels, folder / f"portrait_{place}.png")
            for place, (name, pixels) in enumerate(answer.portraits.items(), 1)
        }
        chosen = portraits[answer.chosen]
        other = None if answer.chosen == BASELINE else answer.chosen
        return [
            words.notes(answer),
            gradio.Image(value=photo, visible=True),
            gradio.Image(value=portraits.get(BASELINE), visible=BASELINE in portraits),
            gradio.Image(value=portraits.get(other or ""), visible=other is not None),
            gradio.HTML(words.caption("your photo", None), visible=True),
            _caption(BASELINE, answer),
            _caption(other, answer),
            gradio.ImageSlider(value=(photo, chosen), visible=True),
            gradio.DownloadButton(value=chosen, visible=True),
            answer.photo,
        ]


def _name(model: Any) -> str:
    """Read the chosen model; whether it is one of those offered is for the service to say."""
    return model if isinstance(model, str) else ""


def _picture(name: str) -> gradio.Image:
    return gradio.Image(
        label=name,
        show_label=False,
        visible=False,
        format="png",
        interactive=False,
        buttons=[],
        elem_id=f"shown_{name}",
    )


def _caption(model: str | None, answer: Answer) -> gradio.HTML:
    if model is None or model not in answer.portraits:
        return gradio.HTML("", visible=False)
    return gradio.HTML(words.caption(model, answer.likenesses.get(model)), visible=True)


def _written(pixels: Pixels, path: Path) -> str:
    """Write a picture once, quickly and without loss, for all parts of the page that show it."""
    Image.fromarray(enlarged(pixels)).save(path, compress_level=1)
    return str(path)


def enlarged(pixels: Pixels) -> Pixels:
    """Show a small crop large: nothing is added, its pixels are only spread smoothly."""
    size = max(SHOWN_PX, len(pixels))
    return np.asarray(Image.fromarray(pixels).resize((size, size), Image.Resampling.LANCZOS))


def _nothing(says: str) -> Updates:
    """Show words and take away the pictures of an earlier answer."""
    return [
        says,
        *(gradio.Image(value=None, visible=False) for _ in TRIO),
        *(gradio.HTML("", visible=False) for _ in TRIO),
        gradio.ImageSlider(value=None, visible=False),
        gradio.DownloadButton(value=None, visible=False),
        None,
    ]
