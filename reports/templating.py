"""The templates of this room, for pages and for plain text."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reports.charts.palette import DARK, LIGHT
from reports.text import markdown_text


def templates(escape: bool) -> Environment:
    """The templates of this room; a name that a template does not find is an error."""
    found = Environment(
        loader=PackageLoader("reports"),
        autoescape=escape,
        undefined=StrictUndefined,
        trim_blocks=not escape,
        keep_trailing_newline=True,
    )
    found.globals |= {"light": LIGHT.variables(), "dark": DARK.variables()}
    return found


def markdown_templates() -> Environment:
    """The templates for Markdown: what a template inserts is made harmless, if it is not marked safe."""
    return Environment(
        loader=PackageLoader("reports"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=lambda value: value if isinstance(value, Markup) else markdown_text(value),
        autoescape=False,  # pages are escaped for HTML, texts by the line above
    )
