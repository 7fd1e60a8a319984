"""Amazon Review Data 2018: a category's 5-core review file and its ratings file."""

from collections.abc import Mapping
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii as quoted
from pathlib import Path

import numpy as np

from ecinstruct_build.sample_corpora import planting
from ecinstruct_build.sample_corpora.draws import Dice, stream
from ecinstruct_build.sample_corpora.ledger import REASONS, Entry, Kind, Place
from ecinstruct_build.sample_corpora.prose import DRAWS, Speaker
from ecinstruct_build.sample_corpora.shared_texts import SHARED_STARS, shared_text
from ecinstruct_build.sample_corpora.shoppers import DAY, Purchases, purchases, written_day
from ecinstruct_build.sample_corpora.text_files import LineFile
from ecinstruct_build.sample_corpora.vocabulary import CATEGORIES
from ecinstruct_build.sample_corpora.world import World, user_id

SOURCE = "amazon_reviews_2018"

# Shares of a file's lines; each line is planted with one defect at most.
_DEFECTS: tuple[tuple[Kind, float], ...] = (
    ("malformed_line", 0.0025),
    ("foreign_language", 0.009),
    ("empty_text", 0.008),
    ("privacy", 0.008),
    ("html", 0.02),
    ("near_duplicate", 0.02),
    ("exact_duplicate_line", 0.012),
    ("mojibake", 0.008),
    ("invisible", 0.008),
    ("style_or_script", 0.005),
    ("contradicting_stars", 0.006),
)
_BROKEN_RATINGS = 0.002
_RATING_BREAKS = ("missing_id", "wrong_type")
_FIRST_NAMES = (
    "Anna", "Ben", "Carla", "Dmitri", "Ella", "Frank", "Grace", "Hugo", "Iris", "Jonas", "Kim", "Lucy",
    "Milo", "Nina", "Otto", "Paula", "Ruth", "Sven", "Tess", "Victor",
)  # fmt: skip
_LAST_NAMES = (
    "A.", "Brandt", "C.", "Dahl", "Esposito", "F.", "Grant", "Hale", "Ivers", "J.", "Kowal", "L.", "Marsh",
    "Novak", "O.", "Price", "Quist", "R.", "Stern", "T.",
)  # fmt: skip


@dataclass(slots=True)
class _Review:
    """A review on its way to a line."""

    user: str
    name: str
    asin: str
    stars: int
    day: int
    text: str | None
    summary: str | None
    style: str
    vote: str
    verified: bool

    def line(self) -> bytes:
        """Return it as upstream writes it: Python's JSON with its spaces, members left out where there is nothing."""
        text = "" if self.text is None else f'"reviewText": {quoted(self.text)}, '
        summary = "" if self.summary is None else f'"summary": {quoted(self.summary)}, '
        return (
            f'{{"overall": {self.stars}.0, {self.vote}"verified": {"true" if self.verified else "false"}, '
            f'"reviewTime": "{written_day(self.day)}", "reviewerID": "{self.user}", "asin": "{self.asin}", '
            f'{self.style}"reviewerName": "{self.name}", {text}{summary}"unixReviewTime": {self.day * DAY}}}'
        ).encode("ascii")


def write(world: World, category: int, folder: Path) -> tuple[dict[str, int], list[Entry]]:
    """Write ``<C>_5.json.gz`` and ``<C>.csv`` of a category.

    Returns
    -------
    dict, list
        Lines by file name within ``folder``, and what was planted.
    """
    name = CATEGORIES[category]
    file = f"{name}_5.json.gz"
    entries: list[Entry] = []
    with LineFile(folder / file) as reviews, LineFile(folder / f"{name}.csv") as ratings:
        for block in range(world.blocks):
            bought = purchases(world, category, block, total=world.block_reviews(block))
            written = _reviews(world, category, block, bought)
            dice = Dice(world.seed, "review defects", f"{category}/{block}")
            planter = _Planter(dice, written, bought, file, reviews.lines)
            planter.plant(stream(world.seed, "review defect places", f"{category}/{block}").random(len(written)))
            planter.share_texts(world)
            rows, broken = _ratings(world, category, block, written, ratings.lines)
            reviews.write(planter.lines())
            ratings.write(rows)
            entries += planter.entries + broken
        counts = {file: reviews.lines, f"{name}.csv": ratings.lines}
    return counts, entries


