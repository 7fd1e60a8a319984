"""The small, harmless part of Jinja that templates may use.

A template is text with holes: it may name variables, loop over lists, test and pass values through a few
filters. It may not call, assign, include, multiply or reach into Python objects, so it can neither run code
nor grow beyond a small multiple of the data that it is given. What is not on the list is refused when the
template is read, before anything is rendered.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, meta, nodes
from jinja2.filters import FILTERS
from jinja2.runtime import LoopContext, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.tests import TESTS

from ecinstruct_build.errors import UserError
from ecinstruct_build.example import dump_json

FILTER_NAMES = ("capitalize", "default", "first", "last", "length", "lower", "trim", "upper")
"""Jinja's own filters that templates may use; ours are ``json`` and ``join``."""

TEST_NAMES = ("defined", "undefined", "none", "string", "number", "mapping", "sequence")

_ALLOWED_NODES = (
    nodes.And,
    nodes.Compare,
    nodes.Concat,
    nodes.CondExpr,
    nodes.Const,
    nodes.Filter,
    nodes.For,
    nodes.Getattr,
    nodes.Getitem,
    nodes.If,
    nodes.Name,
    nodes.Not,
    nodes.Operand,
    nodes.Or,
    nodes.Output,
    nodes.Template,
    nodes.TemplateData,
    nodes.Test,
)
_MARKS = ("{{", "{%", "{#")
_RESERVED_NAMES = {"caller", "kwargs", "self", "super", "varargs"}  # Jinja gives them a meaning of its own
_LOOP_MEMBERS = {"first", "index", "index0", "last", "length", "revindex", "revindex0"}
_MAX_NESTED_LOOPS = 3
_MAX_CHAINED_FILTERS = 3


class _DataOnlyEnvironment(ImmutableSandboxedEnvironment):
    """A sandbox in which ``a.b`` means the member b of the mapping a, and never an attribute of a Python object."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, dict):
            return obj[attribute] if attribute in obj else self.undefined(obj=obj, name=attribute)
        if isinstance(obj, LoopContext) and attribute in _LOOP_MEMBERS:
            return getattr(obj, attribute)
        return self.undefined(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        try:
            return obj[argument]
        except (LookupError, TypeError):
            return self.undefined(obj=obj, name=argument)


def mark_in(text: str) -> str:
    """Return a mark of Jinja's that stands in ``text``, such as ``{{``, or "" if there is none."""
    return next((mark for mark in _MARKS if mark in text), "")


def _json(value: Any) -> str:
    if isinstance(value, Undefined):
        str(value)  # raises the error that names the variable
    return dump_json(value)


def _join(values: Sequence[Any], separator: str = "") -> str:
    # A string is refused because joining joined text again and again would grow without bound.
    if not isinstance(values, list | tuple):
        raise TemplateError("the join filter takes a list")
    return separator.join(str(value) for value in values)


