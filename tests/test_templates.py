"""Template folders: every task has a sound one, faults are named, and a template can do no harm."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from made_examples import MAKERS, make_example, make_examples

from ecinstruct_build.errors import UserError
from ecinstruct_build.example import Item
from ecinstruct_build.registry import TASKS
from ecinstruct_build.rendering.lint import lint, preview
from ecinstruct_build.rendering.template_language import compile_template
from ecinstruct_build.rendering.template_set import load_templates, packaged_templates, template_folders

PACKAGED = Path(str(packaged_templates().joinpath("output.jinja"))).parent


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of the packaged templates that a test may spoil."""
    return Path(shutil.copytree(PACKAGED, tmp_path / "templates"))


def edit(file: Path, change: Callable[[str], str]) -> None:
    before = file.read_text(encoding="utf-8")
    after = change(before)
    assert after != before
    file.write_text(after, encoding="utf-8")


def rules(task: str, root: Path | None = None, count: int = 40) -> set[str]:
    return {found.rule for found in lint(TASKS.get(task), load_templates(task, root), make_examples(task, count), 0)}


# Contract: what holds for every task and every template folder, a new one included.


def test_every_task_has_a_template_folder_and_every_folder_a_task():
    assert template_folders() == TASKS.names()


@pytest.mark.parametrize("task", TASKS.names())
def test_templates_of_a_task_are_sound_by_themselves(task):
    assert lint(TASKS.get(task), load_templates(task), [], 0) == []


@pytest.mark.parametrize("task", TASKS.names())
def test_instructions_stand_on_one_line_and_end_as_sentences_do(task):
    for instruction in load_templates(task).instructions:
        assert "\n" not in instruction.text
        assert "  " not in instruction.text
        assert instruction.text[0].isupper()
        assert instruction.text[-1] in ".?"


@pytest.mark.parametrize("task", sorted(MAKERS))
def test_templates_render_made_examples_without_findings(task):
    assert lint(TASKS.get(task), load_templates(task), make_examples(task, 400), 0) == []


# Dropping files in.


def test_a_variant_is_added_by_dropping_a_file_in(root):
    (root / "query_product_ranking" / "input_search.jinja").write_text("Search: {{ query }}\n")
    templates = load_templates("query_product_ranking", root)
    assert list(templates.inputs) == ["default", "search"]
    assert rules("query_product_ranking", root) == set()


def test_a_folder_for_another_task_is_added_by_dropping_it_in(tmp_path):
    folder = tmp_path / "haiku"
    folder.mkdir()
    folder.joinpath("instructions.toml").write_text(
        '[[instruction]]\nid = "seed"\ntext = "Write."\n[[instruction]]\nid = "b"\ntext = "Compose."\nheld_out = true\n'
    )
    folder.joinpath("input.jinja").write_text("{{ topic }}")
    templates = load_templates("haiku", tmp_path)
    assert templates.inputs["default"].render({"topic": "rain"}) == "rain"
    assert templates.options.render({"options": [{"letter": "A", "text": "wet"}]}) == "A: wet"


def test_another_root_replaces_what_it_holds_and_leaves_the_rest(tmp_path):
    (tmp_path / "options.jinja").write_text(
        "{% for option in options %}({{ option.letter }}) {{ option.text }}; {% endfor %}"
    )
    templates = load_templates("sentiment_analysis", tmp_path)
    assert templates.instructions == load_templates("sentiment_analysis").instructions
    assert templates.options.render({"options": [{"letter": "A", "text": "good"}]}) == "(A) good; "


def test_a_tasks_own_options_file_comes_before_the_shared_one(root):
    (root / "sentiment_analysis" / "options.jinja").write_text("{{ options | length }}")
    assert load_templates("sentiment_analysis", root).options.render({"options": [1, 2]}) == "2"


@pytest.mark.parametrize(
    "name", ["sentiment_analysis/instructions.toml", "sentiment_analysis/input.jinja", "options.jinja"]
)
def test_the_digest_changes_with_any_file_that_is_used(root, name):
    before = load_templates("sentiment_analysis", root).digest
    other = load_templates("product_matching", root).digest
    assert before == load_templates("sentiment_analysis").digest
    with (root / name).open("a") as file:
        file.write("\n")
    assert load_templates("sentiment_analysis", root).digest != before
    assert (load_templates("product_matching", root).digest != other) == ("/" not in name)


def test_a_number_of_paraphrases_keeps_the_seed_and_one_held_out():
    templates = load_templates("sentiment_analysis")
    limited = templates.limited(5)
    assert len(limited.instructions) == 6
    assert limited.seed_instruction == templates.seed_instruction
    assert limited.held_out == templates.held_out[:1]
    assert limited.limited(None) is limited
    with pytest.raises(UserError, match="50 paraphrases"):
        templates.limited(50)


