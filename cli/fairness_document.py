"""What `tantieme audit PERIOD rules --json` prints, and the Audit page reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from math import isinf
from typing import TYPE_CHECKING, Any

from royalty.rules import PROPERTIES

if TYPE_CHECKING:
    from cli.jobs.fairness import Fairness, Judged
    from royalty.fairness import Envy, Farm, Suspicion
    from royalty.silence import Mover


def fairness_json(found: Fairness) -> dict[str, Any]:
    """Put all figures into a document; amounts are in micros."""
    gone = found.left_out
    return {
        "schema": 1,
        "period": str(found.period),
        "provider": found.provider,
        "inputs": {kind: list(each) for kind, each in found.inputs.items()},
        "payees": found.payees,
        "listeners": found.listeners,
        "idle": found.idle.json,
        "closed": found.closed and asdict(found.closed),
        "rule_of_source": dict(found.rule_of_source),
        "without": gone
        and {"named": gone.named, "listeners": len(gone.listeners), "fees": gone.fees.json},
        "rules": {each.rule.name: _rule_json(each, found.names) for each in found.rules},
        "suspicious": [_suspicion_json(each) for each in found.suspicions],
    }


def _rule_json(judged: Judged, names: Mapping[str, str]) -> dict[str, Any]:
    rule, figures = judged.rule, judged.figures
    named = {
        "version": rule.version,
        "options": dict(judged.options),
        "has": [name for name in PROPERTIES if name in rule.has],
        "lacks": [name for name in PROPERTIES if name not in rule.has],
        "refused": judged.refused,
    }
    if figures is None:
        return named | dict.fromkeys(("envy", "concentration", "moved", "without"))
    spread = figures.concentration
    return named | {
        "envy": figures.envy and _envy_json(figures.envy),
        "concentration": {
            name: getattr(spread, name)
            for name in ("gini", "top_1_percent", "top_10_percent", "largest")
        },
        "moved": figures.moved and _moved_json(figures.moved, names),
        "without": figures.farm and _farm_json(figures.farm),
    }


def _envy_json(envy: Envy) -> dict[str, Any]:
    """JSON has no infinity: null is without bound."""
    ratio = None if isinf(envy.ratio) else envy.ratio
    return {"ratio": ratio, "most": envy.most, "least": envy.least}


def _moved_json(moved: Mover, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "listener": moved.listener,
        "payee": moved.payee,
        "payee_name": names.get(moved.payee, moved.payee),
        "change": moved.change.json,
        "fee": moved.fee.json,
        "fees": moved.ratio,
        "tried": moved.tried,
        "of": moved.of,
    }


def _farm_json(farm: Farm) -> dict[str, Any]:
    return {
        "paid_in": farm.cost.paid_in.json,
        "gained": farm.cost.gained.json,
        "profit": farm.profit.json,
        "taken": farm.cost.taken.json,
        "suspense": farm.cost.suspense.json,
        "platform": farm.cost.platform.json,
        "changes": [
            {"payee": each.payee, "change": each.difference.json} for each in farm.cost.changes
        ],
    }


def _suspicion_json(each: Suspicion) -> dict[str, Any]:
    return {
        "payee": each.payee,
        "pro_rata": each.pooled.json,
        "user_centric": each.own.json,
        "beyond": each.excess.json,
        "of_few": each.few,
    }
