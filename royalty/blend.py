"""A blend of rules: so much of every pool by one, the rest by others.

Dividing by a blend is linear in what its rules divide, so it is worked out from their allocations
and needs no plays. A blend is named by its text, `pro_rata:0.6+user_centric:0.4`, wherever a rule
is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import ibis
from ibis import Table
from ibis.expr.types import IntegerValue

from royalty.catalogue import PPM
from royalty.division import divide, settle
from royalty.lines import AMOUNTS, BLANK, POSTING, SCHEMA, TEXTS, bounded, stated
from royalty.rules import RULES
from royalty.rules.arithmetic import FINE, exact_sum, of_ppm, whole, whole_micros

# Amounts, each with the column of what is below a micro of it.
FINE_OF = dict(zip(AMOUNTS, ("remainder", "low_fine", "high_fine"), strict=True))
WHOLE = ("micros",)
ROW = tuple(name for name in SCHEMA.names if name not in {"plays", *AMOUNTS})
Ends = tuple[int, int, int]  # micros of an amount, and of the low and high end of its interval
_PART = re.compile(r"\s*([A-Za-z_-]+)\s*:\s*0?\.(\d{1,6})\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Blend:
    """Two rules or more and the part of every pool that each divides, in ppm; they sum to 10**6."""

    weights_ppm: Mapping[str, int]  # rules in alphabetical order, none weighs nothing

    def __post_init__(self) -> None:
        parts = self.weights_ppm
        assert len(parts) > 1, "a blend is of two rules or more"
        assert list(parts) == sorted(parts), "rules of a blend stand in alphabetical order"
        assert sum(parts.values()) == PPM, "the parts of a blend are no whole"
        assert min(parts.values()) > 0, "a rule of a blend divides nothing"

    def __str__(self) -> str:
        """Name the blend, the same blend always alike: `pro_rata:0.6+user_centric:0.4`."""
        parts = (f"{rule}:{_decimal(ppm)}" for rule, ppm in self.weights_ppm.items())
        return "+".join(parts)

    @staticmethod
    def parse(text: str) -> Blend:
        """Read a blend's text. Raises `ValueError`, with a sentence, on anything else."""
        parts: dict[str, int] = {}
        for part in text.split("+"):
            found = _PART.fullmatch(part)
            if found is None:
                raise ValueError(
                    f"'{part}' is not a rule and the part it divides, with at most six places; "
                    "write a blend as 'pro_rata:0.6+user_centric:0.4'"
                )
            rule = _rule(found[1])
            if rule in parts:
                raise ValueError(f"the blend '{text}' names {rule} twice; add its parts up")
            parts[rule] = int(found[2].ljust(6, "0"))
        _require_whole(text, parts)
        return Blend(weights_ppm=dict(sorted(parts.items())))


def named(text: str) -> str:
    """Read the name of a rule, or of a blend of rules; hyphens are taken for underscores.

    Raises `ValueError`, with a sentence, where it names neither.
    """
    return str(Blend.parse(text)) if is_blend(text) else _rule(text)


def is_blend(name: str) -> bool:
    """Whether a name is a blend's and not one rule's."""
    return ":" in name or "+" in name


def weights(name: str) -> Mapping[str, int]:
    """Return the parts in ppm of a blend's rules; a rule of its own divides everything."""
    return Blend.parse(name).weights_ppm if is_blend(name) else {name: PPM}


def blended(blend: Blend, allocations: Mapping[str, Table]) -> Table:
    """Blend the lines (`royalty.lines.SCHEMA`) of a month by the rules of the blend.

    A line's amount is the sum of what the rules give it, each times its part. Amounts are made
    whole as those of one rule are: what is posted within its pool, then lines within their posting.
    So pools are the rules' pools, to the micro, and a posting is less than a micro from its parts.
    """
    weighed = [_weighed(allocations[rule], ppm) for rule, ppm in blend.weights_ppm.items()]
    rows = ibis.union(*weighed)
    wholes = _summed(rows, ("pool",)).select("pool", whole_micros="micros")
    posted = settle(_summed(rows, POSTING), wholes, order=POSTING[1:])
    postings = posted.select(*POSTING, whole_micros="micros")
    order = [name for name in TEXTS if name not in POSTING]
    lines = settle(_summed(rows, ROW), postings, group=POSTING, order=order)
    return stated(bounded(lines))