# Faults of a folder.


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace('"seed"', '"first"'), "must be an instruction with id 'seed'"),
        (lambda text: text.replace("held_out = true", ""), "held_out = true"),
        (lambda text: text.replace('"scale"', '"feel"'), "same id"),
        (lambda text: text.replace("held_out", "heldout", 1), "heldout"),
        (lambda text: text + "[[", "not TOML"),
        (lambda text: text.replace('"scale"', '"a/b"'), "pattern"),
    ],
)
def test_a_faulty_instruction_file_is_named(root, change, message):
    edit(root / "sentiment_analysis" / "instructions.toml", change)
    with pytest.raises(UserError, match=r"sentiment_analysis/instructions\.toml") as caught:
        load_templates("sentiment_analysis", root)
    assert message in str(caught.value)


def test_an_unknown_folder_is_answered_with_the_nearest():
    with pytest.raises(UserError, match="Did you mean 'sentiment_analysis'"):
        load_templates("sentiment_analyses")


def test_a_folder_without_input_is_refused(root):
    (root / "sentiment_analysis" / "input.jinja").unlink()
    with pytest.raises(UserError, match=r"no input\.jinja"):
        load_templates("sentiment_analysis", root)


def test_a_task_name_cannot_lead_out_of_the_root(root):
    with pytest.raises(UserError, match="no template folder"):
        load_templates("../templates/sentiment_analysis", root)


# What lint finds. Each test spoils one thing.


def test_lint_finds_unknown_variables(root):
    (root / "sentiment_analysis" / "input.jinja").write_text("{{ reveiw }}")
    found = lint(TASKS.get("sentiment_analysis"), load_templates("sentiment_analysis", root), [], 0)
    assert [(each.rule, each.template) for each in found] == [("variables", "sentiment_analysis/input.jinja")]
    assert "reveiw" in found[0].message


def test_lint_finds_instructions_alike_and_across_the_held_out_line(root):
    file = root / "sentiment_analysis" / "instructions.toml"
    seed = load_templates("sentiment_analysis").seed_instruction.text
    shouted = seed.upper().replace(".", " !")
    file.write_text(file.read_text() + f'[[instruction]]\nid = "again"\ntext = "{shouted}"\nheld_out = true\n')
    found = lint(TASKS.get("sentiment_analysis"), load_templates("sentiment_analysis", root), [], 0)
    assert [(each.rule, each.template) for each in found] == [("alike", "again")]
    assert "the same as 'seed'" in found[0].message
    assert "held out" in found[0].message


def test_lint_finds_near_copies(root):
    wording = "Place the customer's opinion on the scale given in the options. Reply with one letter."
    edit(
        root / "sentiment_analysis" / "instructions.toml",
        lambda text: f'{text}[[instruction]]\nid = "again"\ntext = "{wording}"\n',
    )
    assert rules("sentiment_analysis", root) == {"alike"}


def test_lint_finds_too_few_paraphrases(root):
    (root / "sentiment_analysis" / "instructions.toml").write_text(
        '[[instruction]]\nid = "seed"\ntext = "Judge."\n[[instruction]]\nid = "b"\ntext = "Tell."\nheld_out = true\n'
    )
    assert rules("sentiment_analysis", root) == {"too few"}


def test_instructions_that_expect_to_be_rendered_are_refused(root):
    edit(
        root / "sentiment_analysis" / "instructions.toml", lambda text: text.replace("the product", "{{ product }}", 1)
    )
    with pytest.raises(UserError, match=r"sentiment_analysis/instructions\.toml: .*holds '\{\{', but"):
        load_templates("sentiment_analysis", root)


@pytest.mark.parametrize(
    ("task", "file", "text", "rule"),
    [
        ("sequential_recommendation", "input.jinja", "Next: {{ options[0].text }}", "answer given away"),
        ("sequential_recommendation", "input.jinja", "{{ options | json }}", "answer given away"),
        ("sentiment_analysis", "input.jinja", "{{ review }}\nAnswer: B", "answer given away"),
        ("product_matching", "input.jinja", "{{ left | json }}\nSame = no", "answer given away"),
        ("product_matching", "input.jinja", '{"left": {{ left }}}', "JSON"),
        ("product_matching", "output.jinja", "Answer: {{ answer }}", "round trip"),
        ("product_matching", "output.jinja", "{{ 'no' if answer == 'yes' else 'yes' }}", "round trip"),
        (
            "sentiment_analysis",
            "options.jinja",
            "{% for option in options %}\n- {{ option.text }}\n{% endfor %}",
            "options",
        ),
        (
            "sentiment_analysis",
            "options.jinja",
            "{% for o in options %}{{ o.letter }}: {{ o.text }} {% endfor %}",
            "white space",
        ),
        ("sentiment_analysis", "input.jinja", " {{ review }}", "white space"),
        ("query_product_ranking", "input.jinja", "{{ query }} {{ '{{' }}", "unrendered"),
        ("query_product_ranking", "input.jinja", "{% if not query %}{{ query }}{% endif %}", "empty"),
        ("query_product_ranking", "input.jinja", "{{ query.words }}", "rendering"),
    ],
)
def test_lint_finds(root, task, file, text, rule):
    (root / task / file).write_text(text)
    assert rule in rules(task, root)


