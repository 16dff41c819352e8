"""Write documents of a closed month to files: which there are, in which formats, and from what.

A document is a function from a closed month to its files, each a name and what writes it to
a path, whole or not at all; `DOCUMENTS` has them by report and format.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

from attribution.files import write_whole
from cli.jobs.evidence_pack import write_pack
from cli.output import progress
from cli.workspace import Workspace
from db import queries
from db.engine import Books
from db.queries import EVERYONE
from royalty.errors import NotFound, NotReady
from royalty.money import Money
from royalty.movements import EARNED
from royalty.period import Period
from royalty.reports.accounts import account_table
from royalty.reports.csv import period_csv
from royalty.reports.json import period_json
from royalty.reports.payments import Transfer, payments_csv, payments_table
from royalty.reports.pdf import statement_pdf
from royalty.reports.pools import pools_table
from royalty.reports.rdr import revenue_details, revenue_summary
from royalty.reports.rules import rules_table
from royalty.reports.suspense import suspense_table
from royalty.reports.table import Table, table_csv, table_json
from royalty.reports.xlsx import period_xlsx, statement_xlsx, table_xlsx
from royalty.statement import Statement
from royalty.suspense import months

CAUSES = 20  # of suspense, that are told in words
FOLDED = "/"  # a file whose name has a folder is one of many


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A closed month, and whose documents are wanted of it: one payee's, or everybody's."""

    workspace: Workspace
    books: Books
    month: queries.PeriodRow
    payee: str | None

    @property
    def period(self) -> Period:
        """The month."""
        return self.month.period

    @property
    def payees(self) -> list[str]:
        """Those who have a statement, in order of their ids."""
        stated = queries.stated(EVERYONE, self.books, self.period)
        return [self.payee] if self.payee else list(stated)

    def statement(self, payee: str) -> Statement:
        """Draw up one payee's statement."""
        return queries.statement(EVERYONE, self.books, payee, self.period)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which document of which month, whose, and where to; no place: the workspace's."""

    period: Period
    format: str
    report: str = "statements"
    payee: str | None = None
    output: Path | None = None


File = tuple[str, Callable[[Path], object]]  # its name, and what writes it to a path
Document = Callable[[Source], Iterator[File]]


def fault_of(wanted: Wanted) -> str | None:
    """Say why there is no such document; None where there is one."""
    report, format_ = wanted.report, wanted.format
    if (report, format_) not in DOCUMENTS:
        known = sorted(each for of, each in DOCUMENTS if of == report)
        return f"the report '{report}' is not written as {format_}, but as {', '.join(known)}"
    if wanted.payee is not None and report in OF_ALL:
        return f"the report '{report}' is of all payees together; leave out --payee"
    if wanted.payee is None and (report, format_) in OF_ONE:
        return f"{format_} is written for one payee; name one with --payee"
    return None


def export(workspace: Workspace, wanted: Wanted, *, dry_run: bool = False) -> list[Path]:
    """Write a document, or only say which files it would be.

    Raises `PeriodNotClosed`, `NotFound` for a payee who is none, and `NotReady` where nothing can
    be written to the output.
    """
    source = _open(workspace, wanted)
    files = list(DOCUMENTS[wanted.report, wanted.format](source))
    folder = workspace.home / "reports" / str(wanted.period)
    paths = [_place(folder, name, wanted.output) for name, _ in files]
    if not dry_run:
        with progress(f"{wanted.report} as {wanted.format}") as report:
            for done, (path, (_, write)) in enumerate(zip(paths, files, strict=True), start=1):
                _require_writable(path)
                write(path)
                report(done, len(files))
    return paths


def _open(workspace: Workspace, wanted: Wanted) -> Source:
    books = workspace.books()
    month = queries.closed_period(EVERYONE, books, wanted.period)
    payees = {party.id for party in queries.parties(EVERYONE, books)} if wanted.payee else set()
    if wanted.payee and wanted.payee not in payees:
        raise NotFound(
            f"there is no payee '{wanted.payee}'; 'tantieme payouts {wanted.period}' lists them"
        )
    return Source(workspace=workspace, books=books, month=month, payee=wanted.payee)


