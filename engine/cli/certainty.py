"""How long rays are searched (--budget), and what is said of those that stay undecided."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.errors import SettingError, UndecidedError
from engine.output.progress import say

if TYPE_CHECKING:
    from engine.kernels.search.budget import Budget
    from engine.render.picture import Report

# So few segments decide hardly any ray: seconds may have been meant.
FEW = 60


def read_budget(text: str) -> "Budget":
    """The Budget of `65536`, segments a ray, or `60s`, seconds a picture."""
    from engine.kernels.search.budget import Budget

    number = text.replace(",", "").replace("_", "").strip().lower()
    is_seconds = number.endswith("s")
    try:
        value = float(number.removesuffix("s"))
        if is_seconds:
            return Budget(seconds=value)
        if value == int(value):
            return Budget(segments=int(value))
    except (ValueError, OverflowError):
        pass
    except SettingError as error:
        raise SettingError(f"--budget {text}: {error}") from None
    raise SettingError(
        f"--budget {text}: it takes a number of segments a ray, as in --budget 65536, or of seconds a picture, as in "
        "--budget 60s."
    )


@contextmanager
def accounted(budget: "Budget | None", strict: bool) -> Iterator[None]:
    """Gives the pictures made in the block a Budget, and says afterwards how many of their rays are not certain,
    or have more surfaces than are drawn.

    strict   raises UndecidedError, instead of saying it, where rays are undecided
    """
    from engine.app.jobs import renderer
    from engine.render.picture import Report

    own, drawing = renderer().budget, renderer()
    drawing.budget, drawing.report = budget or own, Report()
    try:
        yield
        report = drawing.report
        if strict and report.undecided:
            raise UndecidedError(message(report, drawing.budget))
        if report.undecided or report.grazes or report.cut:
            say(message(report, drawing.budget))
    finally:
        drawing.budget = own


def message(report: "Report", budget: "Budget") -> str:
    """A line about the rays that are not certain, and the option that would decide more of them."""
    if not report.undecided:
        return f"{report}."
    if budget.seconds is None:
        seconds = f" ({budget.segments} seconds are --budget {budget.segments}s.)" if budget.segments <= FEW else ""
        more = 4 * budget.segments
        return f"{report}. --budget {more} searches further than {budget.segments:,} segments a ray.{seconds}"
    longer = replace(budget, seconds=4 * max(budget.seconds, 1.0)).seconds
    return f"{report}. --budget {longer:g}s searches longer than {budget.seconds:g} s a picture."
