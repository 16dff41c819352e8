"""What `tantieme audit PERIOD rules` prints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from math import isinf
from typing import TYPE_CHECKING

import click

from cli.output import percent, print_table
from royalty.rules import PROPERTIES

if TYPE_CHECKING:
    from cli.jobs.fairness import Closed, Fairness, Figures, Judged
    from royalty.fairness import Envy, Farm
    from royalty.silence import Mover

WIDE = 98  # characters of a line
FIGURES = """\
Envy: the best pay per stream over the worst; 1 where every stream earns the same. A payee's
streams are plays, each counted by the payee's part of what the track earns. Gini: 0 where all
{payees} payees get the same, near 1 where one gets all. Top: the part of the hundredth, of the
tenth, and of the one who get most.
"""
MOVED = """\
The month as it is, next to the month without one listener's plays (the fee stays in the pool):
whose plays moved any one payee's money most, and how many of that listener's fees that is. Above
one fee, a listener decides over other people's money.
"""
SUSPICIOUS = """\
Beyond: what pro_rata gives a payee more than its listeners' own fees would, by user_centric. Of
few: how much of its streams came from the hundredth of all listeners who played it most. Both are
reasons to look, and neither is proof: devoted listeners look the same from here. To find the most
suspicious set of payees is NP-hard (arXiv 2511.04465), so these are single ones.
"""
FARM = """\
Gained: all that any payees got more with these listeners than without them, and so the most that
they can have played for. Profit: that, less their fees. Taken: what other payees got less.
"""
MATRIX = """\
What each rule has (Y) and lacks (-), held to it by tests: of rules without options, where who pays
also plays.
"""
IDLE = """\
{idle} of the month is idle: listeners paid it and played nothing. It follows plays under every
rule that divides by them, so many plays draw on it even where nobody else's fees can be had.
"""


Measured = Sequence[tuple["Judged", "Figures"]]


def print_fairness(found: Fairness) -> None:
    """Print what every rule makes of the month: five tables, each with what it means."""
    judged = [(each, each.figures) for each in found.rules if each.figures]
    _print_head(found)
    _print_figures(found, judged)
    _print_moved(found, judged)
    _print_farm(found, judged)
    _print_suspicions(found)
    _print_matrix(found)


def _print_head(found: Fairness) -> None:
    """Say by what the month was closed, and what does not depend on the rule of a row."""
    lines = [] if found.closed is None else [_closed(found.closed, str(found.period))]
    if found.rule_of_source:
        own = ", ".join(f"{source} by {rule}" for source, rule in found.rule_of_source.items())
        lines.append(f"In every row, workspace.toml has sources divided by other rules: {own}.")
    for line in lines:
        click.echo(f"{click.wrap_text(line, WIDE)}\n")


def _closed(closed: Closed, period: str) -> str:
    line = f"{period} was closed by {closed.rule}."
    if closed.version == closed.today:
        return line
    return (
        f"{line} These figures are by today's settings, which are others: {closed.today}, "
        f"and not {closed.version}."
    )


def _print_figures(found: Fairness, judged: Measured) -> None:
    columns = ["rule", ">envy", ">Gini", ">top 1 %", ">top 10 %", ">largest"]
    rows = [(each.rule.name, _envy(figures.envy), *_spread(figures)) for each, figures in judged]
    print_table(f"How evenly each rule would divide {found.period}:", columns, rows)
    click.echo(f"\n{FIGURES.format(payees=found.payees)}")
    for each in found.rules:
        if each.refused:
            click.echo(f"{click.wrap_text(_refusal(each), WIDE)}\n")


def _refusal(judged: Judged) -> str:
    return f"{judged.rule.name} is left out: {judged.refused}."


def _envy(envy: Envy | None) -> str:
    if envy is None:
        return "-"
    return "no bound" if isinf(envy.ratio) else f"{envy.ratio:,.2f}"


def _spread(figures: Figures) -> Iterator[str]:
    spread = figures.concentration
    yield f"{spread.gini:.3f}"
    for part in (spread.top_1_percent, spread.top_10_percent, spread.largest):
        yield percent(part)


def _print_moved(found: Fairness, judged: Measured) -> None:
    moves = [(each.rule.name, figures.moved) for each, figures in judged if figures.moved]
    rows = [(rule, *_move(found, moved)) for rule, moved in moves]
    columns = ["rule", "listener", "payee", ">moved", ">fee", ">fees"]
    print_table("What a single listener moved most:", columns, rows)
    click.echo(f"\n{MOVED}{_tried(moves)}")


def _move(found: Fairness, moved: Mover) -> tuple[str, ...]:
    if moved.change.micros == 0:
        return "nobody", "", "", "", ""
    payee = found.names.get(moved.payee, moved.payee)
    return moved.listener, payee, moved.change.rounded, moved.fee.rounded, _fees(moved)


def _fees(moved: Mover) -> str:
    return "paid none" if moved.ratio is None else f"{moved.ratio:,.2f}"


def _tried(moves: Sequence[tuple[str, Mover]]) -> str:
    """Say where not all listeners were tried."""
    lines = [
        f"{rule}: of the {moved.tried:,} heaviest of {moved.of:,} listeners tried.\n"
        for rule, moved in moves
        if moved.tried < moved.of
    ]
    return "".join(lines)


def _print_farm(found: Fairness, judged: Measured) -> None:
    gone = found.left_out
    farms = [(each.rule.name, figures.farm) for each, figures in judged if figures.farm]
    if gone is None or not farms:
        click.echo("Name listeners with --without to see what they cost the others.\n")
        return
    paid_in = farms[0][1].cost.paid_in
    title = (
        f"With and without {_listeners(len(gone.listeners))} ({gone.named}), who paid "
        f"{gone.fees.rounded}, of which {paid_in.rounded} went to be divided:"
    )
    rows = [(rule, *_cost(farm), *_loser(found, farm)) for rule, farm in farms]
    columns = ["rule", ">gained", ">profit", ">taken", "most from", ""]
    print_table(title, columns, rows)
    idle = IDLE.format(idle=found.idle.rounded) if found.idle.micros else ""
    click.echo(f"\n{FARM}{''.join(_elsewhere(farms))}{idle}")


def _listeners(count: int) -> str:
    return f"{count:,} listener{'s' * (count != 1)}"


def _cost(farm: Farm) -> tuple[str, ...]:
    return tuple(each.rounded for each in (farm.cost.gained, farm.profit, farm.cost.taken))


def _elsewhere(farms: Sequence[tuple[str, Farm]]) -> Iterator[str]:
    """Say what these listeners moved that is no payee's, where it is a cent or more."""
    for rule, farm in farms:
        for amount, place in (
            (farm.cost.suspense, "waits in suspense"),
            (farm.cost.platform, "stays with the platform by terms"),
        ):
            size = max(amount, -amount, key=lambda each: each.micros).rounded
            if any(digit in size for digit in "123456789"):
                yield f"{rule}: {size} {'more' if amount.micros > 0 else 'less'} {place}.\n"


