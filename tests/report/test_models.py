import pytest

from portrait_pipeline.report.measures import BY_KEY
from portrait_pipeline.report.models import model_label, why_not_measured


@pytest.mark.parametrize(
    ("model", "label"),
    [("baseline", "Baseline"), ("photo_itself", "Photo itself"), ("lambda_0_5", "Lambda 0 5")],
)
def test_models_have_labels(model: str, label: str) -> None:
    """Known rows have labels of their own, others are made readable."""
    assert model_label(model) == label


def test_controls_say_why_they_have_no_number() -> None:
    """A painting has no photo, shuffled pairs are the same set; else it is the measure's reason."""
    ssim, swd = BY_KEY["ssim"], BY_KEY["swd"]
    assert "no photo" in why_not_measured(ssim, "real_paintings")
    assert "same set" in why_not_measured(swd, "shuffled_pairs")
    assert why_not_measured(swd, "real_paintings") == swd.why_missing
    assert why_not_measured(ssim, "baseline") == ssim.why_missing