def _ratings(
    world: World, category: int, block: int, reviews: list[_Review], before: int
) -> tuple[list[bytes], list[Entry]]:
    """Return the rows of the ratings file: item, user, rating, time; now and then one that cannot be read."""
    rows = [f"{review.asin},{review.user},{review.stars}.0,{review.day * DAY}\r".encode() for review in reviews]
    draws = stream(world.seed, "rating defects", f"{category}/{block}").random(len(rows))
    entries = []
    for row in np.flatnonzero(draws < _BROKEN_RATINGS).tolist():
        review = reviews[row]
        reason = _RATING_BREAKS[int(draws[row] / _BROKEN_RATINGS * len(_RATING_BREAKS))]
        item, stars = ("", f"{review.stars}.0") if reason == "missing_id" else (review.asin, "five")
        rows[row] = f"{item},{review.user},{stars},{review.day * DAY}\r".encode()
        ids = (review.asin, review.user, str(review.day * DAY))
        file = f"{CATEGORIES[category]}.csv"
        entries.append(Entry("malformed_line", SOURCE, file, before + row + 1, ids, reason=reason))
    return rows, entries


def _reviews(world: World, category: int, block: int, bought: Purchases) -> list[_Review]:
    count = len(bought.user)
    random = stream(world.seed, "review words", f"{category}/{block}")
    draws = random.random((count, DRAWS)).tolist()
    extras = random.random((count, 4)).tolist()
    names = (random.random((int(bought.user.max()) + 1, 2)) * len(_FIRST_NAMES)).astype(np.int64).tolist()
    users = [user_id(world, category, block, number) for number in range(len(names))]
    speakers = [Speaker(product, is_particular=world.is_broad) for product in bought.shelves]
    styles = [_style(product.attributes) for product in bought.shelves]
    rows = zip(
        bought.user.tolist(),
        bought.product.tolist(),
        bought.stars.tolist(),
        bought.day.tolist(),
        draws,
        extras,
        strict=True,
    )
    reviews = []
    for user, product, stars, day, draw, extra in rows:
        text, summary = speakers[product].write(stars, draw)
        first, last = names[user]
        reviews.append(
            _Review(
                users[user],
                f"{_FIRST_NAMES[first]} {_LAST_NAMES[last]}",
                bought.shelves[product].asin,
                stars,
                day,
                text,
                None if extra[0] < 0.002 else summary,
                styles[product] if extra[1] < 0.6 else "",
                _vote(extra[2]),
                extra[3] < 0.88,
            )
        )
    return reviews


