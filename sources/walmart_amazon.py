"""Walmart-Amazon: electronics listings of two shops, and pairs of them labelled as match or not.

The structured benchmark of DeepMatcher's authors (Sidharth Mudgal and colleagues, University of Wisconsin, SIGMOD
2018), made from a data set of their group's: 2,554 listings of Walmart (tableA), 22,074 of Amazon (tableB), and 10,242
labelled pairs, 962 of them matches. Five CSV files. No licence is stated upstream.

Quirks, and what becomes of them:

- The text is in small letters and without most punctuation. Long descriptions were left out upstream.
- Ids count the rows of each table and are neither Walmart's nor ASINs: ``walmart_amazon_a:<id>`` and
  ``walmart_amazon_b:<id>``. The model number becomes a feature.
- A candidate pair that is no golden match counts as a non-match upstream; nobody looked at each. They are kept as
  non-matches. Pairs that stand in no file are unknown.
- The splits train, valid and test are not kept. The dirty variant has the same rows with cells moved into the title:
  it can be read as a data set of its own by the source ``deepmatcher``.
"""

from ecinstruct_build.fetching.remotes import remote_table
from ecinstruct_build.ingesting.deepmatcher import Keys, folder_kinds
from ecinstruct_build.source import Batch, Source

NAME = "walmart_amazon"
_MIRRORS = (
    "https://pages.cs.wisc.edu/~anhai/data1/deepmatcher_data/Structured/Walmart-Amazon/exp_data/",
    "hf://datasets/matchbench/Walmart-Amazon/",
)


def _keys(batch: Batch) -> Keys:  # noqa: ARG001 - the same for all files
    return Keys("walmart_amazon_a", "walmart_amazon_b")


SOURCE = Source(
    name=NAME,
    title="Walmart-Amazon",
    summary="Electronics listings of Walmart and Amazon, with pairs that match and pairs that do not.",
    homepage="https://github.com/anhaidgroup/deepmatcher/blob/master/Datasets.md",
    licence="none stated",
    redistributable=False,
    citation="Sidharth Mudgal et al. Deep Learning for Entity Matching: A Design Space Exploration. SIGMOD 2018.",
    files=folder_kinds(r"(?:.*/)?", _keys, "exp_data/"),
    remotes=remote_table(NAME, ("tableA.csv", "tableB.csv", "train.csv", "valid.csv", "test.csv"), _MIRRORS),
)
