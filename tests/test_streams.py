"""Where the output of a command goes decides neither whether it works nor what its JSON says."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "ecinstruct_build"]
ASCII = {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
WHAT_THE_STREAMS_ARE = """
import atexit, os, sys
from ecinstruct_build.cli import main
def tell():
    with open({told!r}, "w") as file:
        print(file.fileno(), *(os.path.realpath(f"/proc/self/fd/{{n}}") for n in range(3)), file=file)
atexit.register(tell)
sys.argv[1:] = ["--version"]
main()
"""


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    settings = {**os.environ, **environment}
    return subprocess.run([*COMMAND, *arguments], check=False, capture_output=True, env=settings)


@pytest.mark.parametrize("name", ["esci", "amazon_reviews_2018"])
def test_what_a_terminal_cannot_show_is_escaped(name: str) -> None:
    done = run("sources", "show", name, **ASCII)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\\u2022 Home: https://" in done.stdout


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "cp1252"])
def test_json_says_the_same_in_every_encoding(encoding: str) -> None:
    message = {"text": 'caf\N{LATIN SMALL LETTER E WITH ACUTE} \N{GRINNING FACE} "\N{BULLET}" \udcff \\'}
    program = (
        f"from ecinstruct_build import cli\nfrom ecinstruct_build.commands.options import print_json\n"
        f"cli.run = lambda: print_json({message!r})\ncli.main()"
    )
    settings = {**os.environ, "LC_ALL": "C.UTF-8", "PYTHONUTF8": "0", "PYTHONIOENCODING": f"{encoding}:strict"}
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, env=settings)
    assert json.loads(done.stdout.decode(encoding)) == message


def test_how_the_user_wants_characters_replaced_is_heeded() -> None:
    assert b" ? Home: https://" in run("sources", "show", "esci", PYTHONIOENCODING="ascii:replace").stdout


@pytest.mark.parametrize("width", ["0", "1", "20", ""])
def test_an_error_is_told_at_every_width(width: str) -> None:
    done = run("build", "nowhere", COLUMNS=width)
    assert done.returncode == 1
    assert b"Thereisnorecipeat'nowhere'" in b"".join(done.stderr.split())


def test_a_reader_that_leaves_ends_a_command_without_a_traceback() -> None:
    with subprocess.Popen([*COMMAND, "tasks", "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert (process.wait(), process.stderr.read()) == (1, b"")


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs to see what the streams are")
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_no_file_takes_the_place_of_a_closed_stream(tmp_path: Path, closed: str) -> None:
    told = tmp_path / "told"
    program = WHAT_THE_STREAMS_ARE.format(told=str(told))
    done = subprocess.run(["sh", "-c", f'exec "$0" -c "$1" {closed}', sys.executable, program], check=False)
    number, *streams = told.read_text().split()
    assert done.returncode == 0
    assert int(number) > 2
    assert streams.count(os.devnull) >= len(closed.split())
