"""The sentences on the scale of the perceptual loss."""

from typing import Any

from portrait_pipeline.report.explanation import explain_reduction, find_setting


def test_three_sentences_explain_sum_and_mean(inputs: Any) -> None:
    """Three sentences, with this run's shares; without a perceptual term the third says so."""
    sentences = explain_reduction(inputs["proposed_history"], 128, "sum")
    assert all(sentence.endswith(".") and ". " not in sentence for sentence in sentences)
    assert "16\u202f% of" in sentences[2]
    assert "no perceptual term" in explain_reduction(inputs["baseline_history"], 128, "sum")[2]


def test_the_proposed_model_s_setting_is_found() -> None:
    """A setting is found by the end of its name, that of the proposed model before any other."""
    facts = {"settings": {"a.teacher": "dlib", "proposed.teacher": "facenet"}}
    assert find_setting(facts, "teacher", "none") == "facenet"
    assert find_setting({}, "teacher", "none") == "none"