class _Planter:
    """Plants defects into the reviews of one block and keeps the ledger."""

    def __init__(self, dice: Dice, reviews: list[_Review], bought: Purchases, file: str, before: int) -> None:
        self.entries: list[Entry] = []
        self._dice = dice
        self._reviews = reviews
        self._bought = bought
        self._products = [bought.shelves[place] for place in bought.product.tolist()]
        self._file = file
        self._before = before
        self._broken: dict[int, str] = {}
        self._repeated: list[int] = []
        self._touched: set[int] = set()

    def plant(self, draws: np.ndarray) -> None:
        """Decide by ``draws``, one for each review, and plant."""
        edges = np.cumsum([share for _, share in _DEFECTS])
        kinds = np.searchsorted(edges, draws, side="right")
        planted = {int(row): _DEFECTS[int(kinds[row])][0] for row in np.flatnonzero(kinds < len(_DEFECTS))}
        long = {
            row for row, review in enumerate(self._reviews)
            if row not in planted and review.text and review.text.count(" ") >= planting.NEAR_DUPLICATE_WORDS
        }  # fmt: skip
        by_stars = {stars: [row for row in sorted(long) if self._reviews[row].stars == stars] for stars in range(1, 6)}
        for row, kind in planted.items():
            if kind == "near_duplicate":
                self._near_duplicate(row, by_stars[self._reviews[row].stars])
            elif kind == "malformed_line":
                self._broken[row] = self._dice.pick(REASONS)
                self._note(kind, row, reason=self._broken[row])
            elif kind == "exact_duplicate_line":
                self._repeated.append(row)
            elif kind == "contradicting_stars":
                self._contradict(row)
            else:
                self._spoil(kind, row)
        count = len(self._reviews)
        for extra, row in enumerate(self._repeated):
            self._note("exact_duplicate_line", count + extra, ids_of=row, partner=row)
        self._touched |= planted.keys()

    def share_texts(self, world: World) -> None:
        """Put each text that questions quote as well into one middling review of its product."""
        own = self._bought.shelves[: self._bought.own]
        texts = {place: shared_text(world, product) for place, product in enumerate(own)}
        left = {place: text for place, text in texts.items() if text}
        for row, place in enumerate(self._bought.product.tolist()):
            if place in left and row not in self._touched and self._reviews[row].stars == SHARED_STARS:
                self._reviews[row].text = left.pop(place)
                self._note("text_across_corpora", row, field="reviewText")

    def lines(self) -> list[bytes]:
        """Return the block's lines, repeated ones last."""
        lines = [review.line() for review in self._reviews]
        for row, reason in self._broken.items():
            review = self._reviews[row]
            lines[row] = planting.break_line(
                lines[row],
                reason,
                number=f'"overall": {review.stars}.0'.encode(),
                key=f'"asin": "{review.asin}", '.encode(),
                text=b'"reviewText": "',
            )
        return lines + [lines[row] for row in self._repeated]

    def _near_duplicate(self, row: int, originals: list[int]) -> None:
        if not originals:
            return
        original = self._dice.pick(originals)
        self._touched.add(original)
        text, note = planting.change_words(self._reviews[original].text or "", self._dice)
        self._reviews[row].text = text
        self._note("near_duplicate", row, partner=original, note=note, field="reviewText")

    def _spoil(self, kind: Kind, row: int) -> None:
        review, dice, reason = self._reviews[row], self._dice, None
        if kind == "foreign_language":
            note, review.text = planting.foreign_review(dice, pleased=review.stars >= 3)
        elif kind == "html":
            review.text, note = planting.add_markup(review.text or "", dice)
        elif kind == "privacy":
            review.text, note, reason = planting.add_private(review.text or "", dice)
        elif kind == "mojibake":
            review.text, note, reason = planting.garble(review.text or "", dice)
        elif kind == "invisible":
            review.text, note = planting.hide_characters(review.text or "", dice)
        elif kind == "style_or_script":
            review.text, note = planting.dump_code(review.text or "", dice)
        else:
            review.text, note = dice.pick(((None, "absent"), ("", "empty"), ("   ", "blanks")))
        self._note(kind, row, note=note, reason=reason, field="reviewText")

    def _contradict(self, row: int) -> None:
        """Let the text say the contrary of extreme stars, as if the scale had been taken for its reverse."""
        review, product = self._reviews[row], self._products[row]
        if review.stars in (1, 5):
            slots = {"type": product.kind.noun, "brand": product.brand}
            review.text = planting.extreme_review(self._dice, slots, pleased=review.stars == 1)
            self._note("contradicting_stars", row, note=f"written for {6 - review.stars} stars", field="reviewText")

    def _note(
        self,
        kind: Kind,
        row: int,
        *,
        ids_of: int | None = None,
        partner: int | None = None,
        reason: str | None = None,
        note: str | None = None,
        field: str | None = None,
    ) -> None:
        where = None if partner is None else Place(self._file, self._before + partner + 1, self._ids(partner))
        ids = self._ids(row if ids_of is None else ids_of)
        self.entries.append(
            Entry(kind, SOURCE, self._file, self._before + row + 1, ids, where, reason=reason, note=note, field=field)
        )

    def _ids(self, row: int) -> tuple[str, ...]:
        review = self._reviews[row]
        return (review.asin, review.user, str(review.day * DAY))


def _style(facts: Mapping[str, str]) -> str:
    named = {name: facts[name] for name in ("Size", "Color", "Capacity", "Style", "Length") if name in facts}
    inner = ", ".join(f'"{name}:": {quoted(" " + value)}' for name, value in named.items())
    return f'"style": {{{inner}}}, ' if inner else ""


def _vote(draw: float) -> str:
    """Return the vote member: mostly none, a few, or now and then thousands with a comma, always as text."""
    if draw >= 0.14:
        return ""
    votes = 2 + int((0.14 - draw) / 0.14 * 40) if draw > 0.0005 else 1000 + int(draw / 0.0005 * 3000)
    return f'"vote": "{votes:,}", '
