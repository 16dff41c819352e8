# ruff: noqa: E501  one case a line reads best
"""The ledger against a plain model in memory, whatever happens in whatever order."""

import hashlib
import json
import shutil
import sqlite3
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select

from db import queries, schema
from db.books import ledger
from db.books.closing import close
from db.books.payouts import record_payout
from db.engine import Books, open_books, reading
from db.intake import usage
from db.queries import EVERYONE
from royalty import merkle
from royalty.errors import BadInput, Conflict, NotReady, PeriodClosed
from royalty.ledger import Posting, Transaction, reverse
from royalty.money import Money
from royalty.period import Period
from tests.db import world
from tests.db.test_roots import slowly

PERIODS = tuple(Period(2026, month) for month in (10, 11, 12))
ACCOUNTS = ("platform", "payable.bob", "payable.lab", "receivable.platform")
TAMPERING = (
    "update posting set amount_micros = 1",
    "delete from posting",
    "insert or replace into posting select transaction_id, line, 'cash', 1, 'EUR', null, null, null from posting",
    "update transaction_ set sealed = 0",
    "delete from transaction_",
    "insert or replace into transaction_ select id, key, kind, period, effective_on, 'later', null, null, memo, content_sha256, prev_hash, hash, 0 from transaction_",
    "update period set status = 'open', rule = null where status = 'closed'",
    "delete from period",
    "delete from period_input",
    "delete from snapshot",
)  # fmt: skip
NONE = (0, hashlib.sha256().hexdigest())
ROWS = slowly(world.allocations().to_pylist())  # of every payout here


@dataclass
class Model:
    """What the books should hold: nothing clever."""

    posted: dict[str, Transaction] = field(default_factory=dict)  # key → content, in order
    closed: set[Period] = field(default_factory=set)
    plays: dict[tuple[Period, str], int] = field(default_factory=dict)  # (period, listener)

    def balances(self) -> dict[tuple[str, str], int]:
        sums: defaultdict[tuple[str, str], int] = defaultdict(int)
        for transaction in self.posted.values():
            for posting in transaction.postings:
                sums[posting.account, posting.amount.currency] += posting.amount.micros
        return dict(sums)

    @property
    def open_with_money(self) -> set[Period]:
        return {each.period for each in self.posted.values()} - self.closed

    def root(self, period: Period) -> str:
        mine = [each for each in self.posted.values() if each.period == period]
        leaves = [
            {
                "key": each.key,
                "kind": each.kind,
                "period": str(period),
                "effective_on": str(each.effective_on),
                "line": line,
                "account": posting.account,
                "amount_micros": posting.amount.micros,
                "currency": posting.amount.currency,
                "right": posting.right,
                "pool": posting.pool,
            }
            for each in mine
            for line, posting in enumerate(each.postings, start=1)
        ]
        leaves += self.accounts(period)
        return merkle.root(
            json.dumps(leaf, sort_keys=True, separators=(",", ":")).encode() for leaf in leaves
        )

    def accounts(self, period: Period) -> list[dict[str, object]]:
        """Say what payees' accounts stood at before and after a month, and what they got by it."""
        sums: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
        for payee in ROWS:
            sums[f"payable.{payee}", "EUR"]  # has rows in every month
        for each in self.posted.values():
            for posting in each.postings:
                stood = sums[posting.account, posting.amount.currency]
                stood[0] -= posting.amount.micros * (each.period < period)
                stood[1] -= posting.amount.micros * (each.period <= period)
                stood[2] += each.period == period
        return [
            {
                "account": account,
                "closing_micros": closing,
                "currency": currency,
                "opening_micros": opening,
                "period": str(period),
                "postings": postings,
                "rows": rows,
                "rows_sha256": sha256,
            }
            for (account, currency), (opening, closing, postings) in sorted(sums.items())
            for rows, sha256 in [ROWS.get(account[8:], NONE) if currency == "EUR" else NONE]
            if account.startswith("payable.") and (opening or postings or rows)
        ]


