"""The sentences and the style of the page."""

from collections.abc import Sequence
from html import escape

from portrait_pipeline.demo.limits import KEEP_SECONDS
from portrait_pipeline.demo.service import Answer
from portrait_pipeline.portrayal.similarity import Likeness

TITLE = "Photo into portrait"
WELCOME = '<p class="hint">Upload a photo, take one, or choose an example.</p>'
EXAMPLES = '<p class="hint">Examples, drawn faces of nobody:</p>'
NOT_TRAINED = (
    '<div class="refusal" role="alert"><b>No model is trained yet.</b> Run <code>make demo</code>'
    " (a few minutes), then reload this page.</div>"
)
PRIVACY = (
    '<p class="small">Your photo stays on this machine and is deleted as soon as its answer is'
    f" there. The cut-out face and the portraits are kept for {KEEP_SECONDS / 60:.0f} minutes, so"
    " that you can change the model and download, then they are deleted too. Nothing of them is"
    " logged.</p>"
)
GONE = "This photo was deleted, as promised. Please choose it again."

STYLE = """
:root {--quiet: #545c66}
.dark {--quiet: #b9c0ca}
.gradio-container {max-width: 1080px !important; margin: 0 auto !important}
.top h1 {font-size: 1.7rem; font-weight: 650; margin: .4rem 0 .3rem; letter-spacing: -.01em}
.top p {max-width: 44rem; line-height: 1.5; margin: 0}
.top p, .hint, .small, .card .name, .card .number {color: var(--quiet)}
.hint, .small {line-height: 1.5; margin: .2rem 0}
.small {font-size: .85rem; max-width: 44rem}
.refusal {border: 1px solid #d9a441; border-left-width: 5px; border-radius: 8px;
  padding: .8rem 1rem; line-height: 1.5; background: rgba(217,164,65,.10)}
#examples .grid-container {grid-template-columns: repeat(4, minmax(0, 1fr)) !important}
#examples button {min-width: 0 !important}
.icon-button-wrapper:not(:has(*)) {display: none !important}
#slider {width: 100%; max-width: 460px; align-self: center}
.trio {align-items: start}
.trio > :not(:has(img)) {display: none !important}
.trio .column {gap: 4px !important}
.card {line-height: 1.35; padding: 0 2px}
.card .name {font-size: .85rem}
.card .says {font-weight: 600}
.card .number {font-size: .85rem; font-variant-numeric: tabular-nums}
.bar {height: 6px; border-radius: 3px; background: var(--border-color-primary); margin: .3rem 0;
  overflow: hidden}
.bar i {display: block; height: 100%; background: var(--mark)}
footer {display: none !important}
@media (max-width: 640px) {
  .gradio-container {padding: 10px !important}
  .top h1 {font-size: 1.35rem}
  .trio {flex-wrap: nowrap !important; gap: 8px !important}
  .trio > * {min-width: 0 !important; flex: 1 1 0 !important}
  .card .says {font-size: .9rem}
}
"""
MARKS = {
    "same": "#009E73",
    "alike": "#56B4E9",
    "unsure": "#E69F00",
    "stranger": "#D55E00",
    "no face": "#7A828C",
}


def introduction(models: Sequence[tuple[str, str]]) -> str:
    """Write what the page does, with the one model that there is or with several."""
    if len(models) == 1:
        painters = f"It is painted by {escape(models[0][0])}."
    else:
        painters = (
            "It is painted twice: by a plain CycleGAN, the <b>baseline</b>, and by one that was"
            " also trained to keep the person recognisable, the <b>proposed</b> model."
        )
    return (
        f'<header class="top"><h1>{TITLE}</h1>\n<p>Choose a photo with a face. {painters}</p>\n'
        "</header>"
    )


def refusal(words: str) -> str:
    """Write why there is no portrait."""
    return f'<div class="refusal" role="alert">{escape(words)}</div>'


def notes(answer: Answer) -> str:
    """Write the notes about the photo."""
    if answer.num_faces > 1:
        return (
            f'<p class="hint">{answer.num_faces} faces are in this photo; the largest one was'
            " portrayed.</p>"
        )
    return '<p class="hint">Drag the line below to compare photo and portrait.</p>'


def caption(name: str, likeness: Likeness | None) -> str:
    """Write a picture's name and, for a portrait, its similarity in words, number and bar."""
    head = f'<div class="card"><div class="name">{escape(name)}</div>'
    if likeness is None:
        return f"{head}</div>"
    share = max(0.0, min(1.0, likeness.similarity)) if likeness.verdict != "no face" else 0.0
    number = escape(likeness.number.replace("-", "\u2212"))
    return (
        f'{head}<div class="says">{escape(likeness.words)}</div>'
        f'<div class="bar" style="--mark: {MARKS[likeness.verdict]}">'
        f'<i style="width: {share:.0%}"></i></div>'
        f'<div class="number">{number}, by the judge “{escape(likeness.judge)}”</div></div>'
    )
