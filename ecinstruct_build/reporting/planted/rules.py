"""The rule of every kind of planted defect: when it counts as found, by which check, and where it is shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ecinstruct_build.sample_corpora.ledger import Kind

How = Literal["quarantined", "collapsed", "judged", "mended", "pair", "undrawn", "apart", "joined"]
"""When a defect counts as found: its line is in the quarantine or among the repeated ones; a check has a word against
every example that shows it; the same, or nothing of it is left; a check names the pair or rejects either side; no
example was made of it; its products stand on one side of the split; its products are one family."""


@dataclass(frozen=True)
class Rule:
    """How a kind of defect is found.

    Attributes
    ----------
    how
        See `How`.
    findings
        What checks say of it, as ``check: reason``. Where defects have a form (mojibake, private data), a finding
        that ends in the form counts for that form alone.
    natural
        Where the made-up world has such cases of its own, what they are.
    """

    how: How
    findings: tuple[str, ...] = ()
    natural: str = ""


RULES: Mapping[Kind, Rule] = {
    "malformed_line": Rule("quarantined"),
    "exact_duplicate_line": Rule("collapsed"),
    "html": Rule("mended", ("hygiene: markup", "hygiene: entities")),
    "mojibake": Rule("mended", ("hygiene: mojibake", "hygiene: undecodable")),
    "invisible": Rule("mended", ("hygiene: invisible characters",)),
    "style_or_script": Rule("mended", ("hygiene: style or script",)),
    "placeholder_title": Rule("mended", ("hygiene: placeholder title",)),
    "foreign_language": Rule("judged", ("language: foreign language",)),
    "privacy": Rule(
        "judged",
        (
            "privacy: e-mail address",
            "privacy: phone number",
            "privacy: order number",
            "privacy: link with a token",
            "privacy: card number",
        ),
    ),
    "contradicting_stars": Rule("judged", ("validity: text contradicts its stars",)),
    "boilerplate_answer": Rule(
        "judged", ("shape: answer says nothing",), "people who do not know say so in answers that are not planted, too"
    ),
    "trivial_pair": Rule("judged", ("difficulty: identical titles",), "careless titles are the same now and then"),
    "near_duplicate": Rule(
        "pair",
        ("duplicates: near duplicate",),
        "reviews and questions are made of the same sentences and are alike now and then",
    ),
    "text_across_corpora": Rule(
        "pair", ("duplicates: same content in another task", "duplicates: near duplicate in another task")
    ),
    "empty_text": Rule("undrawn"),
    "unjoinable_label": Rule("undrawn"),
    "contradicting_relation": Rule("undrawn"),
    "cross_category": Rule("apart"),
    "variant_family": Rule("joined", natural="different models of one maker may have one title"),
    "family_twin": Rule("joined", natural="different models of one maker may have one title"),
}
"""The rule of every kind."""

_TITLED = (
    "attribute_value_extraction",
    "multiclass_product_classification",
    "product_matching",
    "product_relation_prediction",
    "product_substitute_identification",
    "query_product_ranking",
    "sequential_recommendation",
)
_ASKED = ("answer_generation", "answerability_prediction")
SHOWN: Mapping[str, tuple[str, ...]] = {
    "reviewText": ("sentiment_analysis",),
    "questionText": _ASKED,
    "review_snippets[0]": _ASKED,
    "answers[0].answerText": ("answer_generation",),
    "title": _TITLED,
    "product_title": _TITLED,
    "name": _TITLED,
    "also_buy": ("product_relation_prediction",),
    "description": ("attribute_value_extraction", "product_matching"),
    "feature": ("attribute_value_extraction",),
    "price": ("attribute_value_extraction",),
    "product_description": (),
}
"""The tasks that show a part of a record; parts that are not named here are shown by all."""
