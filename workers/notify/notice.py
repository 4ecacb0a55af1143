"""What is told of a request that has ended."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID


@dataclass(frozen=True, slots=True)
class Notice:
    """The end of a request, as it stands in `batch_jobs`."""

    batch_id: UUID
    job_type: str
    status: str
    """completed, failed or cancelled."""
    progress: int
    error_message: str | None
    warnings: list[object]
    completed_at: datetime

    @property
    def ended_at(self) -> str:
        """ISO 8601, UTC."""
        return self.completed_at.astimezone(UTC).isoformat().replace("+00:00", "Z")

    @property
    def key(self) -> str:
        """The same whenever this end is told, another for the end of a later run of the request."""
        return f"{self.batch_id}:{self.ended_at}"

    def body(self) -> bytes:
        """The JSON that a webhook carries, UTF-8."""
        return json.dumps(
            {
                "batch_id": str(self.batch_id),
                "job_type": self.job_type,
                "status": self.status,
                "progress": self.progress,
                "error_message": self.error_message,
                "warnings": self.warnings,
                "completed_at": self.ended_at,
            },
            ensure_ascii=False,
            separators=(",", ":"),
        ).encode()
