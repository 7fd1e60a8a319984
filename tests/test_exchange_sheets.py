"""Samples as spreadsheets: safe to open, whole, and read back however a spreadsheet saved them."""

import csv
import io
import re
import tracemalloc
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from review_samples import review_item, review_sample

from ecinstruct_build.errors import UserError
from ecinstruct_build.review.desk import Answer, Desk
from ecinstruct_build.review.exchange.parts import Part, deal
from ecinstruct_build.review.exchange.records import export_sample, import_answers
from ecinstruct_build.review.sample import ReviewSample
from ecinstruct_build.review.verdicts import VERDICTS

SAMPLE = review_sample([review_item(number, doubled=number == 2) for number in range(1, 5)])
NASTY = ["=1+1", "+cmd", "-2", "@SUM(A1)", "\t=1", "a;=1+1", "a\n=1+1", "\x00\x0bbell\x07", "\uffff", "_x0041_", "x\ry"]

notes = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff")).map(
    str.strip
)
said = st.tuples(st.sampled_from([one.name for one in VERDICTS]), notes).map(
    lambda pair: (pair[0], pair[1] or "it says so" if pair[0] == "other" else pair[1])
)


def csv_rows(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))


def write_rows(path: Path, rows: Sequence[Sequence[str]], *, delimiter: str = ",", encoding: str = "utf-8-sig") -> Path:
    with path.open("w", encoding=encoding, newline="") as stream:
        csv.writer(stream, delimiter=delimiter).writerows(rows)
    return path


