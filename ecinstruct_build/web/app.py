"""The app: the pages of a review, those that browse a dataset, or both, behind the guard."""

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from ecinstruct_build.browsing.shelf import Shelf
from ecinstruct_build.errors import UserError
from ecinstruct_build.review.desk import Desk
from ecinstruct_build.web import browse, reviewing
from ecinstruct_build.web.pages import show
from ecinstruct_build.web.security import (
    HEADERS,
    Guard,
    KnownHost,
    RefusedError,
    SecurityHeaders,
    refusal,
    wants_json,
)
from ecinstruct_build.web.session import Signer, new_key


def make_app(
    *, desk: Desk | None, shelf: Shelf | None, token: str | None, hosts: Sequence[str], key: bytes | None = None
) -> Starlette:
    """Return the app.

    Parameters
    ----------
    desk, shelf
        What is judged and what is browsed; at least one of them.
    token
        What the first address must carry (``?token=``); None lets everybody in who can reach the server.
    hosts
        What the Host header may name, as `ecinstruct_build.web.serve.hosts_of` gives it.
    key
        Secret that signs sessions (`ecinstruct_build.web.session.key_in`); without one, sessions end with the process.
    """
    signer = Signer(key or new_key(), token)
    routes: list[BaseRoute] = [Mount("/static", StaticFiles(packages=[("ecinstruct_build.web", "static")]))]
    places = []
    if desk is not None:
        routes += reviewing.review_routes(desk, signer)
        places.append(("Review", reviewing.HOME))
    if shelf is not None:
        routes += browse.browse_routes(shelf)
        places.append(("Browse", browse.HOME))
    routes.append(Route("/", RedirectResponse(places[0][1])))
    app = Starlette(
        routes=routes,
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(KnownHost, hosts=list(hosts)),
            Middleware(Guard, signer=signer),
        ],
        exception_handlers={RefusedError: _refused, UserError: _unserved, HTTPException: _no_page, Exception: _broken},
    )
    app.state.places = places
    return app


def _refused(request: Request, error: Exception) -> Response:
    return refusal(request, error) if isinstance(error, RefusedError) else _broken(request, error)


def _unserved(request: Request, error: Exception) -> Response:
    return _told(request, 503, "desk", str(error))


def _no_page(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    return _told(request, status, "page", "There is no such page here.")


def _broken(request: Request, _error: Exception) -> Response:
    response = _told(request, 500, "fault", "The server met a fault; its terminal says which.")
    response.headers.update(HEADERS)
    return response


def _told(request: Request, status: int, error: str, message: str) -> Response:
    if wants_json(request):
        return JSONResponse({"error": error, "message": message}, status)
    return show(request, "refused.html.jinja", status=status, message=message)
