"""`python -m benchmarks.ideas --bank DIR`: every idea's LDS, seconds and bytes, as one table.

LDS is on the half of the bank's subsets that no setting was chosen on. Seconds are CPU seconds of
one thread up to the scores, as if nothing had been computed before. What is found is written after
every idea, and `--only` leaves the others of a table that is there as they are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import torch

from benchmarks.bank import CELLS, HALVES, Bank, UnreadableBank, cells, read_bank
from benchmarks.ideas import (
    adopted,
    averages,
    baselines,
    codes,
    combinations,
    further,
    gauss_newton,
    noise,
    sketches,
)
from benchmarks.ideas.idea import Idea
from benchmarks.ideas.workshop import Workshop
from benchmarks.report import machine, table

FAMILIES: Mapping[str, Sequence[Idea]] = {
    "Baselines": baselines.IDEAS,
    "Adopted": adopted.IDEAS,
    "Sketches": sketches.IDEAS,
    "Codes": codes.IDEAS,
    "Averages": averages.IDEAS,
    "Combinations": combinations.IDEAS,
    "Noise": noise.IDEAS,
    "Further": further.IDEAS,
    "Gauss-Newton": gauss_newton.IDEAS,
}
RESULTS = Path(__file__).parents[1] / "results"
_DIRECTORY = click.Path(path_type=Path, file_okay=False)
Document = dict[str, Any]


@click.command(help=__doc__)
@click.option("--bank", type=_DIRECTORY, required=True, help="A bank's directory, with its truth.")
@click.option("--only", multiple=True, help="An idea by name; may be repeated.")
@click.option("--results", type=_DIRECTORY, default=RESULTS, show_default="benchmarks/results")
def main(bank: Path, only: Sequence[str], results: Path) -> None:
    """Measure, print and write."""
    torch.set_num_threads(1)
    try:
        read = read_bank(bank)
    except UnreadableBank as fault:
        raise click.ClickException(str(fault)) from fault
    if not read.truth:
        raise click.ClickException(
            f"{bank} holds no retrainings to judge ideas by; pass one that does"
        )
    found: Document = {}
    for found in documents(read, chosen(only)):
        write(merged(found, results) if only else found, results)
    click.echo(markdown(found))


def chosen(only: Sequence[str]) -> list[tuple[str, Idea]]:
    """Return the ideas named, or all, with their families."""
    known = [(family, idea) for family, ideas in FAMILIES.items() for idea in ideas]
    names = [idea.name for _, idea in known]
    strange = [name for name in only if name not in names]
    if strange:
        raise click.ClickException(f"no idea '{strange[0]}'; there are {', '.join(names)}")
    return [(family, idea) for family, idea in known if not only or idea.name in only]


def documents(bank: Bank, ideas: Iterable[tuple[str, Idea]]) -> Iterator[Document]:
    """Measure ideas one after the other; after each, yield all that was found so far."""
    shop = Workshop(bank)
    found: Document = {
        "machine": machine(),
        "train": len(bank.train),
        "query": len(bank.query),
        "reported": {level: len(truth.masks) // 2 for level, truth in bank.truth.items()},
        "ideas": [],
    }
    for family, idea in ideas:
        found["ideas"].append(_measured(shop, family, idea))
        yield found


def _measured(shop: Workshop, family: str, idea: Idea) -> Document:
    click.echo(f"{idea.name} …", err=True)
    found, seconds = shop.measured(lambda: idea.make(shop))
    lds = {half: _lds(found.scores, shop.bank, half) for half in HALVES[1:]}
    return {
        "family": family,
        "name": idea.name,
        "says": idea.says,
        "against": idea.against,
        "lds": lds,
        "mean": {half: sum(values.values()) / len(values) for half, values in lds.items()},
        "seconds": seconds,
        "megabytes_per_1000": found.stored / 1e3,
    }


def _lds(scores: Any, bank: Bank, half: str) -> dict[str, float]:  # noqa: ANN401  an array
    return {cell: estimate.value for cell, estimate in cells(scores, bank, half).items()}


def merged(found: Document, directory: Path) -> Document:
    """Put ideas into a table that was written before, in the place of the same ideas."""
    path = directory / "ideas.json"
    before = json.loads(path.read_text())["ideas"] if path.exists() else []
    by_name = {idea["name"]: idea for idea in [*before, *found["ideas"]]}
    names = [idea.name for ideas in FAMILIES.values() for idea in ideas]
    return {**found, "ideas": [by_name[name] for name in names if name in by_name]}


def write(found: Document, directory: Path) -> None:
    """Write the document and its table."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "ideas.json").write_text(json.dumps(found, indent=1) + "\n")
    (directory / "ideas.md").write_text(markdown(found))


def markdown(found: Document) -> str:
    """Write the table, a row an idea."""
    at, counts = found["machine"], found["reported"]
    means = {idea["name"]: idea["mean"]["reported"] for idea in found["ideas"]}
    heads = ["idea", *CELLS, "mean", "against", "mean, other half"]
    heads += ["CPU s", "MB per 1000", "what it is"]
    rows = [_row(idea, means) for idea in found["ideas"]]
    return (
        f"LDS on the half of the subsets that nothing was chosen on "
        f"({', '.join(f'{count} by {level}' for level, count in counts.items())}); "
        f"{found['train']} items, {found['query']} queries; {at['processor']}, one thread, "
        f"PyTorch {at['torch']}\n\n{table(heads, rows)}\n"
    )


def _row(idea: Document, means: Mapping[str, float]) -> list[str]:
    lds, mean = idea["lds"]["reported"], idea["mean"]["reported"]
    rival = idea["against"]
    compared = f"{mean - means[rival]:+.3f} {rival}" if rival in means else ""
    row = [idea["name"], *(f"{lds[cell]:.3f}" if cell in lds else "" for cell in CELLS)]
    row += [f"{mean:.3f}", compared, f"{idea['mean']['chosen']:.3f}", f"{idea['seconds']:.0f}"]
    return [*row, _megabytes(idea["megabytes_per_1000"]), idea["says"]]


def _megabytes(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.2g}"  # noqa: PLR2004  three figures


if __name__ == "__main__":
    main()