def judged_csv(sample: ReviewSample, path: Path, verdicts: Mapping[int, tuple[str, str]], who: str = "ann") -> Path:
    """Hand a sample over as CSV and fill in what was said of some items."""
    export_sample(sample, path, part=Part(annotator=who))
    header, *rows = csv_rows(path)
    at = {name: place for place, name in enumerate(header)}
    for row in rows:
        row[at["verdict"]], row[at["note"]] = verdicts.get(int(row[at["number"]]), ("", ""))
    return write_rows(path, [header, *rows])


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    verdicts=st.dictionaries(st.integers(1, 4), said, min_size=1), labels=st.booleans(), nasty=st.sampled_from(NASTY)
)
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_what_is_filled_in_comes_back(
    kind: str, verdicts: dict[int, tuple[str, str]], labels: bool, nasty: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    sample = review_sample([review_item(number, input=nasty, output=nasty) for number in range(1, 5)])
    path = tmp_path_factory.mktemp("sheets") / f"judge.{kind}"
    shown = {one.name: one.label if labels else one.name for one in VERDICTS}
    said_as = {number: (shown[verdict], note) for number, (verdict, note) in verdicts.items()}
    if kind == "csv":
        judged_csv(sample, path, said_as)
    else:
        export_sample(sample, path, part=Part(annotator="ann"))
        book = load_workbook(path)
        sheet = book["items"]
        at = {cell.value: cell.column for cell in sheet[1]}
        for number, (verdict, note) in said_as.items():
            sheet.cell(number + 1, at["verdict"]).value = verdict
            sheet.cell(number + 1, at["note"]).value = note
        book.save(path)
    expected = [Answer(number, "ann", *verdicts[number]) for number in sorted(verdicts)]
    assert import_answers(sample, path) == expected


def test_no_cell_is_a_formula(tmp_path: Path) -> None:
    sample = review_sample([review_item(place + 1, input=text, options=text) for place, text in enumerate(NASTY)])
    export_sample(sample, tmp_path / "a.csv", part=Part(annotator="=evil"))
    for row in csv_rows(tmp_path / "a.csv"):
        for cell in row:
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
            assert not re.search(r"[;\t\r\n][=+\-@]", cell)  # a spreadsheet that splits there would see one
    export_sample(sample, tmp_path / "a.xlsx", part=Part(annotator="=evil"))
    sheet = load_workbook(tmp_path / "a.xlsx")["items"]
    kinds = {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None}
    assert kinds == {"s", "n"}
    assert "<f>" not in zipfile.ZipFile(tmp_path / "a.xlsx").read("xl/worksheets/sheet1.xml").decode()


def test_a_workbook_shows_what_stands_in_the_row(tmp_path: Path) -> None:
    export_sample(review_sample([review_item(1, input="=1+1", output="a\x07b_x0041_")]), tmp_path / "a.xlsx")
    book = load_workbook(tmp_path / "a.xlsx")
    cells = dict(zip(*(([cell.value for cell in row]) for row in book["items"].iter_rows()), strict=True))
    assert cells["input"] == "=1+1"
    assert cells["output"].replace("_x005F_", "_") == "a\N{SYMBOL FOR BELL}b_x0041_"
    assert cells["number"] == 1
    choice = book["items"].data_validations.dataValidation[0]
    assert str(choice.sqref) == "J2"
    assert choice.formula1 == '"' + ",".join(one.label for one in VERDICTS) + '"'
    assert any("wrong answer" in str(row[0]) for row in book["guideline"].iter_rows(values_only=True))


@pytest.mark.parametrize("long", ["x" * 32_768, "\N{GRINNING FACE}" * 40_000], ids=["one over", "outside the plane"])
def test_a_text_too_long_for_a_cell_is_cut_in_sight_and_whole_elsewhere(long: str, tmp_path: Path) -> None:
    sample = review_sample([review_item(1), review_item(2, input=long)])
    for name in ("a.xlsx", "a.csv"):
        export_sample(sample, tmp_path / name)
    book = load_workbook(tmp_path / "a.xlsx")
    cells = [cell.value for row in book["items"].iter_rows() for cell in row if isinstance(cell.value, str)]
    cells += [cell for row in csv_rows(tmp_path / "a.csv") for cell in row]
    assert max(len(cell.encode("utf-16-le")) // 2 for cell in cells) <= 32_767
    assert sum(f"cut here: {len(long):,} characters in all" in cell for cell in cells) == 2
    pieces = list(book["long texts"].iter_rows(min_row=2, values_only=True))
    assert "".join(str(piece) for _, _, piece in pieces) == long
    assert {(item, column) for item, column, _ in pieces} == {("2", "input")}
    export_sample(review_sample([review_item(1, input="x" * 32_767)]), tmp_path / "fits.xlsx")
    assert load_workbook(tmp_path / "fits.xlsx").sheetnames == ["items", "guideline"]


@pytest.mark.parametrize(
    ("delimiter", "encoding"), [(";", "utf-8-sig"), ("\t", "utf-16"), (",", "utf-8"), (";", "utf-8")]
)
def test_a_csv_that_a_spreadsheet_saved_its_own_way_is_read(delimiter: str, encoding: str, tmp_path: Path) -> None:
    path = judged_csv(SAMPLE, tmp_path / "a.csv", {1: ("good", ""), 3: ("Wrong Answer", "B, not; A")})
    header, *rows = csv_rows(path)
    order = sorted(range(len(header)), key=lambda place: header[place])
    changed = [["", "seen", *(row[place] for place in order)] for row in (header, *reversed(rows))]
    changed[0][1] = "My own remarks"
    write_rows(path, [*changed, [""] * len(changed[0]), [], [""]], delimiter=delimiter, encoding=encoding)
    assert import_answers(SAMPLE, path) == [Answer(1, "ann", "good"), Answer(3, "ann", "wrong_answer", "B, not; A")]


def test_a_workbook_with_rows_above_and_sheets_before_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    export_sample(SAMPLE, path)
    rows = [list(row) for row in load_workbook(path)["items"].iter_rows(values_only=True)]
    book = Workbook()
    book.active.append(["number", "what I think"])
    sheet = book.create_sheet("mine")
    sheet.append(["Kettles, second batch"])
    sheet.append([])
    sheet.append([str(cell).upper() for cell in rows[0]])
    rows[1][0], rows[1][9] = 1.0, "GOOD"
    for row in rows[1:]:
        sheet.append(row)
    sheet.cell(5000, 3).value = " "
    book.save(path)
    assert import_answers(SAMPLE, path, annotator="bo") == [Answer(1, "bo", "good")]


def changed(path: Path, column: str, value: str, line: int = 1) -> Path:
    rows = csv_rows(path)
    rows[line][rows[0].index(column)] = value
    return write_rows(path, rows)


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("sample id", "sample:abc", "row 2 is of the sample 'abc', not of '12e4567890123456'"),
        ("sample id", "", "row 2 does not say of which sample"),
        ("number", "99", "item '99', which the sample does not have"),
        ("number", "one", "item 'one', which the sample does not have"),
        ("number", "3", "item 3 but has another row's digest"),
        ("output", "B", "row 2 is about item 1, but its output is not the one that was handed over"),
        ("input", "It boils.", "row 2 is about item 1, but its input is not"),
        ("row digest", "1E+30", "item 1 but has another row's digest"),
        ("verdict", "wrong anser", "the verdict 'wrong anser', which there is not. Did you mean 'wrong answer'?"),
        ("verdict", "other", "'other' without a note"),
        ("annotator", "bo", "says that 'bo' judged, not 'ann'"),
    ],
)
def test_what_does_not_match_the_sample_is_refused(column: str, value: str, reason: str, tmp_path: Path) -> None:
    path = judged_csv(SAMPLE, tmp_path / "a.csv", {1: ("good", ""), 2: ("good", "")})
    with pytest.raises(UserError, match=re.escape(reason)):
        import_answers(SAMPLE, changed(path, column, value), annotator="ann")


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("one\ntwo", "one\r\ntwo"),
        ("one\r\ntwo", "one_x000D_\ntwo"),
        ("ends here", "ends here  \n"),
        ("=1+1", "'=1+1"),
        ("-2", "-2.0"),
        ("1,299.00", "1299"),
        ("50%", "0.5"),
        ("3-May", "03/05/2026"),
        ("a; =b", "a; =b"),
        ("_x0041_", "_x005F_x0041_"),
        ("cafe\u0301", "caf\u00e9"),
        ("True", "TRUE"),
        ("x" * 40_000, "x" * 30_000),
        ("kept", ""),
    ],
)
def test_what_a_spreadsheet_changes_by_itself_is_no_changed_row(
    kind: str, text: str, shown: str, tmp_path: Path
) -> None:
    sample = review_sample([review_item(1, output=text)])
    path = judged_csv(sample, tmp_path / "a.csv", {1: ("good", "")})
    if kind == "xlsx":
        book = Workbook()
        for line in csv_rows(changed(path, "output", shown)):
            book.worksheets[0].append(["'" + cell if cell.startswith("=") else cell for cell in line])
        path = tmp_path / "a.xlsx"
        book.save(path)
    else:
        changed(path, "output", shown)
    assert len(import_answers(sample, path)) == 1


