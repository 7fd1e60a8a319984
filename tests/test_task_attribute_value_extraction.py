"""Attribute value extraction: evidence that stands, absence that is labelled, held-out attributes that stay out."""

import json
import random

import pytest
from handmade import opened, table_rows

from ecinstruct_build.example import dump_json, examples_to_table
from ecinstruct_build.task import Request
from ecinstruct_build.tasks.attribute_value_extraction import TASK, AttributeValueExtractionSettings
from quality.hygiene import HygieneSettings, repair

PRODUCT = {
    "product_id": "asin:K1",
    "title": "Hearth steel kettle, 1.7 litres",
    "description": "Boils in <b>three</b> minutes.\nA kettle of brushed&nbsp;steel &amp; oak.",
    "features": ["Cordless", "Oak handle"],
    "price": "$24.00",
    "brand": "Hearth",
}
TITLE, FIRST, SECOND = (
    "Hearth steel kettle, 1.7 litres",
    "Boils in three minutes.",
    "A kettle of brushed steel & oak.",
)


def evidence(value, pid, begin):
    return {"value": value, "pid": pid, "begin": begin, "end": begin + len(value)}


def label(attribute, *evidences, product_id="asin:K1", **more):
    value = evidences[0]["value"] if evidences else None
    row = {"product_id": product_id, "attribute": attribute, "value": value, "evidences": list(evidences)}
    return {**row, "category": "Kettles", **more}


def world(*labels, products=(PRODUCT,)):
    return {"attribute": table_rows("attribute", labels), "product": table_rows("product", products)}


def draw(folder, tables, *, seed=1, size=100, shuffle=None, **settings):
    with opened(folder, tables, shuffle) as canonical:
        return TASK.draw(canonical, AttributeValueExtractionSettings(**settings), Request(seed, size, size))


def only(folder, tables, **settings):
    drawn = draw(folder, tables, **{"max_attributes": 9, **settings})
    assert len(drawn.examples) == 1
    return drawn.examples[0]


def asked_in_full(folder, *labels, **more):
    """Draw with seeds until every label of the one product is asked for."""
    for seed in range(200):
        example = only(folder, world(*labels, **more), seed=seed, max_attributes=len(labels))
        if len(example.fields["attributes"]) == len(labels):
            return example
    raise AssertionError("no seed asked for every label")


def test_values_stand_with_their_sources_and_absence_is_none(tmp_path):
    example = asked_in_full(
        tmp_path,
        label("Material", evidence("steel", 0, 7), evidence("brushed steel", 2, 12)),
        label("Handle", evidence("Oak", 4, 0)),
        label("Voltage"),
    )
    assert example.fields["paragraphs"] == [
        {"source": "title", "text": TITLE},
        {"source": "description", "text": FIRST},
        {"source": "description", "text": SECOND},
        {"source": "feature", "text": "Cordless"},
        {"source": "feature", "text": "Oak handle"},
        {"source": "price", "text": "$24.00"},
        {"source": "brand", "text": "Hearth"},
    ]
    assert sorted(example.answer, key=dump_json) == [
        {"attribute": "Handle", "source": "feature", "value": "Oak"},
        {"attribute": "Material", "source": "description", "value": "brushed steel"},
        {"attribute": "Material", "source": "title", "value": "steel"},
        {"attribute": "Voltage", "source": "None", "value": "None"},
    ]
    assert list(dict.fromkeys(row["attribute"] for row in example.answer)) == example.fields["attributes"]
    assert example.products == ("asin:K1",)
    assert example.category == "Kettles"
    assert sorted((origin.file, origin.line) for origin in example.origins) == [
        ("attribute.jsonl", 1),
        ("attribute.jsonl", 2),
        ("attribute.jsonl", 3),
        ("product.jsonl", 1),
    ]
    assert TASK.answer.parse(TASK.answer.format(example.answer, ()), ()) == example.answer


def test_the_same_value_twice_in_one_source_is_said_once(tmp_path):
    example = only(
        tmp_path, world(label("Type", evidence("kettle", 0, 13), evidence("kettle", 2, 2), evidence("kettle", 2, 2)))
    )
    assert example.answer == [
        {"attribute": "Type", "value": "kettle", "source": "title"},
        {"attribute": "Type", "value": "kettle", "source": "description"},
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        evidence("steel", 0, 8),
        evidence("steel", 1, 7),
        evidence("steel", 99, 7),
        evidence("steel", -1, 7),
        evidence("Steel", 0, 7),
        {"value": "steel", "pid": 0, "begin": 7, "end": 13},
        {"value": "litres", "pid": 0, "begin": -6, "end": len(TITLE)},
        {"value": "steel", "pid": None, "begin": 7, "end": 12},
        {"value": "", "pid": 0, "begin": 3, "end": 3},
    ],
)
def test_a_value_that_does_not_stand_in_its_paragraph_is_left_out_and_counted(tmp_path, wrong):
    drawn = draw(tmp_path, world(label("Material", wrong)))
    assert drawn.examples == []
    assert drawn.funnel["labels whose value does not stand in its paragraph"] == 1
    example = only(tmp_path, world(label("Material", wrong, evidence("steel", 0, 7))))
    assert example.answer == [{"attribute": "Material", "value": "steel", "source": "title"}]


