"""Rendering: samples are text that depends on the example, the seed and the templates, and on nothing else."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_examples import MAKERS, assign, make_example

from ecinstruct_build.errors import UserError
from ecinstruct_build.example import SAMPLE_SCHEMA
from ecinstruct_build.registry import TASKS
from ecinstruct_build.rendering.render import Assigned, letter_options, render_example, render_samples
from ecinstruct_build.rendering.template_set import load_templates, packaged_templates
from ecinstruct_build.splits import SETTINGS, Setting, published_split, settings_of

SENTIMENT = TASKS.get("sentiment_analysis")
SEQUENTIAL = TASKS.get("sequential_recommendation")
RANKING = TASKS.get("query_product_ranking")


def rows(task, assigned, seed=0, settings=SETTINGS, templates=None, **options):
    templates = templates or load_templates(task.name)
    return render_samples(assigned, task, templates, seed, settings, **options).to_pylist()


def folder_with_instructions(root, task):
    """Make a template folder that holds the packaged instructions and nothing else yet."""
    folder = root / task
    folder.mkdir()
    packaged = packaged_templates().joinpath(task).joinpath("instructions.toml")
    (folder / "instructions.toml").write_bytes(packaged.read_bytes())
    return folder


def key(row):
    return row["setting"], row["split"], row["example_id"]


@pytest.mark.parametrize("name", sorted(MAKERS))
@pytest.mark.parametrize("layout", ["huggingface", "ecinstruct"])
def test_each_example_is_rendered_in_every_setting_of_its_split_and_domain(name, layout):
    table = render_samples(assign(name, 40), TASKS.get(name), load_templates(name), 0, settings_of(layout))
    assert table.schema.equals(SAMPLE_SCHEMA)
    counts = {}
    for row in table.to_pylist():
        counts[row["setting"], row["split"]] = counts.get((row["setting"], row["split"]), 0) + 1
        assert row["task"] == TASKS.get(name).published_name
        if layout == "huggingface" and row["split"] != "train":
            assert published_split(row["split"], row["setting"])
    original = {
        ("IND_Diverse_Instruction", "train"): 10,
        ("IND_Diverse_Instruction", "val"): 10,
        ("IND_Diverse_Instruction", "test"): 10,
        ("IND_Unseen_Instruction", "test"): 10,
        ("OOD_Diverse_Instruction", "test"): 10,
        ("OOD_Unseen_Instruction", "test"): 10,
    }
    if layout == "ecinstruct":
        original |= {("IND_Single_Instruction", split): 10 for split in ("train", "val", "test")}
        original |= {("OOD_Single_Instruction", "test"): 10}
        original |= {(f"{domain}_Diverse_Instruction_1-shot", "test"): 10 for domain in ("IND", "OOD")}
    assert counts == original


def test_no_assigned_examples_give_an_empty_table():
    assert render_samples([], SENTIMENT, load_templates(SENTIMENT.name), 0, SETTINGS).schema.equals(SAMPLE_SCHEMA)


def test_an_example_out_of_domain_is_no_sample_of_a_setting_in_domain():
    out_of_domain = Assigned(make_example(SENTIMENT.name, 1, "ood"), "test")
    assert rows(SENTIMENT, [out_of_domain]) == []


def test_rows_stand_in_order_of_setting_split_and_example():
    names = [setting.name for setting in SETTINGS]
    places = [
        (names.index(row["setting"]), ("train", "val", "test").index(row["split"]), row["example_id"])
        for row in rows(SENTIMENT, assign(SENTIMENT.name, 40))
    ]
    assert places == sorted(places)


def test_columns_carry_the_examples_own_facts():
    assigned = assign(SEQUENTIAL.name, 8)
    examples = {one.example.example_id: one.example for one in assigned}
    for row in rows(SEQUENTIAL, assigned):
        example = examples[row["example_id"]]
        assert row["products"] == list(example.all_products)
        assert row["groups"] == list(example.groups)
        assert (row["source"], row["domain"], row["locale"]) == ("made", example.domain, "us")
        assert row["option_grades"] == []


def test_held_out_instructions_are_for_the_unseen_settings_alone():
    templates = load_templates(SENTIMENT.name)
    held_out = {instruction.text for instruction in templates.held_out}
    seen = {instruction.text for instruction in templates.seen}
    used = {"Unseen": set(), "Diverse": set(), "Single": set()}
    for row in rows(SENTIMENT, assign(SENTIMENT.name, 400)):
        used[row["setting"].split("_")[1]].add(row["instruction"])
    assert used == {"Unseen": held_out, "Diverse": seen, "Single": {templates.seed_instruction.text}}


def test_the_number_of_paraphrases_can_be_the_papers():
    samples = rows(SENTIMENT, assign(SENTIMENT.name, 400), paraphrases=5)
    diverse = {row["instruction"] for row in samples if "Diverse" in row["setting"]}
    unseen = {row["instruction"] for row in samples if "Unseen" in row["setting"]}
    assert (len(diverse), len(unseen)) == (5, 1)


def test_the_template_id_names_instruction_and_variant(tmp_path):
    folder = folder_with_instructions(tmp_path, RANKING.name)
    (folder / "input.jinja").write_text("Query: {{ query }}")
    (folder / "input_terse.jinja").write_text("{{ query }}")
    templates = load_templates(RANKING.name, tmp_path)
    texts = {instruction.id: instruction.text for instruction in templates.instructions}
    variants = set()
    for row in rows(RANKING, assign(RANKING.name, 100), templates=templates):
        instruction, variant = row["template_id"].split("/")
        assert row["instruction"] == texts[instruction]
        assert row["input"].startswith("Query: ") == (variant == "default")
        variants.add(variant)
    assert variants == {"default", "terse"}


# Chance is keyed (law 1).


@given(st.permutations(range(24)), st.integers(min_value=1, max_value=24), st.integers(0, 3))
def test_a_sample_reads_the_same_whatever_stands_beside_it(order, count, seed):
    assigned = assign(SEQUENTIAL.name, 24)
    settings = settings_of("huggingface")
    everything = {key(row): row for row in rows(SEQUENTIAL, assigned, seed, settings)}
    for row in rows(SEQUENTIAL, [assigned[position] for position in order[:count]], seed, settings):
        assert row == everything[key(row)]


def test_solved_examples_do_not_depend_on_the_order_of_rows():
    assigned = assign(SEQUENTIAL.name, 24)
    assert rows(SEQUENTIAL, assigned) == rows(SEQUENTIAL, assigned[::-1])


def test_another_seed_gives_other_instructions_letters_and_solved_examples():
    assigned = assign(SEQUENTIAL.name, 40)
    first, second = rows(SEQUENTIAL, assigned, 1), rows(SEQUENTIAL, assigned, 2)
    for column in ("instruction", "options", "output", "few_shot_example"):
        assert [row[column] for row in first] != [row[column] for row in second]
    assert [row["input"] for row in first] == [row["input"] for row in second]


# Options.


@given(st.permutations(range(20)), st.integers(0, 5))
def test_shuffled_letters_do_not_depend_on_the_order_the_options_come_in(order, number):
    example = make_example(SEQUENTIAL.name, number)
    other = replace(example, options=tuple(example.options[position] for position in order))
    assert letter_options(example, SEQUENTIAL, 0) == letter_options(other, SEQUENTIAL, 0)


def test_the_same_options_are_lettered_differently_for_different_examples():
    options = make_example(SEQUENTIAL.name, 0).options
    orders = {
        letter_options(replace(make_example(SEQUENTIAL.name, number), options=options), SEQUENTIAL, 0)
        for number in range(10)
    }
    assert len(orders) == 10


def test_fixed_letters_keep_the_tasks_order():
    example = make_example(SENTIMENT.name, 0)
    assert letter_options(example, SENTIMENT, 0) == example.options
    text = render_example(example, SENTIMENT, load_templates(SENTIMENT.name), 0)
    assert text.options == "A: very positive\nB: positive\nC: neutral\nD: negative\nE: very negative"


def test_tasks_without_options_have_none():
    task = TASKS.get("product_matching")
    assert {row["options"] for row in rows(task, assign(task.name, 8))} == {""}


def test_the_output_letter_points_at_the_right_option():
    for number in range(50):
        example = make_example(SEQUENTIAL.name, number)
        text = render_example(example, SEQUENTIAL, load_templates(SEQUENTIAL.name), 0)
        shown = dict(line.split(": ", 1) for line in text.options.splitlines())
        right = next(option.text for option in example.options if option.key == example.answer)
        assert shown[text.output] == right


def test_grades_of_a_ranking_stand_in_letter_order():
    for row in rows(RANKING, assign(RANKING.name, 60)):
        ranked = [row["option_grades"]["ABCD".index(letter)] for letter in row["output"].split(",")]
        assert ranked == sorted(row["option_grades"], key="ESCI".index)
        assert len(row["options"].splitlines()) == len(row["option_grades"])


def test_more_options_than_letters_are_refused():
    example = make_example(SEQUENTIAL.name, 0)
    extra = tuple(replace(option, key=f"more{place}") for place, option in enumerate(example.options))
    with pytest.raises(UserError, match="more options than there are letters"):
        letter_options(replace(example, options=example.options + extra), SEQUENTIAL, 0)


# Solved examples.


def test_a_solved_example_is_shown_whole_and_comes_from_training():
    assigned = assign(SEQUENTIAL.name, 60)
    samples = rows(SEQUENTIAL, assigned)
    train = [row for row in samples if (row["setting"], row["split"]) == ("IND_Diverse_Instruction", "train")]
    shown = set()
    for row in samples:
        if "1-shot" not in row["setting"]:
            assert row["few_shot_example"] == ""
            continue
        sources = [one for one in train if one["input"] in row["few_shot_example"]]
        assert len(sources) == 1
        assert sources[0]["options"] in row["few_shot_example"]
        assert row["few_shot_example"].endswith(f"\n{sources[0]['output']}")
        shown.add(sources[0]["example_id"])
    assert len(shown) > 5


def test_no_example_is_shown_its_own_solution():
    setting = Setting("Training_1-shot", "ind", "diverse", 1, ("train",), {"train": None})
    assigned = assign(SENTIMENT.name, 40)
    samples = rows(SENTIMENT, assigned, settings=[setting])
    assert len(samples) == 10
    assert not any(row["input"] in row["few_shot_example"] for row in samples)
    assert rows(SENTIMENT, assigned[:1], settings=[setting]) == []


def test_without_training_examples_there_are_no_one_shot_samples():
    assigned = [one for one in assign(SENTIMENT.name, 40) if one.split != "train"]
    settings = {row["setting"] for row in rows(SENTIMENT, assigned)}
    assert "IND_Diverse_Instruction" in settings
    assert not any("1-shot" in setting for setting in settings)


def test_leaving_out_a_training_example_changes_only_the_samples_that_showed_it():
    assigned = assign(SENTIMENT.name, 80)
    gone = assigned[0]
    before = {key(row): row for row in rows(SENTIMENT, assigned)}
    after = rows(SENTIMENT, assigned[1:])
    changed = [row for row in after if row != before[key(row)]]
    assert all(gone.example.fields["review"] in before[key(row)]["few_shot_example"] for row in changed)
    assert len(changed) < len([row for row in after if row["few_shot_example"]]) / 2


# Text.


@pytest.mark.parametrize("name", ["product_matching", "attribute_value_extraction"])
def test_json_inputs_are_json_and_hold_the_fields(name):
    task = TASKS.get(name)
    for number in range(10):
        example = make_example(name, number)
        value = json.loads(render_example(example, task, load_templates(name), 0).input)
        assert list(value.values()) == list(example.fields.values())


@given(st.text(min_size=1).map(str.strip).filter(bool))
def test_any_text_is_passed_on_as_it_is(text):
    example = replace(make_example(SENTIMENT.name, 0), fields={"review": text})
    assert render_example(example, SENTIMENT, load_templates(SENTIMENT.name), 0).input == text


def test_a_history_is_numbered_oldest_first():
    example = make_example(SEQUENTIAL.name, 0)
    lines = render_example(example, SEQUENTIAL, load_templates(SEQUENTIAL.name), 0).input.splitlines()
    assert lines == [f"{place}. {item.text}" for place, item in enumerate(example.context, start=1)]


def test_a_missing_variable_is_an_error_that_says_where():
    example = replace(make_example("query_product_ranking", 0), fields={"words": "lamp"})
    with pytest.raises(UserError) as caught:
        render_example(example, RANKING, load_templates(RANKING.name), 0)
    message = str(caught.value)
    for part in ("query_product_ranking/input.jinja", "line 1", "'query' is undefined", example.example_id, "words"):
        assert part in message


def test_a_missing_member_is_an_error_that_says_where(tmp_path):
    folder = folder_with_instructions(tmp_path, SEQUENTIAL.name)
    (folder / "input.jinja").write_text("History:\n\n{% for item in context %}\n- {{ item.title }}\n{% endfor %}\n")
    example = make_example(SEQUENTIAL.name, 0)
    with pytest.raises(UserError, match=rf"input\.jinja, line 4: .*'title'.*{example.example_id}"):
        render_example(example, SEQUENTIAL, load_templates(SEQUENTIAL.name, tmp_path), 0)