def blended_tracks(blend: Blend, tracks: Mapping[str, Table]) -> Table:
    """Blend what each rule gives tracks: pool, track, micros, plays, with the same wholes."""
    weighed = [_weighed(tracks[rule], ppm, WHOLE) for rule, ppm in blend.weights_ppm.items()]
    rows = ibis.union(*weighed)
    wholes = _summed(rows, ("pool",), WHOLE).select("pool", whole_micros="micros")
    sums = _summed(rows, ("pool", "track"), WHOLE)
    return settle(sums, wholes, order=["track"]).select("pool", "track", "micros", "plays")


def postings_of(lines: Table) -> Table:
    """Add lines up to what is posted for them: pool (its id), payee, right, kind and amounts."""
    rows = lines.mutate(**{name: lines[name].fill_null("") for name in BLANK})
    return rows.group_by(POSTING).agg(**{name: exact_sum(rows[name]) for name in AMOUNTS})


def mixed(blend: Blend, amounts: Mapping[str, Mapping[str, Ends]]) -> dict[str, Ends]:
    """Blend sums by rule and id, each an amount and the ends of its interval, in order of ids.

    The amounts are made whole by largest remainder, so their sum is the blend of the rules' sums,
    floored. For sums that are few; `blended` is for lines.
    """
    ids = sorted({id_ for rule in blend.weights_ppm for id_ in amounts[rule]})
    fine = {id_: _fine(blend, amounts, id_) for id_ in ids}
    weights = [fine[id_][0] for id_ in ids]
    parts = divide(sum(weights) // PPM, weights) if any(weights) else [0] * len(ids)
    return {id_: _ends(fine[id_], part) for id_, part in zip(ids, parts, strict=True)}


def _fine(blend: Blend, amounts: Mapping[str, Mapping[str, Ends]], id_: str) -> Ends:
    """Add up the rules' parts of one sum, in millionths of a micro."""
    parts = [
        tuple(end * ppm for end in amounts[rule].get(id_, (0, 0, 0)))
        for rule, ppm in blend.weights_ppm.items()
    ]
    micros, low, high = map(sum, zip(*parts, strict=True))
    return micros, low, high


def _ends(fine: Ends, micros: int) -> Ends:
    _, low, high = fine
    return micros, min(low // PPM, micros), max(high // PPM, micros)


def _rule(text: str) -> str:
    rule = text.strip().replace("-", "_")
    if rule not in RULES:
        raise ValueError(f"'{text}' is not a rule; there are {', '.join(sorted(RULES))}")
    return rule


def _require_whole(text: str, parts: Mapping[str, int]) -> None:
    if sum(parts.values()) != PPM:
        decimal = _decimal(sum(parts.values()))
        raise ValueError(f"the parts of the blend '{text}' sum to {decimal} and not to 1")
    if len(parts) == 1 or 0 in parts.values():
        raise ValueError(f"the blend '{text}' is not of two rules or more; name the rule itself")


def _decimal(ppm: int) -> str:
    ones, fine = divmod(ppm, PPM)
    return f"{ones}.{fine:06d}".rstrip("0").removesuffix(".")


def _weighed(rows: Table, ppm: int, amounts: Sequence[str] = AMOUNTS) -> Table:
    """Take a rule's part of each amount: whole micros, and billionths of a micro below them."""
    parts: dict[str, IntegerValue] = {}
    for name in amounts:
        parts[name], parts[FINE_OF[name]] = of_ppm(whole_micros(rows[name]), ppm)
    blank = {name: rows[name].fill_null("") for name in BLANK if name in rows.columns}
    return rows.mutate(**blank, **parts)


def _summed(weighed: Table, by: Sequence[str], amounts: Sequence[str] = AMOUNTS) -> Table:
    """Add up the rules' parts, and carry what comes to whole micros; interval ends are floored."""
    names = [column for name in amounts for column in (name, FINE_OF[name])]
    sums = weighed.group_by(by).agg(
        plays=weighed.plays.max(), **{name: exact_sum(weighed[name]) for name in names}
    )
    carried = {name: sums[name] + whole(sums[FINE_OF[name]], FINE) for name in amounts}
    return sums.mutate(**carried, remainder=sums.remainder % FINE)