def test_a_false_label_does_not_take_the_others_of_its_product_along(tmp_path):
    example = next(
        example
        for seed in range(50)
        for example in draw(
            tmp_path, world(label("Material", evidence("oak", 0, 0)), label("Voltage")), seed=seed
        ).examples
    )
    assert example.fields["attributes"] == ["Voltage"]


def test_records_that_carry_their_own_paragraphs_need_no_product(tmp_path):
    own = [{"source": "title", "text": "Tea &amp; <i>toast</i> set"}, {"source": "feature", "text": " <br> "}]
    example = only(tmp_path, world(label("Kind", evidence("toast", 0, 13), paragraphs=own), products=()))
    assert example.fields["paragraphs"] == [{"source": "title", "text": "Tea &amp; <i>toast</i> set"}]
    assert example.answer == [{"attribute": "Kind", "value": "toast", "source": "title"}]


def test_a_value_stands_in_its_paragraph_as_upstream_writes_it_and_as_the_reader_sees_it(tmp_path):
    own = [{"source": "title", "text": "Salt &amp; pepper mill"}]
    example = only(tmp_path, world(label("Use", evidence("Salt &amp; pepper", 0, 0), paragraphs=own)))
    for seen, value in ((example, "Salt &amp; pepper"), (repair(example, HygieneSettings()), "Salt & pepper")):
        assert seen.answer == [{"attribute": "Use", "value": value, "source": "title"}]
        assert value in seen.fields["paragraphs"][0]["text"]


def test_a_value_given_twice_is_answered_once_however_it_is_written(tmp_path):
    own = [{"source": "feature", "text": "Salt & pepper. Salt &amp; pepper."}]
    found = [evidence("Salt & pepper", 0, 0), evidence("Salt &amp; pepper", 0, 15)]
    example = only(tmp_path, world(label("Use", *found, paragraphs=own)))
    assert example.answer == [{"attribute": "Use", "value": "Salt & pepper", "source": "feature"}]


def test_a_value_that_is_not_in_the_cleaned_text_is_left_out(tmp_path):
    own = [{"source": "title", "text": "<b class='steel'>Mill</b>"}]
    assert draw(tmp_path, world(label("Material", evidence("steel", 0, 10), paragraphs=own))).examples == []


def test_labels_on_another_text_of_the_product_are_not_mixed_in(tmp_path):
    one, other = ([{"source": "title", "text": text}] for text in ("Oak mill", "Steel mill"))
    rows = [
        each
        for n in range(30)
        for each in (
            label("Material", evidence("Oak", 0, 0), paragraphs=one, product_id=f"asin:M{n}"),
            label("Voltage", paragraphs=other, product_id=f"asin:M{n}"),
        )
    ]
    drawn = draw(tmp_path, world(*rows))
    assert len(drawn.examples) == 30
    assert drawn.funnel["labels on another text of the product"] > 5
    assert {(*example.fields["attributes"], example.fields["paragraphs"][0]["text"]) for example in drawn.examples} == {
        ("Material", "Oak mill"),
        ("Voltage", "Steel mill"),
    }


def test_a_contradicted_label_is_not_drawn(tmp_path):
    drawn = draw(tmp_path, world(label("Material", evidence("steel", 0, 7)), label("Material")))
    assert drawn.examples == []
    assert drawn.funnel == {
        "attribute labels of products (ind)": 1,
        "attribute labels that another contradicts (ind)": 1,
        "products with a label to ask for (ind)": 0,
        "products drawn": 0,
        "examples": 0,
    }


def test_products_without_text_are_left_out_and_counted(tmp_path):
    drawn = draw(tmp_path, world(label("Voltage"), products=()))
    assert (drawn.examples, drawn.funnel["products without text"]) == ([], 1)


