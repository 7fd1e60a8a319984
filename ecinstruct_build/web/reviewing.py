"""The pages on which people judge: one item at a time, answered by a script or, without one, by plain forms."""

import math
from dataclasses import dataclass
from urllib.parse import urlencode

from markdown_it import MarkdownIt
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from ecinstruct_build.errors import UserError
from ecinstruct_build.review.annotators import LONGEST_NAME
from ecinstruct_build.review.card import Card, card_of
from ecinstruct_build.review.desk import LONGEST_NOTE, Answer, Desk, Refused
from ecinstruct_build.review.guideline import guideline_of
from ecinstruct_build.review.sample import ReviewItem
from ecinstruct_build.review.verdicts import OTHER, VERDICTS, verdict
from ecinstruct_build.web.pages import html, show
from ecinstruct_build.web.security import RefusedError, keep, wants_json
from ecinstruct_build.web.session import Session, Signer

HOME = "/review"

LONGEST_LINE = 80
"""Characters of an answer that is repeated beside the verdicts."""

NOTE_WANTED = "Say in a note what is wrong, then choose again."


@dataclass(frozen=True)
class Draft:
    """What stands on an item's page beside the item.

    Attributes
    ----------
    notice, lost
        A sentence above the item, or "", and a note that was not taken in, for its writer to keep.
    note, fault
        What is filled in as note, and what is wrong with it, or "".
    """

    notice: str = ""
    lost: str = ""
    note: str = ""
    fault: str = ""


@dataclass(frozen=True)
class Sent:
    """An answer as the page sends it.

    Attributes
    ----------
    sample
        Id of the sample that the page is of.
    number, verdict, note, seconds
        As in `ecinstruct_build.review.desk.Answer`.
    task
        The task that is judged alone; None for all.
    """

    sample: str
    number: int
    verdict: str
    note: str
    seconds: float
    task: str | None


def review_routes(desk: Desk, signer: Signer) -> list[Route]:
    """Return the routes of a review."""
    pages = _Pages(desk, signer)
    return [
        Route(HOME, pages.home, methods=["GET"]),
        Route(f"{HOME}/help", pages.help, methods=["GET"]),
        Route(f"{HOME}/enter", pages.enter, methods=["POST"]),
        Route(f"{HOME}/leave", pages.leave, methods=["POST"]),
        Route(f"{HOME}/answer", pages.answer, methods=["POST"]),
        Route(f"{HOME}/undo", pages.undo, methods=["POST"]),
    ]


