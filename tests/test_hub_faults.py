"""Publishing when the Hub or the way to it fails: what is told, what is kept, and how the same command goes on."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_repository import Repository
from hub_server import READER, WRITER, HubServer, serving
from hub_staging import REPO, log_of, push_to, repository, version, write_as

from ecinstruct_build.errors import UserError
from ecinstruct_build.progress import Silence
from ecinstruct_build.publish.hub.session import MAX_WAIT_SECONDS

pytestmark = [pytest.mark.filterwarnings("ignore:Use 'content:DeprecationWarning"), pytest.mark.slow]

SHARDS = 6


@pytest.fixture(name="hub")
def _hub() -> Iterator[HubServer]:
    with serving() as hub:
        yield hub


@pytest.fixture(name="slept", autouse=True)
def _slept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    return write_as(WRITER, tmp_path, monkeypatch)


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    return version().write(tmp_path / "staged")


def kept(hub: HubServer) -> int:
    return len(repository(hub).objects)


def told(error: pytest.ExceptionInfo[UserError]) -> str:
    """Return the message; it is one paragraph and shows no token."""
    text = str(error.value)
    assert "\n" not in text
    assert WRITER not in text
    assert READER not in text
    return text


def test_a_connection_that_breaks_for_a_moment_is_no_trouble(hub: HubServer, folder: Path, slept: list[float]) -> None:
    hub.plant("^PUT ", kind="cut", times=2)
    push_to(hub, folder, tag="v1")
    assert kept(hub) == SHARDS
    assert len(slept) == 2


def test_after_an_upload_that_was_cut_the_same_command_goes_on(
    hub: HubServer, folder: Path, slept: list[float]
) -> None:
    hub.plant("^PUT ", kind="cut", times=1000, after=2)
    with pytest.raises(UserError) as error:
        push_to(hub, folder, tag="v1")
    assert "connection" in told(error)
    assert "run the same command again" in told(error)
    assert kept(hub) == 2
    assert list(repository(hub).files()) == [".gitattributes"]
    assert not repository(hub).tags
    hub.faults.clear()
    hub.log.clear()
    pushed = push_to(hub, folder, tag="v1")
    assert len(hub.seen("^PUT ")) == SHARDS - 2
    assert repository(hub).tags == {"v1": pushed.commit}
    assert not hub.seen("POST /api/repos/create")


def test_a_publish_that_was_killed_goes_on(hub: HubServer, folder: Path, tmp_path: Path) -> None:
    # Five go at once, so the sixth comes when one of them has arrived.
    held = hub.plant("^PUT ", kind="hold", after=SHARDS - 1)
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from ecinstruct_build.progress import Silence\n"
        "from ecinstruct_build.publish.hub.push import push\n"
        "from ecinstruct_build.publish.hub.target import Target\n"
        "push(Path(sys.argv[1]), Target(sys.argv[2]), fates=None, dry_run=False, progress=Silence())\n"
    )
    home = {"HF_HOME": str(tmp_path / "home"), "HF_ENDPOINT": hub.endpoint, "HF_HUB_DISABLE_XET": "1"}
    command = [sys.executable, "-c", code, str(folder), REPO]
    running = subprocess.Popen(command, env={**os.environ, **home}, cwd=tmp_path)
    assert held.held.wait(60)
    running.send_signal(signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    assert list(repository(hub).files()) == [".gitattributes"]
    there = set(repository(hub).objects)
    held.released.set()
    hub.log.clear()
    push_to(hub, folder)
    again = {one.path.rpartition("/")[2] for one in hub.seen("^PUT ")}
    assert there
    assert not again & there
    assert kept(hub) == SHARDS


@pytest.mark.parametrize("call", ["POST .*/commit/", "POST .*/tag/", "POST /api/repos/create"])
def test_an_answer_that_is_lost_makes_nothing_twice(hub: HubServer, folder: Path, call: str) -> None:
    hub.plant(call, kind="lose")
    waits: list[float] = []
    pushed = push_to(hub, folder, tag="v1", waits=waits)
    assert waits == [1.0]
    assert len(repository(hub).commits) == 2
    assert repository(hub).branches == {"main": pushed.commit}
    assert repository(hub).tags == {"v1": pushed.commit}


def test_a_cut_before_the_tag_is_made_good_by_the_same_command(hub: HubServer, folder: Path) -> None:
    hub.plant("POST .*/tag/", kind="cut", times=100)
    with pytest.raises(UserError, match="making the tag v1"):
        push_to(hub, folder, tag="v1")
    hub.faults.clear()
    pushed = push_to(hub, folder, tag="v1")
    assert not pushed.plan.work
    assert repository(hub).tags == {"v1": pushed.commit}


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize(
    "call",
    [
        "GET /api/datasets/shop/kettles$",
        "GET .*/refs",
        "GET .*/tree/",
        "POST /api/repos/create",
        "POST .*/preupload/",
        "POST .*/objects/batch",
        "PUT ",
        "POST .*/verify",
        "POST /api/validate-yaml",
        "POST .*/commit/",
        "POST .*/tag/",
    ],
)
def test_a_hub_that_is_busy_for_a_while_is_asked_again(hub: HubServer, folder: Path, call: str, status: int) -> None:
    if "tree" in call or "refs" in call:
        hub.repositories[REPO] = Repository()
    fault = hub.plant(call, status=status, times=2, headers={"Retry-After": "7"} if status == 429 else {})
    pushed = push_to(hub, folder, tag="v1")
    assert fault.times == 0
    assert repository(hub).tags == {"v1": pushed.commit}


def test_the_hub_is_waited_for_as_long_as_it_asks(hub: HubServer, folder: Path, slept: list[float]) -> None:
    hub.plant("POST .*/commit/", status=429, headers={"Retry-After": "17"})
    hub.plant("POST .*/tag/", status=429, headers={"RateLimit": '"api";r=0;t=42'})
    hub.plant("PUT ", status=429, headers={"Retry-After": "5"})
    notes: list[str] = []
    hub.plant("POST .*/commit/", kind="cut")
    waits: list[float] = []
    push_to(hub, folder, tag="v1", waits=waits, progress=Listener(notes))
    assert waits == [17.0, 2.0, 42.0]
    assert slept == [6.0]
    assert sorted(notes) == sorted(f"The Hub asks to wait {seconds} s (429)." for seconds in (17, 42, 5))


@pytest.mark.parametrize("call", ["PUT ", "POST .*/commit/"])
def test_no_wait_is_without_end(hub: HubServer, folder: Path, slept: list[float], call: str) -> None:
    hub.plant(call, status=429, times=100, headers={"Retry-After": "400"})
    waits: list[float] = []
    with pytest.raises(UserError) as error:
        push_to(hub, folder, waits=waits)
    assert "longer than a publish waits" in told(error)
    assert sum(waits) + sum(slept) <= MAX_WAIT_SECONDS + len(slept)


def test_a_hub_that_stays_out_of_order_is_given_up(hub: HubServer, folder: Path, slept: list[float]) -> None:
    hub.plant("POST .*/commit/", status=503, times=100)
    waits: list[float] = []
    with pytest.raises(UserError) as error:
        push_to(hub, folder, waits=waits)
    assert "out of order (committing, 503): planted" in told(error)
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0]
    assert kept(hub) == SHARDS
    hub.faults.clear()
    hub.log.clear()
    push_to(hub, folder)
    assert not hub.seen("^PUT ")


def test_somebody_else_who_commits_meanwhile_is_not_overwritten(hub: HubServer, folder: Path) -> None:
    hub.repositories[REPO] = Repository()
    held = hub.plant("POST .*/commit/", kind="status", status=503)
    waits: list[float] = []

    class Meanwhile(list[float]):
        def append(self, seconds: float) -> None:
            waits.append(seconds)
            repository(hub).put("LICENSE.md", b"Theirs.")

    with pytest.raises(UserError) as error:
        push_to(hub, folder, waits=Meanwhile())
    assert held.times == 0
    assert "Somebody else has committed to shop/kettles" in told(error)
    assert repository(hub).files()["LICENSE.md"] == b"Theirs."
    assert len(repository(hub).commits) == 2


def test_a_repository_or_tag_that_somebody_makes_meanwhile_is_not_taken_for_ours(hub: HubServer, folder: Path) -> None:
    hub.repositories[REPO] = Repository(private=False)
    hub.plant("GET /api/datasets/", status=404, headers={"X-Error-Code": "RepoNotFound"})
    with pytest.raises(UserError, match="Somebody else"):
        push_to(hub, folder, private=True)
    assert list(repository(hub).files()) == [".gitattributes"]

    class Meanwhile(list[float]):
        def append(self, seconds: float) -> None:
            repository(hub).tags["v1"] = repository(hub).branches["main"]

    hub.plant("POST .*/commit/", status=503)
    with pytest.raises(UserError, match="Somebody else made a tag 'v1'"):
        push_to(hub, folder, tag="v1", waits=Meanwhile())


def test_the_token_is_asked_for(hub: HubServer, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "token"))
    with pytest.raises(UserError) as error:
        push_to(hub, folder)
    assert "set the environment variable HF_TOKEN to it or run 'hf auth login'" in told(error)
    assert not hub.log
    (tmp_path / "token").write_text(WRITER)
    push_to(hub, folder)
    assert repository(hub).files()


def test_a_token_that_is_not_accepted_is_told_apart_from_one_that_may_not_write(
    hub: HubServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_expired")
    with pytest.raises(UserError) as error:
        push_to(hub, folder)
    assert "does not accept the token (401)" in told(error)
    assert "hf_expired" not in told(error)
    monkeypatch.setenv("HF_TOKEN", WRITER)
    hub.plant("GET /api/datasets/", status=401, headers={"X-Error-Code": "RepoNotFound"})
    with pytest.raises(UserError) as error:
        push_to(hub, folder)
    assert "does not accept the token (401)" in told(error)
    monkeypatch.setenv("HF_TOKEN", READER)
    notes: list[str] = []
    push_to(hub, folder, dry_run=True, progress=Listener(notes))
    assert "The token may only read" in notes[0]
    for there in (False, True):
        hub.repositories = {REPO: Repository()} if there else {}
        with pytest.raises(UserError) as error:
            push_to(hub, folder)
        assert "may write to 'shop'" in told(error)


def test_the_hub_echoing_the_token_does_not_show_it(hub: HubServer, folder: Path) -> None:
    hub.plant("POST .*/commit/", status=400, body={"error": f"no: Bearer {WRITER}"})
    with pytest.raises(UserError) as error:
        push_to(hub, folder)
    assert "no: Bearer ***" in told(error)


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (404, {"error": "no such namespace"}, "'shop' exists"),
        (402, {"error": "pay"}, "no room left"),
        (403, {"error": "Private repository storage limit reached"}, "no room left"),
        (413, {"error": "too large"}, "no room left"),
        (418, {"error": "a teapot"}, r"refused \(making the repository, 418\): a teapot"),
    ],
)
def test_refusals_say_what_can_be_done(
    hub: HubServer, folder: Path, status: int, body: dict[str, str], words: str
) -> None:
    hub.plant("POST /api/repos/create", status=status, body=body)
    with pytest.raises(UserError, match=words) as error:
        push_to(hub, folder)
    told(error)


def test_a_repository_that_the_token_may_not_see_is_told(hub: HubServer, folder: Path) -> None:
    hub.repositories[REPO] = Repository()
    hub.plant("GET /api/datasets/", status=404, headers={"X-Error-Code": "RepoNotFound"}, times=2)
    with pytest.raises(UserError, match="already that the token may not see"):
        push_to(hub, folder)


def test_a_hub_without_xet_is_told(hub: HubServer, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", False)
    with pytest.raises(UserError, match="HF_HUB_DISABLE_XET to 1"):
        push_to(hub, folder)


def test_offline_mode_is_told_at_once(hub: HubServer, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    waits: list[float] = []
    with pytest.raises(UserError, match="HF_HUB_OFFLINE is set"):
        push_to(hub, folder, waits=waits)
    assert not waits


def test_no_connection_is_told(hub: HubServer, folder: Path) -> None:
    hub.endpoint = "http://127.0.0.1:9"
    with pytest.raises(UserError) as error:
        push_to(hub, folder)
    assert "The connection to the Hub at http://127.0.0.1:9 failed" in told(error)


def test_something_else_that_answers_is_told(hub: HubServer, folder: Path) -> None:
    hub.plant("GET /api/datasets/", status=200, times=100, body=b"<html>Sign in to the network</html>")
    with pytest.raises(UserError, match="is not the Hub") as error:
        push_to(hub, folder)
    told(error)


def test_a_card_that_the_hub_does_not_take_is_told_before_anything_is_sent(hub: HubServer, folder: Path) -> None:
    hub.plant(
        "POST /api/validate-yaml", status=400, body={"errors": [{"message": "license is unknown"}], "warnings": []}
    )
    with pytest.raises(UserError, match="license is unknown"):
        push_to(hub, folder)
    assert not hub.seen("POST .*/commit/")


def test_a_hub_that_says_it_committed_but_did_not_is_found_out(hub: HubServer, folder: Path) -> None:
    hub.repositories[REPO] = Repository()
    head = repository(hub).branches["main"]
    url = f"{hub.endpoint}/datasets/{REPO}/commit/{head}"
    hub.plant("POST .*/commit/", status=200, body={"commitOid": head, "commitUrl": url})
    with pytest.raises(UserError, match="not there as they were sent: CHANGELOG"):
        push_to(hub, folder, tag="v1")
    assert not repository(hub).tags


def test_a_broken_card_or_shard_on_the_hub_is_told_or_passed_over(hub: HubServer, tmp_path: Path, folder: Path) -> None:
    push_to(hub, folder)
    card = repository(hub).files()["README.md"]
    repository(hub).put("README.md", card.replace(b"license: ", b"license: [", 1))
    with pytest.raises(UserError, match=r"front matter of README\.md in shop/kettles"):
        push_to(hub, folder)
    repository(hub).put("README.md", b"\xff\xfe")
    with pytest.raises(UserError, match=r"README\.md of shop/kettles on the Hub is not UTF-8"):
        push_to(hub, folder)
    repository(hub).put("README.md", card)
    shard = "data/sentiment_analysis/train-00000-of-00001.parquet"
    repository(hub).put(shard, b"PAR1 no more")
    pushed = push_to(hub, folder)
    assert not pushed.plan.changes
    assert f"cannot be read: {shard}" in log_of(hub)
    assert repository(hub).files()[shard] == (folder / shard).read_bytes()


class Listener(Silence):
    """Keeps the notes."""

    def __init__(self, notes: list[str]) -> None:
        self.notes = notes

    def note(self, message: str) -> None:
        self.notes.append(message)
