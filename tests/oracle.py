"""The slow, exact twin of the money: Python integers and fractions, nothing clever, no table.

It follows the rules as money.md states them and shares no code with `royalty` but its values.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from royalty.allocation import AllocationOptions, Pool, Rights
from royalty.shares import Share

PPM = 10**6
PPB = 10**9


@dataclass(frozen=True)
class World:
    """One pool: plays by (listener, track), net revenue in micros by listener, the rate in ppm."""

    plays: Mapping[tuple[str, str], int]
    fees: Mapping[str, int]
    rate_ppm: int = PPM
    heard: Mapping[str, int] = field(init=False)  # plays of each listener who played anything
    played: Mapping[str, int] = field(init=False)  # plays of each track that was played at all

    def __post_init__(self) -> None:
        heard: Counter[str] = Counter()
        played: Counter[str] = Counter()
        for (listener, track), count in self.plays.items():
            if count:
                heard[listener] += count
                played[track] += count
        object.__setattr__(self, "heard", heard)
        object.__setattr__(self, "played", played)

    @property
    def pool(self) -> int:
        return sum(self.fees.values()) * self.rate_ppm // PPM

    @property
    def idle(self) -> int:
        """Money of listeners who paid and played nothing."""
        return self._idle_net * self.rate_ppm // PPM

    @property
    def _idle_net(self) -> int:
        return sum(fee for listener, fee in self.fees.items() if listener not in self.heard)

    def parts(self, rule: str) -> list[tuple[str, Fraction]]:
        """What each (listener, track) or each track gets: the exact terms of the rule's sum."""
        rate = Fraction(self.rate_ppm, PPM)
        plays = sum(self.played.values())
        pooled = self._idle_net if rule == "user_centric" else sum(self.fees.values())
        parts = [
            (track, rate * pooled * Fraction(count, plays)) for track, count in self.played.items()
        ]
        if rule == "user_centric":
            parts += [
                (track, rate * self.fees.get(listener, 0) * Fraction(count, self.heard[listener]))
                for (listener, track), count in self.plays.items()
                if count
            ]
        return parts


def exact(rule: str, world: World) -> dict[str, Fraction]:
    """Each track's revenue in micros, without any rounding."""
    sums: defaultdict[str, Fraction] = defaultdict(Fraction)
    for track, part in world.parts(rule):
        sums[track] += part
    return dict(sorted(sums.items()))


def floored(rule: str, world: World) -> dict[str, Fraction]:
    """The same, each term floored at a millionth of a micro, which is all that the rules drop."""
    sums: defaultdict[str, Fraction] = defaultdict(Fraction)
    for track, part in world.parts(rule):
        sums[track] += Fraction(int(part * PPM), PPM)
    return dict(sorted(sums.items()))


def revenue(
    rule: str, world: World, *, quotas: Mapping[str, Fraction] | None = None
) -> dict[str, int]:
    """Each track's micros, which sum to the pool: largest remainders first, ties by track id."""
    quotas = floored(rule, world) if quotas is None else quotas
    amounts = {track: int(quota) for track, quota in quotas.items()}
    left = world.pool - sum(amounts.values())
    owed = [track for track in sorted(quotas) if quotas[track]] or sorted(quotas)
    owed.sort(key=lambda track: amounts[track] - quotas[track])
    while left and owed:
        for track in owed[:left]:
            amounts[track] += 1
            left -= 1
    return amounts


def hamilton(whole: int, weights: Sequence[Fraction | int]) -> list[int]:
    """Largest remainder by exact fractions, ties to the earlier."""
    total = Fraction(sum(weights))
    quotas = [whole * Fraction(weight) / total for weight in weights]
    parts = [quota.numerator // quota.denominator for quota in quotas]
    order = sorted(range(len(parts)), key=lambda i: (parts[i] - quotas[i], i))
    for i in order[: whole - sum(parts)]:
        parts[i] += 1
    return parts


Ends = Counter[tuple[str, str | None, str | None, str | None, str]]


def allocate(
    pool: Pool,
    tracks: Mapping[str, int],
    shares: Mapping[str, Sequence[Share]],
    rights: Rights,
    options: AllocationOptions,
) -> Ends:
    """Micros by (track, recording, right, party, kind); parties stand for their payees."""
    ends: Ends = Counter()
    licensed = sorted(
        name for name, each in rights.recordings.items() if each.licensed_on(options.on)
    )
    unattributed = 0
    if not tracks:
        ends["", None, None, None, "suspense_unmatched"] += pool.amount.micros
    for track, micros in sorted(tracks.items()):
        if track not in shares:
            ends[track, None, None, None, "suspense_unmatched"] += micros
            continue
        ordered = sorted(shares[track], key=lambda each: (each.recording is None, each.recording))
        parts = hamilton(micros, [each.ppb for each in ordered])
        for share, part in zip(ordered, parts, strict=True):
            if share.recording in licensed:
                cause = (track, share.recording, "attributed")
                ends += _paid(cause, part, (pool, rights, options))
            else:
                unattributed += part
    for name, part in _equally(unattributed, licensed, rights):
        if name is None:
            ends["", None, None, None, "suspense_unmatched"] += part
        else:
            ends += _paid(("", name, "unattributed"), part, (pool, rights, options))
    return +ends


def _equally(micros: int, licensed: Sequence[str], rights: Rights) -> list[tuple[str | None, int]]:
    works = sorted({rights.recordings[name].work for name in licensed})
    if not works:
        return [(None, micros)]
    pieces: list[tuple[str | None, int]] = []
    for work, part in zip(works, hamilton(micros, [1] * len(works)), strict=True):
        names = [name for name in licensed if rights.recordings[name].work == work]
        pieces += zip(names, hamilton(part, [1] * len(names)), strict=True)
    return pieces


def _paid(
    cause: tuple[str, str, str], micros: int, world: tuple[Pool, Rights, AllocationOptions]
) -> Ends:
    track, name, kind = cause
    pool, rights, options = world
    ends: Ends = Counter()
    parity = [PPM - options.publishing_ppm, options.publishing_ppm]
    for right, part in zip(("master", "publishing"), hamilton(micros, parity), strict=True):
        subject = name if right == "master" else rights.recordings[name].work
        parties = _holders(rights, right, subject, pool.territory, options)
        *grosses, gap = hamilton(part, [*parties.values(), PPM - sum(parties.values())])
        for party, gross in zip(parties, grosses, strict=True):
            rate = _rate(rights, party, options)
            net, kept = hamilton(gross, [rate, PPM - rate])
            ends[track, name, right, party, kind] += net
            ends[track, name, right, party, "platform"] += kept
        ends[track, name, right, None, "suspense_unclaimed"] += gap
    return ends


def _holders(
    rights: Rights, right: str, subject: str, territory: str, options: AllocationOptions
) -> dict[str, int]:
    """A set of interests for the territory goes before the worldwide one."""
    valid = [
        each
        for each in rights.interests
        if (each.right, each.subject_id) == (right, subject) and each.holds_on(options.on)
    ]
    here = [each for each in valid if each.territory == territory]
    parties: Counter[str] = Counter()
    for each in here or [each for each in valid if each.territory == "WW"]:
        parties[each.party] += each.ppm
    return dict(sorted(parties.items()))


def _rate(rights: Rights, party: str, options: AllocationOptions) -> int:
    rates = [each for each in rights.terms if each.party == party and each.hold_on(options.on)]
    return rates[-1].royalty_rate_ppm if rates else PPM
