"""What a single listener moved: the month as it is, next to the month without that one's plays.

The fee stays in the pool either way, so this is what plays alone decide. A rule is
click-fraud-proof if no listener can move any payee by more than the fee (arXiv 2511.04465).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from royalty.audit import Amounts
from royalty.catalogue import PPM
from royalty.listening import Floats, Listening, Played
from royalty.money import Money

WORK_MAX = 10**9  # numbers to look at; beyond, only the heaviest listeners are tried
HALVINGS = 64

Rows = NDArray[np.int64]
Formula = Callable[[Played, Rows], Floats]  # (listener, payee): the month without, minus with


@dataclass(frozen=True, slots=True, kw_only=True)
class Mover:
    """The listener whose plays moved one payee's money most, and by how much.

    `change` is what the payee has because of these plays, negative where they cost it something.
    """

    listener: str
    payee: str
    change: Money
    fee: Money  # gross, of that listener
    tried: int  # listeners, the heaviest
    of: int  # listeners who played anything

    @property
    def ratio(self) -> float | None:
        """How many fees that is; None for a listener who paid nothing."""
        return abs(self.change.micros) / self.fee.micros if self.fee.micros else None


def closed_form(rule: str, options: Any) -> Formula | None:  # noqa: ANN401 - each rule has its own
    """Give what listeners' silence changes under a rule, if there is a formula for it."""
    if rule == "hybrid":
        base = _FORMULAS[options.base]
        part = options.informativeness_ppm / PPM
        return lambda pool, rows: part * base(pool, rows)
    if rule == "pro_rata" and (options.minimum_plays or options.minimum_listeners):
        return None
    return _FORMULAS.get(rule)