@pytest.mark.parametrize(
    ("text", "shown"), [("A", "B"), ("no", "yes"), ("2 litres", "3 litres"), ("4", "5"), ("", "more")]
)
def test_a_text_that_somebody_changed_in_a_workbook_is_refused(text: str, shown: str, tmp_path: Path) -> None:
    sample = review_sample([review_item(1, output=text)])
    export_sample(sample, tmp_path / "a.xlsx", part=Part(annotator="ann"))
    book = load_workbook(tmp_path / "a.xlsx")
    at = {cell.value: cell.column_letter for cell in book["items"][1]}
    book["items"][f"{at['verdict']}2"], book["items"][f"{at['output']}2"] = "good", shown
    book.save(tmp_path / "a.xlsx")
    with pytest.raises(UserError, match="row 2 is about item 1, but its output is not"):
        import_answers(sample, tmp_path / "a.xlsx")


def test_an_item_that_one_person_judges_twice_is_refused_but_not_by_two(tmp_path: Path) -> None:
    rows = csv_rows(judged_csv(SAMPLE, tmp_path / "a.csv", {2: ("good", "")}))
    twice = write_rows(tmp_path / "twice.csv", [*rows, [*rows[2][:-1], "ANN"]])
    with pytest.raises(UserError, match="row 6 judges item 2 again"):
        import_answers(SAMPLE, twice)
    both = write_rows(tmp_path / "both.csv", [*rows, [*rows[2][:-1], "bo"]])
    assert [(one.number, one.annotator) for one in import_answers(SAMPLE, both)] == [(2, "ann"), (2, "bo")]


