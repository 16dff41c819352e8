"""The whole main job on real music, once, then where to look."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cli.intake import tell
from cli.jobs.attribution import Attributed, attribute_tracks
from cli.jobs.catalogue import import_folder
from cli.jobs.demo_catalogue import Work, read_table, write_folders
from cli.jobs.dividing import divide_month
from cli.jobs.exporting import Wanted, export
from cli.jobs.generation import Wish, generate_tracks, wished
from cli.jobs.index import build_index
from cli.jobs.payout import close_period, compute_each
from cli.jobs.simulation import Month, simulate
from cli.jobs.training import Choice, plan, train_run
from cli.output import narrate, progress
from cli.setup import set_up
from cli.workspace import Settings, Workspace
from db import queries, snapshots
from db.intake import revenue, usage
from db.queries import EVERYONE, Difference, Payout
from royalty.fairness import Everybody, FarmCost, everybody, farm_cost
from royalty.period import Period
from royalty.rules import RULES

SHOWN = ("pro_rata", "user_centric")  # told of at the end; the Rules page has all
SETTINGS = Settings(publishing_ppm=500_000, royalty_rate_ppm={"default": 650_000})


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much the demonstration does. The small one is for a quick look, and for the tests."""

    every: int = 1  # of the works to train on, one in so many
    tracks: int = 12
    seconds: int = 60  # a longer track says more about what shaped it
    choice: Choice = field(default_factory=lambda: Choice(seed=1, epochs=8))


WHOLE = Size()
SMALL = Size(every=5, tracks=4, seconds=30, choice=Choice(seed=1, epochs=4, spans_max=3))


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What the demonstration found, for its summary."""

    period: Period
    rule: str  # by which the month was closed
    catalogue: str
    generator: str
    attributed: Sequence[Attributed]
    payouts: Mapping[str, Payout]
    difference: Sequence[Difference]  # of the second payout from the first
    farm: Mapping[str, FarmCost]
    farm_size: int
    farm_track: str
    reports: Path | None  # none while the month is open
    seconds: float


def data_folder() -> Path:
    """Find the demonstration's inputs: in a checkout, else where they were installed."""
    checkout = Path(__file__).parents[2] / "data"
    return checkout if checkout.exists() else Path(__file__).parents[1] / "_data"


def run_demo(workspace: Workspace, size: Size = WHOLE, *, leave_open: bool = False) -> Story:
    """Do everything once; what is already there is left as it is and said so."""
    began = time.monotonic()
    set_up(workspace, SETTINGS)
    data = data_folder()
    works = _chosen(read_table(data / "corpus.csv"), size)
    _bring_music(workspace, data, works)
    generator = _train(workspace, size)
    tracks = _generate(workspace, works, size)
    with progress("Indexing gradients") as report:
        built = build_index(workspace, report=report)
    narrate(f"Index {built.id} {'was already here' if built.already else 'is built'}.")
    with progress("Attributing tracks") as report:
        attributed = attribute_tracks(workspace, built, tracks, report=report)
    month = simulate(data / "usage.toml", tracks)
    period = Period.parse(month.period)
    _import_month(workspace, month)
    computed = compute_each(workspace, period, list(RULES)).payouts
    payouts = {rule: computed[rule] for rule in SHOWN}
    farm = {rule: _farm(workspace, payout, month.farm) for rule, payout in payouts.items()}
    if not leave_open:
        closing = close_period(workspace, period, workspace.settings().rule)
        narrate(f"{period} {'was already' if closing.already else 'is'} closed.")
    return Story(
        period=period,
        rule=workspace.settings().rule,
        catalogue=_catalogue_line(works),
        generator=generator,
        attributed=attributed,
        payouts=payouts,
        difference=queries.differences(EVERYONE, workspace.books(), *payouts.values()),
        farm=farm,
        farm_size=len(month.farm),
        farm_track=month.farm_track,
        reports=None if leave_open else _write_reports(workspace, period, payouts),
        seconds=time.monotonic() - began,
    )


def _chosen(works: Sequence[Work], size: Size) -> list[Work]:
    """Thin out the works to train on; all placebos stay, since fewer than 40 are refused."""
    trained = [work for work in works if work["role"] == "train"]
    held_back = [work for work in works if work["role"] == "placebo"]
    return [*trained[:: size.every], *held_back]


def _bring_music(workspace: Workspace, data: Path, works: Sequence[Work]) -> None:
    catalogue, placebos = workspace.folder("catalogue"), workspace.folder("placebos")
    with progress("Reading works of the music21 corpus") as report:
        write_folders(data, works, {"train": catalogue, "placebo": placebos}, report)
    for folder, placebo in ((catalogue, False), (placebos, True)):
        with progress(f"Importing {folder.name}") as report:
            tell(import_folder(workspace, folder, placebo=placebo, report=report))


def _train(workspace: Workspace, size: Size) -> str:
    planned = plan(workspace, size.choice)
    if planned.finished:
        narrate(f"Run {planned.id} is already here.")
    else:
        with progress("Training the generator") as report:
            train_run(workspace, planned, report)
    return f"run {planned.id}, trained on {planned.summary}"


def _generate(workspace: Workspace, works: Sequence[Work], size: Size) -> list[str]:
    """Generate tracks that take turns to continue an opening by each of the composers."""
    first: dict[str, str] = {}
    for work in works:
        if work["role"] == "train":
            first.setdefault(work["artist"], work["recording"])
    wish = Wish(count=size.tracks, seconds=size.seconds, prompts=tuple(first.values()))
    order = wished(workspace, None, wish)
    with progress("Generating tracks") as report:
        made = generate_tracks(workspace, order, report)
    narrate(f"{len(made.tracks)} tracks {'were already here' if made.already else 'generated'}.")
    return [track.id for track in made.tracks]


def _import_month(workspace: Workspace, month: Month) -> None:
    books = workspace.books()
    tell(usage.record_table(books, month.usage, "data/usage.toml (simulated)"))
    tell(revenue.record_table(books, month.revenue, "data/usage.toml (simulated)"))


def _farm(workspace: Workspace, payout: Payout, farm: frozenset[str]) -> FarmCost:
    """Divide the month again without the farm's listeners, and compare."""
    settings = workspace.settings()
    division = divide_month(workspace.books(), settings, payout.period, payout.rule, without=farm)
    rows = snapshots.run(division.posted).to_pylist()
    with_farm = Everybody(
        payees={payee.id: payee.amount for payee in payout.payees},
        suspense=payout.suspense,
        platform=payout.platform,
    )
    return farm_cost(with_farm, everybody(rows, division.currency))


def _write_reports(workspace: Workspace, period: Period, payouts: Mapping[str, Payout]) -> Path:
    payees = [payee.id for payee in payouts[workspace.settings().rule].payees]
    for format_, payee in [("json", None), ("csv", None), *(("csv", each) for each in payees)]:
        [path] = export(workspace, Wanted(period=period, format=format_, payee=payee))
    return path.parent


def _catalogue_line(works: Sequence[Work]) -> str:
    trained = [work for work in works if work["role"] == "train"]
    composers = len({work["artist"] for work in trained})
    return (
        f"{len(trained)} recordings by {composers} composers; "
        f"{len(works) - len(trained)} more held back as placebos"
    )
