"""The words of an example, as checks read them: its fields, its context and the products that the answer names.

Rendered text is never read: a shared instruction makes everything look alike. Wrong options are not read either:
they say nothing of what the example is about.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from ecinstruct_build.example import Example, dump_json
from quality.splitting.ties import right_keys


def strings(value: Any) -> Iterator[str]:
    """Yield every string in a JSON value: members by key, parts in order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key in sorted(value):
            yield from strings(value[key])
    elif isinstance(value, list | tuple):
        for part in value:
            yield from strings(part)


def field_texts(example: Example) -> Iterator[str]:
    """Yield every text in the fields, by field name, and then the context's, in order."""
    for name in sorted(example.fields):
        yield from _texts(example.fields[name])
    for item in example.context:
        yield item.text


def fields_by_name(example: Example) -> dict[str, str]:
    """Return the text of each field, its parts joined by spaces, and of the context as a whole."""
    texts = {name: " ".join(_texts(example.fields[name])) for name in sorted(example.fields)}
    if example.context:
        texts["context"] = " ".join(item.text for item in example.context)
    return texts


def content_texts(example: Example) -> list[str]:
    """Return the texts that make an example what it is.

    To those of `field_texts` come, in sorted order, the right options where options are products: two equal histories
    that go on differently are two examples.
    """
    right = set(right_keys(example.answer))
    named = sorted(option.text for option in example.options if option.product_id and option.key in right)
    return [*field_texts(example), *named]


def answer_form(example: Example) -> str:
    """Return the answer in a form that is equal for equal answers, options being named by their text."""
    text_of = {option.key: option.text for option in example.options}
    answer = example.answer
    if isinstance(answer, str):
        return dump_json(text_of.get(answer, answer))
    if isinstance(answer, list | tuple) and all(isinstance(part, str) for part in answer):
        return dump_json([text_of.get(part, part) for part in answer])
    return dump_json(sorted(answer, key=dump_json) if isinstance(answer, list | tuple) else answer)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key in sorted(value):
            yield from _texts(value[key])
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part)
    elif value is not None:
        yield dump_json(value)
