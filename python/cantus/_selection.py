"""The trials of a training that selected its recipe."""

import html
import json
from typing import NamedTuple


class Trial(NamedTuple):
    """A recipe that was tried on the training part."""

    #: The recipe and the duration of its segments, such as ``"best, segments of 10.00 s"``.
    name: str
    #: By cross-validation on the training part: share of tracks predicted correctly, or macro average precision
    #: of tags. None if it has none.
    score: float | None
    #: Duration of the trial, in seconds; None without a score.
    seconds: float | None
    #: Why it has no score; None if it has one.
    reason: str | None
    #: Whether its recipe is that of the run.
    is_chosen: bool = False


class Trials(list[Trial]):
    """Trials in the order in which they were made; ``print`` and Jupyter show a table."""

    @property
    def chosen(self) -> Trial | None:
        """The trial with the highest score, or an ensemble within one standard error of it: the recipe of the run."""
        return next((trial for trial in self if trial.is_chosen), None)

    def _rows(self) -> list[tuple[str, str, str]]:
        rows = []
        for trial in self:
            score = trial.reason or "" if trial.score is None else f"{100 * trial.score:.1f} %"
            seconds = "" if trial.seconds is None else f"{trial.seconds:.0f} s"
            rows.append((trial.name, score, f"{seconds}  ← chosen" if trial.is_chosen else seconds))
        return rows

    def __str__(self) -> str:
        rows = self._rows()
        widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
        lines = (
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows
        )
        return "\n".join(line.rstrip() for line in lines)

    def _repr_html_(self) -> str:
        rows = ("".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in self._rows())
        head = "<tr><th>recipe</th><th>score</th><th>time</th></tr>"
        return f"<table>{head}{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"


def trials_of_json(text: str) -> Trials:
    """Return the trials of ``selection.json``."""
    selection = json.loads(text)
    trials = (_trial(trial["name"], trial["outcome"]) for trial in selection["trials"])
    return Trials(trial._replace(is_chosen=trial.name == selection.get("chosen")) for trial in trials)


def _trial(name: str, outcome: object) -> Trial:
    match outcome:
        case {"scored": {"score": score, "seconds": seconds}}:
            return Trial(name, score, seconds, None)
        case {"failed": {"reason": reason}}:
            return Trial(name, None, None, f"failed: {reason}")
        case _:
            return Trial(name, None, None, "not tried: no time left")