def test_all_problems_are_told_together_up_to_a_few(tmp_path: Path) -> None:
    sample = review_sample([review_item(number) for number in range(1, 21)])
    path = judged_csv(sample, tmp_path / "a.csv", dict.fromkeys(range(1, 21), ("nonsense", "")))
    with pytest.raises(UserError) as refusal:
        import_answers(sample, path)
    assert str(refusal.value).count("\n  - row") == 6
    assert "and 14 more" in str(refusal.value)
    assert "nothing of it was taken in" in str(refusal.value)


def test_a_verdict_left_out_with_a_note_is_asked_about(tmp_path: Path) -> None:
    path = judged_csv(SAMPLE, tmp_path / "a.csv", {1: ("", "hmm"), 2: ("good", "")})
    with pytest.raises(UserError, match="row 2 has a note but no verdict"):
        import_answers(SAMPLE, path)


def test_nobody_is_taken_for_an_annotator(tmp_path: Path) -> None:
    path = judged_csv(SAMPLE, tmp_path / "a.csv", {1: ("good", "")}, who="")
    with pytest.raises(UserError, match="row 2 does not say who judged"):
        import_answers(SAMPLE, path)
    assert import_answers(SAMPLE, path, annotator=" ann ")[0].annotator == "ann"


def test_a_line_of_ones_own_is_let_be(tmp_path: Path) -> None:
    rows = csv_rows(judged_csv(SAMPLE, tmp_path / "a.csv", {1: ("good", "")}))
    path = write_rows(tmp_path / "b.csv", [*rows, ["", "4 of 4 seen", *[""] * 9, "ann"]])
    assert [one.number for one in import_answers(SAMPLE, path)] == [1]


def test_a_name_that_looks_like_a_formula_comes_back_as_it_was(tmp_path: Path) -> None:
    path = judged_csv(SAMPLE, tmp_path / "a.csv", {1: ("good", "")}, who="=ann")
    assert import_answers(SAMPLE, path)[0].annotator == "=ann"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.xlsx", b"PK\x03\x04 nothing more", "no Excel workbook, or a damaged one"),
        ("a.xlsx", b"", "is empty"),
        ("a.csv", b"", "is empty"),
        ("a.csv", b"\xef\xbb\xbf\r\n;;;\r\n", "holds no verdict|is empty|lacks"),
        ("a.csv", b"number,verdict\n1,good\n", "lacks the columns 'row digest', 'sample id'"),
        ("a.csv", b"number,row digest,sample id,verdict,verdict\n", "'verdict' more than once"),
        ("a.csv", "número;verdict\n1;good\n".encode("cp1252"), "not in UTF-8"),
        ("a.ods", b"whatever", "name the format"),
    ],
)
def test_a_file_that_is_no_such_sheet_is_refused(name: str, content: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=reason):
        import_answers(SAMPLE, tmp_path / name)


