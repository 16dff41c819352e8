"""What `tantieme statement` prints: the sum, what moved the account, notes, the largest lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from textwrap import TextWrapper

import click

from cli.output import print_table
from royalty.division import PPB
from royalty.money import total
from royalty.movements import Movement
from royalty.statement import Line, Statement

LINES_MAX = 40  # more than that nobody reads in a terminal; exports have all
BASIS = """\
Plays and revenue are measured. 'modelled' amounts follow a model's shares and carry intervals;
'terms' are what the workspace divides equally among works."""
LINE = [
    "#",
    "track",
    "recording",
    "right",
    "from",
    ">plays",
    ">share",
    "basis",
    ">net",
    ">interval",
]
_NOTE = TextWrapper(100, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False)


def print_statement(statement: Statement, *, one_run: bool = False) -> None:
    """Print a statement; `one_run` says that its shares are ours and rest on one run's evidence."""
    _print_heading(statement)
    print_table("", ["", ">amount"], list(_balance(statement)))
    if statement.lines:
        low, high = statement.low, statement.high
        within = ", within one run" if one_run else ""
        click.echo(f"\nBy its shares' intervals{within}, earned lies between {low} and {high}.")
    _print_movements(statement)
    if statement.notes:
        click.echo()
        for note in statement.notes:
            click.echo(_NOTE.fill(note))
    _print_lines(statement)
    if statement.to_keep:
        click.echo(f"\nroot {statement.root}\n{statement.to_keep}")


def _print_heading(statement: Statement) -> None:
    version = f" ({statement.rule_version})" if " " in statement.rule_version else ""
    name, rule = statement.payee_name, statement.rule
    click.echo(f"Statement {statement.id}  {name}  rule {rule}{version}")
    usage = ", ".join(map(str, statement.usage_periods))
    closed = f"{str(statement.closed_at)[:19]}Z"  # to the second
    click.echo(f"Usage of {usage}; booked in {statement.period}; closed at {closed}\n")


def _balance(statement: Statement) -> Iterator[tuple[str, str]]:
    """Lead from opening to closing: the rows that are not indented add up."""
    yield "opening", str(statement.opening)
    yield "earned", str(statement.earned)
    if statement.deductions.micros:
        yield "  gross", str(statement.gross)
        yield "  platform's part", str(statement.deductions)
    if len(statement.net_by_right) > 1:
        for right, net in statement.net_by_right.items():
            yield f"  net, {right}", str(net)
    for term, amount in statement.balance.items():
        if term != "earned":
            yield term, str(amount)
        if term == "reserved" and statement.released.micros:
            yield "  held", str(amount - statement.released)
            yield "  released", str(statement.released)
    yield "closing", str(statement.closing)


def _print_movements(statement: Statement) -> None:
    if not statement.movements:
        return
    rows = [
        (str(each.number), each.posting, each.term, _what(each), each.why, str(each.amount))
        for each in statement.movements
    ]
    click.echo("\nWhat moved the account besides earnings:\n")
    print_table("", ["#", "posting", "term", "what", "why", ">amount"], rows)


def _what(movement: Movement) -> str:
    """Say what happened and, below it, the transaction that it corrects or undoes."""
    return "\n".join(filter(None, (movement.what, movement.adjusts)))


def _print_lines(statement: Statement) -> None:
    """Print every line, or of many the largest that tracks earned, and the equal parts in sum."""
    lines = statement.lines
    if not lines:
        click.echo("\nNothing was earned in this month.")
        return
    if len(lines) <= LINES_MAX:
        click.echo("\nWhat was earned, line by line:\n")
        print_table("", LINE, [_row(line) for line in _by_recording(lines)])
    else:
        _print_largest(statement, [line for line in lines if line.basis == "modelled"])
        _print_equal([line for line in lines if line.basis == "terms"])
        command = f"tantieme export {statement.period} --payee {statement.payee} --format csv"
        click.echo(f"\n'{command}' writes all {len(lines):,} lines.")
    click.echo(f"\n{BASIS}\nA line walks back by its number: 'tantieme trail {statement.id}/#'.")


def _print_largest(statement: Statement, lines: Sequence[Line]) -> None:
    if not lines:
        return
    ranked = sorted(lines, key=_size)
    shown, rest = ranked[:LINES_MAX], ranked[LINES_MAX:]
    click.echo(f"\nWhat tracks earned, the largest {len(shown)} of {len(lines):,} lines:\n")
    print_table("", LINE, [_row(line) for line in _by_recording(shown)])
    if rest:
        left = total((line.net for line in rest), statement.currency)
        click.echo(f"\nand {len(rest):,} more, {left} together")


def _print_equal(lines: Sequence[Line]) -> None:
    """Sum what was divided equally, by right and by where it came from."""
    groups: defaultdict[tuple[str, str], list[Line]] = defaultdict(list)
    for line in lines:
        groups[line.right, _origin(line)].append(line)
    if not groups:
        return
    rows = [
        (*key, f"{len(group):,}", str(total((line.net for line in group), group[0].net.currency)))
        for key, group in sorted(groups.items())
    ]
    click.echo("\nWhat was divided equally:\n")
    print_table("", ["right", "from", ">lines", ">net"], rows)


def _by_recording(lines: Sequence[Line]) -> list[Line]:
    """Put lines of one recording together, and first those that came to most."""
    sums: defaultdict[str, int] = defaultdict(int)
    for line in lines:
        sums[line.recording or ""] += line.net.micros
    return sorted(
        lines, key=lambda line: (-sums[line.recording or ""], line.recording or "", _size(line))
    )


def _size(line: Line) -> tuple[int, int]:
    return -line.net.micros, line.number


def _row(line: Line) -> tuple[str, ...]:
    return (
        str(line.number),
        line.track or "(divided equally)",
        line.title or (line.recording or ""),
        line.right,
        _origin(line),
        _plays(line),
        f"{100 * line.share_ppb / PPB:.2f} %" if line.track else "",
        line.basis,
        str(line.net),
        f"{line.low.rounded} to {line.high.rounded}",
    )


def _plays(line: Line) -> str:
    if line.plays is None:
        return "few listeners"
    return f"{line.plays:,}" if line.track else ""


def _origin(line: Line) -> str:
    return f"{line.source} {line.territory}"