def moved_most(listening: Listening, formulas: Sequence[Formula]) -> Mover | None:
    """Try every listener, or the heaviest, with the formula of each pool's rule.

    None where nobody played anything.
    """
    heaviest = listening.heaviest
    wide = max(len(listening.listeners), len(listening.payees))
    tried = heaviest[: max(1, WORK_MAX // wide)]
    step = max(1, WORK_MAX // 100 // wide)
    found = []
    for start in range(0, len(tried), step):
        rows = tried[start : start + step]
        moved = -_summed(listening, formulas, rows).round()
        row, payee = np.unravel_index(np.argmax(_size(moved)), moved.shape)
        found.append((float(moved[row, payee]), int(rows[row]), int(payee)))
    return (
        _moved(listening, max(found, key=lambda each: _size(each[0])), len(tried))
        if found
        else None
    )


def _summed(listening: Listening, formulas: Sequence[Formula], rows: Rows) -> Floats:
    pools = zip(formulas, listening.pools, strict=True)
    summed: Floats = np.sum([formula(pool, rows) for formula, pool in pools], axis=0)
    return summed


def moved_most_of(
    listening: Listening, whole: Amounts, silent: Iterable[tuple[str, Amounts]]
) -> Mover | None:
    """Compare a division with some in which one listener was silent: for rules without a formula.

    `silent` gives the listener and what everybody then gets; None where there are none.
    """
    payees = {payee: place for place, payee in enumerate(listening.payees)}
    places = {listener: place for place, listener in enumerate(listening.listeners)}
    found = [
        (float(amount.micros - _micros(without, payee)), places[listener], payees[payee])
        for listener, without in silent
        for payee, amount in whole.items()
    ]
    tried = len({place for _, place, _ in found})
    return _moved(listening, max(found, key=lambda each: _size(each[0])), tried) if found else None


def _size(change: Any) -> Any:  # noqa: ANN401 - a number or an array of them
    """Order changes by size; of one payee's gain and another's loss alike, the gain comes first."""
    return 2 * abs(change) + (change > 0)


def _micros(amounts: Amounts, payee: str) -> int:
    return amounts[payee].micros if payee in amounts else 0


def _moved(listening: Listening, best: tuple[float, int, int], tried: int) -> Mover:
    change, listener, payee = best
    return Mover(
        listener=listening.listeners[listener],
        payee=listening.payees[payee],
        change=Money(round(change), listening.currency),
        fee=Money(round(listening.fees[listener]), listening.currency),
        tried=tried,
        of=len(listening.heaviest),
    )


def _nothing(pool: Played, rows: Rows) -> Floats:
    """Plays decide nothing."""
    return np.zeros((len(rows), pool.parts.shape[1]))


def _pro_rata(pool: Played, rows: Rows) -> Floats:
    """Divide the pool over the plays that are left: P / (N - N_u) * (n - n_u) - P / N * n."""
    return _spread(pool, rows, pool.pool, np.full(len(rows), pool.pool))


def _spread(pool: Played, rows: Rows, before: float, after: Floats) -> Floats:
    """Change from an amount divided over all plays to others over all but a listener's."""
    plays, own = float(pool.plays_of.sum()), pool.plays_of[rows]
    others = pool.streams - pool.paid(pool.plays[rows])
    per_play: Floats = np.divide(after, plays - own, out=np.zeros(len(rows)), where=plays > own)
    return per_play[:, None] * others - (before / plays if plays else 0) * pool.streams


def _idle(pool: Played, rows: Rows) -> Floats:
    """Add a silent listener's fee to the idle money, which follows the plays of the others."""
    silenced = np.where(pool.plays_of[rows] > 0, pool.rate * pool.fees[rows], 0)
    return _spread(pool, rows, pool.idle, pool.idle + silenced)


def _user_centric(pool: Played, rows: Rows) -> Floats:
    """Take back F_u * n_ug / N_u, which returns as idle money."""
    own = pool.paid(pool.plays[rows])
    return _idle(pool, rows) - _per(own, pool.rate * pool.fees[rows], pool.plays_of[rows])


def _user_equal(pool: Played, rows: Rows) -> Floats:
    """Take back F_u / number of tracks of each that was played, which returns as idle money."""
    touched = (pool.plays[rows] > 0).astype(np.float64)
    tracks = np.asarray(touched.sum(axis=1))
    return _idle(pool, rows) - _per(pool.paid(touched), pool.rate * pool.fees[rows], tracks)


def _per(own: Floats, fees: Floats, counts: Floats) -> Floats:
    each: Floats = np.divide(fees, counts, out=np.zeros_like(counts), where=counts > 0)
    return own * each[:, None]


def _scaled_user_centric(pool: Played, rows: Rows) -> Floats:
    """Find the gamma without a listener: it changes what all others' plays are worth."""
    heard = pool.plays_of > 0
    price = np.divide(pool.fees, pool.plays_of, out=np.zeros_like(pool.fees), where=heard)
    worth = np.minimum(_gamma(pool, price, rows)[:, None], price)
    worth[np.arange(len(rows)), rows] = 0
    before = np.minimum(_gamma(pool, price, None), price)
    tracks = worth @ pool.plays - before @ pool.plays
    return _idle(pool, rows) + pool.paid(tracks)


def _gamma(pool: Played, price: Floats, without: Rows | None) -> Floats:
    """Find the price a play for which all but one listener's parts sum to rate * their fees.

    By halving: sum over u of min(gamma * N_u, F_u) grows with gamma, from 0 to the sum of fees.
    """
    order = np.argsort(price)
    fees = np.where(pool.plays_of > 0, pool.fees, 0)
    spent = np.concatenate([[0], np.cumsum(fees[order])])
    plays = np.concatenate([[0], np.cumsum(pool.plays_of[order])])
    gone = np.array([0]) if without is None else fees[without]
    gone_plays = np.array([0]) if without is None else pool.plays_of[without]
    low = np.zeros(len(gone))
    high = np.full(len(gone), price.max(initial=0))
    for _ in range(HALVINGS):
        gamma = (low + high) / 2
        capped = np.searchsorted(price[order], gamma, side="right")
        sums = spent[capped] + gamma * (plays[-1] - plays[capped])
        enough = sums - np.minimum(gamma * gone_plays, gone) >= pool.rate * (spent[-1] - gone)
        low, high = np.where(enough, low, gamma), np.where(enough, gamma, high)
    return high


_FORMULAS: Mapping[str, Formula] = {
    "pro_rata": _pro_rata,
    "user_centric": _user_centric,
    "user_equal": _user_equal,
    "scaled_user_centric": _scaled_user_centric,
    "per_generation": _nothing,
    "streamed_track": _nothing,
    "training_fee": _nothing,
}
