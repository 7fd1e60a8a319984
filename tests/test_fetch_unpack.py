"""Archives from anywhere: what is taken out of them, and which are refused."""

import bz2
import gzip
import io
import lzma
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from fault_server import Reply, serving
from fetch_world import HURRIED, fetch, left_over, noise, sha256, wanted

from ecinstruct_build.errors import UserError
from ecinstruct_build.fetching.download import Unpacked
from ecinstruct_build.fetching.settings import FetchSettings
from ecinstruct_build.fetching.unpack import unpack

pytestmark = pytest.mark.slow

A, B = noise(300_000), b"id,name\n1,mug\n"
HOLDS = (("shop/A.csv", "A.csv"), ("B.csv", "deep/B.csv"))
MEMBERS = {"shop/A.csv": A, "B.csv": B, "README": b"read me"}


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return out.getvalue()


def tarred(members: dict[str, bytes], *more: tarfile.TarInfo, form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for info in more:
            archive.addfile(info)
    return out.getvalue()


def special(name: str, kind: bytes, to: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, to
    return info


def take_out(
    tmp_path: Path, data: bytes, holds: Sequence[tuple[str, str]] = HOLDS, settings: FetchSettings = HURRIED
) -> tuple[Unpacked, ...]:
    archive, folder = tmp_path / "archive", tmp_path / "shop"
    archive.write_bytes(data)
    return unpack(archive, "shop/archive", holds, folder, tmp_path / "scratch", settings)


FORMS: dict[str, Callable[[dict[str, bytes]], bytes]] = {
    "zip": zipped,
    "zip, stored": lambda members: zipped(members, zipfile.ZIP_STORED),
    "zip, lzma": lambda members: zipped(members, zipfile.ZIP_LZMA),
    "tar": tarred,
    "tar of GNU": lambda members: tarred(members, form=tarfile.GNU_FORMAT),
    "tar.gz": lambda members: gzip.compress(tarred(members)),
    "tar.bz2": lambda members: bz2.compress(tarred(members)),
    "tar.xz": lambda members: lzma.compress(tarred(members)),
    "names with a dot first": lambda members: tarred({f"./{name}": data for name, data in members.items()}),
    "a link that is not wanted": lambda members: tarred(members, special("link", tarfile.SYMTYPE, "/etc/passwd")),
    "a folder": lambda members: tarred(members, special("shop", tarfile.DIRTYPE)),
    "a long name": lambda members: tarred(members | {"x" * 3000: b"long"}, form=tarfile.GNU_FORMAT),
}


@pytest.mark.parametrize("form", FORMS)
def test_members_stand_where_they_belong(tmp_path: Path, form: str) -> None:
    taken = take_out(tmp_path, FORMS[form](MEMBERS))
    assert taken == (Unpacked("A.csv", len(A), sha256(A)), Unpacked("deep/B.csv", len(B), sha256(B)))
    found = {path.relative_to(tmp_path / "shop").as_posix(): path.read_bytes() for path in files(tmp_path / "shop")}
    assert found == {"A.csv": A, "deep/B.csv": B}
    assert not (tmp_path / "scratch").exists()


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def linked_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("shop/A.csv")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
        archive.writestr("B.csv", B)
    return out.getvalue()


def flagged_zip(flag: int) -> bytes:
    """Return a zip whose members have a flag set, in both of their headers."""
    data = bytearray(zipped(MEMBERS))
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := data.find(magic, at + 1)) >= 0:
            data[at + offset] |= flag
    return bytes(data)


def doubled_zip() -> bytes:
    """Return a zip with two members of one name."""
    return zipped(MEMBERS | {"shop/B.csv": B}).replace(b"shop/B.csv", b"shop/A.csv")


def lying_zip(size: int) -> bytes:
    """Return a zip whose directory states another size of its first member than is true."""
    data = bytearray(zipped(MEMBERS))
    at = data.find(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", size)
    return bytes(data)


def spoilt(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


OUTSIDE = "would land outside the folder"
LINK = "is a link or a device"
DAMAGED = "damaged"
HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "zip, above": (lambda: zipped(MEMBERS | {"../evil": b"x"}), OUTSIDE),
    "zip, above by a detour": (lambda: zipped(MEMBERS | {"shop/../../evil": b"x"}), OUTSIDE),
    "zip, absolute": (lambda: zipped(MEMBERS | {"/etc/evil": b"x"}), OUTSIDE),
    "zip, a drive": (lambda: zipped(MEMBERS | {"C:/evil": b"x"}), OUTSIDE),
    "zip, backslashes": (lambda: zipped(MEMBERS | {"..\\evil": b"x"}), OUTSIDE),
    "zip, a link": (linked_zip, LINK),
    "zip, encrypted": (lambda: flagged_zip(1), "is encrypted"),
    "zip, twice": (doubled_zip, "two members of the name 'shop/A.csv'"),
    "zip, a bomb": (lambda: zipped({**MEMBERS, "shop/A.csv": bytes(60 << 20)}), "would unpack to 62.9 MB"),
    "zip, more than stated": (lambda: lying_zip(10), DAMAGED),
    "zip, less than stated": (lambda: lying_zip(400_000), DAMAGED),
    "zip, wrong sum": (lambda: spoilt(zipped(MEMBERS, zipfile.ZIP_STORED), 1000), DAMAGED),
    "zip, cut": (lambda: zipped(MEMBERS)[:-30], DAMAGED),
    "zip, a member missing": (
        lambda: zipped({"A.csv": A, "B.csv": B}),
        "no member 'shop/A.csv'; there are A.csv, B.csv",
    ),
    "zip, empty": (lambda: zipped({}), "no member 'shop/A.csv'; there are no files at all"),
    "tar, above": (lambda: tarred(MEMBERS | {"../evil": b"x"}), OUTSIDE),
    "tar, absolute": (lambda: tarred(MEMBERS | {"/etc/evil": b"x"}), OUTSIDE),
    "tar, a link": (lambda: tarred({"B.csv": B}, special("shop/A.csv", tarfile.SYMTYPE, "B.csv")), LINK),
    "tar, a hard link": (lambda: tarred({"B.csv": B}, special("shop/A.csv", tarfile.LNKTYPE, "B.csv")), LINK),
    "tar, a device": (lambda: tarred({"B.csv": B}, special("shop/A.csv", tarfile.CHRTYPE)), LINK),
    "tar, a pipe": (lambda: tarred({"B.csv": B}, special("shop/A.csv", tarfile.FIFOTYPE)), LINK),
    "tar, a sparse file": (
        lambda: tarred({"B.csv": B}, special("shop/A.csv", tarfile.GNUTYPE_SPARSE), form=tarfile.GNU_FORMAT),
        LINK,
    ),
    "tar, twice": (lambda: tarred(MEMBERS, special("B.csv", tarfile.REGTYPE)), "two members of the name 'B.csv'"),
    "tar, a bomb": (lambda: lzma.compress(tarred({"shop/A.csv": bytes(60 << 20)})), "would unpack to 62.9 MB"),
    "tar, a bomb before it": (lambda: gzip.compress(tarred({"x": bytes(60 << 20), "B.csv": B})), "unpack to"),
    "tar, a bomb behind it": (lambda: gzip.compress(tarred(MEMBERS) + bytes(60 << 20)), "more between two"),
    "tar, a bomb of a name": (
        lambda: gzip.compress(tarred({"y" * (60 << 20): b""} | MEMBERS, form=tarfile.GNU_FORMAT)),
        "more between two",
    ),
    "tar, cut": (lambda: tarred(MEMBERS)[:100_000], DAMAGED),
    "tar.gz, cut": (lambda: gzip.compress(tarred(MEMBERS))[:-9], DAMAGED),
    "tar.gz, wrong sum": (lambda: spoilt(gzip.compress(tarred(MEMBERS)), -6), DAMAGED),
    "tar.xz, spoilt": (lambda: spoilt(lzma.compress(tarred(MEMBERS)), 5000), DAMAGED),
    "tar, a member missing": (lambda: tarred({"B.csv": B}), "no member 'shop/A.csv'; there are B.csv"),
    "no archive": (lambda: noise(5000), DAMAGED),
    "nothing": (lambda: b"", "damaged"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_an_archive_that_is_not_as_it_should_be_leaves_nothing(tmp_path: Path, name: str) -> None:
    make, error = HOSTILE[name]
    with pytest.raises(UserError, match=r"^shop/archive is not unpacked: ") as raised:
        take_out(tmp_path, make())
    assert error in str(raised.value)
    assert [path.name for path in files(tmp_path)] == ["archive"]


def test_how_much_is_too_much_is_a_setting(tmp_path: Path) -> None:
    data = zipped({**MEMBERS, "shop/A.csv": bytes(60 << 20)})
    assert take_out(tmp_path, data, settings=replace(HURRIED, ratio=10_000))[0].size == 60 << 20
    with pytest.raises(UserError, match="would unpack to"):
        take_out(tmp_path, data, settings=replace(HURRIED, ratio=10_000, most_unpacked=50 << 20))


def test_many_members_of_which_few_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there are 0, 1, 2, 3, 4, 5, 6, 7 and 92 more\."):
        take_out(tmp_path, zipped({str(n): b"" for n in range(100)}))


@pytest.mark.parametrize(
    ("keep", "stand"), [(False, ["A.csv", "deep/B.csv"]), (True, ["A.csv", "a.zip", "deep/B.csv"])]
)
def test_a_fetched_archive_goes_or_stays(tmp_path: Path, *, keep: bool, stand: list[str]) -> None:
    data = zipped(MEMBERS)
    with serving() as server:
        file = wanted(tmp_path, server.plan("/a.zip", Reply(data)), file="a.zip", of=data, holds=HOLDS)
        (fetched,) = fetch(file, settings=replace(HURRIED, keep_archives=keep))
        assert (fetched.size, fetched.sha256) == (len(data), sha256(data))
        assert [part.path for part in fetched.unpacked] == ["A.csv", "deep/B.csv"]
        assert [path.relative_to(tmp_path).as_posix() for path in files(tmp_path)] == stand
        if keep:
            (again,) = fetch(file)
            assert (again.url, again.unpacked) == ("", fetched.unpacked)
            assert len(server.log) == 1


def test_an_archive_that_lacks_a_member_is_not_fetched_twice(tmp_path: Path) -> None:
    """Once its adapter names the right member, what came is unpacked."""
    data = zipped(MEMBERS)
    with serving() as server:
        url = server.plan("/a.zip", Reply(data))
        with pytest.raises(UserError, match=r"no member 'C\.csv'"):
            fetch(wanted(tmp_path, url, file="a.zip", holds=(("C.csv", "C.csv"),)))
        assert left_over(tmp_path) == ["a.zip.note~", "a.zip.partial~"]
        fetch(wanted(tmp_path, url, file="a.zip", holds=HOLDS))
        assert len(server.log) == 1
    assert left_over(tmp_path) == []


def test_a_damaged_archive_is_fetched_again(tmp_path: Path) -> None:
    data = zipped(MEMBERS)
    with serving() as server:
        file = wanted(tmp_path, server.plan("/a.zip", Reply(data[:-40]), Reply(data)), file="a.zip", holds=HOLDS)
        with pytest.raises(UserError, match="damaged"):
            fetch(file)
        assert left_over(tmp_path) == []
        fetch(file)
    assert (tmp_path / "A.csv").read_bytes() == A
