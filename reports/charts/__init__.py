"""Charts, each a function of plain data and a palette, with its text alternative beside it."""

from reports.charts.calibration import study_svg
from reports.charts.palette import DARK, LIGHT, Palette, look

__all__ = ["DARK", "LIGHT", "Palette", "look", "study_svg"]
