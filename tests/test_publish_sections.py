"""A card brought up to date: what people wrote stays, all else is new, and no text is ever lost."""

import itertools

import publish_rows
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ecinstruct_build.publish.card import card_text
from ecinstruct_build.publish.sections import merge_card, recorded_digests, section_digests
from ecinstruct_build.publish.shards import write_shards

pytestmark = pytest.mark.slow

OLD = """---
license: mit
tags:
- kettle
- tea
configs:
- config_name: default
  data_files: data/*.parquet
---

# Kettles

All of them.

## Loading

```python
## not a heading
load("kettles")
```

## Rows

| split | rows |
| --- | ---: |
| train | 10 |

## Citing

Cite it.
"""
NEW = (
    OLD.replace("| train | 10 |", "| train | 99 |").replace("- tea", "- tea\n- pot").replace("Cite it.", "Do cite it.")
)
RECORDED = section_digests(OLD)
KEYS = ("license", "tags", "configs")
SECTIONS = ("Loading", "Rows", "Citing")


def parts(text: str) -> dict[str, str]:
    """The keys and sections of a card of the simple shape above, told apart in another way than the code does."""
    header, body = text.split("---\n", 2)[1:]
    found = {f"yaml/{key}": yaml.safe_dump(value) for key, value in (yaml.safe_load(header) or {}).items()}
    pieces = body.replace("\n## not a", "\n##\u200bnot a").split("\n## ")
    found["text/"] = pieces[0].strip()
    return found | {f"text/{piece.partition(chr(10))[0]}": piece.partition("\n")[2].strip() for piece in pieces[1:]}


def test_an_untouched_card_becomes_the_new_one():
    assert merge_card(NEW, OLD, RECORDED).text == NEW
    assert merge_card(NEW, OLD, RECORDED).kept == []


def test_where_there_is_no_card_the_new_one_goes():
    for blank in ("", " \n\n"):
        assert merge_card(NEW, blank, RECORDED).text == NEW


@pytest.mark.parametrize(
    ("before", "after", "kept"),
    [
        ("license: mit", "license: apache-2.0", "the key 'license' (edited)"),
        ("- tea", "- coffee", "the key 'tags' (edited)"),
        ("license: mit", "license: mit\nannotations_creators: [me]", "the key 'annotations_creators' (added)"),
        ("license: mit", "license: mit  # as agreed", "the key 'license' (edited)"),
        ("license: mit", "# ask Ann first\nlicense: mit", "the comment '# ask Ann first' (added)"),
        ("All of them.", "All but one.", "what stands before the first section (edited)"),
        ("| train | 10 |", "| train | ten |", "the section 'Rows' (edited)"),
        ("## Citing", "## Thanks\n\nTo Ann.\n\n## Citing", "the section 'Thanks' (added)"),
        ("\n## Citing\n\nCite it.\n", "", "the section 'Citing' (removed)"),
        ("license: mit\n", "", "the key 'license' (removed)"),
    ],
)
def test_an_edit_stays_and_is_named_and_all_else_is_new(before, after, kept):
    edited = OLD.replace(before, after, 1)
    merged = merge_card(NEW, edited, RECORDED)
    assert [str(one) for one in merged.kept] == [kept]
    assert after in merged.text
    mine = {name for name in parts(edited) if parts(OLD).get(name) != parts(edited)[name]}
    for name, text in parts(NEW).items():
        if name in parts(edited):
            assert parts(merged.text)[name] == (parts(edited)[name] if name in mine else text)
    assert ("| train | 99 |" in merged.text) == ("'Rows'" not in kept)


def test_a_heading_may_be_moved_and_stays_there_while_its_text_is_new():
    head, loading, rows, citing = _pieces(OLD)
    moved = "".join([head, citing.rstrip("\n") + "\n\n", loading, rows])
    merged = merge_card(NEW, moved, RECORDED)
    assert merged.text.index("Do cite it.") < merged.text.index("| train | 99 |")
    assert merged.kept == []