class _Pages:
    def __init__(self, desk: Desk, signer: Signer) -> None:
        self.desk = desk
        self.signer = signer
        self.tasks = {item.task for item in desk.sample.items}

    def home(self, request: Request) -> Response:
        name = request.state.session.name
        if not name:
            return self._entrance(request)
        asked = request.query_params
        task = self._task(asked.get("task", ""))
        draft = Draft(notice="Taken back; judge it again." if asked.get("said") == "undone" else "")
        number = _number(asked.get("item", ""))
        if number:
            try:
                return self._page(request, self.desk.item(name, number), task, draft)
            except Refused as refused:
                draft = Draft(notice=str(refused))
        return self._page(request, self.desk.next_item(name, task), task, draft)

    def help(self, request: Request) -> Response:
        return show(request, "help.html.jinja", verdicts=VERDICTS)

    def enter(self, request: Request) -> Response:
        try:
            return self._as(self.desk.enter(request.state.sent.get("name", "")), request)
        except UserError as error:
            return self._entrance(request, str(error), status=422)

    def leave(self, request: Request) -> Response:
        return self._as("", request)

    def answer(self, request: Request) -> Response:
        name = request.state.session.name
        if not name:
            return _no_name(request)
        sent = self._read(request.state.sent)
        if sent.sample != self.desk.sample.sample_id:
            return self._lost(request, sent, "The page was of another sample, which is judged here no longer.")
        if sent.verdict == OTHER and not sent.note.strip():
            return self._wrong_note(request, sent)
        try:
            self.desk.answer(name, sent.number, sent.verdict, sent.note, sent.seconds)
        except Refused as refused:
            return self._lost(request, sent, str(refused))
        if not wants_json(request):
            return _to(task=sent.task or "")
        item = self.desk.next_item(name, sent.task)
        return self._piece(request, item, sent.task, Draft(), said=f"Saved: {verdict(sent.verdict).label}.")

    def undo(self, request: Request) -> Response:
        name = request.state.session.name
        if not name:
            return _no_name(request)
        task = self._task(request.state.sent.get("task", ""))
        last = self._last(name)
        item = self.desk.undo(name)
        if item is None:
            draft = Draft(notice="There is no answer of yours to take back.")
            item = self.desk.next_item(name, task)
        elif last and last.number == item.number:
            draft = Draft(notice=f"Taken back: “{verdict(last.verdict).label}”. Judge it again.", note=last.note)
        else:
            draft = Draft(notice="Taken back; judge it again.")
        if wants_json(request):
            return self._piece(request, item, task, draft, said=draft.notice)
        return _to(task=task or "", item=str(item.number), said="undone") if item else _to(task=task or "")

    def _read(self, sent: dict[str, str]) -> Sent:
        if sent.get("verdict") not in {one.name for one in VERDICTS}:
            raise RefusedError(400, "verdict", "There is no such verdict.")
        try:
            seconds = float(sent.get("seconds", "") or 0)
        except ValueError:
            seconds = 0.0
        return Sent(
            sample=sent.get("sample", ""),
            number=_number(sent.get("number", "")),
            verdict=sent["verdict"],
            note=sent.get("note", "").replace("\r\n", "\n")[:LONGEST_NOTE],
            seconds=seconds if math.isfinite(seconds) else 0.0,
            task=self._task(sent.get("task", "")),
        )

    def _task(self, task: str) -> str | None:
        return task if task in self.tasks else None

    def _last(self, name: str) -> Answer | None:
        mine = [answer for answer in self.desk.answers() if answer.annotator == name]
        return max(mine, key=lambda answer: answer.answered_at, default=None)

    def _as(self, name: str, request: Request) -> Response:
        session = Session(request.state.session.id, name)
        response = _to()
        keep(response, self.signer, session)
        return response

    def _entrance(self, request: Request, fault: str = "", *, status: int = 200) -> Response:
        sample = self.desk.sample
        return show(
            request,
            "enter.html.jinja",
            status=status,
            form_token=request.state.form_token,
            sample=sample,
            minutes=sum(plan.minutes for plan in sample.plans),
            said_time=said_time,
            longest=LONGEST_NAME,
            name=request.state.sent.get("name", "")[:LONGEST_NAME] if fault else "",
            fault=fault,
        )

    def _lost(self, request: Request, sent: Sent, why: str) -> Response:
        item = self.desk.next_item(request.state.session.name, sent.task)
        draft = Draft(notice=why, lost=sent.note)
        if wants_json(request):
            return self._piece(request, item, sent.task, draft, said=why, status=409, error="refused")
        return self._page(request, item, sent.task, draft, status=409)

    def _wrong_note(self, request: Request, sent: Sent) -> Response:
        if wants_json(request):
            return JSONResponse({"error": "note", "message": NOTE_WANTED}, 422)
        item = self.desk.item(request.state.session.name, sent.number)
        return self._page(request, item, sent.task, Draft(fault=NOTE_WANTED), status=422)

    def _page(
        self, request: Request, item: ReviewItem | None, task: str | None, draft: Draft, *, status: int = 200
    ) -> Response:
        piece = Markup(self._html(request, item, task, draft))  # noqa: S704 - escaped by its own template
        return show(
            request,
            "review.html.jinja",
            status=status,
            piece=piece,
            heading=_heading(item),
            verdicts=VERDICTS,
            name=request.state.session.name,
            form_token=request.state.form_token,
            sample=self.desk.sample.sample_id,
        )

    def _piece(
        self,
        request: Request,
        item: ReviewItem | None,
        task: str | None,
        draft: Draft,
        *,
        said: str,
        status: int = 200,
        error: str = "",
    ) -> Response:
        piece = self._html(request, item, task, draft)
        return JSONResponse({"html": piece, "said": said, "title": _heading(item), "error": error}, status)

    def _html(self, request: Request, item: ReviewItem | None, task: str | None, draft: Draft) -> str:
        card = card_of(item.content) if item else None
        return html(
            request,
            "item.html.jinja",
            item=item,
            card=card,
            given=answer_line(card, item.content.get("output") or "") if item and card else "",
            guideline=_guideline(item.task) if item else "",
            task=task,
            draft=draft,
            progress=self.desk.progress(request.state.session.name),
            verdicts=VERDICTS,
            longest=LONGEST_NOTE,
            sample=self.desk.sample.sample_id,
            form_token=request.state.form_token,
            said_task=said_task,
            heading=_heading(item),
        )


def said_task(task: str) -> str:
    """Return a task's name for people."""
    return task.replace("_", " ").capitalize()


def said_time(minutes: float) -> str:
    """Return a time for people: ``45 minutes``, ``8.5 hours``."""
    return f"{minutes:.0f} minutes" if minutes < 90 else f"{round(minutes / 30) / 2:,g} hours"


def answer_line(card: Card, output: str) -> str:
    """Return a row's answer in a line, options with their text; "" if it is too long for one."""
    if card.ranking:
        return ", ".join(option.letter for option in card.named)
    if card.named:
        return f"{card.named[0].letter}: {card.named[0].text[:LONGEST_LINE]}"
    return output.strip() if len(output.strip()) <= LONGEST_LINE else ""


def _heading(item: ReviewItem | None) -> str:
    return f"{said_task(item.task)}, item {item.number}" if item else "Nothing to judge"


def _guideline(task: str) -> Markup:
    """Return a task's guideline as HTML; HTML within it is shown, not obeyed."""
    return Markup(MarkdownIt("js-default").render(guideline_of(task)))  # noqa: S704 - the preset escapes HTML


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _to(**parameters: str) -> Response:
    query = urlencode({name: value for name, value in parameters.items() if value})
    return RedirectResponse(f"{HOME}?{query}" if query else HOME, 303)


def _no_name(request: Request) -> Response:
    if wants_json(request):
        return JSONResponse({"error": "session", "message": "The server does not know your name any more."}, 401)
    return _to()
