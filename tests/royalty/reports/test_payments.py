import pytest

from royalty.money import Money
from royalty.period import Period
from royalty.reports.payments import Transfer, minor_decimal, payments_csv, payments_table


def transfer(payee: str, name: str, amount: Money) -> Transfer:
    return Transfer(payment=f"2026-11/{payee}/1", payee=payee, name=name, amount=amount)


def test_a_payment_file_is_in_order_and_safe_to_open() -> None:
    transfers = [
        transfer("bob", '=HYPERLINK("x")', Money(39_000_000, "JPY")),
        transfer("ann", "Ann, of Ulm", Money(38_640_000, "USD")),
    ]
    wanted = (
        "payment,payee,name,currency,amount,reference\n"
        '2026-11/ann/1,ann,"Ann, of Ulm",USD,38.64,royalties 2026-11/ann/1\n'
        '2026-11/bob/1,bob,"\'=HYPERLINK(""x"")",JPY,39,royalties 2026-11/bob/1\n'
    )

    assert payments_csv(transfers).decode() == wanted
    assert payments_csv(transfers[::-1]).decode() == wanted


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (Money(10_000, "EUR"), "0.01"),
        (Money(5_000_000, "EUR"), "5.00"),
        (Money(5_000_000, "JPY"), "5"),
        (Money(5_007_000, "BHD"), "5.007"),
    ],
)
def test_amounts_have_the_places_of_their_currency(amount: Money, text: str) -> None:
    assert minor_decimal(amount) == text


def test_the_table_of_payments_has_the_rows_of_the_file() -> None:
    transfers = [transfer("bob", "Bob", Money(39_000_000, "JPY"))]

    [row] = payments_table(Period(2026, 10), transfers, "root").rows

    assert row == (
        "2026-11/bob/1",
        "bob",
        "Bob",
        Money(39_000_000, "JPY"),
        "royalties 2026-11/bob/1",
    )
