"""The slow, exact twin of the money: Python integers and fractions, nothing clever, no table.

It is the specification to read: one short function a rule. It follows the rules as money.md states
them and shares no code with `royalty` but its values.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

PPM = 10**6
PPB = 10**9
EQUALLY = "/equally"  # all licensed works alike
UNBOOKED = "/unbooked"  # nobody's: it waits


@dataclass(frozen=True)
class World:
    """One pool and what else of its month a rule may look at. Money in micros, the rate in ppm.

    A track listed with no plays is there, and played by nobody.
    """

    plays: Mapping[tuple[str, str], int]  # by listener and track
    fees: Mapping[str, int] = field(default_factory=dict)  # by listener, against no track
    rate_ppm: int = PPM
    active: Mapping[tuple[str, str], int] = field(default_factory=dict)  # of the plays
    booked: Mapping[tuple[str, str], int] = field(default_factory=dict)  # by listener and track
    credits: Mapping[str, Mapping[str, int]] | None = None  # ppb by artist; None: an artist a track
    history: Mapping[str, tuple[int, int]] | None = None  # plays, listeners; None: this month's
    beside: Sequence[World] = ()  # the month's other pools

    @cached_property
    def heard(self) -> Counter[str]:
        """Plays of each listener who played anything."""
        return _sums((listener, count) for (listener, _), count in self.plays.items())

    @cached_property
    def played(self) -> Counter[str]:
        """Plays of each track that was played at all."""
        return _sums((track, count) for (_, track), count in self.plays.items())

    @cached_property
    def spent(self) -> Counter[str]:
        """What each listener paid, booked or not."""
        return _sums([*self.fees.items(), *((who, net) for (who, _), net in self.booked.items())])

    @property
    def rate(self) -> Fraction:
        return Fraction(self.rate_ppm, PPM)

    @property
    def pool(self) -> int:
        return int(self.rate * self.spent.total())

    @property
    def idle(self) -> int:
        """Money of listeners who paid and played nothing."""
        net = sum(paid for listener, paid in self.spent.items() if listener not in self.heard)
        return int(self.rate * net)

    def artists(self, track: str) -> Mapping[str, int]:
        """Parts of a track in ppb, of the artist "" where nothing is attributed."""
        return {track: PPB} if self.credits is None else self.credits.get(track, {"": PPB})

    def reach(self, track: str) -> tuple[int, int]:
        """Plays and listeners of a track over twelve months."""
        if self.history is not None:
            return self.history.get(track, (0, 0))
        rows = [(who, count) for who, name, count in self.month() if name == track]
        return sum(count for _, count in rows), len({who for who, _ in rows})

    def pairs(self) -> list[tuple[str, str, int]]:
        """Listener, track and plays wherever there are any."""
        return [(*pair, count) for pair, count in self.plays.items() if count]

    def month(self) -> list[tuple[str, str, int]]:
        return [pair for world in (self, *self.beside) for pair in world.pairs()]


def _sums(numbers: Iterable[tuple[str, int]]) -> Counter[str]:
    sums: Counter[str] = Counter()
    for name, number in numbers:
        sums[name] += number
    return +sums


# A rule gives tracks and micros, a track's as often as it likes. `cut` is where it drops what is
# below a billionth of a micro (or a part that it names); exactly, it drops nothing.
Cut = Callable[..., Fraction]
Terms = Iterator[tuple[str, Fraction]]


def pro_rata(
    world: World, cut: Cut, *, minimum_plays: int = 0, minimum_listeners: int = 0
) -> Terms:
    eligible = {}
    for track, count in world.played.items():
        plays, listeners = world.reach(track)
        if plays >= minimum_plays and listeners >= minimum_listeners:
            eligible[track] = count
    return _all_plays_alike(world.rate * world.spent.total(), eligible, cut)


def _all_plays_alike(money: Fraction, played: Mapping[str, int], cut: Cut) -> Terms:
    for track, count in played.items():
        yield track, count * cut(money / sum(played.values()))


def _idle(world: World, cut: Cut) -> Terms:
    """Money of listeners who paid and played nothing is divided pro rata."""
    net = sum(paid for listener, paid in world.spent.items() if listener not in world.heard)
    return _all_plays_alike(world.rate * net, world.played, cut)


def user_centric(world: World, cut: Cut) -> Terms:
    for listener, track, count in world.pairs():
        yield track, count * cut(world.rate * world.spent[listener] / world.heard[listener])
    yield from _idle(world, cut)


def user_equal(world: World, cut: Cut) -> Terms:
    variety = Counter(listener for listener, _, _ in world.pairs())
    for listener, track, _ in world.pairs():
        yield track, cut(world.rate * world.spent[listener] / variety[listener])
    yield from _idle(world, cut)


def scaled_user_centric(world: World, cut: Cut) -> Terms:
    """Every play at one price, but no listener's plays cost more than the fee."""
    own = {who: Fraction(world.spent[who], plays) for who, plays in world.heard.items()}
    price = _one_price(world, own)
    for listener, track, count in world.pairs():
        yield track, count * cut(min(price, own[listener]))
    yield from _idle(world, cut)


