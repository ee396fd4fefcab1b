"""The palette: contrast by WCAG's formula, and verdicts that a colour-blind reader tells apart."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from audit.verdict import VERDICTS
from reports.charts.palette import DARK, LIGHT, MIDDLE, Palette, look

PALETTES = {"light": LIGHT, "dark": DARK}
TEXT, MARK = 4.5, 3.0
"""WCAG 2.2, success criteria 1.4.3 and 1.4.11."""

# Machado, Oliveira and Fernandes (2009), severity 1.0: what the colour-blind see, linear RGB.
BLINDNESS = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
}


def linear(colour: str) -> np.ndarray:
    raw = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(raw <= 0.04045, raw / 12.92, ((raw + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    light, dark = sorted((float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def oklab(rgb: np.ndarray) -> np.ndarray:
    """Ottosson (2020): distances in it are about those that are seen."""
    lms = np.cbrt(
        np.clip(
            np.array(
                [
                    [0.4122214708, 0.5363325363, 0.0514459929],
                    [0.2119034982, 0.6806995451, 0.1073969566],
                    [0.0883024619, 0.2817188376, 0.6299787005],
                ]
            )
            @ rgb,
            0,
            None,
        )
    )
    return (
        np.array(
            [
                [0.2104542553, 0.7936177850, -0.0040720468],
                [1.9779984951, -2.4285922050, 0.4505937099],
                [0.0259040371, 0.7827717662, -0.8086757660],
            ]
        )
        @ lms
    )


def test_the_formula_of_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("name", PALETTES)
def test_text_and_marks_have_the_contrast_they_need(name: str) -> None:
    palette = PALETTES[name]
    for ground in (palette.background, palette.page):
        for colour in (palette.ink, palette.muted, palette.disparity, palette.within, palette.inconclusive,
                       palette.invalid, palette.fail, palette.good):  # fmt: skip
            assert contrast(colour, ground) >= TEXT, (colour, ground)
        for colour in palette.series:
            assert contrast(colour, ground) >= MARK, (colour, ground)
    for verdict in VERDICTS:
        assert contrast(look(palette, verdict).colour, palette.band) >= MARK, verdict
    assert contrast(palette.ink, palette.band) >= TEXT


@pytest.mark.parametrize("name", PALETTES)
def test_values_can_be_read_on_every_step_of_the_diverging_scale(name: str) -> None:
    palette = PALETTES[name]
    for step, colour in enumerate(palette.diverging):
        assert contrast(palette.text_on(step), colour) >= TEXT, (step, colour)
    assert len(palette.diverging) == 2 * MIDDLE + 1


@pytest.mark.parametrize("name", PALETTES)
@pytest.mark.parametrize("kind", ["typical", *BLINDNESS])
def test_disparity_and_no_disparity_differ_for_every_eye(name: str, kind: str) -> None:
    palette: Palette = PALETTES[name]
    eye = np.array(BLINDNESS.get(kind, np.eye(3)))

    def seen(colour: str) -> np.ndarray:
        return oklab(np.clip(eye @ linear(colour), 0, 1))

    assert np.linalg.norm(seen(palette.disparity) - seen(palette.within)) > 0.15
    low, high = palette.diverging[0], palette.diverging[-1]
    assert np.linalg.norm(seen(low) - seen(high)) > 0.15


@pytest.mark.parametrize("name", PALETTES)
def test_no_verdict_is_told_by_colour_alone(name: str) -> None:
    looks = [look(PALETTES[name], verdict) for verdict in VERDICTS]
    assert len({each.sign for each in looks}) == len(VERDICTS)
    filled = [(each.shape, each.fill == each.colour) for each in looks]
    assert len(set(filled)) == len(VERDICTS)


@pytest.mark.parametrize("name", PALETTES)
def test_no_two_colours_are_the_same_so_that_a_page_can_exchange_them(name: str) -> None:
    colours = list(PALETTES[name].variables().values())
    assert all(one != other for one, other in combinations(colours, 2))
    assert LIGHT.variables().keys() == DARK.variables().keys()
