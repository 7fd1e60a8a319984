"""What `ecinstruct parity` calls the same as the original, explained, or unexplained."""

import json
from collections import Counter
from typing import Any

import pyarrow.parquet as pq
import pytest
from publish_rows import row, table
from typer.testing import CliRunner

from ecinstruct_build.cli import app
from ecinstruct_build.drawing.labels import labelled
from ecinstruct_build.parity.compare import compare, count_reason, read_facts
from ecinstruct_build.parity.measure import Dataset, Measured, measure
from ecinstruct_build.parity.shares import distance, independence
from ecinstruct_build.registry import TASKS

OOD = "Tools_and_Home_Improvement"
CORPORA = {"product_relation_prediction": "amazon_reviews_2018", "sentiment_analysis": "amazon_reviews_2018"}
OPTIONS = {"product_relation_prediction": 3, "sentiment_analysis": 5}
PLACES = (
    ("train", "IND_Diverse_Instruction", "train"),
    ("val", "IND_Diverse_Instruction", "validation"),
    ("test", "IND_Diverse_Instruction", "test"),
    ("test", "IND_Unseen_Instruction", "test_unseen_instructions"),
    ("test", "OOD_Diverse_Instruction", "test_ood"),
)


def made_row(task: str, split: str, setting: str, number: int) -> dict[str, Any]:
    wording = "held_out" if "Unseen" in setting else f"wording{number % 5}"
    return row(
        TASKS.get(task).published_name,
        split,
        setting,
        number,
        source=CORPORA[task],
        category=OOD if setting.startswith("OOD") else "Electronics",
        template_id=f"{wording}/default",
        options="\n".join(f"{letter}: option" for letter in "ABCDE"[: OPTIONS[task]]),
        output="A" if number < 6 else "B: option",
    )


def account() -> dict[str, Any]:
    """Ten of each split, where the recipe asks for twelve of train."""
    sizes = dict.fromkeys(("train", "validation", "test", "test_ood"), 10)
    return {
        "wanted": sizes | {"train": 12},
        "examples": sizes,
        "shortfall": {"train": 2},
        "drawn": 50,
        "rejected": {"language: foreign language": 3},
        "dropped": {"straddles splits": 7},
    }


@pytest.fixture
def folder(tmp_path):
    manifest = {
        "generated": False,
        "recipe": {"templates": {"paraphrases": 5}, "sources": {"amazon_reviews_2018": {}}, "tasks": {}},
        "tasks": {task: account() for task in CORPORA},
    }
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    for task in CORPORA:
        (tmp_path / "data" / task).mkdir(parents=True)
        for split, setting, name in PLACES:
            write(tmp_path, task, name, [made_row(task, split, setting, number) for number in range(10)])
    return tmp_path


def shard(folder, task, name):
    return folder / "data" / task / f"{name}-00000-of-00001.parquet"


def write(folder, task, name, rows):
    pq.write_table(table(rows), shard(folder, task, name))


def run(folder):
    result = CliRunner().invoke(app, ["parity", str(folder), "--json"])
    found = json.loads(result.stdout)
    return result.exit_code, {
        (line["task"], line["what"]) for line in found["lines"] if line["verdict"] == "unexplained"
    }


def change_rows(folder, task, name, change):
    rows = pq.read_table(shard(folder, task, name)).to_pylist()
    write(folder, task, name, change(rows))


def test_what_the_recipe_asks_for_and_the_books_account_for_is_explained(folder):
    assert run(folder) == (0, set())
    lines = {(line.task, line.what): line for line in compare(measure(folder), read_facts()).lines}
    reason = lines["sentiment_analysis", "rows of train"].reason
    assert reason == ("the recipe asks for 12; 2 short: 50 drawn for 42 asked for, most lost to 'straddles splits' (7)")
    assert lines["sentiment_analysis", "options"].verdict == "same"
    assert lines["product_matching", "task"].reason == "the recipe does not ask for this task"


