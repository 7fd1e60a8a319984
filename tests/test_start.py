"""A command starts without what it does not need, and ends without waiting for what nobody needs any more."""

import os
import re
import subprocess
import sys
import tomllib
from copy import copy
from pathlib import Path

import pytest

from ecinstruct_build import __version__
from ecinstruct_build.patterns import compiled_later

CALL = "import sys; sys.argv[1:] = {arguments!r}; from ecinstruct_build.cli import {function} as call; "


def python(program: str) -> subprocess.CompletedProcess[str]:
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True, env=buffered)


def imported(program: str, *names: str) -> list[str]:
    done = python(f"import sys\n{program}\nprint(*(name for name in {names!r} if name in sys.modules))")
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1].split()


def test_it_ends_at_once_but_for_what_is_still_to_be_said_and_done() -> None:
    farewell = "import atexit; atexit.register(print, 'bye'); "
    done = python(farewell + CALL.format(arguments=["tasks", "list", "--json"], function="main") + "call()")
    assert done.returncode == 0
    assert done.stdout.endswith("]\nbye\n")
    assert python(CALL.format(arguments=["tasks", "show", "x"], function="main") + "call()").returncode == 1
    assert python(CALL.format(arguments=["--nonsense"], function="main") + "call()").returncode == 2


def test_it_says_all_even_while_a_thread_is_at_work() -> None:
    waiting = "lambda: (threading.main_thread().join(), print('late'))"
    late = f"import threading; threading.Thread(target={waiting}).start(); "
    done = python(late + CALL.format(arguments=["--version"], function="main") + "call()")
    assert (done.returncode, done.stdout.split()[-1]) == (0, "late")


def test_an_interrupt_during_imports_ends_it_without_a_traceback() -> None:
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())
    module, function = project["project"]["scripts"]["ecinstruct"].split(":")
    interrupted = (
        "import os, signal, sys\n"
        "class Interrupting:\n"
        "    @staticmethod\n"
        "    def find_spec(name, path=None, target=None):\n"
        "        if name == 'typer': os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupting)\n"
        "sys.argv[1:] = ['--version']\n"
    )
    done = python(f"{interrupted}from {module} import {function} as call; call()")
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_an_interrupt_that_comes_while_a_class_is_made_ends_it_without_a_traceback() -> None:
    interrupted = (
        "import sys\n"
        "class Named:\n"
        "    def __set_name__(self, owner, name): raise KeyboardInterrupt\n"
        "class Interrupting:\n"
        "    @staticmethod\n"
        "    def find_spec(name, path=None, target=None):\n"
        "        if name == 'typer': type('Made', (), {'named': Named()})\n"
        "sys.meta_path.insert(0, Interrupting)\n"
    )
    done = python(f"{interrupted}from ecinstruct_build.__main__ import main; main()")
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_it_is_run_as_a_module_too() -> None:
    command = [sys.executable, "-m", "ecinstruct_build", "--version"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{__version__}\n", "")


def test_what_prints_json_needs_no_tables() -> None:
    call = CALL.format(arguments=["tasks", "list", "--json"], function="run")
    needless = imported(f"{call}\ntry: call()\nexcept SystemExit: pass", "rich.console", "rich.table")
    assert needless == []


def test_functions_of_arrow_work_as_well_without_documentation_of_their_options() -> None:
    done = python(
        "import sys; from ecinstruct_build.lazily import spare_option_docs; spare_option_docs()\n"
        "import pyarrow.compute as pc\n"
        "assert pc.match_substring(['ab', 'c'], 'B', ignore_case=True).to_pylist() == [True, False]\n"
        "assert pc.sum([1, None], skip_nulls=False).as_py() is None\n"
        "assert 'pattern' in str(pc.match_substring.__signature__)\n"
        "assert 'contain' in pc.match_substring.__doc__\n"
        "from pyarrow.vendored import docscrape\n"
        "print(docscrape.NumpyDocString('One.\\n\\nParameters\\n----------\\nx : int\\n    It.')['Parameters'][0].name)"
    )
    assert (done.stdout, done.stderr) == ("x\n", "")


def test_a_pattern_compiled_later_matches_as_one_compiled_at_once() -> None:
    for pattern, flags in ((r"(?P<word>[a-z]+) \1", re.IGNORECASE), ("^b", re.MULTILINE), (r"\d", 0)):
        later, now = compiled_later(pattern, flags), re.compile(pattern, flags)
        for text in ("Tick tick", "a\nb", "1 2"):
            assert later.findall(text) == now.findall(text)
            assert later.sub("-", text) == now.sub("-", text)
        assert later.groupindex == now.groupindex
    with pytest.raises(re.error):
        compiled_later("(").search("")
    assert copy(compiled_later("a+")).search("baa")[0] == "aa"


def test_what_goes_on_from_stored_results_neither_cuts_graphs_nor_mends_text_nor_queries_tables() -> None:
    program = "from ecinstruct_build.recipe import load_recipe\nload_recipe('sample')\nimport ecinstruct_build.pipeline"
    assert imported(program, "duckdb", "ftfy", "ibis", "igraph", "langdetect", "pandas", "rich.console") == []


@pytest.mark.parametrize(("before", "after"), [(8, 4), (3, 1), (1, 1)])
def test_two_processes_share_the_processors(before: int, after: int) -> None:
    program = (
        f"import pyarrow as pa; pa.set_cpu_count({before}); from ecinstruct_build.helper import share_processors\n"
        "share_processors(); print(pa.cpu_count())"
    )
    assert python(program).stdout == f"{after}\n"
