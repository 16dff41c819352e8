"""Periods: calendar months, half-open, as all intervals of days are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

_NAME = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A calendar month: from its first day up to, and not with, the first of the next."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> Period:
        """Read `2026-10`. Raises `ValueError` with a sentence on anything else."""
        match = _NAME.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"'{text}' is not a period; write a month such as 2026-10")
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"

    @property
    def start(self) -> date:
        """The first day of the period."""
        return date(self.year, self.month, 1)

    @property
    def end(self) -> date:
        """The first day after the period."""
        return self.next.start

    @property
    def last_day(self) -> date:
        """The last day of the period."""
        return self.end - timedelta(days=1)

    @property
    def next(self) -> Period:
        """The month after."""
        return Period(self.year + self.month // 12, self.month % 12 + 1)

    def before(self, months: int) -> Period:
        """Return the period so many months before."""
        count = self.year * 12 + self.month - 1 - months
        return Period(count // 12, count % 12 + 1)

    @property
    def year_before(self) -> tuple[Period, ...]:
        """The eleven months before, which with this one are a year."""
        return tuple(self.before(months) for months in range(1, 12))

    def nearest(self, day: date) -> date:
        """Return the day, or the nearest to it that the period has."""
        return min(max(day, self.start), self.last_day)

    def __contains__(self, day: date) -> bool:
        return covers(self.start, self.end, day)


def covers(begin: date | None, end: date | None, day: date) -> bool:
    """Whether a half-open interval of days holds the day; None is no bound."""
    return (begin is None or begin <= day) and (end is None or day < end)