def test_the_terminal_shows_each_verdict(folder):
    result = CliRunner().invoke(app, ["parity", str(folder)])
    assert result.exit_code == 0
    assert "0 unexplained." in result.stdout


def test_a_missing_column_is_found(folder):
    path = shard(folder, "sentiment_analysis", "test")
    pq.write_table(pq.read_table(path).drop_columns(["few_shot_example"]), path)
    assert run(folder) == (1, {("all", "first columns")})


def test_rows_that_the_manifest_does_not_account_for_are_found(folder):
    change_rows(folder, "sentiment_analysis", "validation", lambda rows: rows[1:])
    code, found = run(folder)
    assert code == 1
    assert found == {
        ("sentiment_analysis", "rows of validation"),
        ("all", "all rows of validation"),
        ("all", "all examples"),
    }


def test_a_wrong_number_of_options_is_found(folder):
    def shorten(rows):
        return [rows[0] | {"options": "A: option\nB: option"}, *rows[1:]]

    change_rows(folder, "product_relation_prediction", "train", shorten)
    assert run(folder) == (1, {("product_relation_prediction", "options")})


def test_other_answers_than_the_candidates_have_are_found(folder):
    change_rows(folder, "sentiment_analysis", "test_ood", lambda rows: [each | {"output": "A"} for each in rows])
    assert run(folder) == (1, {("sentiment_analysis", "answers of test_ood")})


def test_a_missing_wording_of_the_instruction_is_found(folder):
    def reword(rows):
        return [each | {"template_id": each["template_id"].replace("wording3", "wording2")} for each in rows]

    for _, setting, name in PLACES:
        if "Diverse" in setting:
            change_rows(folder, "sentiment_analysis", name, reword)
    assert run(folder) == (1, {("sentiment_analysis", "seen instructions")})


def test_another_corpus_than_the_recipe_names_is_found(folder):
    change_rows(folder, "sentiment_analysis", "test", lambda rows: [each | {"source": "elsewhere"} for each in rows])
    assert run(folder) == (1, {("sentiment_analysis", "corpora")})


def told(folder, change):
    """Change the manifest's recipe, and return what `compare` says then."""
    manifest = json.loads((folder / "manifest.json").read_text())
    change(manifest["recipe"])
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return {(line.task, line.what): line for line in compare(measure(folder), read_facts()).lines}


def test_further_corpora_are_explained_if_the_recipe_names_them(folder):
    change_rows(folder, "sentiment_analysis", "train", lambda rows: [rows[0] | {"source": "more"}, *rows[1:]])
    what = ("sentiment_analysis", "corpora")
    assert told(folder, lambda recipe: None)[what].verdict == "unexplained"
    assert told(folder, lambda recipe: recipe["sources"].update(more={}))[what].verdict == "explained"


def test_a_named_corpus_that_gave_nothing_is_found(folder):
    for _, _, name in PLACES:
        change_rows(folder, "sentiment_analysis", name, lambda rows: [each | {"source": "more"} for each in rows])
    found = told(folder, lambda recipe: recipe["sources"].update(more={}))
    assert found["sentiment_analysis", "corpora"].verdict == "unexplained"


def test_more_wordings_are_explained_if_the_recipe_takes_all_of_them(folder):
    rows = [made_row("sentiment_analysis", "train", "IND_Diverse_Instruction", number) for number in range(10)]
    write(folder, "sentiment_analysis", "train", [*rows[1:], rows[0] | {"template_id": "another/default"}])
    what = ("sentiment_analysis", "seen instructions")
    assert told(folder, lambda recipe: None)[what].verdict == "unexplained"
    assert told(folder, lambda recipe: recipe["templates"].update(paraphrases=None))[what].verdict == "explained"


