"""The metrics of a daemon, for Prometheus.

What the whole installation did comes from the database, where it outlives every process and is counted in the
transaction that did it; each daemon tells the same of it. How often this daemon's processes were started again comes
from its parent's memory: it is known when the database is not. While the database is away, counters keep the value that
was last seen (they cannot have gone down), and gauges are left out (nobody knows them).
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.registry import Collector

from aiops import __version__
from aiops.db.batches import STATUSES
from workers.health.cached import Cached
from workers.health.figures import DURATION_LIMITS, Figures, read_figures
from workers.listener import JOBS
from workers.process import ROLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from prometheus_client.metrics_core import Metric

    from workers.health.daemon import Daemon

    _Value = tuple[tuple[str, ...], float]

CACHE_SECONDS = 5.0
"""For so long one look at the database answers every scrape."""

QUEUES = tuple(dict.fromkeys(queue for role in ROLES.values() for queue in role.queues))
JOB_STATUSES = ("todo", "doing", "succeeded", "failed", "cancelled", "aborted")
CHUNK_STATES = ("waiting", "running", "done", "failed", "cancelled")


def registry_of(daemon: Daemon) -> CollectorRegistry:
    """What `/metrics` shows of a daemon, and of the database that it works for."""
    registry = CollectorRegistry()
    registry.register(_Metrics(daemon))
    return registry


class _Metrics(Collector):
    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._figures = Cached(read_figures, CACHE_SECONDS)
        self._last_seen: Figures | None = None

    def collect(self) -> Iterator[Metric]:
        now = self._figures.get()
        self._last_seen = now or self._last_seen
        yield InfoMetricFamily("aiops_build", "The program.", {"version": __version__})
        yield GaugeMetricFamily("aiops_database_up", "1 if the database told its figures.", int(now is not None))
        yield _counter(
            "aiops_process_restarts",
            "Processes of this daemon that ended and were started again, since it was started.",
            ("role",),
            [((role,), times) for role, times in self._daemon.restarts().items()],
        )
        if now is not None:
            yield from _gauges(now)
        if self._last_seen is not None:
            yield from _counters(self._last_seen)


def _gauges(figures: Figures) -> Iterator[Metric]:
    jobs = {(queue, status): 0 for queue in QUEUES for status in JOB_STATUSES} | dict(figures.jobs)
    yield _gauge(
        "aiops_jobs", "Jobs of the queue; ended ones leave it after a while.", ("queue", "status"), jobs.items()
    )
    yield _gauge(
        "aiops_queue_oldest_waiting_seconds",
        "For how long the oldest job that could start now has waited.",
        ("queue",),
        [((queue,), figures.oldest_waiting.get(queue, 0.0)) for queue in sorted({*QUEUES, *figures.oldest_waiting})],
    )
    batches = {(job, status): 0 for job in JOBS for status in STATUSES} | dict(figures.batches)
    yield _gauge("aiops_batches", "Batches, all that there ever were.", ("job_type", "status"), batches.items())
    chunks = [((state,), figures.chunks.get(state, 0)) for state in CHUNK_STATES]
    yield _gauge("aiops_chunks", "Chunks of all batches.", ("state",), chunks)
    yield GaugeMetricFamily("aiops_workers", "Processes that gave a sign of life of late.", figures.workers_alive)
    if (trip := figures.round_trip) is not None:
        yield GaugeMetricFamily(
            "aiops_listener_round_trip_seconds", "How long the listener's last NOTIFY to itself took.", trip.seconds
        )
        yield GaugeMetricFamily(
            "aiops_listener_last_round_trip_timestamp_seconds", "When it came back.", trip.answered_at
        )


def _counters(figures: Figures) -> Iterator[Metric]:
    yield CounterMetricFamily("aiops_cells_computed", "Cells of chunks that are done.", figures.cells_computed)
    histogram = HistogramMetricFamily(
        "aiops_chunk_duration_seconds", "From the claim of a chunk to its commit, of those that are done."
    )
    limits = [*(str(limit) for limit in DURATION_LIMITS), "+Inf"]
    histogram.add_metric(
        (), list(zip(limits, accumulate(figures.durations), strict=True)), sum_value=figures.duration_seconds
    )
    yield histogram
    yield _counter(
        "aiops_rescues",
        "Jobs that nobody worked on any more, by what became of them.",
        ("outcome",),
        _events(figures, "rescue"),
    )
    yield _counter(
        "aiops_refused_writes",
        "Attempts at a chunk that were kept from writing: another attempt held it, or the batch had ended.",
        ("reason",),
        _events(figures, "refused write"),
    )


def _events(figures: Figures, wanted: str) -> list[tuple[tuple[str], int]]:
    return [((kind,), times) for (event, kind), times in figures.events.items() if event == wanted]


def _gauge(name: str, about: str, labels: tuple[str, ...], values: Iterable[_Value]) -> Metric:
    family = GaugeMetricFamily(name, about, labels=labels)
    for key, value in values:
        family.add_metric(key, value)
    return family


def _counter(name: str, about: str, labels: tuple[str, ...], values: Iterable[_Value]) -> Metric:
    family = CounterMetricFamily(name, about, labels=labels)
    for key, value in values:
        family.add_metric(key, value)
    return family
