import pytest

from portrait_pipeline.report.choice import word_choice

CHOSEN = {
    "lambda_perceptual": 0.5,
    "rule": "ssim",
    "reason": "It has the highest SSIM.",
    "other_rule_choice": 1.0,
}


def test_value_rule_reason_and_the_other_rule_are_said() -> None:
    """One sentence each, in this order."""
    sentences = word_choice(CHOSEN, 0.5)
    assert len(sentences) == 3
    assert "λ_p = 0.5" in sentences[0]
    assert "ssim" in sentences[0]
    assert sentences[1] == CHOSEN["reason"]
    assert "pareto" in sentences[2]
    assert "λ_p = 1." in sentences[2]


@pytest.mark.parametrize(("trained_with", "count"), [(0.5, 3), (5.0, 4), (None, 3)])
def test_another_weight_of_the_proposed_model_is_said(
    trained_with: float | None, count: int
) -> None:
    """Only a model that was trained with another λ_p than the chosen one needs a sentence."""
    sentences = word_choice(CHOSEN, trained_with)
    assert len(sentences) == count
    assert ("λ_p = 5 from the parameters" in sentences[-1]) == (trained_with == 5.0)


def test_agreeing_rules_name_the_value_once() -> None:
    """If the other rule agrees the value is not repeated; without a reason there is none."""
    sentences = word_choice({**CHOSEN, "reason": "", "other_rule_choice": 0.5}, None)
    assert len(sentences) == 2
    assert sentences[1].endswith("the same.")
