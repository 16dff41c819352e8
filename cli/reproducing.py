"""What `tantieme audit PERIOD reproduce` prints."""

from __future__ import annotations

import click

from cli.jobs.reproducing import Repeated, Reproduced
from cli.output import print_table

_SHOWN = 16  # digits of a hash
_HASH = 64


def print_reproduced(found: Reproduced) -> None:
    """Print what is the same and what is not; of transactions that are all the same, how many."""
    rows = [_row(each) for each in _summed(found)]
    title = f"{found.period}, closed by {found.rule}, divided again from what it was divided from"
    print_table(title, ["what", "as closed", "as reproduced", "same"], rows)
    for sentence in found.differences:
        click.echo(f"First difference {sentence}.")


def reproduced_json(found: Reproduced) -> dict[str, object]:
    """State all that was compared."""
    return {
        "schema": 1,
        "period": str(found.period),
        "rule": found.rule,
        "holds": found.holds,
        "compared": [
            {
                "what": each.what,
                "closed": each.closed,
                "reproduced": each.again,
                "same": each.same,
            }
            for each in found.compared
        ],
        "differences": list(found.differences),
    }


def _summed(found: Reproduced) -> list[Repeated]:
    """Put one line for transactions where they are all the same."""
    posted = [each for each in found.compared if each.what.startswith("transaction ")]
    if not all(each.same for each in posted):
        return list(found.compared)
    kept = [each for each in found.compared if each not in posted]
    count = f"all {len(posted)}"
    return [*kept, Repeated(what="transactions of its division", closed=count, again=count)]


def _row(each: Repeated) -> tuple[str, str, str, str]:
    return each.what, _short(each.closed), _short(each.again), "yes" if each.same else "NO"


def _short(text: str) -> str:
    return text[:_SHOWN] if len(text) == _HASH else text
