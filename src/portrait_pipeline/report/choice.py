"""Words for the choice of λ_p: what trained the proposed model, and what the tuning chose."""

from collections.abc import Mapping
from typing import Any

from portrait_pipeline.report.wording import write_lambda


def word_choice(chosen: Mapping[str, Any], trained_with: float | None) -> tuple[str, ...]:
    """Say how λ_p was chosen, and with which one the proposed model was trained.

    Args:
        chosen: `chosen_lambda`: the value, the rule, its reason, what the other rule would choose.
        trained_with: The λ_p of the proposed model; None where it has no fixed one.
    """
    value = write_lambda(float(chosen["lambda_perceptual"]))
    sentences = [f"λ_p = {value} was chosen by the rule “{chosen['rule']}”."]
    if chosen.get("reason"):
        sentences.append(str(chosen["reason"]))
    if chosen.get("other_rule_choice") is not None:
        other = write_lambda(float(chosen["other_rule_choice"]))
        rule = "pareto" if chosen["rule"] == "ssim" else "ssim"
        verb = "would have chosen the same" if other == value else "would have chosen λ_p ="
        sentences.append(f"The rule “{rule}” {verb}{'' if other == value else ' ' + other}.")
    if trained_with is not None and write_lambda(trained_with) != value:
        own = write_lambda(trained_with)
        sentences.append(f"The proposed model was trained with λ_p = {own} from the parameters.")
    return tuple(sentences)
