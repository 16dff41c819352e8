"""Generate tracks from a run: events, MIDI, provenance, audio, and their rows in the books."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attribution.models.generation import GenerationOptions
from attribution.models.generation import generate as generate_events
from attribution.models.training import Run
from attribution.music.midi import decode, duration_ms, write_midi
from cli.jobs.catalogue import render_all
from cli.jobs.training import find_run, music
from cli.output import Report
from cli.workspace import Workspace
from db.books.tracks import TrackFacts, record_tracks
from db.engine import now
from db.queries import EVERYONE, recordings
from royalty.errors import NotFound

PROMPT_EVENTS = 32  # of a recording's opening, shown to the model and left out of the track


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What `tantieme generate` lets one choose."""

    count: int = 1
    seconds: int = 30
    temperature: float = 1.0
    seed: int = 0
    prompts: tuple[str, ...] = ()  # recordings whose openings the tracks continue, in turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A wish that has been checked: the run is there and so are the prompts."""

    run: str
    trained: Run
    wish: Wish
    openings: tuple[tuple[int, ...], ...]
    artists: tuple[str, ...]  # of the prompts


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """The tracks of an order, and whether they were there before."""

    tracks: tuple[TrackFacts, ...]
    already: bool


def wished(workspace: Workspace, run: str | None, wish: Wish) -> Order:
    """Check a wish. Raises `NotReady` without a run, `NotFound` for a prompt that is not there."""
    name, trained = find_run(workspace, run)
    heard = music(workspace) if wish.prompts else {}
    if missing := [prompt for prompt in wish.prompts if prompt not in heard]:
        raise NotFound(
            f"no recording with music is called {', '.join(missing)}; see 'tantieme catalogue show'"
        )
    rows = {row.recording.id: row for row in recordings(EVERYONE, workspace.books())}
    return Order(
        run=name,
        trained=trained,
        wish=wish,
        openings=tuple(tuple(heard[prompt][:PROMPT_EVENTS]) for prompt in wish.prompts),
        artists=tuple(rows[prompt].artist_name for prompt in wish.prompts),
    )


def generate_tracks(workspace: Workspace, order: Order, report: Report) -> Made:
    """Generate what was wished for, or find that it is already here."""
    wish = order.wish
    kept = _kept(workspace, order)
    if kept is not None:
        return Made(tracks=kept, already=True)
    longest = max(map(duration_ms, order.openings), default=0) / 1000
    options = GenerationOptions(
        count=wish.count,
        seconds_min=wish.seconds + longest,
        seed=wish.seed,
        temperature=wish.temperature,
        prompts=order.openings,
    )
    written = generate_events(order.trained.model(), options, report)  # type: ignore[arg-type]
    bodies = [events[len(_opening(order, n)) :] for n, events in enumerate(written)]
    sound = render_all(workspace, {str(n): body for n, body in enumerate(bodies)}, report)
    tracks = tuple(
        _keep(workspace, order, number, body, sound[str(number)])
        for number, body in enumerate(bodies)
    )
    record_tracks(workspace.books(), tracks)
    return Made(tracks=tracks, already=False)


def _opening(order: Order, number: int) -> Sequence[int]:
    return order.openings[number % len(order.openings)] if order.openings else ()


def _keep(
    workspace: Workspace, order: Order, number: int, events: Sequence[int], sound: str
) -> TrackFacts:
    """Write a track's MIDI and its provenance."""
    id_ = _track_id(order, number)
    folder = workspace.folder("tracks")
    write_midi(decode(events), folder / f"{id_}.mid")
    provenance = _provenance(order, number) | {
        "title": _title(order, number),
        "events": len(events),
        "duration_ms": duration_ms(events),
        "midi_sha256": hashlib.sha256((folder / f"{id_}.mid").read_bytes()).hexdigest(),
        "audio_sha256": sound,
    }
    text = json.dumps({"schema": 1, "id": id_, **provenance}, indent=1, ensure_ascii=False) + "\n"
    (folder / f"{id_}.json").write_text(text, encoding="utf-8")
    return _facts(provenance | {"id": id_})


def _kept(workspace: Workspace, order: Order) -> tuple[TrackFacts, ...] | None:
    """Return the tracks of an order that was fulfilled before."""
    folder = workspace.folder("tracks")
    files = [folder / f"{_track_id(order, n)}.json" for n in range(order.wish.count)]
    if not all(map(Path.exists, files)):
        return None
    return tuple(_facts(json.loads(file.read_text(encoding="utf-8"))) for file in files)


def _facts(provenance: dict[str, Any]) -> TrackFacts:
    return TrackFacts(
        id=provenance["id"],
        title=provenance["title"],
        run=provenance["run"],
        seed=provenance["seed"],
        duration_ms=provenance["duration_ms"],
        midi=f"tracks/{provenance['id']}.mid",
        audio_sha256=provenance["audio_sha256"],
        created_at=now(),
    )


def _provenance(order: Order, number: int) -> dict[str, Any]:
    wish = order.wish
    prompt = wish.prompts[number % len(wish.prompts)] if wish.prompts else None
    return {
        "run": order.run,
        "checkpoint": order.trained.checkpoints[-1].sha256,
        "seed": wish.seed,
        "number": number,
        "prompt": {"recording": prompt, "events": PROMPT_EVENTS} if prompt else None,
        "temperature": wish.temperature,
        "seconds_min": wish.seconds,
        "of": wish.count,
    }


def _track_id(order: Order, number: int) -> str:
    identity = json.dumps(_provenance(order, number), sort_keys=True)
    return f"t{hashlib.sha256(identity.encode()).hexdigest()[:8]}"


def _title(order: Order, number: int) -> str:
    name = f"Track {number + 1:02d}"
    return f"{name}, after {order.artists[number % len(order.artists)]}" if order.artists else name