def _one_price(world: World, own: Mapping[str, Fraction]) -> Fraction:
    """The price at which active listeners' parts sum to the rate's part of their fees."""
    left = world.rate * sum(world.spent[who] for who in own)
    plays = world.heard.total()
    for who in sorted(own, key=own.__getitem__):
        if own[who] * plays >= left:
            return left / plays
        left -= world.spent[who]
        plays -= world.heard[who]
    return Fraction()


def artist_centric(  # noqa: PLR0913 - the options are the rule's
    world: World,
    cut: Cut,
    *,
    listener_plays: int = 1000,
    how: str = "cap",
    order: str = "cap_first",
    artist_plays: int = 1000,
    artist_listeners: int = 500,
    artist_boost: int = 2,
    active_boost: int = 2,
) -> Terms:
    boosts = dict.fromkeys(boosted_artists(world, artist_plays, artist_listeners), artist_boost)
    weights = {}
    for listener, track, count in world.pairs():
        plays = count + (active_boost - 1) * world.active.get((listener, track), 0)
        weights[listener, track] = plays * sum(
            ppb * boosts.get(who, 1) for who, ppb in world.artists(track).items()
        )
    weighed = _sums((listener, weight) for (listener, _), weight in weights.items())
    counts = {}
    for listener, weight in weighed.items():
        before = world.heard[listener] if order == "cap_first" else Fraction(weight, PPB)
        most = Fraction(listener_plays) / before
        counts[listener] = cut(weight * (min(1, most) if how == "cap" else most), PPM)
    for (listener, track), weight in weights.items():
        part = cut(world.rate * world.spent.total() * counts[listener] / sum(counts.values()), PPM)
        yield track, cut(part * weight / weighed[listener], PPM)


def boosted_artists(world: World, plays: int, listeners: int) -> set[str]:
    """Artists with enough plays, each times the artist's part of the track, by enough listeners."""
    ppb: Counter[str] = Counter()
    ears: defaultdict[str, set[str]] = defaultdict(set)
    for listener, track, count in world.month():
        for artist, part in world.artists(track).items():
            if artist and part:
                ppb[artist] += count * part
                ears[artist].add(listener)
    return {who for who in ppb if ppb[who] >= plays * PPB and len(ears[who]) >= listeners}


def per_generation(world: World, cut: Cut) -> Terms:
    """A track's money is what was booked against it; the rest waits."""
    for (_, track), net in world.booked.items():
        yield track, cut(world.rate * net)
    yield UNBOOKED, cut(world.rate * sum(world.fees.values()))


def training_fee(world: World, cut: Cut) -> Terms:
    yield EQUALLY, cut(world.rate * world.spent.total())


def hybrid(
    world: World, cut: Cut, *, informativeness_ppm: int = 500_000, base: str = "pro_rata"
) -> Terms:
    attributed = Fraction(informativeness_ppm, PPM)
    money = world.rate * world.spent.total()
    for track, micros in _added(RULES[base](world, cut)).items():
        yield track, cut(attributed * micros)
    if not world.played:
        yield UNBOOKED, cut(attributed * money)
    yield EQUALLY, cut((1 - attributed) * money)


RULES: dict[str, Callable[..., Terms]] = {
    "pro_rata": pro_rata,
    "user_centric": user_centric,
    "user_equal": user_equal,
    "scaled_user_centric": scaled_user_centric,
    "artist_centric": artist_centric,
    "per_generation": per_generation,
    "streamed_track": per_generation,
    "training_fee": training_fee,
    "hybrid": hybrid,
}


def exact(rule: str, world: World, **options: object) -> dict[str, Fraction]:
    """Each track's revenue in micros, without any rounding."""
    return _added(RULES[rule](world, lambda micros, _of=PPB: Fraction(micros), **options))


def floored(rule: str, world: World, **options: object) -> dict[str, Fraction]:
    """The same with all that the rules drop."""
    terms = RULES[rule](world, lambda micros, of=PPB: Fraction(int(micros * of), of), **options)
    return _added(terms)


def _added(terms: Terms) -> dict[str, Fraction]:
    sums: defaultdict[str, Fraction] = defaultdict(Fraction)
    for track, micros in terms:
        sums[track] += micros
    return {track: sums[track] for track in sorted(sums) if sums[track]}


def revenue(rule: str, world: World, **options: object) -> dict[str, int]:
    """Each track's micros, which sum to the pool: largest remainders first, ties by track id."""
    return settled(floored(rule, world, **options), world.pool)


def settled(quotas: Mapping[str, Fraction], pool: int) -> dict[str, int]:
    amounts = {track: int(quota) for track, quota in quotas.items()}
    owed = sorted(quotas, key=lambda track: (amounts[track] - quotas[track], track))
    left = pool - sum(amounts.values()) if owed else 0
    for place in range(left):
        amounts[owed[place % len(owed)]] += 1
    return {track: micros for track, micros in amounts.items() if micros}


def hamilton(whole: int, weights: Sequence[Fraction | int]) -> list[int]:
    """Largest remainder by exact fractions, ties to the earlier."""
    total = Fraction(sum(weights))
    quotas = [whole * Fraction(weight) / total for weight in weights]
    parts = [quota.numerator // quota.denominator for quota in quotas]
    order = sorted(range(len(parts)), key=lambda i: (parts[i] - quotas[i], i))
    for i in order[: whole - sum(parts)]:
        parts[i] += 1
    return parts
