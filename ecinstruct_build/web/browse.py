"""The pages on which people page through a dataset: all that is asked for stands in the address."""

import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from urllib.parse import urlencode

from jinja2 import Environment, pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from ecinstruct_build.browsing.shelf import ANY_CHECK, SIZES, Asked, Page, Sample, Shelf
from ecinstruct_build.browsing.words import LONGEST, pieces
from ecinstruct_build.review.card import Card, card_of
from ecinstruct_build.review.visible import visible
from ecinstruct_build.splits import SPLIT_LABELS
from ecinstruct_build.web.pages import environment

HOME = "/browse"

_TEXTS = ("task", "split", "source", "check", "action", "reason", "words", "example")
_ACTION_LABELS = {"reject": "rejected", "repair": "repaired", "flag": "flagged", "keep": "kept, near the threshold"}


@dataclass(frozen=True)
class Entry:
    """A sample as the page shows it.

    Attributes
    ----------
    sample, card
        What it is, and how it is laid out.
    split, is_test
        The split in words, and whether it is one that nobody should train on.
    story
        The command that tells its whole story; "" without an id.
    link
        The address of the sample alone.
    """

    sample: Sample
    card: Card
    split: str
    is_test: bool
    story: str
    link: str


@dataclass(frozen=True)
class Choice:
    """A list to choose from.

    Attributes
    ----------
    name, label
        The parameter, and what it is called.
    options
        Value, words and how many samples it would leave; the chosen one is there even if it leaves none.
    chosen
        The value that is chosen, or "".
    """

    name: str
    label: str
    options: tuple[tuple[str, str, int], ...]
    chosen: str


def browse_routes(shelf: Shelf) -> list[Route]:
    """Return the routes of the pages of a dataset."""

    def browse(request: Request) -> Response:
        page = shelf.page(**asdict(asked_of(request.query_params)))
        text = _environment().get_template("browse.html.jinja").render(
            here=request.url.path,
            places=request.app.state.places,
            name=shelf.name,
            page=page,
            blank=Asked(),
            marked_words=page.words,
            entries=[_entry(sample) for sample in page.samples],
            choices=_choices(page),
            sizes=SIZES,
            longest=LONGEST,
            told=_told(page),
            address=address,
            action_labels=_ACTION_LABELS,
        )  # fmt: skip
        return HTMLResponse(text)

    return [Route(HOME, browse, methods=["GET"])]


def asked_of(query: Mapping[str, str]) -> Asked:
    """Return what an address asks for; what it says wrongly counts as not said."""
    texts = {name: query.get(name, "").strip()[:LONGEST] for name in _TEXTS}
    size = _number(query.get("size", ""))
    return Asked(**texts, page=_number(query.get("page", "")) or 1, size=size if size in SIZES else Asked().size)


def address(asked: Asked, **changes: str | int) -> str:
    """Return the address that asks for something, changed in places; what it does not narrow is left out."""
    default = asdict(Asked())
    wanted = asdict(replace(asked, **changes))  # type: ignore[arg-type]
    said = {name: value for name, value in wanted.items() if value != default[name]}
    return f"{HOME}?{urlencode(said)}" if said else HOME


@cache
def _environment() -> Environment:
    """Return the templates of all pages; ``visible`` also marks the words of ``marked_words``, ``shown`` does not."""
    made = environment().overlay()
    made.filters = {**made.filters, "visible": _marked, "shown": visible}
    return made


@pass_context
def _marked(context: Context, text: str) -> Markup:
    words = context.get("marked_words", ())
    shown = (
        Markup("<mark>{}</mark>").format(visible(piece)) if hit else visible(piece)
        for piece, hit in pieces(text, words)
    )
    return Markup("").join(shown)


def _entry(sample: Sample) -> Entry:
    story = f"ecinstruct explain {shlex.quote(sample.example_id)}" if sample.example_id else ""
    return Entry(
        sample=sample,
        card=card_of(sample.content),
        split=SPLIT_LABELS.get(sample.split, sample.split),
        is_test=sample.split.startswith("test"),
        story=story,
        link=address(Asked(example=sample.example_id)) if sample.example_id else "",
    )


def _choices(page: Page) -> list[Choice]:
    labels = {"task": "Task", "split": "Split", "source": "Source", "check": "Check", "action": "What was done"}
    found = []
    for name, label in {**labels, "reason": "Reason"}.items():
        counts = page.choices.get(name)
        chosen = getattr(page.asked, name)
        if counts is not None:
            options = [(value, _words_of(name, value), count) for value, count in counts.items() if value]
            if chosen and chosen not in {value for value, _, _ in options}:
                options.append((chosen, _words_of(name, chosen), 0))
            found.append(Choice(name, label, tuple(options), chosen))
    return found


def _words_of(name: str, value: str) -> str:
    if name == "action":
        return _ACTION_LABELS.get(value, value)
    if name == "split":
        return SPLIT_LABELS.get(value, value)
    return "any check" if (name, value) == ("check", ANY_CHECK) else value.replace("_", " ")


def _told(page: Page) -> str:
    """Return what was found, in a sentence."""
    noun = "example" if page.asked.check else "sample"
    if not page.total:
        return f"No {noun} is like that."
    first = (page.asked.page - 1) * page.asked.size + 1
    many = "s" * (page.total > 1)
    if page.pages == 1:
        return f"{page.total:,} {noun}{many}"
    return f"{noun.capitalize()}s {first:,} to {first + len(page.samples) - 1:,} of {page.total:,}"


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
