"""Curves over epochs and the share of the perceptual term."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from portrait_pipeline.report.curves import (
    epoch_axis,
    loss_figure,
    perceptual_share_figure,
    share_with_mean,
    share_with_sum,
    validation_figure,
)


def test_the_mean_divides_the_term_by_the_dimensions() -> None:
    """With term 4 beside 12 the share is 1/4; divided by 128 it is (4/128) / (4/128 + 12)."""
    share = share_with_mean(pd.Series([4 / 16]), 128)
    assert share.iloc[0] == pytest.approx((4 / 128) / (4 / 128 + 12))


def test_sum_undoes_mean() -> None:
    """The two conversions are inverses."""
    shares = pd.Series([0.001, 0.2, 0.9])
    np.testing.assert_allclose(share_with_sum(share_with_mean(shares, 512), 512), shares)


def test_both_directions_are_drawn_and_their_sum_is_not(inputs: Any) -> None:
    """`adversarial_loss_photo` and `_portrait` are lines; `adversarial_loss`, their sum, is not."""
    figure = loss_figure({"proposed": inputs["proposed_history"]})
    drawn = [trace.hovertemplate.split(":")[0] for trace in figure.data]
    assert "adversarial loss photo" in drawn
    assert "adversarial loss" not in drawn
    assert not any("weighted" in name or "share" in name for name in drawn)


def test_a_term_that_is_always_zero_is_not_drawn(inputs: Any) -> None:
    """The baseline alone has no perceptual panel."""
    figure = loss_figure({"baseline": inputs["baseline_history"]})
    titles = [annotation.text for annotation in figure.layout.annotations]
    assert titles == ["Discriminators", "Adversarial", "Cycle consistency"]


def test_epochs_without_validation_leave_no_gap(inputs: Any) -> None:
    """Only the epochs in which it was measured are points of a validation curve."""
    figure = validation_figure({"proposed": inputs["proposed_history"]})
    assert list(figure.data[0].x) == [3, 6, 9, 12]


@pytest.mark.parametrize("epochs", [1, 2, 4, 9, 10, 11, 50, 200])
def test_the_ticks_are_whole_epochs(epochs: int) -> None:
    """Law: a tick is a whole number of epochs, and there are ten at most."""
    figure_axis = epoch_axis({"a": pd.DataFrame({"epoch": range(1, epochs + 1)})}, "epoch")
    assert isinstance(figure_axis["dtick"], int)
    assert 1 <= epochs / figure_axis["dtick"] <= 10 or figure_axis["dtick"] == 1


def test_histories_with_other_columns_are_no_mistake() -> None:
    """A history without any known column gives a figure that says so."""
    bare = {"baseline": pd.DataFrame({"epoch": [1, 2], "note": ["a", "b"]})}
    for figure in (loss_figure(bare), validation_figure(bare)):
        assert "Nothing to plot" in figure.layout.annotations[0].text


def test_the_measured_reduction_is_not_converted(inputs: Any) -> None:
    """Trained with sum, the line of sum is the measured one; trained with mean, that of mean."""
    history = inputs["proposed_history"]
    for reduction in ("sum", "mean"):
        figure = perceptual_share_figure(history, 128, reduction)
        lines = {trace.name: list(trace.y) for trace in figure.data}
        np.testing.assert_allclose(
            lines[f"{reduction}, of the loss"], history["perceptual_loss_share"]
        )
        assert lines["sum, of the loss"][0] > lines["mean, of the loss"][0]


def test_without_a_perceptual_term_there_is_no_share_to_plot(inputs: Any) -> None:
    """The figure of the baseline says that nothing is there."""
    empty = perceptual_share_figure(inputs["baseline_history"], 128, "sum")
    assert "Nothing to plot" in empty.layout.annotations[0].text
