"""Data sets in DeepMatcher's form: two tables of listings, and pairs of their rows labelled as match or not.

The form in which DeepMatcher's authors (Sidharth Mudgal and colleagues, University of Wisconsin, SIGMOD 2018) published
thirteen benchmarks, and many others theirs since: a folder with ``tableA.csv`` and ``tableB.csv`` (``id`` and any other
columns), ``train.csv``, ``valid.csv`` and ``test.csv`` (``ltable_id,rtable_id,label``). A folder is a data set; its
name may begin with ``Structured/``, ``Textual/`` or ``Dirty/`` and end with ``/exp_data``, as upstream's do. The
addresses below are those of upstream's data sets of things to buy. No licence is stated upstream; who adds a folder
answers for its terms.

Quirks, and what becomes of them:

- Columns differ. ``title``, ``name``, ``product_title``, ``product_name``, ``beer_name`` or ``song_name`` is the title,
  the first of them that is not blank; ``description`` or ``product_description`` the description; ``brand`` or
  ``manufacturer`` the brand; ``price`` the price and ``category`` the category, in capitals or not. All others become
  features, ``column: value``. A listing without a title is kept, but no task draws it.
- Ids count the rows of one table: ``deepmatcher_<folder>_a:<id>`` and ``..._b:<id>``, the folder with ``%`` codes for
  all but letters, digits, ``_``, ``.``, ``-`` and ``~``. Two data sets must not have the same folder name.
- A candidate pair that is no golden match counts as a non-match upstream; nobody looked at each.
- The splits train, valid and test are not kept.
- Abt-Buy and Walmart-Amazon have sources of their own.
"""

from urllib.parse import quote

from ecinstruct_build.ingesting.deepmatcher import Keys, folder_kinds
from ecinstruct_build.source import Batch, Remote, Source

NAME = "deepmatcher"
_UPSTREAM = "https://pages.cs.wisc.edu/~anhai/data1/deepmatcher_data/"
_FILES = ("tableA", "tableB", "train", "valid", "test")
_OFFERED = ("Structured/Beer", "Structured/iTunes-Amazon")
_VARIANTS = ("Structured/Amazon-Google", "Dirty/iTunes-Amazon", "Dirty/Walmart-Amazon")
"""The same listings as in a data set or source above, in another form."""


def _keys(batch: Batch) -> Keys:
    folder = quote(batch.groups[0]["dataset"], safe="")
    return Keys(f"{NAME}_{folder}_a", f"{NAME}_{folder}_b")


SOURCE = Source(
    name=NAME,
    title="Data sets in DeepMatcher's form",
    summary="Any folders of two tables of listings and labelled pairs of their rows.",
    homepage="https://github.com/anhaidgroup/deepmatcher/blob/master/Datasets.md",
    licence="none stated",
    redistributable=False,
    citation="Sidharth Mudgal et al. Deep Learning for Entity Matching: A Design Space Exploration. SIGMOD 2018.",
    files=folder_kinds(
        r"(?:.*?/)??(?P<dataset>(?:(?:Structured|Textual|Dirty)/)?[^/]+)/(?:exp_data/)?",
        _keys,
        "Structured/Beer/",
    ),
    remotes=tuple(
        Remote(
            file=f"{folder}/{name}.csv",
            urls=(f"{_UPSTREAM}{folder}/exp_data/{name}.csv",),
            alternative=folder in _VARIANTS,
        )
        for folder in (*_OFFERED, *_VARIANTS)
        for name in _FILES
    ),
)
