"""The catalogue of climate variables: what may stand in `climate_data`, in which unit, within which range.

The table `climate_variable` holds the same rows; a test holds the two together. Names are those of CMIP,
CORDEX (`wsgsmax`, `prhmax`) and ETCCDI; those of the Korea Meteorological Administration are aliases.
The ranges say what a value of this unit can be anywhere on the Korean peninsula with room to spare: they
catch wrong units and instrument codes (−999), they do not judge the weather.
"""

from __future__ import annotations

from dataclasses import dataclass

from aiops.climate import Cadence
from aiops.errors import BadInput


@dataclass(frozen=True, slots=True)
class Variable:
    """One climate variable."""

    name: str
    """CMIP, CORDEX or ETCCDI name; key of `climate_data.variable`."""
    cadence: Cadence
    """How often it has a value; a name has one cadence."""
    unit: str
    """Unit in which values are stored."""
    minimum: float
    """Smallest plausible value."""
    maximum: float
    """Largest plausible value."""
    description: str
    """What it is, in English."""
    description_ko: str
    """What it is, in Korean."""
    aliases: tuple[str, ...] = ()
    """Other names understood at ingest, without regard to case."""

    def accepts(self, value: float) -> bool:
        """Whether a value lies within the plausible range; NaN and infinities do not."""
        return self.minimum <= value <= self.maximum

    @property
    def allowed(self) -> str:
        """The range in words, for a message."""
        return f"{self.minimum:g} to {self.maximum:g}{'' if self.unit == '1' else f' {self.unit}'}"


_DAILY, _MONTHLY, _YEARLY = Cadence.DAILY, Cadence.MONTHLY, Cadence.YEARLY

