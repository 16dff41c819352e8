"""A statement as PDF: one page that a person keeps, then every line and movement.

Pure Python and one bundled typeface; equal statements give equal bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from royalty.division import PPB
from royalty.money import total
from royalty.reports import picture
from royalty.reports.explained import closing_words, month, steps
from royalty.reports.paper import FADED, INK, LACKING, TEAL, Column, Paper
from royalty.statement import Line, Statement

LINES_MAX = 1_000  # the largest; more nobody reads on paper

_BALANCE = (
    Column(title="", width=28),
    Column(title="", width=110),
    Column(title="", width=40, align="R"),
)
_LINES = (
    Column(title="#", width=8),
    Column(title="track", width=18),
    Column(title="recording", width=39),
    Column(title="right", width=17),
    Column(title="from", width=23),
    Column(title="plays", width=11, align="R"),
    Column(title="share", width=15, align="R"),
    Column(title="net", width=20, align="R"),
    Column(title="interval", width=27, align="R"),
)
_MOVEMENTS = (
    Column(title="#", width=9),
    Column(title="date", width=19),
    Column(title="what", width=70),
    Column(title="term", width=24),
    Column(title="posting", width=24),
    Column(title="amount", width=32, align="R"),
)


def statement_pdf(statement: Statement) -> bytes:
    """Write one statement: its summary, what it rests on, and how to check it."""
    paper = Paper(
        f"Statement {statement.id}",
        f"Tantième · statement {statement.id} · a share is an estimate",
        statement.period.end,
    )
    _whose(paper, statement)
    _balance(paper, statement)
    _earned(paper, statement)
    _proof(paper, statement)
    _notes(paper, statement)
    _lines(paper, statement)
    _movements(paper, statement)
    if paper.lacks:
        paper.ln(3)
        paper.say(f"{LACKING} is a character this typeface lacks; the CSV has it.", 7.5, FADED)
    return bytes(paper.output())


def _whose(paper: Paper, statement: Statement) -> None:
    """Say whose statement it is, and one number first: what is owed, and when."""
    paper.say(f"STATEMENT {statement.id}", 8, FADED)
    paper.ln(1)
    paper.say(statement.payee_name or statement.payee, 20)
    usage = ", ".join(map(month, statement.usage_periods))
    closed = f", closed on {statement.closed_at[:10]}" if statement.closed_at else ""
    booked, rule = month(statement.period), statement.rule_version or statement.rule
    paper.say(f"Usage of {usage}; booked in {booked}{closed}; rule {rule}.", 9, FADED)
    paper.ln(5)
    paper.say(statement.closing.rounded, 32, TEAL)
    paper.say(closing_words(statement), 10)
    paper.ln(3)


def _balance(paper: Paper, statement: Statement) -> None:
    """Lead from opening to closing; what is taken is negative."""
    paper.rule()
    for step in steps(statement):
        colour = INK if step.amount.micros else FADED
        paper.row(_BALANCE, (step.term, step.words, str(step.amount)), 9, colour)
        paper.rule()


def _earned(paper: Paper, statement: Statement) -> None:
    """Say how sure what was earned is, and draw where it came from."""
    paper.heading("Where it came from")
    if not statement.lines:
        paper.say("Nothing was earned in this month.")
        return
    low, high = statement.low.rounded, statement.high.rounded
    paper.say(
        f"A share is an estimate: by the shares' intervals, what was earned lies between {low} and "
        f"{high}. {' '.join(_parts(statement))} The line under a bar is its interval."
    )
    paper.ln(2)
    picture.draw(paper, statement)


def _parts(statement: Statement) -> Iterator[str]:
    """Name the sources, divide what was earned by right, and tell the platform's part."""
    yield f"Sources: {', '.join(sorted({line.source for line in statement.lines}))}."
    rights = ", ".join(f"{right} {net}" for right, net in statement.net_by_right.items())
    yield f"By right: {rights}."
    if statement.deductions.micros:
        yield f"Of {statement.gross} gross, agreements leave the platform {-statement.deductions}."


def _proof(paper: Paper, statement: Statement) -> None:
    """Give the root, and say how to verify with it."""
    if statement.to_keep:
        paper.heading("How to check it")
        paper.say(f"root {statement.root}", 8)
        paper.say(statement.to_keep, 8, FADED)


def _notes(paper: Paper, statement: Statement) -> None:
    if statement.notes:
        paper.heading("Notes")
    for note in statement.notes:
        paper.say(f"· {note}", 8)


def _lines(paper: Paper, statement: Statement) -> None:
    """Print the lines, largest first; of very many only the largest."""
    if not statement.lines:
        return
    if paper.page == 1:  # a page of its own, unless notes went beyond it
        paper.add_page()
    paper.heading("Line by line, the largest first")
    paper.say(
        "Plays are measured. A share follows from a model and is an estimate; equal parts are of "
        "what nobody could be shown to have earned. A line walks back to its posting, share and "
        f"evidence by its number: 'tantieme trail {statement.id}/#'.",
        7.5,
        FADED,
    )
    paper.ln(2)
    ranked = sorted(statement.lines, key=_order)
    paper.rows(_LINES, map(_cells, ranked[:LINES_MAX]))
    _left_out(paper, statement, ranked[LINES_MAX:])


def _left_out(paper: Paper, statement: Statement, rest: Sequence[Line]) -> None:
    if rest:
        left = total((line.net for line in rest), statement.currency)
        paper.ln(2)
        paper.say(
            f"and {len(rest):,} more lines, {left} together. The CSV has all "
            f"{len(statement.lines):,}: "
            f"'tantieme export {statement.period} --payee {statement.payee} --format csv'.",
            8,
        )


def _order(line: Line) -> tuple[bool, int, int]:
    """Put what shares brought first, and of both the largest."""
    return line.basis == "terms", -line.net.micros, line.number


def _cells(line: Line) -> tuple[str, ...]:
    modelled = line.basis == "modelled"
    return (
        str(line.number),
        line.track if modelled else "(none)",
        line.title or line.recording or "",
        line.right,
        f"{line.source} {line.territory}",
        _plays(line) if modelled else "",
        f"{100 * line.share_ppb / PPB:.2f} %" if modelled else "equal part",
        str(line.net),
        f"{line.low.rounded} to {line.high.rounded}",
    )


def _plays(line: Line) -> str:
    return "few" if line.plays is None else f"{line.plays:,}"


def _movements(paper: Paper, statement: Statement) -> None:
    """Print what else moved the account, each with why."""
    if not statement.movements:
        return
    paper.heading("What else moved the account")
    paper.titles(_MOVEMENTS)
    for each in statement.movements:
        date, number = each.effective_on.isoformat(), str(each.number)
        cells = (number, date, each.what, each.term, each.posting, str(each.amount))
        if paper.will_page_break(12):
            paper.add_page()
            paper.titles(_MOVEMENTS)
        paper.row(_MOVEMENTS, cells)
        paper.say(f"{each.why}; corrects {each.adjusts}" if each.adjusts else each.why, 7, FADED)
        paper.rule()
