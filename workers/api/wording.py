"""Words of the dashboard that the reports have no use for, in English and Korean."""

from __future__ import annotations

from typing import Final

from aiops.report.words import RISKS, Words
from workers.api.problems import TITLES

JOBS: Final = {
    "indicators": Words("Indicators", "지표"),
    "ondemand_risk_calculation": Words("Request of a place", "지점 요청"),
    "portfolio_risk_calculation": Words("Portfolio", "포트폴리오"),
    "test": Words("Test", "시험"),
}

STEPS: Final = {
    "plan": Words("plan", "계획"),
    "read": Words("read", "읽기"),
    "reading": Words("reading", "읽는 중"),
    "compute": Words("compute", "산출"),
    "computing": Words("computing", "산출 중"),
    "hazard and probability": Words("hazard and probability", "위해성·발생확률"),
    "hazard and probability read": Words("hazard and probability read", "위해성·발생확률 읽음"),
    "exposure": Words("exposure", "노출"),
    "vulnerability": Words("vulnerability", "취약성"),
    "aal": Words("average annual loss", "연평균 손실"),
    "integrated": Words("integrated", "종합"),
    "waiting to be tried again": Words("waiting to be tried again", "재시도 대기"),
    "webhook": Words("webhook", "웹훅"),
    "email": Words("e-mail", "이메일"),
    "chunk": Words("chunk", "청크"),
}
"""As `current_step` and the log name them; some with a risk or a number after them."""

ROLES: Final = {
    "compute": Words("compute", "산출"),
    "control": Words("control", "제어"),
    "ondemand": Words("ondemand", "지점 요청"),
}
"""Of worker processes."""

_KOREAN_TITLES: Final = {
    400: "요청을 읽을 수 없습니다",
    401: "키가 필요합니다",
    403: "허용되지 않습니다",
    404: "찾을 수 없습니다",
    405: "이 주소에서 쓸 수 없는 방식입니다",
    409: "현재 상태와 충돌합니다",
    413: "요청이 너무 깁니다",
    415: "요청이 JSON이 아닙니다",
    421: "이 서버의 이름이 아닙니다",
    422: "쓸 수 없는 값입니다",
    429: "요청이 너무 많습니다",
    500: "서버 오류입니다",
    503: "지금은 이용할 수 없습니다",
}

PROBLEMS: Final = {status: Words(title, _KOREAN_TITLES[status]) for status, title in TITLES.items()}
"""By the status of the answer."""


def live_words(language: str) -> dict[str, dict[str, str]]:
    """What scripts say of what moves, in one language."""
    at = 1 if language == "ko" else 0
    tables = {"steps": STEPS, "risks": RISKS, "roles": ROLES}
    return {name: {key: one[at] for key, one in table.items()} for name, table in tables.items()}


def step_in_words(step: str, language: str) -> str:
    """A step as people read it; one that is not known, as it stands."""
    words = live_words(language)
    steps, risks = words["steps"], words["risks"]
    first, _, rest = step.partition(" ")
    if step in steps or step in risks:
        return steps.get(step) or risks[step]
    if first in steps and rest in risks:
        return f"{steps[first]}: {risks[rest]}"
    return f"{steps[first]} {rest}" if first in steps and rest.isdigit() else step
