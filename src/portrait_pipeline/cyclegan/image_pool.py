"""The pool of earlier fakes that a discriminator is shown (Shrivastava et al. 2017)."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


class ImagePool:
    """Keeps up to `size` fakes and hands out, at even odds, an old one in place of a new one.

    Until it is full it keeps each new fake and returns it as well (Zhu et al. 2017, section 4).
    Then, for each new fake, with probability ½ it returns that one, otherwise it returns a fake
    drawn evenly from all slots and puts the new one in its place. Size 0 returns what it is given.

    The draws are made on the CPU and do not depend on pixels; the exchange happens where the fakes
    are, so that a GPU is never waited for.

    Args:
        size: Number of slots (50 in the report, section 5.2).
        generator: Where its draws come from; its state is part of the pool's.
    """

    def __init__(self, size: int, generator: torch.Generator) -> None:
        self.size = size
        self.generator = generator
        self._slots: Tensor | None = None
        self._num_kept = 0

    @property
    def images(self) -> list[Tensor]:
        """The fakes that are kept, as views."""
        return [] if self._slots is None else list(self._slots[: self._num_kept])

    def query(
        self, fakes: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch 3 height width"]:
        """Give new fakes and take as many, new or old, without gradients."""
        return self.exchange(fakes, self.draw(len(fakes)).to(fakes.device))

    def draw(self, count: int) -> Int[Tensor, "count 3"]:
        """Decide what happens to the next fakes, on the CPU.

        Returns:
            For each: its slot, whether it is kept there, whether the old one is handed out.
        """
        return torch.tensor([self._draw_one() for _ in range(count)]).reshape(count, 3)

    def _draw_one(self) -> tuple[int, bool, bool]:
        if self._num_kept < self.size:
            self._num_kept += 1
            return self._num_kept - 1, True, False
        if self.size == 0 or torch.rand((), generator=self.generator).item() < 0.5:
            return 0, False, False
        return int(torch.randint(self.size, (), generator=self.generator)), True, True

    def draw_kept(self, count: int) -> Int[Tensor, " count"]:
        """Draw slots of fakes that are kept, evenly, with repetition, on the CPU."""
        return torch.randint(max(self._num_kept, 1), (count,), generator=self.generator)

    def kept(self, slots: Int[Tensor, " count"]) -> Float[Tensor, "count 3 height width"]:
        """Return the fakes in these slots.

        Raises:
            ValueError: if nothing has been kept.
        """
        if self._slots is None:
            raise ValueError("the pool keeps nothing")
        return self._slots.index_select(0, slots)

    def exchange(
        self, fakes: Float[Tensor, "batch 3 height width"], draws: Int[Tensor, "batch 3"]
    ) -> Float[Tensor, "batch 3 height width"]:
        """Carry out what `draw` decided, one picture after the other, on the fakes' device."""
        fakes = fakes.detach()
        if self.size == 0:
            return fakes
        if self._slots is None:
            self._slots = fakes.new_zeros(self.size, *fakes.shape[1:])
        shown = []
        for fake, (slot, is_kept, is_old) in zip(torch.split(fakes, 1), draws, strict=True):
            old = self._slots.index_select(0, slot.reshape(1))
            self._slots.index_copy_(0, slot.reshape(1), torch.where(is_kept.bool(), fake, old))
            shown.append(torch.where(is_old.bool(), old, fake))
        return torch.cat(shown)

    def state_dict(self) -> dict[str, Tensor | None]:
        """Return the fakes kept, (kept, 3, height, width) or None, and the generator's state."""
        images = None if self._slots is None else self._slots[: self._num_kept].clone()
        return {"images": images, "generator": self.generator.get_state()}

    def load_state_dict(self, state: dict[str, Tensor | None], device: torch.device) -> None:
        """Take up the state that `state_dict` returned, with the fakes on `device`."""
        images, generator = state["images"], state["generator"]
        self._slots, self._num_kept = None, 0
        if images is not None:
            self._num_kept = len(images)
            self._slots = images.new_zeros(self.size, *images.shape[1:], device=device)
            self._slots[: len(images)] = images
        if generator is not None:
            self.generator.set_state(generator.cpu())