@pytest.mark.parametrize(("rows", "verdict"), [(4, "explained"), (40, "unexplained")])
def test_wordings_may_be_missing_from_a_few_rows_only(rows, verdict):
    found = Measured(rows=Counter(train=rows), seen=Counter(one=rows - 1, another=1))
    assert line_of("sentiment_analysis", "seen instructions", found).verdict == verdict


def test_a_task_that_the_manifest_has_and_the_shards_have_not_is_found(folder):
    for _, _, name in PLACES:
        shard(folder, "sentiment_analysis", name).unlink()
    code, found = run(folder)
    assert code == 1
    assert ("sentiment_analysis", "task") in found
    assert ("all", "tasks") in found


def test_books_that_contradict_themselves_explain_nothing():
    books = account() | {"shortfall": {"train": 1}}
    assert not count_reason(books, "train", 10, 10_000)
    assert count_reason(account(), "train", 10, 10_000)


def test_shares_are_compared_by_their_total_variation():
    assert distance({"yes": 5, "no": 5}, {"yes": 1, "no": 1}) == 0
    assert distance({"yes": 3}, {"no": 1}) == 1
    assert distance({"yes": 3, "no": 1}, {"yes": 1, "no": 1}) == 0.25
    assert distance({}, {"yes": 1}) == 1


def line_of(task, what, found, funnel=(), **asked):
    steps = [{"step": step, "count": count} for step, count in dict(funnel).items()]
    account = {"wanted": {}, "shortfall": {}, "examples": {}, "funnel": steps}
    manifest = {"generated": False, "recipe": {"tasks": {task: asked}}, "tasks": {task: account}}
    lines = compare(Dataset(manifest, {task: found}, ()), read_facts()).lines
    return next(line for line in lines if (line.task, line.what) == (task, what))


def ranked(lengths: dict[int, int], grades: str = "ESIC") -> Measured:
    """Lists of a test of query product ranking, with as many options of each of some grades."""
    return Measured(
        rows=Counter(test=sum(lengths.values())),
        places={"test": Counter(esci=sum(lengths.values()))},
        test_options=Counter(lengths),
        grades=Counter(grades * 100),
    )


def test_list_lengths_near_the_original_are_the_same():
    assert line_of("query_product_ranking", "list lengths of test", ranked({2: 65, 3: 30, 4: 5})).verdict == "same"


@pytest.mark.parametrize(
    ("held", "weights", "lengths", "verdict"),
    [
        ({"ESCI": 50, "ES": 50}, [1, 3, 8], {2: 545, 3: 125, 4: 330}, "explained"),
        ({"ESCI": 50, "ES": 50}, [1, 3, 8], {2: 100, 3: 125, 4: 775}, "unexplained"),
        ({"ESCI": 50, "ES": 50}, [0, 0, 1], {2: 500, 4: 500}, "explained"),
        ({"ESCI": 100}, [0, 0, 1], {2: 500, 4: 500}, "unexplained"),
        ({"ES": 100}, [0, 0, 1], {2: 1000}, "explained"),
    ],
)
def test_list_lengths_are_explained_by_the_queries_and_the_weights_alone(held, weights, lengths, verdict):
    funnel = {labelled(grades, "ind", "esci"): count for grades, count in held.items()}
    line = line_of("query_product_ranking", "list lengths of test", ranked(lengths), funnel, length_weights=weights)
    assert line.verdict == verdict


def test_grades_are_explained_only_if_the_queries_hold_as_many_of_each():
    what = ("query_product_ranking", "labels of test")
    asked = {"length_weights": [1, 3, 8]}
    funnel = {labelled("EC", "ind", "esci"): 70, labelled("SC", "ind", "esci"): 30}
    held = ranked({2: 500}, "EEEEEEECCCCCCCCCCSSS")
    assert line_of(*what, held, funnel, **asked).verdict == "explained"
    assert line_of(*what, ranked({2: 500}, "EEESSSSSSS"), funnel, **asked).verdict == "unexplained"
    assert line_of(*what, held, {}, **asked).verdict == "unexplained"
    assert line_of(*what, held, {labelled("EC", "ind", "another"): 70}, **asked).verdict == "unexplained"