def _environment() -> _DataOnlyEnvironment:
    environment = _DataOnlyEnvironment(
        undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.globals.clear()
    environment.filters = {name: FILTERS[name] for name in FILTER_NAMES} | {"json": _json, "join": _join}
    environment.tests = {name: TESTS[name] for name in TEST_NAMES}
    return environment


@dataclass(frozen=True)
class TextTemplate:
    """A template that was read, found harmless and compiled.

    Attributes
    ----------
    name
        The file, for messages.
    source
        Its text.
    variables
        The variables that it uses, sorted.
    """

    name: str
    source: str
    variables: tuple[str, ...]
    _template: Template
    _macro: Any

    def render(self, values: Mapping[str, Any], about: str = "") -> str:
        """Render with ``values``; line breaks at the end are dropped, so that a loop may end each line alike.

        Parameters
        ----------
        values
            Variables by name; those that the template does not use are ignored.
        about
            What is being rendered, for the message of an error.

        Raises
        ------
        UserError
            If a variable or a member is missing, or a filter cannot do its work; names file, line and ``about``.
        """
        environment = self._template.environment
        try:
            arguments = [
                values[name] if name in values else environment.undefined(name=name) for name in self.variables
            ]
            return str(self._macro(*arguments)).rstrip("\n")
        except (TemplateError, TypeError, ValueError) as error:
            place = f"{self.name}, line {self._line_of(error)}"
            subject = f" while rendering {about}" if about else ""
            raise UserError(f"Template {place}: {error}{subject}. Known variables: {', '.join(values)}.") from error

    def _line_of(self, error: BaseException) -> int:
        line = 1
        traceback = error.__traceback__
        while traceback is not None:
            if traceback.tb_frame.f_code.co_filename == self.name:
                line = self._template.get_corresponding_lineno(traceback.tb_lineno)
            traceback = traceback.tb_next
        return line


@cache
def compile_template(name: str, source: str) -> TextTemplate:
    """Compile the text of a template.

    Parameters
    ----------
    name
        The file, for messages.
    source
        Its text.

    Raises
    ------
    UserError
        If it is not a template, or uses more of Jinja than templates may; names file and line.
    """
    environment = _environment()
    try:
        tree = environment.parse(source, name, name)
        _refuse_unsafe(tree, name)
        variables = tuple(sorted(meta.find_undeclared_variables(tree)))
        # The text becomes a macro because calling one is several times faster than rendering a template.
        parameters: list[nodes.Name] = [nodes.Name(variable, "param", lineno=1) for variable in variables]
        macro = nodes.Macro("text", parameters, [], tree.body, lineno=1)
        wrapped = nodes.Template([macro], lineno=1)
        wrapped.set_environment(environment)
        template = Template.from_code(environment, environment.compile(wrapped, name, name), {})
    except TemplateSyntaxError as error:
        raise UserError(f"Template {name}, line {error.lineno}: {error.message}.") from error
    except RecursionError as error:
        raise UserError(f"Template {name}: it is nested too deeply.") from error
    return TextTemplate(name, source, variables, template, template.module.text)  # type: ignore[attr-defined]


def _refuse_unsafe(tree: nodes.Template, name: str) -> None:
    for node in _walk(tree):
        if reason := _fault(node):
            raise UserError(f"Template {name}, line {node.lineno}: {reason}.")
    if _depth(tree, nodes.For) > _MAX_NESTED_LOOPS:
        raise UserError(f"Template {name}: loops are nested more than {_MAX_NESTED_LOOPS} deep.")
    if _depth(tree, nodes.Filter) > _MAX_CHAINED_FILTERS:
        raise UserError(f"Template {name}: more than {_MAX_CHAINED_FILTERS} filters are chained.")


def _walk(node: nodes.Node) -> list[nodes.Node]:
    return [node, *(found for child in node.iter_child_nodes() for found in _walk(child))]


def _depth(node: nodes.Node, kind: type[nodes.Node]) -> int:
    deepest = max((_depth(child, kind) for child in node.iter_child_nodes()), default=0)
    return deepest + isinstance(node, kind)


def _filter_fault(node: nodes.Filter) -> str:
    if node.name not in (*FILTER_NAMES, "json", "join"):
        return f"there is no filter called {node.name!r}; there are: json, join, {', '.join(FILTER_NAMES)}"
    constant = all(isinstance(argument, nodes.Const) for argument in node.args)
    if not constant or node.dyn_args or node.dyn_kwargs:
        return f"the filter {node.name!r} takes only plain text or numbers"
    return ""


def _fault(node: nodes.Node) -> str:
    """Return what is wrong with a node, or "" if nothing is."""
    if not isinstance(node, _ALLOWED_NODES):
        return f"templates may not use {type(node).__name__.lower()}"
    if isinstance(node, nodes.Filter):
        return _filter_fault(node)
    if isinstance(node, nodes.Test) and node.name not in TEST_NAMES:
        return f"there is no test called {node.name!r}; there are: {', '.join(TEST_NAMES)}"
    if isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
        return f"templates may not reach for {node.attr!r}"
    if isinstance(node, nodes.Name) and node.name in _RESERVED_NAMES:
        return f"{node.name!r} is not a variable"
    return ""
