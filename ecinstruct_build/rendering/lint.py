"""What can be wrong with a task's templates, found before a dataset is built with them.

Some rules look at the templates alone, the others at what they make of a number of examples.
"""

import difflib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from scipy.stats import chisquare

from ecinstruct_build.answers import ATTRIBUTE_LIST, FREE_TEXT, LETTERS, UnreadableAnswerError
from ecinstruct_build.errors import UserError
from ecinstruct_build.example import Example, dump_json
from ecinstruct_build.rendering.render import Rendered, choose_instruction, letter_options, render_example, variables
from ecinstruct_build.rendering.template_language import TextTemplate, mark_in
from ecinstruct_build.rendering.template_set import Instruction, TemplateSet
from ecinstruct_build.task import Task

MIN_PARAPHRASES = 5
MAX_LIKENESS = 0.8
"""Share of words in common, in order, above which two instructions count as one."""

MIN_P_VALUE = 0.001
_EXPECTED_PER_LETTER = 5  # below it the chi-square distribution is no guide
_TELLING_WORDS = 4  # fewer words may stand in another product's title by chance

_NOT_WORD = re.compile(r"[\W_]+")
_LABEL = r"(?:\w+(?: \w+){0,2} ?[:=] ?|\d+[.)] )?"  # "Answer: ", "Right letter = ", "3. "


@dataclass(frozen=True)
class Finding:
    """Something wrong with a template.

    Attributes
    ----------
    task
        The task.
    template
        The file, or the instruction's id.
    rule
        The rule that was broken, in a word or two.
    message
        What was seen.
    """

    task: str
    template: str
    rule: str
    message: str


@dataclass(frozen=True)
class _Case:
    """An example as its templates rendered it."""

    task: Task
    example: Example
    text: Rendered
    template: TextTemplate


def lint(task: Task, templates: TemplateSet, examples: Sequence[Example], seed: int) -> list[Finding]:
    """Check the templates of a task.

    Parameters
    ----------
    task, templates
        The task and its templates.
    examples
        Examples of the task to render; with none, only the rules that need none are applied. The rule on the
        position of the right option needs five examples for each letter.
    seed
        Seed of the rendering.

    Returns
    -------
    What is wrong, in order of rule; empty if nothing is. A fault that several examples show is one finding.
    """
    findings = [*_instructions(templates), *_variables(task, templates)]
    if any(finding.rule == "variables" for finding in findings):
        return findings
    try:
        cases = [_case(task, templates, example, seed) for example in examples]
    except UserError as error:
        return [*findings, Finding(task.name, "input", "rendering", str(error))]
    for rule, file, judge in _RULES:
        faults = [(case, fault) for case in cases if (fault := judge(case))]
        if faults:
            case, fault = faults[0]
            message = f"{fault} ({len(faults)} of {len(cases)} examples, such as {case.example.example_id})"
            findings.append(Finding(task.name, file or case.template.name, rule, message))
    return [*findings, *_positions(task, examples, seed)]


def preview(task: Task, templates: TemplateSet, example: Example, seed: int) -> str:
    """Return an example as its diverse sample reads: instruction, input, options and output under headings."""
    text = render_example(example, task, templates, seed)
    instruction = choose_instruction(example.example_id, templates, seed, "diverse")
    parts = [
        (f"Instruction ({instruction.id})", instruction.text),
        (f"Input ({text.variant})", text.input),
        ("Options", text.options),
        ("Output", text.output),
    ]
    return "\n\n".join(f"## {heading}\n{body}" for heading, body in parts if body) + "\n"


def normalise(text: str) -> str:
    """Return ``text`` without case, punctuation and extra white space."""
    return " ".join(_NOT_WORD.sub(" ", text.casefold()).split())


def _instructions(templates: TemplateSet) -> Iterator[Finding]:
    paraphrases = len(templates.instructions) - 1
    if paraphrases < MIN_PARAPHRASES:
        message = f"{paraphrases} paraphrases beside the seed; at least {MIN_PARAPHRASES} are needed"
        yield Finding(templates.task, "instructions.toml", "too few", message)
    for one, other in combinations(templates.instructions, 2):
        if message := _alike(one, other):
            yield Finding(templates.task, other.id, "alike", message)


def _alike(one: Instruction, other: Instruction) -> str:
    words, other_words = normalise(one.text).split(), normalise(other.text).split()
    likeness = difflib.SequenceMatcher(None, words, other_words, autojunk=False).ratio()
    if likeness <= MAX_LIKENESS:
        return ""
    leak = "; one is held out and the other is not" if one.held_out != other.held_out else ""
    return f"reads {'the same as' if words == other_words else 'almost like'} {one.id!r}{leak}"


def _variables(task: Task, templates: TemplateSet) -> Iterator[Finding]:
    for name in sorted({"context", "options"} & set(task.fields)):
        message = f"the task has a field called {name!r}, a name that templates use for something else"
        yield Finding(task.name, "fields", "variables", message)
    known = {*task.fields, "context", "options"}
    allowed = [(template, known) for template in (*templates.inputs.values(), templates.options)]
    allowed += [(templates.output, {"answer"}), (templates.few_shot, {"input", "options", "output"})]
    for template, names in allowed:
        if unknown := [variable for variable in template.variables if variable not in names]:
            message = f"uses {', '.join(unknown)}, but has only {', '.join(sorted(names))}"
            yield Finding(task.name, template.name, "variables", message)


