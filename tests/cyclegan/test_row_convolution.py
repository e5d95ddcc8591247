"""Laws of the convolution to three channels."""

import pytest
import torch
from torch import nn

from portrait_pipeline.cyclegan.row_convolution import RowConvolution


@pytest.mark.parametrize("bias", [True, False])
def test_it_is_a_plain_convolution(bias):
    """Law: results and all gradients are those of Conv2d with the same weights."""
    torch.manual_seed(0)
    rows, plain = RowConvolution(6, 3, 7, bias=bias), nn.Conv2d(6, 3, 7, bias=bias)
    plain.load_state_dict(rows.state_dict())
    images = torch.randn(2, 6, 17, 21, requires_grad=True)
    outputs = [layer(images) for layer in (rows, plain)]
    torch.testing.assert_close(*outputs)
    towards = torch.randn_like(outputs[0])
    ours, theirs = (
        torch.autograd.grad(output, [images, *layer.parameters()], towards)
        for output, layer in zip(outputs, (rows, plain), strict=True)
    )
    for gradient, expected in zip(ours, theirs, strict=True):
        torch.testing.assert_close(gradient, expected, rtol=1e-5, atol=1e-5)


def test_in_use_it_is_computed_as_a_plain_convolution():
    """Law: in eval mode it is Conv2d, which exports to other runtimes."""
    torch.manual_seed(0)
    rows = RowConvolution(4, 3, 7).eval()
    images = torch.randn(1, 4, 9, 9)
    assert torch.equal(rows(images), nn.functional.conv2d(images, rows.weight, rows.bias))
