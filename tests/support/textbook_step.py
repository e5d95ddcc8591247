"""A plain CycleGAN step that shares no line with the pipeline's, and what compares the two."""

from contextlib import nullcontext

import torch
from torch.nn.functional import l1_loss

from portrait_pipeline.cyclegan.losses import full_objective

RATE = 0.05


def adversarial(discriminator, images, target):
    """Least squares towards a target, the mean over the discriminators of a domain."""
    logits = discriminator(images)
    each = logits if isinstance(logits, tuple) else (logits,)
    return sum(((one - target) ** 2).mean() for one in each) / len(each)


def textbook_step(nets, x, y, teacher, objective, change=(lambda x: x, lambda x: x), extra=None):
    """A plain CycleGAN step with SGD: one graph for the generators, terms written anew.

    `change` is what discriminators see of the pictures of paintings and of photos. `extra` holds
    for paintings and for photos more real ones, and which fakes are shown once more beside them.
    """
    g, f, d_x, d_y = nets
    fake_y, fake_x = g(x), f(y)
    terms = {
        "adversarial_loss": adversarial(d_y, change[0](fake_y), 1)
        + adversarial(d_x, change[1](fake_x), 1),
        "cycle_consistency_loss": l1_loss(f(fake_y), x) + l1_loss(g(fake_x), y),
        "identity_mapping_loss": l1_loss(f(x), x) + l1_loss(g(y), y),
        "perceptual_loss": (teacher(fake_y) - teacher(x)).square().sum(1).mean()
        + (teacher(fake_x) - teacher(y)).square().sum(1).mean(),
    }
    loss = full_objective(terms, objective)
    generators = [*g.parameters(), *f.parameters()]
    gradients = list(torch.autograd.grad(loss, generators))
    for discriminator, real, fake, t, more in (
        (d_x, x, fake_x, change[1], extra and extra[1]),
        (d_y, y, fake_y, change[0], extra and extra[0]),
    ):
        shown = (
            (torch.cat([real, more[0]]), torch.cat([fake, fake[more[1]]])) if more else (real, fake)
        )
        loss = adversarial(discriminator, t(shown[0]), 1) + adversarial(
            discriminator, t(shown[1].detach()), 0
        )
        loss = 0.5 * loss
        gradients += torch.autograd.grad(loss, list(discriminator.parameters()))
    every = [*generators, *d_x.parameters(), *d_y.parameters()]
    return gradients, [(w - RATE * grad).detach() for w, grad in zip(every, gradients, strict=True)]


def plain_networks(state):
    nets = state.networks
    return (
        nets.photo_to_portrait,
        nets.portrait_to_photo,
        nets.photo_discriminator,
        nets.painting_discriminator,
    )


class Recording(torch.optim.SGD):
    """SGD that remembers the gradients it was given."""

    def step(self, closure=None):
        self.seen = [w.grad.clone() for group in self.param_groups for w in group["params"]]
        return super().step(closure)


def with_sgd(state):
    nets = state.networks
    state.optimizers = {
        "generators": Recording(nets.generator_parameters(), lr=RATE),
        "discriminators": Recording(nets.discriminator_parameters(), lr=RATE),
    }
    return state


def in_float32(teacher):
    """A teacher that autocast leaves alone, as the pipeline's do by themselves."""

    def embed(images):
        with torch.autocast(images.device.type, enabled=False):
            return teacher(images.float())

    return embed


def gradients_by_network(take_step, nets, device, half):
    """Return the gradient of each network as one vector; `take_step` is given the context."""
    context = torch.autocast(device.type, torch.bfloat16) if half else nullcontext()
    gradients = iter(take_step(context))
    return [torch.cat([next(gradients).flatten() for _ in net.parameters()]) for net in nets]
