"""Answers that rank options: one that leaves some out is at fault where the others rank them all."""

from pathlib import Path

from audit_rows import clean_dataset, write_shards

from ecinstruct_build.audit.run import audit_dataset

TASKS = ("Query_Product_Ranking", "Sentiment_Analysis")
SIZES = {"train": 30, "test": 10}


def test_an_incomplete_ranking_is_found(tmp_path: Path) -> None:
    made = clean_dataset(SIZES, tasks=TASKS)
    assert audit_dataset(write_shards(made, tmp_path)).passed, "answers of one letter are no rankings"
    short = made.rows["Query_Product_Ranking", "test"][3]
    short["output"] = short["output"][:3]
    audit = audit_dataset(write_shards(made, tmp_path))
    assert [(one.setting, one.found) for one in audit.exceeded] == [("answer_not_among_options", 1)]
    (fault,) = (one for one in audit.faults if one.kind == "answer not among options" and one.rows)
    assert fault.listed == ((short["example_id"], f"{short['output']}, where most rank all of A, B, C"),)


def test_a_task_whose_answers_name_the_best_few_has_no_rankings(tmp_path: Path) -> None:
    made = clean_dataset(SIZES, tasks=TASKS)
    for role in SIZES:
        for number, row in enumerate(made.rows["Query_Product_Ranking", role]):
            row["output"] = row["output"] if number % 2 else row["output"][:3]
    assert audit_dataset(write_shards(made, tmp_path)).passed