class Ledger(RuleBasedStateMachine):
    template: Path  # a ledger with a catalogue, made once
    transactions = Bundle("transactions")

    @initialize()
    def begin(self) -> None:
        self.home = Path(tempfile.mkdtemp())
        shutil.copy(self.template, self.home / "ledger.db")
        self.books: Books = open_books(None, self.home)
        self.model = Model()

    def teardown(self) -> None:
        self.books.engine.dispose()
        shutil.rmtree(self.home)

    @rule(
        target=transactions,
        key=st.sampled_from("abcd"),
        period=st.sampled_from(PERIODS),
        amounts=st.lists(st.tuples(st.sampled_from(ACCOUNTS), st.integers(-99, 99)), max_size=3),
        currency=st.sampled_from(("EUR", "USD")),
    )
    def draft(
        self, key: str, period: Period, amounts: list[tuple[str, int]], currency: str
    ) -> Transaction:
        rest = -sum(micros for _, micros in amounts)
        return Transaction(
            kind="revenue",
            key=key,
            period=period,
            effective_on=period.start,
            postings=tuple(
                Posting(account=account, amount=Money(micros, currency))
                for account, micros in [*amounts, ("cash", rest)]
            ),
        )

    @rule(transaction=transactions)
    def post(self, transaction: Transaction) -> None:
        self._post([transaction])

    @rule(first=transactions, second=transactions)
    def post_two_or_none(self, first: Transaction, second: Transaction) -> None:
        self._post([first, second])

    @rule(transaction=transactions, period=st.sampled_from(PERIODS))
    def undo(self, transaction: Transaction, period: Period) -> None:
        if self.model.posted.get(transaction.key) == transaction:
            self._post([reverse(transaction, period=period, effective_on=period.start)])

    @rule(period=st.sampled_from(PERIODS), listener=st.sampled_from("xyz"), plays=st.integers(0, 3))
    def bring_in_usage(self, period: Period, listener: str, plays: int) -> None:
        row = {"period": str(period), "listener": listener, "track": "t1", "source": "app"}
        table = world.table([row | {"territory": "DE", "plays": str(plays)}])
        before = self.model.plays.get((period, listener))
        if before == plays:
            assert usage.record_table(self.books, table, "again").already
        elif period in self.model.closed:
            with pytest.raises(PeriodClosed, match=f"period {period} is closed"):
                usage.record_table(self.books, table, "late")
        elif before is not None:
            with pytest.raises(BadInput, match="came in before"):
                usage.record_table(self.books, table, "other")
        else:
            usage.record_table(self.books, table, "new")
            self.model.plays[period, listener] = plays

    @rule(period=st.sampled_from(PERIODS), transaction=transactions)
    def close_period(self, period: Period, transaction: Transaction) -> None:
        mine = replace(transaction, key=f"close/{period}", period=period)
        payout = f"{period}/pro_rata"
        if period in self.model.closed:
            assert close(self.books, period, "pro_rata", [mine], payout).already
            with pytest.raises(PeriodClosed):
                close(self.books, period, "user_centric", [mine], payout)
            return
        if any(later > period for later in self.model.closed):
            with pytest.raises(PeriodClosed, match="months close in order"):
                close(self.books, period, "pro_rata", [mine], payout)
            return
        if any(earlier < period for earlier in self.model.open_with_money):
            with pytest.raises(NotReady, match="months close in order"):
                close(self.books, period, "pro_rata", [mine], payout)
            return
        with pytest.raises(NotReady):
            close(self.books, period, "user_centric", [mine], payout)
        record_payout(self.books, world.payout_facts(self.books, period=period))
        close(self.books, period, "pro_rata", [mine], payout)
        self.model.posted[mine.key] = mine
        self.model.closed.add(period)

    @rule(statement=st.sampled_from(TAMPERING))
    def tamper(self, statement: str) -> None:
        connection = sqlite3.connect(self.home / "ledger.db", isolation_level=None)
        try:
            connection.execute(statement)  # touches no row: nothing to refuse
        except sqlite3.IntegrityError:
            pass  # refused, as it should be; what stands is compared after every step
        finally:
            connection.close()

    @invariant()
    def the_books_hold_what_the_model_holds(self) -> None:
        rows = [row for period in PERIODS for row in queries.postings(EVERYONE, self.books, period)]
        sums: defaultdict[tuple[str, str], int] = defaultdict(int)
        for row in rows:
            sums[row.account, row.amount.currency] += row.amount.micros
        assert dict(sums) == self.model.balances()
        assert len({row.transaction for row in rows}) == len(self.model.posted)
        status = {
            row.period for row in queries.periods(EVERYONE, self.books) if row.status == "closed"
        }
        assert status == self.model.closed
        with reading(self.books) as connection:
            came = select(func.count()).select_from(schema.period_input)
            assert connection.scalar(came) == len(self.model.plays)

    @invariant()
    def closed_months_have_the_root_of_what_was_posted(self) -> None:
        with reading(self.books) as connection:
            months = connection.execute(select(schema.period)).all()
        assert {month.id: month.root for month in months if month.status == "closed"} == {
            str(period): self.model.root(period) for period in self.model.closed
        }
        assert {str(period.next) for period in self.model.closed} <= {month.id for month in months}

    @invariant()
    def the_chain_verifies(self) -> None:
        assert queries.verify_chain(self.books) is None

    def _post(self, transactions: list[Transaction]) -> None:
        """Post to the books and, unless they refuse as the model says, to the model."""
        wanted = dict(self.model.posted)
        for transaction in transactions:
            there = wanted.get(transaction.key)
            if there is not None and there != transaction:
                return self._refused(Conflict, transactions)
            if there is None and any(each >= transaction.period for each in self.model.closed):
                return self._refused(PeriodClosed, transactions)
            wanted[transaction.key] = transaction
        ledger.post(self.books, transactions)
        self.model.posted = wanted
        return None

    def _refused(self, refusal: type[Exception], transactions: list[Transaction]) -> None:
        with pytest.raises(refusal):
            ledger.post(self.books, transactions)


def test_the_ledger_agrees_with_a_plain_model(
    catalogued: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogued.engine.dispose()
    monkeypatch.setattr(Ledger, "template", catalogued.home / "ledger.db", raising=False)
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Ledger,
        settings=settings(
            max_examples=25,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