def _pieces(text: str) -> list[str]:
    borders = [0, *(text.index(f"## {name}") for name in SECTIONS), len(text)]
    return [text[begin:end] for begin, end in itertools.pairwise(borders)]


def test_what_is_no_longer_generated_goes_unless_it_was_edited():
    shorter = NEW.replace("\n## Citing\n\nDo cite it.\n", "")
    assert "Citing" not in merge_card(shorter, OLD, RECORDED).text
    assert "Cite me." in merge_card(shorter, OLD.replace("Cite it.", "Cite me."), RECORDED).text


def test_a_heading_within_a_block_of_code_is_none():
    fenced = "````text\n```\n## Rows\n```\n## Citing\n````"
    old, new = OLD.replace("All of them.", fenced), NEW.replace("All of them.", fenced)
    assert list(section_digests(old)) == list(RECORDED)
    assert merge_card(new, old, section_digests(old)).text == new


def test_a_new_section_follows_the_one_that_precedes_it():
    longer = NEW.replace("## Citing", "## Review\n\nNone.\n\n## Citing")
    mine = OLD.replace("## Rows", "## Thanks\n\nTo Ann.\n\n## Rows")
    text = merge_card(longer, mine, RECORDED).text
    order = [text.index(f"## {name}") for name in ("Loading", "Thanks", "Rows", "Review", "Citing")]
    assert order == sorted(order)


def test_how_lines_end_and_yaml_is_laid_out_is_no_edit():
    laid_out = OLD.replace("license: mit", 'license: "mit"').replace("- kettle\n- tea", "  - kettle\n  - tea")
    windows = "\ufeff" + laid_out.replace("\n", "\r\n") + "\r\n \r\n"
    assert merge_card(NEW, windows, RECORDED).text == NEW


def test_a_card_without_front_matter_gets_the_new_one_and_keeps_its_text():
    merged = merge_card(NEW, "Mine alone.\n\n## Rows\n\nFew.\n", RECORDED)
    assert merged.text.startswith(NEW[: NEW.index("# Kettles")])
    assert "Mine alone." in merged.text
    assert "Few." in merged.text


def test_a_card_that_nobody_recorded_is_somebodys():
    merged = merge_card(NEW, "---\nlicense: gpl\n---\n\n# My kettles\n", {})
    assert yaml.safe_load(merged.text.split("---\n")[1]) == {
        "license": "gpl", "tags": ["kettle", "tea", "pot"],
        "configs": [{"config_name": "default", "data_files": "data/*.parquet"}],
    }  # fmt: skip
    assert "# My kettles" in merged.text
    assert "| train | 99 |" in merged.text


@pytest.mark.parametrize(
    "broken",
    ["license: [mit", "license: {a: b", "license: 'mit", "license: *gone", "\tlicense: mit", "license: mit: no"],
)
def test_broken_yaml_is_kept_and_said_to_be_broken(broken):
    merged = merge_card(NEW, OLD.replace("license: mit", broken), RECORDED)
    assert broken.strip() in merged.text
    assert merged.problem
    assert merge_card(NEW, OLD, RECORDED).problem == ""


def test_a_short_text_that_stands_for_a_huge_one_is_kept_without_being_spelled_out():
    bomb = "a: &a [x]\n" + "\n".join(f"{b}: &{b} [{', '.join(f'*{a}' for _ in range(9))}]" for a, b in zip(
        "abcdefghijklmnop", "bcdefghijklmnopq", strict=True))  # fmt: skip
    assert bomb in merge_card(
        NEW, OLD.replace("license: mit", f"bomb:\n  {bomb.replace(chr(10), chr(10) + '  ')}"), RECORDED
    ).text.replace("\n  ", "\n")


def test_bytes_that_are_no_text_survive(tmp_path):
    (tmp_path / "README.md").write_bytes(OLD.replace("All of them.", "caf?").encode().replace(b"caf?", b"caf\xe9"))
    present = (tmp_path / "README.md").read_text(encoding="utf-8", errors="surrogateescape")
    assert b"caf\xe9" in merge_card(NEW, present, RECORDED).text.encode("utf-8", "surrogateescape")


