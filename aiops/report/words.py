"""Words of the reports in English and Korean."""

from __future__ import annotations

from typing import Final, NamedTuple


class Words(NamedTuple):
    """One thing in both languages."""

    en: str
    ko: str


LEVELS: Final = {
    "very_low": Words("very low", "매우 낮음"),
    "low": Words("low", "낮음"),
    "medium": Words("medium", "보통"),
    "high": Words("high", "높음"),
    "very_high": Words("very high", "매우 높음"),
}

RISKS: Final = {
    "extreme_heat": Words("Extreme heat", "극심한 고온"),
    "extreme_cold": Words("Extreme cold", "극심한 한파"),
    "wildfire": Words("Wildfire", "산불"),
    "drought": Words("Drought", "가뭄"),
    "water_stress": Words("Water stress", "물부족"),
    "sea_level_rise": Words("Sea level rise", "해수면 상승"),
    "river_flood": Words("River flood", "하천 홍수"),
    "urban_flood": Words("Urban flood", "도시 홍수"),
    "typhoon": Words("Typhoon", "태풍"),
}
"""As the database names them (`risk_type`), in its order."""

SCENARIOS: Final = {
    "historical": Words("Historical", "과거"),
    "ssp126": Words("SSP1-2.6", "SSP1-2.6"),
    "ssp245": Words("SSP2-4.5", "SSP2-4.5"),
    "ssp370": Words("SSP3-7.0", "SSP3-7.0"),
    "ssp585": Words("SSP5-8.5", "SSP5-8.5"),
}

LOSS_KINDS: Final = {
    "direct": Words("Damage", "직접 손해"),
    "operational": Words("Running cost", "운영 손실"),
    "all": Words("All", "합계"),
}

STATUSES: Final = {
    "ok": Words("computed", "산출"),
    "short_record": Words("short record (5 to 9 years; river floods 5 to 14)", "짧은 기록 (5~9년, 하천 홍수는 5~14년)"),
    "insufficient_data": Words("insufficient data", "자료 부족"),
    "not_applicable": Words("not applicable", "해당 없음"),
    "failed": Words("failed", "실패"),
    "absent": Words("no data for this scenario", "이 시나리오의 자료 없음"),
    "waiting": Words("waiting", "대기"),
    "queued": Words("queued", "대기"),
    "running": Words("running", "실행 중"),
    "completed": Words("completed", "완료"),
    "cancelled": Words("cancelled", "취소됨"),
    "done": Words("done", "완료"),
}
"""Of results, of batches and of chunks."""

STATUS_CODES: Final = ("absent", "ok", "short_record", "insufficient_data", "not_applicable", "failed")
"""By the code that is stored."""

ESTIMATORS: Final = {
    "shrunk": Words("shrunk kernels", "축소 커널"),
    "hurdle": Words("hurdle: share of zeros, kernels on the rest", "허들: 0의 비율 + 커널"),
    "count": Words("share of years", "해당 연도 비율"),
    "gev": Words("generalised extreme values (L-moments)", "일반화 극값분포 (L-모멘트)"),
    "analytic": Words("closed form", "해석식"),
    "kde": Words("plain kernels", "커널"),
}

INDICATORS: Final = {
    "extreme_heat": (Words("warm spell days a year (WSDI)", "연간 온난일 지속 일수 (WSDI)"), "d"),
    "extreme_cold": (Words("cold spell days a year (CSDI)", "연간 한랭일 지속 일수 (CSDI)"), "d"),
    "wildfire": (Words("Fire Weather Index, 95th percentile", "산불기상지수 95 백분위"), ""),
    "drought": (Words("severity: −lowest SPEI-12 of the year", "심도: −연 최저 SPEI-12"), ""),
    "water_stress": (Words("withdrawal over available flow", "취수량 / 가용 유량"), ""),
    "sea_level_rise": (Words("flood depth", "침수심"), "m"),
    "river_flood": (Words("largest daily rain of the year", "연 최대 일강수량"), "mm"),
    "urban_flood": (Words("days of 80 mm and more a year", "연간 80 mm 이상 강수일"), "d"),
    "typhoon": (Words("largest site wind of the year", "연 최대 지점 풍속"), "m/s"),
}
"""What the bins of a risk are bins of, in the calibrated damage set, and the unit."""

BUILDING: Final = {
    "use": Words("use", "용도"),
    "structure": Words("structure", "구조"),
    "built_year": Words("built in", "준공 연도"),
    "age_years": Words("age (years)", "경과 연수(년)"),
    "floor_area_m2": Words("floor area (m²)", "연면적(m²)"),
    "floors": Words("floors", "지상 층수"),
    "basement_floors": Words("floors below ground", "지하 층수"),
    "water_tank": Words("water tank", "저수조"),
    "pilotis": Words("pilotis", "필로티"),
    "in_flood_zone": Words("in a flood zone", "침수구역 내"),
}

USES: Final = {
    "office": Words("office", "업무시설"),
    "retail": Words("retail", "판매시설"),
    "factory": Words("factory", "공장"),
    "warehouse": Words("warehouse", "창고"),
    "hotel": Words("hotel", "숙박시설"),
    "hospital": Words("hospital", "의료시설"),
    "power": Words("power plant", "발전시설"),
    "residential": Words("residential", "주거시설"),
    "school": Words("school", "교육시설"),
    "other": Words("other", "기타"),
}

STRUCTURES: Final = {
    "reinforced_concrete": Words("reinforced concrete", "철근콘크리트"),
    "steel_reinforced_concrete": Words("steel reinforced concrete", "철골철근콘크리트"),
    "steel": Words("steel", "철골"),
    "masonry": Words("masonry", "조적"),
    "wood": Words("wood", "목조"),
    "sandwich_panel": Words("sandwich panel", "샌드위치 패널"),
    "other": Words("other", "기타"),
}

BUILDING_WORDS: Final = {"use": USES, "structure": STRUCTURES}
"""By field of a building: what its words mean."""

SURROUNDINGS: Final = {
    "elevation_m": (Words("elevation", "표고"), "m"),
    "slope": (Words("slope", "경사"), "°"),
    "coast_distance_m": (Words("distance to the coast", "해안까지 거리"), "m"),
    "river_distance_m": (Words("distance to a river", "하천까지 거리"), "m"),
    "river_elevation_m": (Words("elevation of the river", "하천 표고"), "m"),
    "forest_distance_m": (Words("distance to a forest", "산림까지 거리"), "m"),
    "impervious_ratio": (Words("sealed share of the ground", "불투수면 비율"), ""),
    "crest_m": (Words("crest of the sea defence", "방조제 마루높이"), "m"),
}

USED_FOR: Final = {
    "climate": Words("climate series", "기후 시계열"),
    "surroundings": Words("surroundings", "주변 환경"),
    "storms": Words("storm tracks", "태풍 경로"),
    "tides": Words("tide gauges", "조위"),
    "sea level": Words("sea level rise", "해수면 상승"),
    "global warming": Words("global warming", "지구 온난화"),
    "water use": Words("water use", "용수 이용"),
}

JOBS: Final = {
    "probability": Words("Probability P(H)", "발생확률 P(H)"),
    "hazard": Words("Hazard scores", "위해성 점수"),
    "assessment": Words("Probability and Hazard", "발생확률과 위해성"),
}