@pytest.mark.parametrize(
    ("column", "step"), [pytest.param("XFD", 1, id="wide"), pytest.param("A", 10**9, id="long", marks=pytest.mark.slow)]
)
def test_a_workbook_that_claims_to_be_vast_takes_little_memory(column: str, step: int, tmp_path: Path) -> None:
    lines = [step * number for number in range(1, 2001)]
    rows = "".join(f'<row r="{line}"><c r="{column}{line}"><v>1</v></c></row>' for line in lines)
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    Workbook().save(tmp_path / "small.xlsx")
    with zipfile.ZipFile(tmp_path / "small.xlsx") as small, zipfile.ZipFile(tmp_path / "vast.xlsx", "w") as vast:
        for name in small.namelist():
            sheet = f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>'.encode()
            vast.writestr(name, sheet if name.endswith("sheet1.xml") else small.read(name))
    tracemalloc.start()
    try:
        with pytest.raises(UserError, match="is empty"):
            import_answers(SAMPLE, tmp_path / "vast.xlsx")
        assert tracemalloc.get_traced_memory()[1] < 100 * 2**20
    finally:
        tracemalloc.stop()


def test_every_cut_of_a_workbook_is_refused_with_a_word(tmp_path: Path) -> None:
    export_sample(SAMPLE, tmp_path / "a.xlsx")
    whole = (tmp_path / "a.xlsx").read_bytes()
    for end in range(1, len(whole), len(whole) // 40):
        (tmp_path / "cut.xlsx").write_bytes(whole[:end])
        with pytest.raises(UserError):
            import_answers(SAMPLE, tmp_path / "cut.xlsx")
    for place in range(0, len(whole), len(whole) // 40):
        (tmp_path / "bent.xlsx").write_bytes(whole[:place] + b"\xff\x00" + whole[place + 2 :])
        with pytest.raises(UserError):
            import_answers(SAMPLE, tmp_path / "bent.xlsx")


def test_nothing_is_written_over(tmp_path: Path) -> None:
    export_sample(SAMPLE, tmp_path / "a.csv")
    (tmp_path / "a.csv").write_text("filled in")
    with pytest.raises(UserError, match="is there already"):
        export_sample(SAMPLE, tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text() == "filled in"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "a.guideline.md"]


def test_a_desk_takes_in_what_came_back(tmp_path: Path) -> None:
    desk = Desk.create(tmp_path / "review.sqlite", SAMPLE)
    dealt = deal(SAMPLE, ["ann", "bo"])
    for who, numbers in dealt.items():
        export_sample(SAMPLE, tmp_path / f"{who}.csv", part=Part(annotator=who, numbers=numbers))
        rows = csv_rows(tmp_path / f"{who}.csv")
        place = rows[0].index("verdict")
        filled = [rows[0], *([*row[:place], "unclear input", *row[place + 1 :]] for row in rows[1:])]
        desk.take_in(import_answers(SAMPLE, write_rows(tmp_path / f"{who}.csv", filled)))
    assert desk.progress().finished
    assert {(one.number, one.annotator) for one in desk.answers()} == {
        (number, who) for who, numbers in dealt.items() for number in numbers
    }


@given(
    doubled=st.lists(st.booleans(), min_size=1, max_size=12),
    people=st.lists(st.sampled_from(["ann", "bo", "cy"]), min_size=1, unique=True),
    done=st.sets(st.tuples(st.integers(1, 12), st.sampled_from(["ann", "bo", "cy"]))),
)
def test_judgements_are_dealt_once_and_evenly(
    doubled: list[bool], people: list[str], done: set[tuple[int, str]]
) -> None:
    sample = review_sample([review_item(place, doubled=one) for place, one in enumerate(doubled, start=1)])
    answers = [Answer(number, who, "good") for number, who in sorted(done) if number <= len(doubled)]
    dealt = deal(sample, people, answers)
    for item in sample.items:
        judged = {one.annotator for one in answers if one.number == item.number}
        given_to = {who for who, numbers in dealt.items() if item.number in numbers}
        assert given_to <= {who for who, numbers in deal(sample, people).items() if item.number in numbers}
        assert not judged & given_to
        wanted = max(0, 1 + item.doubled - len(judged))
        assert len(given_to) == min(wanted, len(set(people) - judged))
    if not answers and not all(doubled):
        counts = [len(numbers) for numbers in dealt.values()]
        assert max(counts) - min(counts) <= 1
