"""Where the training pictures lie, and how a batch of them gets to the networks."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from portrait_pipeline.cyclegan.data import TrainingData, release_pages
from portrait_pipeline.images import HALF_RANGE, FaceSet, to_model_range

BYTES_PER_GB = 1e9
COPIED_AT_ONCE = 256


@dataclass(frozen=True)
class Order:
    """Which pictures of one domain are shown, in turn, and which of them mirrored."""

    rows: Int[Tensor, " shown"]
    flipped: Bool[Tensor, " shown"]

    def part(self, start: int, stop: int) -> "Order":
        """Return the pictures from `start` to before `stop`, as views."""
        return Order(self.rows[start:stop], self.flipped[start:stop])


class Pictures(Protocol):
    """The pictures of one domain."""

    def place(self, order: Order) -> Order:
        """Bring an epoch's order to where `take` needs it."""

    def take(self, order: Order) -> Float[Tensor, "shown 3 size size"]:
        """Return pictures in [-1, 1], mirrored where the order says so."""

    def release(self) -> None:
        """Give back memory that only repeats what is on the disk."""


class HostPictures:
    """Pictures in the processor's memory, or mapped into it, made float there."""

    def __init__(self, faces: FaceSet) -> None:
        self._faces = faces

    def place(self, order: Order) -> Order:
        """Return the order as it is, on the CPU."""
        return order

    def take(self, order: Order) -> Float[Tensor, "shown 3 size size"]:
        """Copy the pictures out, mirror and convert them on the CPU."""
        pixels = self._faces[order.rows.numpy()]
        flipped = order.flipped.numpy()
        pixels[flipped] = np.ascontiguousarray(pixels[flipped][:, :, ::-1])
        return to_model_range(pixels)

    def release(self) -> None:
        """Give back the pages of a mapped file."""
        release_pages(self._faces)


class ResidentPictures:
    """Pictures that lie as uint8 in the device's memory; a batch costs it no transfer at all."""

    def __init__(self, faces: FaceSet, device: torch.device) -> None:
        size = faces.size_px
        self._pixels = torch.empty((len(faces), size, size, 3), dtype=torch.uint8, device=device)
        for start in range(0, len(faces), COPIED_AT_ONCE):
            rows = np.arange(start, min(start + COPIED_AT_ONCE, len(faces)))
            self._pixels[start : start + len(rows)] = torch.from_numpy(faces[rows]).to(device)
            release_pages(faces)

    def place(self, order: Order) -> Order:
        """Copy the epoch's order to the device, once."""
        return Order(order.rows.to(self._pixels.device), order.flipped.to(self._pixels.device))

    def take(self, order: Order) -> Float[Tensor, "shown 3 size size"]:
        """Gather, mirror and convert on the device, which is not waited for."""
        return _to_images(self._pixels.index_select(0, order.rows), order.flipped)

    def release(self) -> None:
        """Do nothing: all pictures stay."""


class StreamedPictures:
    """Pictures that are sent to the device as uint8 from pinned memory, a batch at a time."""

    def __init__(self, faces: FaceSet, device: torch.device) -> None:
        self._faces, self._device = faces, device

    def place(self, order: Order) -> Order:
        """Return the order as it is, on the CPU."""
        return order

    def take(self, order: Order) -> Float[Tensor, "shown 3 size size"]:
        """Send the pixels while the device is busy with earlier ones; mirror and convert there."""
        pixels = sent(torch.from_numpy(self._faces[order.rows.numpy()]), self._device)
        return _to_images(pixels, sent(order.flipped, self._device))

    def release(self) -> None:
        """Give back the pages of a mapped file."""
        release_pages(self._faces)


def sent(values: Tensor, device: torch.device) -> Tensor:
    """Send values from the CPU to a device without waiting for it."""
    if device.type == "cuda":
        values = values.pin_memory()
    return values.to(device, non_blocking=True)


def _to_images(
    pixels: UInt8[Tensor, "shown size size 3"], flipped: Bool[Tensor, " shown"]
) -> Float[Tensor, "shown 3 size size"]:
    """Mirror and convert on any device, to the same bits as `to_model_range`."""
    shown = torch.where(flipped[:, None, None, None], pixels.flip(2), pixels)
    images = shown.permute(0, 3, 1, 2).to(torch.float32)
    return images.div_(HALF_RANGE).sub_(1.0).contiguous()


def place_pictures(
    data: TrainingData, device: torch.device, max_resident_gb: float
) -> tuple[Pictures, Pictures]:
    """Decide where photos and paintings lie.

    Args:
        data: The pictures.
        device: Where the networks are.
        max_resident_gb: On a GPU both sets stay in its memory up to this size in 10⁹ bytes, and are
            streamed above it.
    """
    domains = (data.photos, data.paintings)
    if device.type != "cuda":
        return HostPictures(data.photos), HostPictures(data.paintings)
    num_bytes = sum(len(faces) * faces.size_px**2 * 3 for faces in domains)
    kind = ResidentPictures if num_bytes <= max_resident_gb * BYTES_PER_GB else StreamedPictures
    return kind(data.photos, device), kind(data.paintings, device)
