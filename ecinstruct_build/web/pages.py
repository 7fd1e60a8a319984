"""Turn a template of ``pages/`` into a page."""

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from ecinstruct_build.review.visible import cut, visible


@cache
def environment() -> Environment:
    """Return the templates of this package, with the filters ``visible`` and ``cut`` for text of the dataset."""
    made = Environment(
        loader=PackageLoader("ecinstruct_build.web", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(visible=visible, cut=cut)
    return made


def show(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a page.

    Parameters
    ----------
    template
        Its name in ``pages/``; it extends ``base.html.jinja``.
    values
        What the template asks for.
    """
    return HTMLResponse(html(request, template, **values), status_code=status)


def html(request: Request, template: str, **values: Any) -> str:
    """Return a page, or a piece of one, as text."""
    return environment().get_template(template).render(here=request.url.path, places=request.app.state.places, **values)
