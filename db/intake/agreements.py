"""Agreements: rows of `terms.csv` into terms, and what no two of them may say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from db.intake.faults import quoted
from db.intake.rows import (
    Row,
    one_of,
    read_amount,
    read_country,
    read_currency,
    read_id,
    read_ppm,
    read_territory,
    whole_number,
)
from royalty.catalogue import PPM, WORLDWIDE
from royalty.errors import Problem
from royalty.terms import Terms

COLUMNS = (
    "party", "royalty_rate_ppm", "advance", "reserve_ppm", "minimum_payment", "withholding_ppm",
    "currency", "valid_from", "valid_to",
)  # fmt: skip
OPTIONAL = ("territory", "recoupment", "reserve_months", "jurisdiction", "most_favoured")

_MONTHS_MAX = 120
_DEFAULT_MONTHS = 12
# What is agreed once with a party, whatever the territory: the columns, and the fields they fill.
_PAYMENT = {
    "advance": "advance_micros",
    "recoupment": "recoupment",
    "reserve_ppm": "reserve_ppm",
    "reserve_months": "reserve_months",
    "minimum_payment": "minimum_payment_micros",
    "withholding_ppm": "withholding_ppm",
    "jurisdiction": "jurisdiction",
    "currency": "currency",
}
_PAYEES_OWN = ("minimum_payment", "withholding_ppm", "jurisdiction")

Fault = Callable[[Terms, str, str], Problem]  # of a column, with a sentence


@dataclass(frozen=True, slots=True)
class Agreements:
    """Reads rows, and remembers which cells on payment each of them filled."""

    stated: dict[Terms, tuple[str, ...]] = field(default_factory=dict)

    def read(self, row: Row) -> Terms:
        """Read one row."""
        terms = _terms(row)
        self.stated[terms] = tuple(name for name in _PAYMENT if row.cells[name].strip())
        return terms

    def faults(self, terms: Iterable[Terms], fault: Fault) -> Iterator[Problem]:
        """Find terms of one party that hold at once: of one territory, or at odds on payment."""
        for first, other in _together(terms):
            if first.territory == other.territory:
                message = f"other terms of {other.party} hold then too{_there(other)}"
                yield fault(other, "valid_from", message)
            else:
                yield from self._at_odds(first, other, fault)

    def _at_odds(self, one: Terms, two: Terms, fault: Fault) -> Iterator[Problem]:
        """Find what is said of payment beside the terms that go first."""
        first, other = sorted((one, two), key=_rank)
        for name in self.stated[other]:
            said = getattr(other, _PAYMENT[name])
            if said != getattr(first, _PAYMENT[name]) or (said and name == "advance"):
                message = (
                    f"is agreed once with {other.party}, in the terms for {first.territory} that "
                    "hold then too; leave it empty here"
                )
                yield fault(other, name, message)


def paid_through(
    terms: Iterable[Terms], payees: Mapping[str, object], fault: Fault
) -> Iterator[Problem]:
    """Find what only whoever is paid can have agreed, in the terms of a party that is not."""
    for each in terms:
        payee = payees.get(each.party, each.party)
        for name in _PAYEES_OWN if payee != each.party else ():
            if getattr(each, _PAYMENT[name]):
                who, other = quoted(each.party), quoted(str(payee))
                message = f"{who} is paid through {other}; put it in the terms of {other}"
                yield fault(each, name, message)


def _together(terms: Iterable[Terms]) -> Iterator[tuple[Terms, Terms]]:
    """List the pairs of one party's terms that hold on some day, the one that begins first."""
    of_party: defaultdict[str, list[Terms]] = defaultdict(list)
    for each in sorted(terms, key=_begin):
        earlier = of_party[each.party]
        yield from ((other, each) for other in earlier if other.holds_on(_begin(each)))
        earlier.append(each)


def _begin(terms: Terms) -> date:
    return terms.valid_from or date.min


def _rank(terms: Terms) -> tuple[bool, str]:
    """Order terms: payment goes by the worldwide ones, else by the first territory's."""
    return terms.territory != WORLDWIDE, terms.territory


def _there(terms: Terms) -> str:
    return "" if terms.territory == WORLDWIDE else f" in {terms.territory}"


def _terms(row: Row) -> Terms:
    rate = row.maybe("royalty_rate_ppm", read_ppm)
    valid_from, valid_to = row.days("valid_from", "valid_to")
    return Terms(
        party=row.text("party"),
        royalty_rate_ppm=PPM if rate is None else rate,
        advance_micros=row.maybe("advance", read_amount) or 0,
        reserve_ppm=row.maybe("reserve_ppm", read_ppm) or 0,
        minimum_payment_micros=row.maybe("minimum_payment", read_amount) or 0,
        withholding_ppm=row.maybe("withholding_ppm", read_ppm) or 0,
        currency=row.maybe("currency", read_currency) or "",
        valid_from=valid_from,
        valid_to=valid_to,
        territory=row.maybe("territory", read_territory) or WORLDWIDE,
        recoupment=row.maybe("recoupment", read_id),
        reserve_months=row.maybe("reserve_months", _read_months) or _DEFAULT_MONTHS,
        jurisdiction=row.maybe("jurisdiction", read_country),
        most_favoured=row.maybe("most_favoured", one_of("true", "false")) == "true",
    )


_read_months = whole_number(1, _MONTHS_MAX)
