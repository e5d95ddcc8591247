"""The sentences and the looks of the page."""

from html import escape

from portrait_pipeline.demo.limits import KEEP_SECONDS
from portrait_pipeline.demo.service import Answer
from portrait_pipeline.portrayal.similarity import Likeness

TITLE = "Photo into portrait"
INTRODUCTION = """<header class="top"><h1>Photo into portrait</h1>
<p>A painter that was taught to keep the person. Choose a photo with a face: it is painted twice, by
a plain CycleGAN (<b>baseline</b>) and by one that was also told to keep who is pictured
(<b>proposed</b>).</p></header>"""
WELCOME = '<p class="hint">Upload a photo, take one, or choose an example.</p>'
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
.gradio-container {max-width: 1120px !important; margin: 0 auto !important}
.top h1 {font-size: 1.7rem; font-weight: 650; margin: .4rem 0 .3rem; letter-spacing: -.01em}
.top p {max-width: 46rem; line-height: 1.5; margin: 0; color: var(--body-text-color-subdued)}
.hint, .small {color: var(--body-text-color-subdued); line-height: 1.5; margin: .2rem 0}
.small {font-size: .85rem}
.refusal {border: 1px solid #d9a441; border-left-width: 5px; border-radius: 8px;
  padding: .8rem 1rem; line-height: 1.5; background: rgba(217,164,65,.10)}
.verdicts {display: grid; gap: .5rem}
.verdict {border: 1px solid var(--border-color-primary); border-left: 5px solid var(--mark);
  border-radius: 8px; padding: .6rem .9rem; line-height: 1.45}
.verdict .name {font-size: .85rem; color: var(--body-text-color-subdued)}
.verdict .says {font-size: 1.1rem; font-weight: 600}
.verdict .number {font-variant-numeric: tabular-nums; color: var(--body-text-color-subdued)}
.bar {height: 6px; border-radius: 3px; background: var(--border-color-primary); margin-top: .35rem;
  overflow: hidden}
.bar i {display: block; height: 100%; background: var(--mark)}
.results img {image-rendering: auto}
footer {display: none !important}
@media (max-width: 640px) {
  .top h1 {font-size: 1.35rem}
  .trio {flex-wrap: nowrap !important; gap: 6px !important}
  .trio > * {min-width: 0 !important; flex: 1 1 0 !important}
}
"""
MARKS = {
    "same": "#009E73",
    "alike": "#56B4E9",
    "unsure": "#E69F00",
    "stranger": "#D55E00",
    "no face": "#7A828C",
}


def refusal(words: str) -> str:
    """Write why there is no portrait."""
    return f'<div class="refusal" role="alert">{escape(words)}</div>'


def verdicts(answer: Answer) -> str:
    """Write the judge's word on every portrait, in words, as a number and as a bar."""
    notes = "".join(f'<p class="hint">{escape(note)}</p>' for note in remarks(answer))
    rows = "".join(_verdict(name, likeness) for name, likeness in answer.likenesses.items())
    return f'{notes}<div class="verdicts">{rows}</div>'


def remarks(answer: Answer) -> list[str]:
    """Write what else is worth knowing about the photo."""
    if answer.num_faces > 1:
        return [f"{answer.num_faces} faces are in this photo; the largest one was portrayed."]
    return []


def _verdict(label: str, likeness: Likeness) -> str:
    share = max(0.0, min(1.0, likeness.similarity)) if likeness.verdict != "no face" else 0.0
    return (
        f'<div class="verdict" style="--mark: {MARKS[likeness.verdict]}">'
        f'<div class="name">{escape(label)}</div>'
        f'<div class="says">{escape(likeness.words)}</div>'
        f'<div class="number">{escape(likeness.number)} of 1, by the judge'
        f" “{escape(likeness.judge)}”</div>"
        f'<div class="bar"><i style="width: {share:.0%}"></i></div></div>'
    )
