"""Power: is a difference found as often as the plan foretells?"""

from __future__ import annotations

from audit.calibration.error_rates import rejects
from audit.calibration.estimators import ALPHA, estimator
from audit.calibration.study import Settings, StudyResult, count, rate_check
from audit.calibration.worlds import World, crossed_cells, nested_cells
from audit.stats.design import design_se
from audit.stats.equivalence import minimum_detectable, power_to_detect

ALLOWANCE = 0.03
"""The forecast takes the degrees of freedom of the expected components for those of the sample."""
DOSES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0)


def curve(settings: Settings) -> StudyResult:
    """Rejection rates at planted differences beside the forecast."""
    n, own = settings.sims(2500, 150), estimator(settings.estimator)
    checks = []
    for series, world, layout, draw in (
        ("two groups, 20 × 20", World(), "nested", nested_cells),
        ("paired, 9 × 12", World(9, (12,)), "crossed", crossed_cells),
    ):
        sizes = world.terms if layout == "nested" else world.terms * 2
        se, df = design_se(world.sds, world.templates, sizes[0], sizes[1], layout)  # type: ignore[arg-type]
        for dose in DOSES:
            rng = settings.rng("power", series, str(dose))
            forecast = power_to_detect(dose, se, df, ALPHA) if dose else ALPHA
            hits = count(
                n,
                lambda world=world, dose=dose, rng=rng, draw=draw: (  # type: ignore[misc]
                    rejects(own, draw(rng, world.at(dose)))
                ),
            )
            claim = (max(0.0, forecast - ALLOWANCE), min(1.0, forecast + ALLOWANCE))
            checks.append(rate_check(f"{series}, difference {dose:g}", hits, n, claim, dose, series))
    return StudyResult(
        "The larger the true difference, the more often it is found, and as often as the plan foretells.",
        "share of worlds in which the difference is found",
        tuple(checks),
        None,
        "true difference, score units",
    )


def detectable(settings: Settings) -> StudyResult:
    """The smallest detectable difference that a plan states is found 4 times in 5."""
    n, own = settings.sims(4000, 300), estimator(settings.estimator)
    checks = []
    for label, world in (
        ("two groups, 20 × 20", World()),
        ("two groups, 9 × 16", World(9, (16, 16))),
        ("two groups, 9 × 12 and 84", World(9, (12, 84))),
    ):
        se, df = design_se(world.sds, world.templates, world.terms[0], world.terms[1], "nested")
        at = world.at(minimum_detectable(se, df, ALPHA))
        rng = settings.rng("detectable", label)
        hits = count(n, lambda at=at, rng=rng: rejects(own, nested_cells(rng, at)))  # type: ignore[misc]
        checks.append(rate_check(label, hits, n, (0.8 - ALLOWANCE, 0.8 + ALLOWANCE)))
    return StudyResult(
        "The smallest detectable difference that a plan states is found in about 80 of 100 worlds.",
        "share of worlds in which it is found",
        tuple(checks),
        0.8,
    )