def answered(**counts: int) -> Measured:
    whole = sum(counts.values())
    labels, places = {"test": Counter(counts)}, {"test": Counter(amazonqa=whole)}
    return Measured(rows=Counter(test=whole), labels=labels, places=places)


@pytest.mark.parametrize(
    ("answers", "candidates", "verdict"),
    [
        ({"yes": 640, "no": 360}, {"yes": 1, "no": 1}, "same"),
        ({"yes": 490, "no": 510}, {"yes": 1, "no": 1}, "explained"),
        ({"yes": 800, "no": 200}, {"yes": 1, "no": 1}, "unexplained"),
        ({"yes": 490, "no": 510}, {}, "unexplained"),
        ({"yes": 8, "no": 12}, {"yes": 1, "no": 1}, "explained"),
        ({"yes": 2, "no": 18}, {"yes": 1, "no": 1}, "unexplained"),
    ],
)
def test_answers_are_explained_only_by_what_the_corpora_held_before_the_draw(answers, candidates, verdict):
    funnel = {labelled(label, "ind", "amazonqa"): count for label, count in candidates.items()}
    funnel[labelled("yes", "ood", "amazonqa")] = 10**6
    assert line_of("answerability_prediction", "answers of test", answered(**answers), funnel).verdict == verdict


@pytest.mark.parametrize(
    ("ties", "independent"),
    [
        ([], 1.0),
        ([(), (), ()], 1.0),
        ([("a",), ("b",), ("c", "d")], 1.0),
        ([("a",), ("a", "b"), ("a", "b", "c")], 1 / 3),
        ([("a",), ("a", "b"), ("b",)], 3 / (3 + 2 * 2)),  # the ends share nothing
        ([("a", "b"), ("c",), ("b", "x"), ("d",)], 4 / (2**2 + 1 + 1)),
        ([("a", "b"), (), ("b", "a"), ()], 4 / (2**2 + 1 + 1)),
        ([("a",)] * 3000, 1 / 3000),
    ],
)
def test_rows_that_hang_together_count_as_fewer(ties, independent):
    assert independence(ties) == pytest.approx(independent)
    assert independence(ties[::-1]) == pytest.approx(independent)


def test_answers_of_rows_that_hang_together_may_be_further_from_the_candidates():
    what = ("answerability_prediction", "answers of test")
    funnel = {labelled("yes", "ind", "amazonqa"): 300, labelled("no", "ind", "amazonqa"): 700}
    apart, together = answered(yes=46, no=54), answered(yes=46, no=54)
    apart.ties["test"] = [(f"question:{row}",) for row in range(100)]
    together.ties["test"] = [(f"question:{row}", f"product {row // 4}") for row in range(100)]
    assert line_of(*what, apart, funnel).verdict == "unexplained"
    assert line_of(*what, together, funnel).verdict == "explained"


@pytest.mark.parametrize(
    ("answers", "candidates", "verdict"),
    [
        ({"yes": 1}, {"yes": 1, "no": 49}, "too few"),
        ({"yes": 1, "no": 1}, {"yes": 1, "no": 1}, "too few"),
        ({"yes": 1, "no": 1}, {}, "too few"),
        ({"yes": 6, "no": 3}, {"yes": 1, "no": 1}, "too few"),  # as near to the original as if it were the same
        ({"yes": 10}, {"yes": 1, "no": 1}, "unexplained"),
        ({"yes": 3}, {}, "unexplained"),
        ({"yes": 3}, {"yes": 1, "no": 49}, "unexplained"),
        ({"yes": 10, "no": 6}, {"yes": 1, "no": 1}, "same"),
    ],
)
def test_rows_that_could_not_but_pass_are_too_few_to_be_called_the_same(answers, candidates, verdict):
    funnel = {labelled(label, "ind", "amazonqa"): count for label, count in candidates.items()}
    assert line_of("answerability_prediction", "answers of test", answered(**answers), funnel).verdict == verdict


