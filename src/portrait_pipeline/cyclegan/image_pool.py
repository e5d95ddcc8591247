"""The pool of earlier fakes that a discriminator is shown (Shrivastava et al. 2017)."""

import torch
from jaxtyping import Float
from torch import Tensor


class ImagePool:
    """Keeps up to `size` fakes and hands out, at even odds, an old one in place of a new one.

    Until it is full it keeps each new fake and returns it as well (Zhu et al. 2017, section 4).
    Then, for each new fake, with probability ½ it returns that one, otherwise it returns a fake
    drawn evenly from all slots and puts the new one in its place. Size 0 returns what it is given.

    Args:
        size: Number of slots (50 in the report, section 5.2).
        generator: Where its draws come from; its state is part of the pool's.
    """

    def __init__(self, size: int, generator: torch.Generator) -> None:
        self.size = size
        self.images: list[Tensor] = []
        self.generator = generator

    def query(
        self, fakes: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch 3 height width"]:
        """Give new fakes and take as many, new or old, without gradients."""
        return torch.stack([self._exchange(fake) for fake in fakes.detach()])

    def _exchange(self, fake: Tensor) -> Tensor:
        if len(self.images) < self.size:
            self.images.append(fake.clone())
            return fake
        if self.size == 0 or torch.rand((), generator=self.generator).item() < 0.5:
            return fake
        slot = int(torch.randint(self.size, (), generator=self.generator))
        old, self.images[slot] = self.images[slot], fake.clone()
        return old

    def state_dict(self) -> dict[str, Tensor | None]:
        """Return the fakes kept, (kept, 3, height, width) or None, and the generator's state."""
        images = torch.stack(self.images) if self.images else None
        return {"images": images, "generator": self.generator.get_state()}

    def load_state_dict(self, state: dict[str, Tensor | None], device: torch.device) -> None:
        """Take up the state that `state_dict` returned, with the fakes on `device`."""
        images, generator = state["images"], state["generator"]
        self.images = [] if images is None else [image.to(device).clone() for image in images]
        if generator is not None:
            self.generator.set_state(generator.cpu())
