"""What stands before every page: who may ask, from where, and how much.

- The Host header must name the server, so that no foreign name that resolves to this machine reaches it.
- Where a token is asked for, a session begins with the link that carries it; the token then leaves the address.
- What changes anything is a POST from a page of this very server, with the form token of its session, and small.
- No page may be framed, kept, or run or load anything that is not this server's.
"""

import hmac
import json
from urllib.parse import parse_qsl

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ecinstruct_build.web.pages import show
from ecinstruct_build.web.session import MAX_AGE, Session, Signer, new_session

MAX_BODY = 64 * 1024
"""Bytes that a POST may hold."""

FORM_FIELD = "form_token"
FORM_HEADER = "x-form-token"

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    # With no-referrer, browsers would not say from where a form is posted, which is asked for below.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class RefusedError(Exception):
    """A request that is not served; with the status, a word for scripts, and a sentence for people."""

    def __init__(self, status: int, error: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error = error
        self.message = message


class SecurityHeaders:
    """Adds `HEADERS` to every response."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102 - the ASGI protocol
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        await self.app(scope, receive, with_headers)


class KnownHost(TrustedHostMiddleware):
    """Refuses requests whose Host header is none of ours."""

    def __init__(self, app: ASGIApp, hosts: list[str]) -> None:
        super().__init__(app, hosts, www_redirect=False)


class Guard:
    """Finds the session and the fields of a POST, as ``request.state.session`` and ``.sent``, or refuses."""

    def __init__(self, app: ASGIApp, signer: Signer) -> None:
        self.app = app
        self.signer = signer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102 - the ASGI protocol
        if scope["type"] != "http" or scope["path"].startswith("/static/"):
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            session, new = self._session(request)
            if request.method not in ("GET", "HEAD"):
                request.state.sent = await self._sent(request, session)
        except RefusedError as refused:
            await refusal(request, refused)(scope, receive, send)
            return
        except ClientDisconnect:
            return
        request.state.session = session
        request.state.form_token = self.signer.form_token(session)
        if new and self.signer.token is not None:
            response: Response = show(request, "welcome.html.jinja", address="/")
            keep(response, self.signer, session)
            await response(scope, receive, send)
            return

        async def with_cookie(message: Message) -> None:
            if new and message["type"] == "http.response.start":
                response = Response()
                keep(response, self.signer, session)
                MutableHeaders(scope=message).append("set-cookie", response.headers["set-cookie"])
            await send(message)

        await self.app(scope, receive, with_cookie)

    def _session(self, request: Request) -> tuple[Session, bool]:
        """Return the session and whether it begins here."""
        known = self.signer.loads(request.cookies.get(self.signer.cookie, ""))
        given = request.query_params.get("token", "")
        right = self.signer.token is None or hmac.compare_digest(given.encode(), self.signer.token.encode())
        if known and not (given and right):
            return known, False
        if request.method != "GET":
            raise RefusedError(401, "session", "The server does not know this browser any more. Load the page again.")
        if not right:
            raise RefusedError(401, "token", "Open the whole link that was shown when the server was started.")
        return known or new_session(), True

    async def _sent(self, request: Request, session: Session) -> dict[str, str]:
        if not same_origin(request.headers):
            raise RefusedError(403, "origin", "This was not sent from a page of this server.")
        fields = _fields(request.headers.get("content-type", ""), await _body(request))
        given = request.headers.get(FORM_HEADER) or fields.pop(FORM_FIELD, "")
        if not self.signer.is_form_token(session, given):
            raise RefusedError(403, "form", "The page is of another session. Load it again.")
        return fields


def keep(response: Response, signer: Signer, session: Session) -> None:
    """Let the browser keep a session."""
    response.set_cookie(signer.cookie, signer.dumps(session), max_age=MAX_AGE, httponly=True, samesite="strict")


def same_origin(headers: Headers) -> bool:
    """Say whether a browser sends this from a page of this server; one that says neither does not count."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    host = headers.get("host", "")
    if origin is not None and origin.lower() not in (f"http://{host}".lower(), f"https://{host}".lower()):
        return False
    return site == "same-origin" if site is not None else origin is not None


def wants_json(request: Request) -> bool:
    """Say whether a script asks, rather than a person."""
    return "application/json" in request.headers.get("accept", "")


def refusal(request: Request, refused: RefusedError) -> Response:
    """Return the answer to a request that is not served."""
    if wants_json(request):
        return JSONResponse({"error": refused.error, "message": refused.message}, refused.status)
    return show(request, "refused.html.jinja", status=refused.status, message=refused.message)


async def _body(request: Request) -> bytes:
    too_large = RefusedError(413, "size", f"More than {MAX_BODY} bytes were sent.")
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length[:12]) > MAX_BODY:
        raise too_large
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise too_large
    return bytes(body)


def _fields(content_type: str, body: bytes) -> dict[str, str]:
    """Return the fields of a form, or of a JSON object of texts and numbers, as texts."""
    kind = content_type.partition(";")[0].strip().lower()
    try:
        if kind == "application/json":
            found = json.loads(body)
            if isinstance(found, dict) and all(isinstance(value, str | int | float) for value in found.values()):
                return {name: str(value).encode("utf-8", "replace").decode() for name, value in found.items()}
        elif kind == "application/x-www-form-urlencoded":
            return dict(parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=50))
    except (ValueError, RecursionError) as error:
        raise RefusedError(400, "body", "What was sent cannot be read.") from error
    raise RefusedError(415, "body", "Send a form, or a JSON object of texts and numbers.")