def _require_writable(path: Path) -> None:
    """Make the folder that a file goes to. Raises `NotReady` where the file cannot be there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise NotReady(f"{path} cannot be written: {fault.strerror}; name another place") from fault
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise NotReady(f"{path} cannot be written; name another place with --output")


def _place(folder: Path, name: str, output: Path | None) -> Path:
    """Say where a file goes: to the output, or into it where it is a folder, or is to be."""
    if output is None:
        return folder / name
    return output / Path(name).name if FOLDED in name or output.is_dir() else output


def _whole(make: Callable[[], bytes]) -> Callable[[Path], object]:
    """Make what writes bytes to a path, whole or not at all."""
    return lambda path: write_whole(path, make())


def _one(ending: str, make: Callable[[Source], bytes], *, report: str = "statements") -> Document:
    """Make a document of one file, named after the report, and the payee if it is of one."""

    def files(source: Source) -> Iterator[File]:
        stem = "-".join(filter(None, (report, source.payee)))
        yield f"{stem}.{ending}", _whole(lambda: make(source))

    return files


def _each(folder: str, makes: Mapping[str, Callable[[Statement], bytes]]) -> Document:
    """Make a document of files for each payee in a folder, by their endings."""

    def files(source: Source) -> Iterator[File]:
        draw = lru_cache(maxsize=1)(source.statement)  # once for all files of a payee

        def made(make: Callable[[Statement], bytes], payee: str) -> bytes:
            return make(draw(payee))

        for payee in source.payees:
            for ending, make in makes.items():
                write = _whole(partial(made, make, payee))
                yield f"{folder}{FOLDED}{payee}.{ending}", write

    return files


def _tabled(report: str, make: Callable[[Source], Table]) -> dict[tuple[str, str], Document]:
    """Make the documents of a report that is one table."""

    def written(write: Callable[[Table], bytes]) -> Callable[[Source], bytes]:
        return lambda source: write(make(source))

    return {
        (report, format_): _one(format_, written(write), report=report)
        for format_, write in WRITTEN.items()
    }


def _statements(source: Source) -> list[Statement]:
    return [source.statement(payee) for payee in source.payees]


def _statements_xlsx(source: Source) -> bytes:
    if source.payee:
        return statement_xlsx(source.statement(source.payee))
    return period_xlsx(source.period, _statements(source))


def _statements_pdf(source: Source) -> Iterator[File]:
    """One file of one payee, or a folder with one of each."""
    if source.payee is None:
        return _each("pdf", {"pdf": statement_pdf})(source)
    return _one("pdf", lambda source: statement_pdf(source.statement(source.payee or "")))(source)


def _pack(source: Source) -> Iterator[File]:
    """Put together what one payee needs to check a statement without these books."""
    payee = source.payee or ""
    yield (
        f"{payee}.zip",
        lambda path: write_pack(source.workspace, source.period, payee, path),
    )


def _account(source: Source) -> Table:
    found = queries.entries(EVERYONE, source.books, source.period, payee=source.payee)
    return account_table(source.period, found, source.month.root)


def _transfers(source: Source) -> list[Transfer]:
    """List what the bank is to pay of what the month left payable, as `tantieme pay` does."""
    return [
        Transfer(payment=row.id, payee=row.payee, name=row.payee_name, amount=row.paid)
        for row in queries.payments(EVERYONE, source.books, period=source.period.next)
        if row.state == "sent" and source.payee in {None, row.payee}
    ]


def _payments(source: Source) -> Table:
    return payments_table(source.period, _transfers(source), source.month.root)


def _suspense(source: Source) -> Table:
    waiting = queries.suspense(EVERYONE, source.books, on=source.period.last_day)
    causes = queries.suspense_causes(EVERYONE, source.books, months(waiting), most=CAUSES)
    why = [f"{each.pool}: {each.amount}, since {each.why}" for each in causes.rows]
    return suspense_table(source.period, waiting, why, source.month.root)


def _pools(source: Source) -> Table:
    paid = queries.payout(EVERYONE, source.books, source.period, source.month.rule or "")
    posted = queries.postings(EVERYONE, source.books, source.period)
    mine = (row for row in posted if row.amount.currency == paid.pool.currency)
    return pools_table(paid, _booked(mine), source.month.root)


def _booked(posted: Iterable[queries.PostingRow]) -> dict[str, dict[str, Money]]:
    """Sum what closing the month credited to each account, by pool; in one currency."""
    sums: defaultdict[str, dict[str, Money]] = defaultdict(dict)
    for row in posted:
        if row.kind in {"revenue", EARNED} and row.pool:
            before = sums[row.pool].get(row.account, Money(0, row.amount.currency))
            sums[row.pool][row.account] = before - row.amount
    return sums


def _rules(source: Source) -> Table:
    """Compare what the month was computed by, the rule that closed it first."""
    rule = source.month.rule or ""
    others = [each for each in source.month.computed if each != rule]
    payouts = [
        queries.payout(EVERYONE, source.books, source.period, each) for each in (rule, *others)
    ]
    differences = {
        paid.rule: queries.differences(EVERYONE, source.books, payouts[0], paid)
        for paid in payouts[1:]
    }
    return rules_table(payouts, differences, source.month.root)


OF_ALL = frozenset({"suspense", "pools", "rules"})  # reports that are not of a payee
OF_ONE = frozenset({("statements", "evidence")})
WRITTEN: Mapping[str, Callable[[Table], bytes]] = {
    "csv": table_csv,
    "json": table_json,
    "xlsx": table_xlsx,
}
DOCUMENTS: Mapping[tuple[str, str], Document] = {
    ("statements", "csv"): _one("csv", lambda source: period_csv(_statements(source))),
    ("statements", "json"): _one(
        "json", lambda source: period_json(source.period, _statements(source))
    ),
    ("statements", "xlsx"): _one("xlsx", _statements_xlsx),
    ("statements", "pdf"): _statements_pdf,
    ("statements", "rdr"): _each(
        "rdr", {"summary.tsv": revenue_summary, "details.tsv": revenue_details}
    ),
    ("statements", "evidence"): _pack,
    **_tabled("account", _account),
    **_tabled("payments", _payments),
    ("payments", "csv"): _one(
        "csv", lambda source: payments_csv(_transfers(source)), report="payments"
    ),
    **_tabled("suspense", _suspense),
    **_tabled("pools", _pools),
    **_tabled("rules", _rules),
}