def _case(task: Task, templates: TemplateSet, example: Example, seed: int) -> _Case:
    text = render_example(example, task, templates, seed)
    return _Case(task, example, text, templates.inputs[text.variant])


def _given_away(case: _Case) -> str:
    """Find the answer in the input, where it would be no evidence but a leak.

    Names of classes ("very positive") may well occur in a text that is to be classified, and what is to be
    extracted stands in the text by nature. But the product that is the right answer may not be shown, and no line
    may state the answer.
    """
    if case.task.answer.name in (FREE_TEXT.name, ATTRIBUTE_LIST.name):
        return ""
    lines = [line.strip() for line in case.text.input.splitlines()]
    stated = re.compile(_LABEL + re.escape(case.text.output))
    if any(stated.fullmatch(line) for line in lines):
        return f"a line of the input states the answer {case.text.output!r}"
    best = _best(case.example)
    right = next((option.text for option in case.text.lettered if option.key == best and option.product_id), "")
    words = normalise(right)
    entries = [normalise(re.sub(f"^{_LABEL}", "", line)) for line in lines]
    inside = len(words.split()) >= _TELLING_WORDS and any(f" {words} " in f" {entry} " for entry in entries)
    return f"the input holds the right option's text {right!r}" if words and (inside or words in entries) else ""


def _does_not_parse_back(case: _Case) -> str:
    try:
        answer = case.task.answer.parse(case.text.output, [option.key for option in case.text.lettered])
    except UnreadableAnswerError as error:
        return f"the output cannot be read back: {error}"
    return "" if answer == case.example.answer else f"the output {case.text.output!r} reads back as {answer!r}"


def _options_unclear(case: _Case) -> str:
    lettered = case.text.lettered
    if len({option.text.casefold() for option in lettered}) < len(lettered):
        return "two options read the same"
    for letter, option in zip(LETTERS, lettered, strict=False):
        shown = re.findall(rf"(?<!\w){letter}\W{{1,4}}{re.escape(option.text)}(?!\w)", case.text.options)
        if len(shown) != 1:
            return f"the option {option.text!r} does not stand once behind its letter {letter}"
    return ""


def _white_space(case: _Case) -> str:
    parts = {"input": case.text.input, "options": case.text.options, "output": case.text.output}
    loose = [name for name, part in parts.items() if part != part.strip()]
    return f"white space around the {' and '.join(loose)}" if loose else ""


def _empty(case: _Case) -> str:
    parts = {"input": case.text.input, "output": case.text.output}
    blank = [name for name, part in parts.items() if not part.strip()]
    return f"the {' and '.join(blank)} is empty" if blank else ""


def _unrendered(case: _Case) -> str:
    data = dump_json(variables(case.example, case.text.lettered)) + dump_json(case.example.answer)
    for part in (case.text.input, case.text.options, case.text.output):
        if (mark := mark_in(part)) and mark not in data:
            return f"the text holds {mark!r}, which is no part of the data"
    return ""


def _not_json(case: _Case) -> str:
    if not case.template.source.startswith(('{"', "[")):
        return ""
    try:
        json.loads(case.text.input)
    except json.JSONDecodeError as error:
        return f"the input looks like JSON and is not: {error}"
    return ""


_RULES: tuple[tuple[str, str, Callable[[_Case], str]], ...] = (
    ("answer given away", "", _given_away),
    ("round trip", "output.jinja", _does_not_parse_back),
    ("options", "options.jinja", _options_unclear),
    ("white space", "", _white_space),
    ("empty", "", _empty),
    ("unrendered", "", _unrendered),
    ("JSON", "", _not_json),
)
"""Name, file ("" = the input variant used) and judge of the rules on a rendered example."""


def _positions(task: Task, examples: Iterable[Example], seed: int) -> Iterator[Finding]:
    """Test whether the right option (of a ranking, the best one) is as often at one letter as at another."""
    if task.answer.option_order != "shuffled":
        return
    counts: dict[int, Counter[int]] = {}
    for example in examples:
        keys = [option.key for option in letter_options(example, task, seed)]
        counts.setdefault(len(keys), Counter())[keys.index(_best(example))] += 1
    for size, positions in sorted(counts.items()):
        observed = [positions[position] for position in range(size)]
        if size < 2 or sum(observed) < _EXPECTED_PER_LETTER * size:
            continue
        p_value = float(chisquare(observed).pvalue)
        if p_value <= MIN_P_VALUE:
            shares = ", ".join(f"{letter} {count}" for letter, count in zip(LETTERS, observed, strict=False))
            message = f"the right one of {size} options favours letters: {shares} (p = {p_value:.2g})"
            yield Finding(task.name, "options", "positions", message)


def _best(example: Example) -> str:
    best: str = example.answer if isinstance(example.answer, str) else example.answer[0]
    return best