def test_lint_finds_options_that_read_the_same():
    example = make_example("product_relation_prediction", 0)
    example = replace(example, options=(*example.options, example.options[0]))
    found = lint(TASKS.get(example.task), load_templates(example.task), [example], 0)
    assert [each.rule for each in found] == ["options"]


def test_lint_finds_right_options_that_favour_the_first_half_of_the_letters(monkeypatch):
    def biased(example, task, seed):
        right = next(option for option in example.options if option.key == example.answer)
        others = [option for option in example.options if option != right]
        others.insert(int(example.identity) % 10, right)
        return tuple(others)

    monkeypatch.setattr("ecinstruct_build.rendering.lint.letter_options", biased)
    assert rules("sequential_recommendation", count=200) == {"positions"}


@pytest.mark.parametrize(("bought", "found"), [("Pen", {"answer given away"}), ("Pen Refill", set())])
def test_lint_finds_the_right_product_in_the_history(bought, found):
    example = make_example("sequential_recommendation", 0)
    right = replace(example.options[0], text="pen")
    example = replace(
        example,
        options=(right, *example.options[1:]),
        answer=right.key,
        context=(Item("asin:B1", "Ink"), Item("asin:B2", bought)),
    )
    assert {each.rule for each in lint(TASKS.get(example.task), load_templates(example.task), [example], 0)} == found


def test_lint_leaves_evidence_alone(root):
    (root / "attribute_value_extraction" / "input.jinja").write_text("{{ paragraphs | json }}")
    assert rules("attribute_value_extraction", root) == set()
    example = replace(make_example("sentiment_analysis", 0), fields={"review": "Neutral"}, answer="neutral")
    assert lint(TASKS.get(example.task), load_templates(example.task), [example], 0) == []


def test_preview_shows_all_parts():
    example = make_example("sentiment_analysis", 1)
    text = preview(TASKS.get("sentiment_analysis"), load_templates("sentiment_analysis"), example, 0)
    for part in ("## Instruction (", "## Input (default)", example.fields["review"], "## Options", "## Output"):
        assert part in text


# Templates may come from anywhere.


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ x['__class__']['__mro__'] }}",
        "{{ x.__init__ }}",
        "{{ x.format }}",
        "{{ x.upper() }}",
        "{% for i in range(1000000000) %}x{% endfor %}",
        "{{ 'x' * 1000000000 }}",
        "{{ 9 ** 9 ** 9 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ x | center(1000000000) }}",
        "{{ x | replace('a', 'aaaaaaaaaa') }}",
        "{{ x | join(x) | join(x) }}",
        "{{ x | join(',') }}",
        "{{ many | join(x) }}",
        "{{ many | join(separator=x) }}",
        "{{ many | join(*many) }}",
        "{{ x | json | json | json | json }}",
        "{% set y = x ~ x %}{{ y }}",
        "{% with y = x ~ x %}{{ y }}{% endwith %}",
        "{% include '/etc/hostname' %}",
        "{% import 'os' as os %}",
        "{% extends 'base.jinja' %}",
        "{{ open('/etc/hostname').read() }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ self }}",
        "{{ lipsum }}",
        "{{ varargs }}",
        "{% macro f() %}{{ f() }}{% endmacro %}",
        "{% for a in x %}" * 4 + "." + "{% endfor %}" * 4,
        "{% for a in x recursive %}{{ loop(x) }}{% endfor %}",
        "{% if",
        "{{ " + "(" * 5000 + "x" + ")" * 5000 + " }}",
    ],
)
def test_a_template_that_could_do_harm_is_refused(source):
    with pytest.raises(UserError, match=r"Template evil/input\.jinja"):
        compile_template("evil/input.jinja", source).render({"x": "aaa", "many": ["a", "b"]})


def test_data_is_never_a_template():
    template = compile_template("made/input.jinja", "{{ text }}{% for each in many %}, {{ each.text }}{% endfor %}")
    assert template.render({"text": "{{ 7 * 7 }}", "many": [{"text": "{% raw %}"}]}) == "{{ 7 * 7 }}, {% raw %}"


def test_a_member_named_like_a_method_is_the_data():
    assert compile_template("made/input.jinja", "{{ box.items }}").render({"box": {"items": "two"}}) == "two"


def test_text_is_not_escaped_and_line_breaks_at_the_end_are_dropped():
    assert compile_template("made/input.jinja", "<{{ text }}>\n\n").render({"text": 'a & "b"'}) == '<a & "b">'