def many(number=120, source="corpus"):
    """Products with one to five labels, some of them held out."""
    chance = random.Random(source)
    names = ["Material", "Colour", "Voltage", "Capacity", "Origin"]
    return [
        label(
            name,
            *([evidence("steel", 0, 7)] if chance.random() < 0.5 else []),
            product_id=f"asin:{source}{n}",
            paragraphs=[{"source": "title", "text": TITLE}],
            source=source,
        )
        for n in range(number)
        for name in chance.sample(names, chance.randint(1, 5))
    ]


def test_in_domain_and_held_out_attributes_never_meet(tmp_path):
    held = {"Voltage", "Origin"}
    rows = many()
    labelled_held = {row["product_id"] for row in rows if row["attribute"] in held}
    drawn = draw(tmp_path, world(*rows), ood=("Voltage", "Origin"))
    by_domain = {"ind": [], "ood": []}
    for example in drawn.examples:
        by_domain[example.domain].append(example)
    assert min(map(len, by_domain.values())) > 10
    assert not any(set(example.fields["attributes"]) & held for example in by_domain["ind"])
    assert not any(set(example.products) & labelled_held for example in by_domain["ind"])
    for example in by_domain["ood"]:
        assert set(example.fields["attributes"]) <= held
    for example in drawn.examples:
        assert set(example.groups) == {f"attribute:{name}" for name in example.fields["attributes"]}


def test_attributes_in_neither_list_are_not_asked_for(tmp_path):
    drawn = draw(tmp_path, world(*many()), ind=("Colour",), ood=("Voltage",), max_attributes=5)
    asked = {(example.domain, name) for example in drawn.examples for name in example.fields["attributes"]}
    assert asked == {("ind", "Colour"), ("ood", "Voltage")}


def test_a_share_of_the_attributes_can_be_held_out_by_name(tmp_path):
    rows = [label(f"Attribute {n}", product_id=f"asin:H{n}") for n in range(60)]
    described = [{**PRODUCT, "product_id": f"asin:H{n}"} for n in range(60)]
    held = {}
    for share, seed in ((0.0, 1), (0.2, 1), (0.2, 2), (0.5, 1), (1.0, 1)):
        drawn = draw(tmp_path, world(*rows, products=described), seed=seed, held_out_share=share)
        held[share, seed] = {example.identity for example in drawn.examples if example.domain == "ood"}
        assert len(drawn.examples) == 60
    assert held[0.2, 1] == held[0.2, 2] < held[0.5, 1] < held[1.0, 1]
    assert held[0.0, 1] == set()
    assert 4 <= len(held[0.2, 1]) <= 20


def test_no_more_attributes_than_allowed_and_numbers_vary(tmp_path):
    sizes = [len(example.fields["attributes"]) for example in draw(tmp_path, world(*many()), max_attributes=3).examples]
    assert set(sizes) == {1, 2, 3}


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_the_share_of_positive_examples_is_as_asked(tmp_path, share):
    drawn = draw(tmp_path, world(*many()), size=40, max_attributes=1, positive_share=share)
    positive = [example for example in drawn.examples if example.answer[0]["value"] != "None"]
    assert (len(positive), len(drawn.examples)) == (round(40 * share), 40)


def test_the_draw_does_not_depend_on_row_order(tmp_path):
    settings = {"ood": ("Origin",), "positive_share": 0.6}
    expected = examples_to_table(draw(tmp_path, world(*many()), **settings).examples)
    for shuffle in (1, 2):
        shuffled = draw(tmp_path, world(*many()), shuffle=shuffle, **settings)
        assert examples_to_table(shuffled.examples).equals(expected)


def test_a_smaller_draw_is_part_of_a_larger_one_and_a_new_source_moves_nothing(tmp_path):
    ids = [
        {
            example.example_id
            for example in draw(tmp_path, world(*many(), *extra), size=size, positive_share=share).examples
        }
        for share in (None, 0.7)
        for size, extra in ((15, ()), (40, ()), (15, many(50, "other")))
    ]
    for small, large, wider in (ids[:3], ids[3:]):
        assert small < large
        assert small < wider
    assert len(ids[0]) == 15


def test_seeds_draw_differently_and_sources_can_be_chosen(tmp_path):
    tables = world(*many(), *many(50, "other"))
    one, two = (draw(tmp_path, tables, seed=seed, size=20, sources=("other",)).examples for seed in (1, 2))
    assert {example.source for example in one} == {"other"}
    assert {example.products for example in one} != {example.products for example in two}


def test_fields_and_answers_are_json(tmp_path):
    for example in draw(tmp_path, world(*many())).examples:
        assert set(example.fields) == set(TASK.fields)
        assert json.loads(dump_json(dict(example.fields))) == example.fields


def test_nothing_labelled_gives_nothing(tmp_path):
    assert draw(tmp_path, {}).examples == []
