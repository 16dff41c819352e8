"""What decides a month: as the books have it now, or as it was when a payout was computed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from cli.workspace import Settings
from db import queries, rights
from db.engine import Books
from db.queries import EVERYONE
from royalty.errors import NotReady
from royalty.fx import FxRate
from royalty.payout import Payout
from royalty.period import Period
from royalty.rights import Rights

_UNDECIDING = ("rule", "provider", "approval")  # a payout itself names its rule and provider


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """All that decides how a month is divided, whichever rule divides it."""

    settings: Settings
    provider: str
    inputs: Mapping[str, Sequence[str]]  # usage, revenue, shares, history → snapshots
    rights: Rights  # on the month's first day
    rates: Mapping[str, FxRate] = field(default_factory=dict)  # by the currency that comes in
    currency: str = ""  # of a month without money, where the settings name none


def given_now(books: Books, settings: Settings, period: Period) -> Given:
    """Gather what decides a month as the books have it now.

    Raises `NotReady` where there is no revenue, unless nothing came in since the month before
    was closed, or no shares.
    """
    provider, inputs = _inputs(books, settings, period)
    empty = not inputs["revenue"]
    before = queries.currency_of(EVERYONE, books, period.before(1)) if empty else None
    return Given(
        settings=settings,
        provider=provider,
        inputs=inputs,
        rights=queries.rights(EVERYONE, books, period.start),
        rates=rates_now(books, settings, period),
        currency=before or "",
    )


def given_then(books: Books, payout: Payout) -> Given:
    """Gather what decided a payout when it was computed, whatever has come in since.

    Raises `NotReady` where it was computed before settings and rights were kept, and
    `CorruptSnapshot` where they are not what they were.
    """
    used = queries.decided(EVERYONE, books, payout)
    if used.settings is None:
        raise NotReady(
            f"{payout.period} was computed by {payout.rule} before payouts kept the settings and "
            "the rights that they are computed by, so nothing can tell what these were"
        )
    return Given(
        settings=Settings(**json.loads(used.settings), provider=payout.provider),
        provider=payout.provider,
        inputs={"usage": [], "revenue": [], "shares": [], **used.inputs},
        rights=rights.read(books, used.rights),
        rates=used.rates,
        currency=payout.pool.currency,
    )


def nothing_came(books: Books, period: Period) -> bool:
    """Tell a month without money: nothing came in for it, and the month before it is closed."""
    given = queries.inputs(EVERYONE, books, period)
    closed = queries.closed_periods(EVERYONE, books)
    return not (given.usage or given.revenue) and closed[-1:] == [period.before(1)]


def settings_kept(settings: Settings) -> str:
    """Write settings as canonical JSON, as payouts keep them: all that decide a division."""
    said = {name: each for name, each in asdict(settings).items() if name not in _UNDECIDING}
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def rates_now(books: Books, settings: Settings, period: Period) -> dict[str, FxRate]:
    """Find the latest rate up to a month's last day, of every currency that has one to the books'.

    None where `workspace.toml` does not say what the books' currency is.
    """
    if not settings.currency:
        return {}
    known = queries.rates(EVERYONE, books)  # the earliest first
    return {
        each.base: each
        for each in known
        if each.quote == settings.currency and each.day < period.end
    }


def chosen_provider(shares: Mapping[str, Sequence[str]], settings: Settings) -> str:
    """Choose whose shares are used: the only provider's, or the one that the settings name."""
    if settings.provider:
        if settings.provider not in shares:
            raise NotReady(
                f"workspace.toml names provider '{settings.provider}', who gave no shares; "
                f"there are {', '.join(sorted(shares)) or 'none'}"
            )
        return settings.provider
    if not shares:
        raise NotReady("no shares are here; run 'tantieme attribute' or 'tantieme shares import'")
    if len(shares) > 1:
        raise NotReady(
            f"several providers gave shares: {', '.join(sorted(shares))}; "
            "name one as 'provider' in workspace.toml"
        )
    return next(iter(shares))


def _inputs(
    books: Books, settings: Settings, period: Period
) -> tuple[str, dict[str, Sequence[str]]]:
    """Choose whose shares are used, and name the snapshots that decide, by kind.

    `history` is the usage of the eleven months before, for rules with thresholds; without any,
    those months decide nothing and there is none.
    """
    given = queries.inputs(EVERYONE, books, period)
    if not given.revenue and not nothing_came(books, period):
        raise NotReady(f"there is no revenue of {period}; run 'tantieme revenue import FILE' first")
    provider = chosen_provider(given.shares, settings)
    inputs: dict[str, Sequence[str]] = {"usage": given.usage, "revenue": given.revenue}
    inputs["shares"] = given.shares.get(provider, [])
    if settings.looks_back:
        inputs["history"] = queries.earlier_usage(EVERYONE, books, period)
    return provider, inputs