def test_rows_without_any_answer_that_can_be_read_are_not_excused_as_few():
    silent = Measured(rows=Counter(test=2), places={"test": Counter(amazonqa=2)})
    assert line_of("answerability_prediction", "answers of test", silent).verdict == "unexplained"


def test_what_is_too_few_is_said_and_counted_apart(folder):
    whats = ("sentiment_analysis", "answers of test_ood")
    alike = {"families": ["one"], "groups": []}
    change_rows(folder, "sentiment_analysis", "test_ood", lambda rows: [each | alike for each in rows])
    line = told(folder, lambda recipe: None)[whats]
    assert (line.verdict, line.reason) == (
        "too few",
        "10 are too few to tell, and alike: they say as much as 1.0 drawn one by one",
    )
    assert run(folder) == (0, set())
    shown = CliRunner().invoke(app, ["parity", str(folder)]).stdout.splitlines()[-1]
    counted = dict(part.strip(" .").split(" ", 1)[::-1] for part in shown.split(","))
    lines = compare(measure(folder), read_facts()).lines
    assert counted == {name: str(count) for name, count in Counter(each.verdict for each in lines).items()} | {
        "unexplained": "0"
    }
    assert counted["too few"] == "1"


def test_a_chain_through_all_rows_does_not_excuse_any_answers():
    """As in a dense catalogue, where nearly everything hangs together."""
    funnel = {labelled("yes", "ind", "amazonqa"): 300, labelled("no", "ind", "amazonqa"): 700}
    chained = answered(yes=90, no=10)
    chained.ties["test"] = [(f"product {row}", f"product {row + 1}") for row in range(100)]
    assert line_of("answerability_prediction", "answers of test", chained, funnel).verdict == "unexplained"


def test_the_ties_of_a_test_are_its_families_and_groups(folder):
    found = measure(folder).tasks["sentiment_analysis"]
    assert set(found.ties) == {"test", "test_ood"}
    assert len(found.ties["test"]) == found.rows["test"]


def test_answers_that_the_recipe_asks_for_are_explained_if_they_are_there():
    what = ("answerability_prediction", "answers of test")
    assert line_of(*what, answered(yes=300, no=700), positive_share=0.3).verdict == "explained"
    assert line_of(*what, answered(yes=500, no=500), positive_share=0.3).verdict == "unexplained"


def test_candidates_of_several_corpora_are_weighed_by_their_rows():
    found = answered(yes=200, no=800)
    found.places["test"] = Counter(amazonqa=800, shop=200)
    funnel = {labelled("no", "ind", "amazonqa"): 5, labelled("yes", "ind", "shop"): 5_000}
    assert line_of("answerability_prediction", "answers of test", found, funnel).verdict == "explained"


def test_more_non_matches_than_matches_are_explained_only_by_the_recipe():
    found = Measured(outputs=Counter(yes=10, no=30))
    what = ("product_matching", "matches and others")
    assert line_of(*what, found).verdict == "unexplained"
    assert line_of(*what, found, negatives_per_match=3.0).verdict == "explained"
    assert line_of(*what, Measured(outputs=Counter(yes=0, no=1000)), negatives_per_match=3.0).verdict == "unexplained"


def test_a_longer_history_than_the_original_is_found():
    what = ("sequential_recommendation", "longest history")
    assert line_of(*what, Measured(history=50), max_history=50).verdict == "same"
    assert line_of(*what, Measured(history=51), max_history=50).verdict == "unexplained"
    assert line_of(*what, Measured(history=51), max_history=60).verdict == "explained"


def test_a_folder_without_a_build_is_refused(tmp_path):
    result = CliRunner().invoke(app, ["parity", str(tmp_path)])
    assert result.exit_code == 1
    assert "There is no manifest.json" in str(result.exception)
