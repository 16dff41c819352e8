"""The steps that the commands of `tantieme evaluate` share, and what they are asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli.evaluation_tables import print_judged
from cli.output import narrate, print_json, progress
from cli.workspace import Workspace

if TYPE_CHECKING:
    from attribution.evaluation.bank import Bank
    from attribution.evaluation.plan import BankPlan
    from cli.jobs.evaluation import By, Kind, Scored, Subject
    from cli.jobs.evaluation_files import Judged

KINDS: dict[str, tuple[Kind, ...]] = {
    "tracks": ("generated",),
    "heldout": ("held-out",),
    "both": ("generated", "held-out"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Everything that some command may ask."""

    run: str | None = None
    methods: str = ""
    method: str = ""
    by: By = "artist"
    queries: str = "both"
    subsets: int | None = None
    seeds: int | None = None
    artists: int | None = None
    removed: int | None = None
    tracks: int | None = None
    copies: int = 0
    count: int = 0
    worlds: int | None = None
    runs: int = 1
    damping: Sequence[float] = ()
    ridge: Sequence[float] = ()
    kept: Sequence[int] = ()
    small: bool = False
    workers: int = 1

    def number(self, given: int | None, usual: int, little: int) -> int:
        """Return what was given, else what is usual, or little of it for a quick look."""
        if given is not None:
            return given
        return little if self.small else usual

    @property
    def names(self) -> list[str]:
        """Name the methods."""
        named = (self.methods or self.method).split(",")
        return list(dict.fromkeys(name.strip() for name in named if name.strip()))

    @property
    def kinds(self) -> Sequence[Kind]:
        """Name the kinds of query."""
        return KINDS[self.queries]


def find_subject(workspace: Workspace, asked: Asked) -> Subject:
    """Open the run, after the names of methods were checked."""
    from cli.jobs.evaluation import check_methods, subject_of

    check_methods(asked.names)
    return subject_of(workspace, asked.run)


def announced(subject: Subject, plan: BankPlan, workers: int, *, dry_run: bool) -> bool:
    """Say what retraining will cost; say too whether that is all that was asked for."""
    from cli.jobs.evaluation import foreseen_minutes

    minutes = max(1, round(foreseen_minutes(subject, plan) / workers))
    time = "a minute" if minutes == 1 else f"{minutes:,} minutes"
    would = "Would retrain" if dry_run else "Retraining"
    after = "nothing was written" if dry_run else "what is here already is kept"
    narrate(
        f"{would} {plan.seeds.size} times ({plan.kind}), about {time} "
        f"on a machine as free as when run {subject.run} was trained; {after}."
    )
    return dry_run


def retrained(workspace: Workspace, subject: Subject, plan: BankPlan, workers: int) -> Bank:
    """Carry out the retrainings that are missing."""
    from cli.jobs.evaluation import retrain

    with progress("Training again") as report:
        return retrain(workspace, subject, plan, workers=workers, report=report)


def scored_by(workspace: Workspace, subject: Subject, methods: Sequence[str]) -> Scored:
    """Score by each method, with the index of each."""
    from cli.jobs.evaluation import score_owners

    found = {}
    for method in methods:
        with progress(f"Scoring by {method}") as report:
            found[method] = score_owners(workspace, subject, method, report)
    return found


def finish(workspace: Workspace, judged: Judged, *, json_: bool) -> None:
    """Keep what was found, and print it."""
    from cli.jobs.evaluation_files import keep

    document, path = keep(workspace, judged)
    if json_:
        print_json(document)
        return
    print_judged(document)
    narrate(f"Kept in {path}, with a picture beside it.")
