"""The evidence files: one for each track, from which the books got its shares.

What a month was paid by stays: attributed anew by another index, method or mapping, a track's
evidence and passages first go to `evidence/earlier/`, into a folder named after who gave the
shares, where those who read the books find them again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa

from cli.workspace import Workspace
from db import queries, snapshots
from db.intake import shares as shares_intake
from db.intake.receipt import Receipt
from db.queries import EVERYONE, Payout
from royalty.errors import BadInput, NotFound, NotReady, Problem, RoyaltyError

PAYING = "default"  # the method whose shares are frozen; others are for comparison
_OURS = "tantieme:"  # how the providers that we are begin
_EARLIER = "earlier"


def evidence_path(workspace: Workspace, track: str, method: str = PAYING) -> Path:
    """Place a track's evidence: what is paid by above, what other methods found in folders."""
    folder = workspace.folder("evidence")
    if method != PAYING:
        folder = folder / method
        folder.mkdir(exist_ok=True)
    return folder / f"{track}.json"


def earlier_path(workspace: Workspace, track: str, provider: str) -> Path:
    """Place the evidence that a provider's shares rest on, once the track was attributed anew."""
    name = provider.removeprefix(_OURS).replace(":", "-")
    return workspace.home / "evidence" / _EARLIER / name / f"{track}.json"


def keep_evidence(workspace: Workspace, document: Mapping[str, Any], method: str = PAYING) -> None:
    """Write down what a method found for a track, whole or not at all.

    What is paid by is not written over by what another provider says: it is put away first.
    """
    path = evidence_path(workspace, document["track"], method)
    draft = path.with_suffix(".part")
    draft.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if method == PAYING and path.exists():
        _put_away(workspace, path, provider_of(document))
    draft.replace(path)


def _put_away(workspace: Workspace, path: Path, provider: str) -> None:
    """Move another provider's evidence, its passages first: without them it is not taken as done.

    What was put away before stays, as the shares in the books do.
    """
    earlier = provider_of(read_evidence(path))
    kept = earlier_path(workspace, path.stem, earlier)
    if earlier == provider or kept.exists():
        return
    passages = path.parent / "passages" / path.name
    kept_passages = kept.parent / "passages" / path.name
    kept_passages.parent.mkdir(parents=True, exist_ok=True)
    if passages.exists():
        passages.replace(kept_passages)
    path.replace(kept)


def read_evidence(path: Path) -> dict[str, Any]:
    """Read a track's evidence. Raises `BadInput` where the file is not what was written."""
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        provider_of(document)
    except (ValueError, OSError, KeyError, TypeError) as fault:
        again = f"delete it and run 'tantieme attribute {path.stem}'"
        cure = "put it back from a copy" if _EARLIER in path.parts[-3:-1] else again
        message = f"is damaged ({fault}); {cure}"
        raise BadInput([Problem(str(path), None, None, message)]) from None
    return document


def provider_of(document: Mapping[str, Any]) -> str:
    """Name who gave these shares: us, by which index, method and mapping."""
    return _OURS + ":".join(document[key] for key in ("index", "method", "gate", "mapping"))


def is_ours(provider: str) -> bool:
    """Tell shares that were found here from those that were imported."""
    return provider.startswith(_OURS)


def read_paying(workspace: Workspace, track: str, provider: str) -> tuple[Path, dict[str, Any]]:
    """Find and read the evidence that a provider's shares rest on: put away, or still standing.

    Raises `NotFound` where it is gone, `BadInput` where it is damaged.
    """
    earlier, present = earlier_path(workspace, track, provider), evidence_path(workspace, track)
    for path in (earlier, present):
        if path.exists() and provider_of(document := read_evidence(path)) == provider:
            return path, document
    raise NotFound(
        f"the evidence this was paid by is gone: neither {present} nor {earlier} is of "
        f"{provider}; put it back from a copy"
    )


def record_shares(
    workspace: Workspace, documents: Sequence[Mapping[str, Any]], *, dry_run: bool = False
) -> Receipt:
    """Hand frozen shares to the books; what is there already is left.

    Raises `Conflict` where the books have other shares of a track from the same provider.
    """
    rows = [
        {"track": document["track"], "recording": share.pop("id"), **share}
        | {"provider": provider_of(document)}
        for document in documents
        for share in _frozen(document)
    ]
    return shares_intake.record(workspace.books(), pa.Table.from_pylist(rows), dry_run=dry_run)


def _frozen(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    keys = ("id", "share_ppb", "low_ppb", "high_ppb")
    paid = [{key: each[key] for key in keys} for each in document["recordings"]]
    return [*paid, {"id": None, **document["unattributed"]}]


def verify_evidence(workspace: Workspace) -> Iterator[str]:
    """Hold every evidence file against the books, and what was paid against the files.

    What was put away without ever having come to the books paid nobody, and is no fault.
    """
    present = workspace.home / "evidence"
    for path in sorted([*present.glob("*.json"), *present.glob(f"{_EARLIER}/*/*.json")]):
        try:
            known = record_shares(workspace, [read_evidence(path)], dry_run=True).already
        except (BadInput, RoyaltyError, KeyError, TypeError) as fault:
            yield f"{path} does not agree with the books: {fault}"
        else:
            if not known and path.parent == present:
                yield f"{path} states shares that the books do not have; run 'tantieme attribute'"
    yield from _gone(workspace)


def _gone(workspace: Workspace) -> Iterator[str]:
    """Find tracks of closed months that our shares were paid by, and whose evidence is not here."""
    for payout in _closed_with(workspace):
        for track in _paid(workspace, payout):
            try:
                read_paying(workspace, track, payout.provider)
            except NotFound as fault:
                yield f"{payout.period}, {track}: {fault}"
            except BadInput:
                continue  # said already, of the file itself


def _closed_with(workspace: Workspace) -> Iterator[Payout]:
    """Read what closed months paid by shares of ours; a payout that is lost is said elsewhere."""
    books = workspace.books()
    for row in queries.periods(EVERYONE, books):
        if row.status == "closed":
            with suppress(NotReady):
                payout = queries.payout(EVERYONE, books, row.period, str(row.rule))
                if is_ours(payout.provider):
                    yield payout


def _paid(workspace: Workspace, payout: Payout) -> list[str]:
    """Name the tracks that were played and that the provider gave shares of."""
    books = workspace.books()
    given: set[tuple[str, str]] = set()
    known = queries.inputs(EVERYONE, books, payout.period).shares
    for snapshot in known.get(payout.provider, []):
        with suppress(snapshots.CorruptSnapshot):  # said elsewhere
            rows = snapshots.read(books, snapshot).select(["provider", "track"]).to_pylist()
            given |= {(row["provider"], row["track"]) for row in rows}
    return [each.id for each in payout.tracks if (payout.provider, each.id) in given]
