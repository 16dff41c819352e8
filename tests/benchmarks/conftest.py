from pathlib import Path

import pytest

from tests.benchmarks.tiny_bank import write_bank


@pytest.fixture(scope="session")
def bank_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bank(tmp_path_factory.mktemp("bank"))