def _loser(found: Fairness, farm: Farm) -> tuple[str, str]:
    """Name who lost most, where it is a cent or more."""
    lost = [each for each in farm.cost.losers if each.difference.rounded.startswith("-")]
    if not lost:
        return "nobody", ""
    return found.names.get(lost[0].payee, lost[0].payee), lost[0].difference.rounded


def _print_suspicions(found: Fairness) -> None:
    if not found.suspicions:
        return
    rows = [
        (
            found.names.get(each.payee, each.payee),
            each.pooled.rounded,
            each.own.rounded,
            each.excess.rounded,
            percent(each.few),
        )
        for each in found.suspicions
    ]
    columns = ["payee", ">pro_rata", ">own fees", ">beyond", ">of few"]
    print_table("Where it is worth looking at who played:", columns, rows)
    click.echo(f"\n{SUSPICIOUS}")


def _print_matrix(found: Fairness) -> None:
    """Print which rule has which property: too many columns for a table with room between them."""
    headings = [_heading(each) for each in found.rules]
    wide = [max(map(len, PROPERTIES)), *(max(map(len, words)) for words in headings)]
    click.echo(MATRIX)
    for words in zip_longest(*headings, fillvalue=""):
        click.echo(_spaced(["", *words], wide))
    for name in PROPERTIES:
        marks = ["Y" if name in each.rule.has else "-" for each in found.rules]
        click.echo(_spaced([name.replace("_", " "), *marks], wide))
    click.echo()
    for each in found.rules:
        if each.options:
            click.echo(f"* {each.rule.name} has options in workspace.toml: {_options(each)}.")
    click.echo("docs/rules.md says what each property means, and whom each rule favours.")


def _heading(judged: Judged) -> list[str]:
    """Break a rule's name into lines, with a mark where it has options."""
    marked = f"{judged.rule.name}{'*' * bool(judged.options)}"
    return marked.replace("_", "_ ").split()


def _options(judged: Judged) -> str:
    return ", ".join(f"{name} = {value}" for name, value in judged.options.items())


def _spaced(words: Sequence[str], wide: Sequence[int]) -> str:
    return " ".join(f"{word:<{width}}" for word, width in zip(words, wide, strict=True)).rstrip()
