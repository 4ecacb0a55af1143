"""What the HTTP face itself did, for Prometheus; what the daemons did, they tell themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info

from aiops import __version__

if TYPE_CHECKING:
    from workers.api.hub import Hub

_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)


class Metrics:
    """Counters of one process."""

    def __init__(self, hub: Hub) -> None:
        self.registry = CollectorRegistry()
        Info("aiops_build", "The program.", registry=self.registry).info({"version": __version__})
        self._requests = Counter(
            "aiops_http_requests", "Requests, by route, method and status.", ("route", "method", "status"),
            registry=self.registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "aiops_http_request_duration_seconds", "From a request to the end of its answer; not of event streams.",
            ("route",), buckets=_SECONDS, registry=self.registry,
        )  # fmt: skip
        streams = Gauge("aiops_http_event_streams", "Event streams that are open.", registry=self.registry)
        streams.set_function(lambda: hub.streams)
        listening = Gauge("aiops_http_listening", "1 while the session for events listens.", registry=self.registry)
        listening.set_function(lambda: float(hub.listening))

    def count(self, route: str, method: str, status: int, seconds: float) -> None:
        """Note a request that has been answered."""
        self._requests.labels(route, method, str(status)).inc()
        if not route.endswith("/events"):
            self._seconds.labels(route).observe(seconds)
