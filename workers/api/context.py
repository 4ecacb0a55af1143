"""What the endpoints of one application share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from starlette.requests import Request

    from workers.api.database import Database
    from workers.api.hub import Hub
    from workers.api.keys import Keys
    from workers.api.layers import MapLayers
    from workers.api.limits import TokenBuckets
    from workers.api.metrics import Metrics
    from workers.api.overview import Overview
    from workers.health.cached import Cached
    from workers.health.check import Check


@dataclass(frozen=True, slots=True)
class Context:
    """Made once, with the application."""

    database: Database
    hub: Hub
    keys: Keys
    buckets: TokenBuckets
    metrics: Metrics
    overview: Overview
    layers: MapLayers
    checks: Cached[tuple[Check, ...]]
    """Whether the database can be worked with."""
    most_streams: int


def context_of(request: Request) -> Context:
    """Of the application that a request came to."""
    return cast("Context", request.app.state.context)
