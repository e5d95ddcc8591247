"""The training step as a textbook writes it: eager, one loss, one graph, nothing clever.

It shares nothing with `portrait_pipeline.cyclegan` but the weighted sum of the objective, and is
measured beside the step of the pipeline: the same networks out of plain layers, least-squares GAN,
cycle consistency, an image pool of 50, Adam, and, for the proposed model, the face network on real
and on fake pictures in every step, as the report's notebooks ran it.
"""

import itertools
import random
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss, mse_loss

from portrait_pipeline.cyclegan.losses import Objective, full_objective

OBJECTIVE = Objective("least_squares", 10.0, 0.0, 0.0, None, "sum")
Embed = Callable[[Tensor], Tensor]


def generator(k: int, num_blocks: int) -> nn.Sequential:
    """The ResNet generator of Zhu et al. 2017 with k filters."""

    def normed(*layers: nn.Module) -> list[nn.Module]:
        return [*layers, nn.InstanceNorm2d(layers[-1].out_channels), nn.ReLU(True)]

    return nn.Sequential(
        *normed(nn.ReflectionPad2d(3), nn.Conv2d(3, k, 7, bias=False)),
        *normed(nn.Conv2d(k, 2 * k, 3, 2, 1, bias=False)),
        *normed(nn.Conv2d(2 * k, 4 * k, 3, 2, 1, bias=False)),
        *(Block(4 * k) for _ in range(num_blocks)),
        *normed(nn.ConvTranspose2d(4 * k, 2 * k, 3, 2, 1, 1, bias=False)),
        *normed(nn.ConvTranspose2d(2 * k, k, 3, 2, 1, 1, bias=False)),
        nn.ReflectionPad2d(3),
        nn.Conv2d(k, 3, 7),
        nn.Tanh(),
    )


class Block(nn.Module):
    """A residual block of Zhu et al. 2017."""

    def __init__(self, k: int) -> None:
        super().__init__()
        pad, norm, relu = nn.ReflectionPad2d(1), nn.InstanceNorm2d(k), nn.ReLU(True)
        first, second = nn.Conv2d(k, k, 3, bias=False), nn.Conv2d(k, k, 3, bias=False)
        self.layers = nn.Sequential(pad, first, norm, relu, pad, second, norm)

    def forward(self, x: Tensor) -> Tensor:
        """Add the change to x."""
        return x + self.layers(x)


def discriminator(k: int) -> nn.Sequential:
    """The 70 x 70 PatchGAN with k filters."""
    layers: list[nn.Module] = [nn.Conv2d(3, k, 4, 2, 1), nn.LeakyReLU(0.2, True)]
    for i, stride in ((1, 2), (2, 2), (4, 1)):
        convolution = nn.Conv2d(i * k, 2 * i * k, 4, stride, 1, bias=False)
        layers += [convolution, nn.InstanceNorm2d(2 * i * k), nn.LeakyReLU(0.2, True)]
    return nn.Sequential(*layers, nn.Conv2d(8 * k, 1, 4, 1, 1))


class TextbookStep:
    """Trains G: X → Y, F: Y → X, D_X and D_Y in place."""

    def __init__(
        self, g: nn.Module, f: nn.Module, d_x: nn.Module, d_y: nn.Module, pool_size: int = 50
    ) -> None:
        self.g, self.f, self.d_x, self.d_y = g, f, d_x, d_y
        self.pool_size = pool_size
        self.pools: tuple[list[Tensor], list[Tensor]] = ([], [])
        generators = itertools.chain(g.parameters(), f.parameters())
        discriminators = itertools.chain(d_x.parameters(), d_y.parameters())
        self.adam_generators = torch.optim.Adam(generators, lr=2e-4, betas=(0.5, 0.999))
        self.adam_discriminators = torch.optim.Adam(discriminators, lr=2e-4, betas=(0.5, 0.999))

    def __call__(self, x: Tensor, y: Tensor, embed: Embed | None, lambda_p: float) -> float:
        """Take one step on a photo and a painting; return the generators' loss."""
        fake_y, fake_x = self.g(x), self.f(y)
        logits_y, logits_x = self.d_y(fake_y), self.d_x(fake_x)
        terms = {
            "adversarial_loss": mse_loss(logits_y, torch.ones_like(logits_y))
            + mse_loss(logits_x, torch.ones_like(logits_x)),
            "cycle_consistency_loss": l1_loss(self.f(fake_y), x) + l1_loss(self.g(fake_x), y),
        }
        if embed is not None:
            with torch.no_grad():
                of_x, of_y = embed(x), embed(y)
            distance = (embed(fake_y) - of_x).square().sum(1).mean()
            distance = distance + (embed(fake_x) - of_y).square().sum(1).mean()
            terms["perceptual_loss"] = distance
        loss = full_objective(terms, replace(OBJECTIVE, lambda_perceptual=lambda_p))
        self.adam_generators.zero_grad()
        loss.backward()
        self.adam_generators.step()
        self.adam_discriminators.zero_grad()
        self._loss(self.d_y, y, self._pooled(0, fake_y)).backward()
        self._loss(self.d_x, x, self._pooled(1, fake_x)).backward()
        self.adam_discriminators.step()
        return loss.item()

    def _loss(self, discriminator: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
        real_logits, fake_logits = discriminator(real), discriminator(fake)
        loss_real = mse_loss(real_logits, torch.ones_like(real_logits))
        return 0.5 * (loss_real + mse_loss(fake_logits, torch.zeros_like(fake_logits)))

    def _pooled(self, which: int, fakes: Tensor) -> Tensor:
        pool, shown = self.pools[which], []
        for fake in fakes.detach():
            if len(pool) < self.pool_size:
                pool.append(fake)
                shown.append(fake)
            elif random.random() < 0.5:
                slot = random.randrange(self.pool_size)
                shown.append(pool[slot])
                pool[slot] = fake
            else:
                shown.append(fake)
        return torch.stack(shown)
