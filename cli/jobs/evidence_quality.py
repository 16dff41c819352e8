"""The quality card of an evidence pack: what `tantieme evaluate lds` found last."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

Json = dict[str, Any]


def measured(home: Path, runs: Collection[str], artists: Collection[str]) -> list[Json]:
    """Read the latest measurement of these runs by artist and by item, if there is any.

    Figures and sentences that single out artists are left out, but for those named.
    """
    found = [json.loads(path.read_bytes()) for path in (home / "evaluation").glob("lds-*.json")]
    about = [each for each in found if each["run"] in runs]
    latest = {each["about"]["by"]: each for each in sorted(about, key=_age)}
    return [_card(latest[by], artists) for by in sorted(latest)]


def _age(document: Json) -> tuple[str, str]:
    return document["made_at"], document["id"]


def _card(document: Json, artists: Collection[str]) -> Json:
    names = document.get("names", {})
    others = {id_: name for id_, name in names.items() if name not in artists}
    kept = {key: document[key] for key in ("kind", "id", "made_at", "run", "about")}
    said = [
        each for each in document["sentences"] if not any(name in each for name in others.values())
    ]
    rows = [row for row in document["rows"] if row["of"] not in others]
    return {**kept, "sentences": said, "rows": rows}
