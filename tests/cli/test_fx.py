import json
from pathlib import Path

from tests.cli.conftest import Tantieme


def test_rates_are_imported_once_and_shown(example: Tantieme, tmp_path: Path) -> None:
    file = tmp_path / "rates.csv"
    file.write_text("day,base,quote,rate,source\n2026-10-30,USD,EUR,0.92,ECB\n")

    empty = example("fx", "show")
    dry = example("fx", "import", file, "--dry-run")
    first, again = example("fx", "import", file), example("fx", "import", file)
    shown = example("fx", "show")

    assert "No rates are here yet" in empty.err
    assert "1 rates would be imported; nothing was written" in dry.err
    assert "fx: 1 rates imported." in first.err
    assert "nothing changed" in again.err
    assert shown.out.splitlines()[-1].split() == ["2026-10-30", "USD", "EUR", "0.92", "ECB"]
    assert json.loads(example("fx", "show", "--json").out) == {
        "schema": 1,
        "rates": [
            {
                "id": "2026-10-30/USD/EUR",
                "day": "2026-10-30",
                "base": "USD",
                "quote": "EUR",
                "rate": "0.92",
                "rate_ppb": 920_000_000,
                "source": "ECB",
            }
        ],
    }


def test_a_rate_that_changed_is_bad_input(example: Tantieme, tmp_path: Path) -> None:
    file = tmp_path / "rates.csv"
    file.write_text("day,base,quote,rate\n2026-10-30,USD,EUR,0.92\n")
    example("fx", "import", file)
    file.write_text("day,base,quote,rate\n2026-10-30,USD,EUR,0.93\n")

    ran = example("fx", "import", file)

    assert ran.code == 4
    assert "row 2, rate: '0.93' is not 0.92, which 2026-10-30/USD/EUR is" in ran.err