WORDS = st.text(
    st.characters(codec="utf-8", exclude_characters="\r`~", exclude_categories=["Cc", "Zl", "Zp"]), min_size=1
)
PROSE = WORDS.map(lambda text: f"So {text} it is.").filter(lambda text: text == text.strip())
HEADINGS = st.from_regex(r"[A-Z][a-z]{3,8}", fullmatch=True).filter(lambda title: title not in SECTIONS)
EDITS = st.fixed_dictionaries(
    {},
    optional={
        **{f"yaml/{key}": st.one_of(st.none(), st.lists(WORDS, max_size=3)) for key in KEYS},
        **{f"text/{name}": st.one_of(st.none(), PROSE) for name in ("", *SECTIONS)},
    },
)
ADDED = st.dictionaries(HEADINGS, PROSE, max_size=3)


def _edited(edits: dict, sections: dict[str, str], keys: dict[str, list[str]]) -> str:
    """The old card with values replaced or (None) removed, and sections and keys added."""
    header = yaml.safe_load(OLD.split("---\n")[1])
    bodies = {name: parts(OLD)[f"text/{name}"] for name in ("", *SECTIONS)}
    for name, value in edits.items():
        kind, _, title = name.partition("/")
        place = header if kind == "yaml" else bodies
        if value is None:
            del place[title]
        else:
            place[title] = value
    header |= {f"my_{name}": value for name, value in keys.items()}
    text = "".join(f"## {name}\n\n{body}\n\n" if name else f"{body}\n\n" for name, body in (bodies | sections).items())
    front = yaml.safe_dump(header, sort_keys=False, allow_unicode=True) if header else ""
    return f"---\n{front}---\n\n" + text.replace("##\u200bnot", "## not")


@settings(max_examples=300)
@given(EDITS, ADDED, st.dictionaries(HEADINGS, st.lists(WORDS, max_size=2), max_size=2))
def test_any_edit_survives_and_what_nobody_edited_is_new(edits, sections, keys):
    present = _edited(edits, sections, keys)
    merged = merge_card(NEW, present, RECORDED)
    old, new, mine, found = parts(OLD), parts(NEW), parts(present), parts(merged.text)
    # A card without any key is one without front matter, and gets all of it.
    bare = not any(name.startswith("yaml/") for name in mine)
    expected = {name: mine[name] if mine[name] != old.get(name) else new[name] for name in mine}
    if bare:
        expected |= {name: text for name, text in new.items() if name.startswith("yaml/")}
    assert {name: text for name, text in found.items() if text} == {
        name: text for name, text in expected.items() if text
    }
    assert merge_card(NEW, merged.text, section_digests(NEW)).text == merged.text


@settings(max_examples=300)
@given(st.text(st.sampled_from("-#`~ \n\r:ab|>'[]{}&*!%@\"\t"), max_size=60), st.text(max_size=20), st.booleans())
def test_no_text_is_lost_whatever_it_is(wild, tame, within):
    present = OLD.replace("license: mit", f"license: mit\n{wild}{tame}") if within else f"{wild}{tame}{OLD}"
    merged = merge_card(NEW, present, RECORDED)
    assert "".join((wild + tame).split()) in "".join(merged.text.split()) or not (wild + tame).strip()
    assert merge_card(NEW, merged.text, section_digests(NEW)).text == merged.text


def test_a_real_card_is_what_it_is_split_into(tmp_path):
    made = publish_rows.samples()
    text = card_text(publish_rows.card_info(made, write_shards(made, tmp_path, "huggingface")))
    assert merge_card(text, "", {}).text == text
    assert merge_card(text, text, {}).text == text
    assert {"yaml/license", "yaml/configs", "text/", "text/Loading", "text/Checks"} <= set(section_digests(text))


def test_a_manifest_says_what_its_card_is_held_against():
    assert recorded_digests(None) == {}
    assert recorded_digests({"card": {"text/": "1"}}) == {"text/": "1"}
    assert recorded_digests({"card": {"text/": "1"}, "card_published": {"text/": "2"}}) == {"text/": "2"}
    assert recorded_digests({"card": "broken"}) == {}
