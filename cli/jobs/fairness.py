"""How fair every rule would be to a month: each divides it, and again without this or that one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from cli.jobs import blending
from cli.jobs.dividing import divide
from cli.jobs.listeners import LeftOut, left_out
from cli.jobs.month import Month, open_month
from cli.jobs.together import Asked, divide_together, kept, parts_of
from cli.output import Report
from cli.workspace import Workspace
from db import queries, snapshots
from db.queries import EVERYONE
from royalty import listening
from royalty.audit import Amounts
from royalty.concentration import Concentration, concentration
from royalty.errors import NotReady
from royalty.fairness import (
    Envy,
    Everybody,
    Farm,
    Suspicion,
    everybody,
    farm_cost,
    maximum_envy,
    most_suspicious,
)
from royalty.listening import Listening
from royalty.money import Money
from royalty.period import Period
from royalty.rules import RULES, Rule
from royalty.silence import Formula, Mover, closed_form, moved_most, moved_most_of

REDIVIDED = 3  # listeners to try, the heaviest, where a rule has no formula


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a rule makes of the month."""

    envy: Envy | None  # None: no payee was played
    concentration: Concentration
    moved: Mover | None  # None: nobody played anything
    farm: Farm | None  # None: nobody is left out


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A rule with its properties, and its figures, or why it has none this month."""

    rule: Rule
    options: Mapping[str, object]  # those that the settings give it
    refused: str
    figures: Figures | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """By what a month was closed, and what the same would be by the settings as they are."""

    rule: str  # or a blend
    version: str
    today: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fairness:
    """All rules over one month."""

    period: Period
    provider: str
    inputs: Mapping[str, Sequence[str]]  # usage, revenue, shares → the snapshots of the month
    names: Mapping[str, str]  # of payees
    payees: int
    listeners: int  # who played anything
    idle: Money  # what the others paid of the pools
    rules: Sequence[Judged]
    suspicions: Sequence[Suspicion]
    left_out: LeftOut | None
    rule_of_source: Mapping[str, str]  # of the month's sources, those that have a rule of their own
    closed: Closed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    """The month, the same month without those left out, and the rules that can divide it."""

    month: Month
    gone: LeftOut | None
    others: Month | None
    able: Sequence[str]

    @property
    def months(self) -> Sequence[Month]:
        return [self.month] if self.others is None else [self.month, self.others]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Divided:
    """What each rule gives, in each of the months, and who listened to whom."""

    given: Mapping[str, Sequence[Everybody]]
    heard: Listening

    @property
    def payees(self) -> Sequence[str]:
        """All whom any rule pays, or who were played."""
        paid = (payee for given in self.given.values() for payee in given[0].payees)
        return sorted({*self.heard.payees, *paid})


def judge_rules(
    workspace: Workspace, period: Period, named: str | None, report: Report
) -> Fairness:
    """Divide a month by every rule that can, and measure what comes out; nothing is posted.

    `named` says which listeners to leave out, for comparison. Raises `NotReady` where no rule can
    divide the month, `BadInput` where `named` names nobody.
    """
    opened = _open(workspace, period, named)
    divided = _divide(opened)
    figures = {}
    for done, rule in enumerate(opened.able, start=1):
        figures[rule] = _figures(opened, divided, rule)
        report(done, len(opened.able))
    return Fairness(
        period=period,
        provider=opened.month.provider,
        inputs=opened.month.given.inputs,
        names={party.id: party.name for party in queries.parties(EVERYONE, workspace.books())},
        payees=len(divided.payees),
        listeners=len(divided.heard.heaviest),
        idle=Money(sum(each.idle_micros for each in opened.month.totals), opened.month.currency),
        rules=[_judged(opened.month, rule, figures.get(rule.name)) for rule in RULES.values()],
        suspicions=_suspicions(divided),
        left_out=opened.gone,
        rule_of_source=_rule_of_source(opened.month),
        closed=_closed(workspace, opened.month),
    )


def _open(workspace: Workspace, period: Period, named: str | None) -> _Opened:
    books, settings = workspace.books(), workspace.settings()
    month = kept(open_month(books, settings, period))
    refusals = {rule: month.refusal(rule) for rule in RULES}
    able = [rule for rule, refusal in refusals.items() if not refusal]
    if not able:
        raise NotReady(f"no rule can divide {period}: {next(iter(refusals.values()))}")
    gone = left_out(month, named)
    others = (
        None if gone is None else kept(open_month(books, settings, period, without=gone.listeners))
    )
    return _Opened(month=month, gone=gone, others=others, able=able)


def _divide(opened: _Opened) -> _Divided:
    """Divide the month, and the one without those left out, by all rules.

    One question to the engine for all rules with a formula, and one for each other.
    """
    month = opened.month
    tracks = snapshots.run(month.facts.tracks.select("pool", "track").order_by("pool", "track"))
    alike = [rule for rule in opened.able if _formulas(month, rule) is not None]
    asked = [Asked(rule=rule, month=each) for rule in alike for each in opened.months]
    given: dict[str, list[Everybody]] = {rule: [] for rule in opened.able}
    for each, rows in zip(asked, divide_together(asked), strict=True):
        given[each.rule].append(everybody(rows, month.currency))
    for rule in opened.able:
        if rule not in alike:
            given[rule] = [_given_by(rule, each) for each in opened.months]
    return _Divided(given=given, heard=_listening(month, parts_of(month, tracks.to_pylist())))


def _given_by(rule: str, month: Month) -> Everybody:
    return everybody(snapshots.run(divide(month, rule).posted).to_pylist(), month.currency)


def _figures(opened: _Opened, divided: _Divided, rule: str) -> Figures | None:
    """Measure what a rule gives; None where nothing of it reached a payee."""
    amounts = divided.given[rule][0].payees
    micros = [amounts[payee].micros if payee in amounts else 0 for payee in divided.payees]
    if not any(micros):
        return None
    return Figures(
        envy=maximum_envy(amounts, divided.heard.streams),
        concentration=concentration(micros),
        moved=_moved(opened.month, divided, rule),
        farm=_farm(opened, divided, rule),
    )


def _farm(opened: _Opened, divided: _Divided, rule: str) -> Farm | None:
    if opened.gone is None:
        return None
    whole, without = divided.given[rule]
    cost = farm_cost(whole, without)
    return Farm(listeners=len(opened.gone.listeners), fees=opened.gone.fees, cost=cost)


def _judged(month: Month, rule: Rule, figures: Figures | None) -> Judged:
    waits = "all of the month's money waits in suspense under it, so there is nothing to measure"
    refused = "" if figures else month.refusal(rule.name) or waits
    options = month.settings.rules.get(rule.name, {})
    return Judged(rule=rule, options=options, refused=refused, figures=figures)


def _rule_of_source(month: Month) -> dict[str, str]:
    own = month.settings.rule_of_source
    return {
        source: own[source] for source in sorted({pool.source for pool in month.pools} & {*own})
    }


def _closed(workspace: Workspace, month: Month) -> Closed | None:
    books = workspace.books()
    rule = queries.closed_by(EVERYONE, books, month.period)
    if rule is None:
        return None
    paid = queries.payout(EVERYONE, books, month.period, rule)
    return Closed(rule=rule, version=paid.rule_version, today=blending.version(month, rule))


def _suspicions(divided: _Divided) -> list[Suspicion]:
    if not {"pro_rata", "user_centric"} <= divided.given.keys():
        return []
    pooled, own = (divided.given[rule][0].payees for rule in ("pro_rata", "user_centric"))
    return most_suspicious(pooled, own, divided.heard)


def _moved(month: Month, divided: _Divided, rule: str) -> Mover | None:
    formulas = _formulas(month, rule)
    if formulas is not None:
        return moved_most(divided.heard, formulas)
    silent = _silent(month, divided.heard, rule)
    return moved_most_of(divided.heard, divided.given[rule][0].payees, silent)


def _formulas(month: Month, rule: str) -> list[Formula] | None:
    """Give the formula of each pool's rule; None where one of them has none."""
    rules = [month.rule_of(pool, rule) for pool in month.pools]
    formulas = [closed_form(name, month.settings.options(name)) for name in rules]
    known = [each for each in formulas if each is not None]
    return known if len(known) == len(formulas) else None


def _silent(month: Month, heard: Listening, rule: str) -> Iterator[tuple[str, Amounts]]:
    """Divide the month again without the plays of one of the heaviest listeners each."""
    for place in heard.heaviest[:REDIVIDED]:
        listener = heard.listeners[place]
        usage = month.facts.usage.filter(month.facts.usage.listener != listener)
        without = replace(month, facts=month.facts.with_usage(usage))
        yield listener, _given_by(rule, without).payees


def _listening(month: Month, parts: pa.Table) -> Listening:
    usage, revenue = (snapshots.run(each) for each in (month.facts.usage, month.facts.revenue))
    rates_ppm = {place: month.settings.rate(pool.source) for place, pool in enumerate(month.pools)}
    whole = listening.Month(usage=usage, revenue=revenue, parts=parts, rates_ppm=rates_ppm)
    return listening.listen(whole, month.currency)