VARIABLES: tuple[Variable, ...] = (
    # Daily
    Variable("tas", _DAILY, "°C", -60, 60, "daily mean temperature", "일평균기온", ("TA", "avgTa")),
    Variable("tasmax", _DAILY, "°C", -60, 60, "daily maximum temperature", "일최고기온", ("TAMAX", "maxTa")),
    Variable("tasmin", _DAILY, "°C", -60, 60, "daily minimum temperature", "일최저기온", ("TAMIN", "minTa")),
    Variable("pr", _DAILY, "mm", 0, 2000, "daily precipitation", "일강수량", ("RN", "sumRn")),
    Variable("prhmax", _DAILY, "mm", 0, 300, "rain of the day's wettest hour", "1시간 최다강수량", ("hr1MaxRn",)),
    Variable("hurs", _DAILY, "%", 0, 100, "daily mean relative humidity", "일평균 상대습도", ("RHM", "avgRhm")),
    Variable("hursmin", _DAILY, "%", 0, 100, "daily minimum relative humidity", "일최소 상대습도", ("minRhm",)),
    Variable("sfcWind", _DAILY, "m/s", 0, 80, "daily mean wind speed at 10 m", "일평균 풍속", ("WS", "avgWs")),
    Variable(
        "sfcWindmax",
        _DAILY,
        "m/s",
        0,
        100,
        "largest 10-minute wind speed of the day",
        "일최대 풍속",
        ("maxWs",),
    ),
    Variable("wsgsmax", _DAILY, "m/s", 0, 120, "largest gust of the day", "일최대 순간풍속", ("maxInsWs",)),
    Variable("rsds", _DAILY, "W/m²", 0, 500, "daily mean solar radiation at the surface", "일평균 일사", ("SI",)),
    Variable("sund", _DAILY, "h", 0, 24, "sunshine duration", "일조시간", ("sumSsHr",)),
    Variable(
        "ps",
        _DAILY,
        "hPa",
        600,
        1100,
        "daily mean air pressure at the station",
        "일평균 현지기압",
        ("avgPa",),
    ),
    Variable("psl", _DAILY, "hPa", 850, 1100, "daily mean sea level pressure", "일평균 해면기압", ("avgPs",)),
    Variable("tdps", _DAILY, "°C", -80, 40, "daily mean dew point", "일평균 이슬점온도", ("avgTd",)),
    Variable("snd", _DAILY, "cm", 0, 500, "deepest snow of the day", "일최심적설", ("ddMes",)),
    # Monthly
    Variable("spei12", _MONTHLY, "1", -10, 10, "SPEI of the 12 months up to this one", "표준강수증발산지수(12개월)"),
    Variable("pr_month", _MONTHLY, "mm", 0, 5000, "monthly precipitation", "월강수량"),
    Variable("pet_month", _MONTHLY, "mm", 0, 600, "monthly potential evapotranspiration", "월 잠재증발산량"),
    Variable("tas_month", _MONTHLY, "°C", -60, 60, "monthly mean temperature", "월평균기온"),
    Variable("tasmax_month", _MONTHLY, "°C", -60, 60, "monthly mean of daily maxima", "월평균 최고기온"),
    Variable("tasmin_month", _MONTHLY, "°C", -60, 60, "monthly mean of daily minima", "월평균 최저기온"),
    Variable("hurs_month", _MONTHLY, "%", 0, 100, "monthly mean relative humidity", "월평균 상대습도"),
    Variable("sfcWind_month", _MONTHLY, "m/s", 0, 60, "monthly mean wind speed at 10 m", "월평균 풍속"),
    Variable("rsds_month", _MONTHLY, "W/m²", 0, 500, "monthly mean solar radiation", "월평균 일사"),
    # Yearly: heat and cold
    Variable("wsdi", _YEARLY, "days", 0, 366, "days in warm spells (WSDI)", "온난일 계속기간"),
    Variable("csdi", _YEARLY, "days", 0, 366, "days in cold spells (CSDI)", "한랭일 계속기간"),
    Variable("tx33", _YEARLY, "days", 0, 366, "days with a maximum of 33 °C or more", "폭염일수"),
    Variable("tn25", _YEARLY, "days", 0, 366, "nights with a minimum of 25 °C or more", "열대야일수"),
    Variable("tx90p_days", _YEARLY, "days", 0, 366, "days above the 90th percentile of their date", "온난일수"),
    Variable("tnm12", _YEARLY, "days", 0, 366, "days with a minimum of −12 °C or less", "한파일수"),
    Variable("fd", _YEARLY, "days", 0, 366, "frost days: minimum below 0 °C", "서리일수"),
    Variable("txx", _YEARLY, "°C", -60, 60, "highest daily maximum of the year", "연최고기온"),
    Variable("tnn", _YEARLY, "°C", -60, 60, "lowest daily minimum of the year", "연최저기온"),
    # Yearly: rain
    Variable("rx1day", _YEARLY, "mm", 0, 2000, "wettest day of the year", "1일 최다강수량"),
    Variable("rx5day", _YEARLY, "mm", 0, 5000, "wettest five days of the year", "5일 최다강수량"),
    Variable("rain80", _YEARLY, "days", 0, 366, "days with 80 mm or more", "호우일수"),
    Variable("sdii", _YEARLY, "mm", 0, 500, "mean rain of a wet day (1 mm or more)", "강수강도"),
    Variable("cdd", _YEARLY, "days", 0, 366, "longest run of days below 1 mm", "최대무강수 지속기간"),
    Variable(
        "prcptot", _YEARLY, "mm", 0, 20000, "rain of the year's wet days (1 mm and more)", "연강수량 (1 mm 이상인 날)"
    ),
    # Yearly: fire weather, drought, water, storms
    Variable("fwi95", _YEARLY, "1", 0, 300, "95th percentile of the year's daily FWI", "산불기상지수 95백분위"),
    Variable("fwi21", _YEARLY, "days", 0, 366, "days with an FWI of 21.3 or more", "산불위험일수"),
    Variable("spei12_min", _YEARLY, "1", -10, 10, "lowest monthly SPEI-12 of the year", "연최저 SPEI-12"),
    Variable("spei12_dry_share", _YEARLY, "1", 0, 1, "share of months with SPEI-12 at or below −1", "건조월 비율"),
    Variable("wsi", _YEARLY, "1", 0, 1000, "withdrawal over available water (WSI)", "물 스트레스 지수"),
    Variable("max_site_wind", _YEARLY, "m/s", 0, 150, "largest typhoon wind of the year", "연최대 태풍풍속"),
    Variable("s_tc", _YEARLY, "1", 0, 1000, "weighted time under tropical cyclones", "태풍 노출지수"),
)
"""Daily first, then monthly, then yearly."""

_BY_WORD = {word.casefold(): variable for variable in VARIABLES for word in (variable.name, *variable.aliases)}


def find_variable(word: str) -> Variable | None:
    """The variable of this name or alias, without regard to case; None when there is none."""
    return _BY_WORD.get(word.strip().casefold())


def variable_of(word: str, *, field: str = "variable") -> Variable:
    """The variable of this name or alias.

    Raises:
        BadInput: there is none; the message lists the names.
    """
    variable = find_variable(word)
    if variable is None:
        raise BadInput(f"{field}: {word!r} is not known; allowed: {names_allowed()}")
    return variable


def names_allowed(cadence: Cadence | None = None) -> str:
    """The names of the catalogue (of one cadence), for a message."""
    return " ".join(v.name for v in VARIABLES if cadence is None or v.cadence is cadence)
