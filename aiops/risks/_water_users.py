"""Who feels a lack of water: one factor of Exposure for drought and water stress."""

from __future__ import annotations

from aiops.risks._place import by_words
from aiops.risks._proximity import Proximity

WATER_USERS = Proximity(
    parts=(
        by_words("use", (("factory", "hotel", "hospital", "power"), 0.8), (("office", "retail"), 0.5), otherwise=0.3),
    )
)
"""By what the building is used for: nothing around it brings a dry year nearer."""
