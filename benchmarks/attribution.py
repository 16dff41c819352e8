"""`python -m benchmarks.attribution`: our engine and its peers on one bank, in one run.

Every method runs in a process of its own with one thread, beside a training step. What is measured
goes into `benchmarks/results/` as JSON, tables and a picture; `--out` gets every score matrix as
`.npy`, (query, train), so that a truth kept elsewhere can judge them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from benchmarks.bank import UnreadableBank, read_bank
from benchmarks.measured import load
from benchmarks.one import measure_apart
from benchmarks.ours import OURS
from benchmarks.own_bank import own_bank
from benchmarks.peers import PEERS, installed
from benchmarks.report import Document, Entry, document, markdown, picture

RESULTS = Path(__file__).parent / "results"
_OURS_SAY = {"n-gram": "n-gram overlap"}
_DIRECTORY = click.Path(path_type=Path, file_okay=False)


@click.command(help=__doc__)
@click.option("--bank", type=_DIRECTORY, help="A bank's directory; else one is made of demo-home.")
@click.option("--out", type=_DIRECTORY, help="Where every score matrix is to be kept.")
@click.option("--only", multiple=True, help="Measure this again, the rest stays; repeatable.")
@click.option("--results", type=_DIRECTORY, default=RESULTS, show_default="benchmarks/results")
def main(bank: Path | None, out: Path | None, only: Sequence[str], results: Path) -> None:
    """Measure, print and write."""
    with TemporaryDirectory() as scratch:
        out = out or Path(scratch)
        try:
            found = compare(bank or own_bank(), out, chosen(only))
        except UnreadableBank as fault:
            raise click.ClickException(str(fault)) from fault
    if only:
        found = merged(found, results)
    write(found, results)
    click.echo(markdown(found))


def chosen(only: Sequence[str]) -> list[str]:
    """Return the methods to run: those named, or ours and every peer that is installed."""
    known = [*OURS, *PEERS]
    strange = [name for name in only if name not in known]
    if strange:
        raise click.ClickException(f"no method '{strange[0]}'; there are {', '.join(known)}")
    if only:
        return [name for name in known if name in only]
    missing = sorted({p.package for p in PEERS.values() if not installed(p)})
    if missing:
        click.echo(f"Not installed, left out: {', '.join(missing)} (extra `peers`)", err=True)
    return [name for name in known if name in OURS or installed(PEERS[name])]


def compare(bank: Path, out: Path, names: Sequence[str]) -> Document:
    """Measure methods one after the other and put what was found into one document."""
    read = read_bank(bank)
    entries = []
    for name in names:
        click.echo(f"{name} …", err=True)
        fault = measure_apart(name, bank, out)
        measured = None if fault else load(out, name)
        says = PEERS[name].says if name in PEERS else _OURS_SAY.get(name, f"ours, {name}")
        entries.append(Entry(name=name, says=says, measured=measured, fault=fault))
    return document(read, entries)


def merged(found: Document, directory: Path) -> Document:
    """Put methods into what was written of the same bank before, each in its own place."""
    path = directory / "attribution.json"
    before = json.loads(path.read_text()) if path.exists() else found
    if any(before[key] != found[key] for key in ("train", "query", "ceiling")):
        return found
    by_name = {method["name"]: method for method in [*before["methods"], *found["methods"]]}
    methods = [by_name[name] for name in [*OURS, *PEERS] if name in by_name]
    return {**found, "methods": methods}


def write(found: Document, directory: Path) -> None:
    """Write the document, its tables and its picture."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "attribution.json").write_text(json.dumps(found, indent=1) + "\n")
    (directory / "attribution.md").write_text(markdown(found))
    (directory / "attribution.svg").write_text(picture(found))


if __name__ == "__main__":
    sys.exit(main())
