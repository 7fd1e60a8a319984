"""Small worlds to split, and a split that proves itself."""

import random
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import pyarrow as pa
from hypothesis import strategies as st

from ecinstruct_build.check import PAIR_SCHEMA
from ecinstruct_build.example import Domain, Example, Item, Option
from ecinstruct_build.splits import SPLITS, Split
from ecinstruct_build.task import Quota, TaskSettings
from quality.splitting.leakage import Kept, assign, communities_of
from quality.splitting.mixing import mixing_of
from quality.splitting.proof import prove
from quality.splitting.web import web_of

WEIGHTS: Mapping[Split, float] = {"train": 8, "validation": 1, "test": 1}
MANY = Quota(train=10**6, validation=10**6, test=10**6, test_ood=5)
SETTINGS = {
    "pairs": TaskSettings(quota=MANY),
    "histories": TaskSettings(quota=MANY, leakage="trim", min_context=1),
    "choices": TaskSettings(quota=Quota(train=20, validation=4, test=4, test_ood=3)),
}
# p0 and p1 are variants, p2 and p3 ...; p are products of all kinds, n those that stand as wrong options mostly.
FAMILIES = {f"{kind}{number}": f"{kind}{number // 2 * 2}" for kind in "pn" for number in range(40)}


def example(
    task: str,
    identity: str,
    *,
    products: Iterable[str] = (),
    groups: Iterable[str] = (),
    context: Iterable[str] = (),
    options: Sequence[str] = (),
    spares: Iterable[str] = (),
    domain: Domain = "ind",
    source: str = "corpus",
) -> Example:
    """Make an example; its first option is the right one."""

    def option(product: str) -> Option:
        return Option(product, f"title of {product}", product)

    return Example(
        task,
        source,
        identity,
        domain,
        "us",
        tuple(products),
        {},
        options[0] if options else "yes",
        groups=tuple(groups),
        context=tuple(Item(product, "") for product in context),
        options=tuple(map(option, options)),
        spare_options=tuple(map(option, spares)),
    )


class Went(NamedTuple):
    """Where an example went: as `Assigned`, options by key."""

    split: Split | None
    reason: str
    context: tuple[int, ...]
    options: tuple[str, ...]


def pairs_of(alike: Iterable[tuple[Example, Example]]) -> pa.Table:
    """Lay pairs of look-alikes out in `PAIR_SCHEMA`."""
    pairs = sorted({(*sorted((one.example_id, other.example_id)),) for one, other in alike})
    rows = [{"left": left, "right": right, "reason": "alike", "score": 1.0} for left, right in pairs]
    return pa.Table.from_pylist(rows, schema=PAIR_SCHEMA)


def split_of(
    examples: Iterable[Example],
    *,
    seed: int = 0,
    families: Mapping[str, str] = FAMILIES,
    settings: Mapping[str, TaskSettings] = SETTINGS,
    weights: Mapping[Split, float] = WEIGHTS,
    alike: Iterable[tuple[Example, Example]] = (),
    kept: Kept | None = None,
    left_out: Iterable[str] = (),
) -> dict[str, Went]:
    examples, table = list(examples), pairs_of(alike)
    web = web_of(examples, families, table)
    asking = (name for name, task in settings.items() if task.shares)
    sources = {name: {one.example_id: one.source for one in examples if one.task == name} for name in asking}
    mixing = mixing_of(settings, sources)
    parts = communities_of(web, settings, weights, 0)  # cut once, whatever the seed: as a build does it
    found = assign(web, settings, weights, seed, parts=parts, kept=kept, left_out=set(left_out), mixing=mixing)
    prove(web, settings, found, table)
    context, options = found.context.to_lists(), found.options.to_lists()
    keys = web.option_values.field("key").to_pylist()
    return {
        example_id: Went(
            SPLITS[found.split[row]] if found.split[row] >= 0 else None,
            found.reason[row],
            tuple(context[row]),
            tuple(keys[option] for option in options[row]),
        )
        for row, example_id in enumerate(web.example_ids)
    }


TASKS = st.sampled_from(["choices", "choices", "histories", "pairs"])
TENTHS = st.integers(0, 9)


@st.composite
def worlds(draw: st.DrawFn) -> list[Example]:
    """Examples of three tasks over a small catalogue, so that nearly all hang together.

    Half of them have options, and many want the same few wrong ones, on which nothing else stands.
    """
    size = draw(st.integers(4, 40))
    product = st.integers(0, size - 1).map(lambda number: f"p{number}")
    wrong = st.integers(0, draw(st.integers(3, 16))).map(lambda number: f"n{number}") | product
    distinct = st.lists(product, min_size=1, max_size=7, unique=True)
    at_most_one, one_or_two = st.lists(product, max_size=1), st.lists(product, min_size=1, max_size=2, unique=True)
    wrongs, others = st.lists(wrong, max_size=4), st.lists(wrong, max_size=8, unique=True)
    owner = st.lists(st.integers(0, size).map(lambda number: f"user:u{number}"), max_size=1)
    made = []
    for number in range(draw(st.integers(1, 60))):
        task = draw(TASKS)
        facts, groups = [], draw(owner)
        domain: Domain = "ood" if draw(TENTHS) == 9 else "ind"
        context: list[str] = []
        options: list[str] = []
        spares: list[str] = []
        if task == "pairs":
            facts = draw(one_or_two)
        elif task == "histories":
            context = draw(distinct)
            facts = draw(at_most_one)
        else:
            options = list(dict.fromkeys([draw(product), *draw(wrongs)]))
            spares = [spare for spare in draw(others) if spare not in options]
        made.append(
            example(
                task,
                str(number),
                products=facts,
                groups=groups,
                context=context,
                options=options,
                spares=spares,
                domain=domain,
            )
        )
    return made


def clustered(count: int, *, cluster: int, tasks: Sequence[str] = ("pairs",), seed: int = 5) -> list[Example]:
    """Examples of 2 to 5 products, nine in ten from one of many clusters, the others from anywhere."""
    order = random.Random(seed)
    products = count // 3
    made = []
    for number in range(count):
        start = order.randrange(products // cluster) * cluster
        near = order.random() < 0.9
        chosen = {
            f"c{order.randrange(start, start + cluster) if near else order.randrange(products)}"
            for _ in range(order.randint(2, 5))
        }
        made.append(example(tasks[number % len(tasks)], str(number), products=sorted(chosen)))
    return made
