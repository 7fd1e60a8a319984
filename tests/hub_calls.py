"""What the Hub answers to each call: one function a call, found by its method and path."""

import base64
import fnmatch
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote

import yaml
from hub_repository import LARGE_SUFFIXES, Blob, Commit, Repository


@dataclass(frozen=True)
class Call:
    """A request; ``query`` holds lists of values, ``endpoint`` is the Hub's address."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    endpoint: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """A response; a body that is not bytes is sent as JSON."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


class Hub(Protocol):
    """What the calls need of the server."""

    repositories: dict[str, Repository]
    rights: dict[str, str]
    page_size: int


def answer(hub: Hub, call: Call, raw_path: str) -> Answer:
    """Answer a call as the Hub would: rights first, then what is asked for."""
    if (stored := re.fullmatch(r"/storage/([\w./-]+)/([0-9a-f]{64})", call.path)) and call.method == "PUT":
        return _store(hub.repositories[stored[1]], stored[2], call)
    token = {name.lower(): value for name, value in call.headers.items()}.get("authorization", "").removeprefix(
        "Bearer "
    )
    if token and token not in hub.rights:
        return _refused(401, "", "Invalid credentials in Authorization header")
    may = hub.rights.get(token, "")
    if call.method == "POST" and call.path == "/api/validate-yaml":
        return _validate_yaml(call)
    if call.method == "GET" and call.path == "/api/whoami-v2":
        return Answer(body={"type": "user", "name": "somebody", "auth": {"accessToken": {"role": may}}})
    if call.method == "POST" and call.path == "/api/repos/create":
        return (
            _create(hub, call) if may == "write" else _refused(403, "", "You don't have the rights to create a dataset")
        )
    for method, pattern, writes, function in _CALLS:
        if call.method == method and (match := re.fullmatch(pattern, raw_path)):
            name, *rest = (unquote(part or "") for part in match.groups())
            repository = hub.repositories.get(name)
            if repository is None or (repository.private and not may):
                return _refused(404 if token else 401, "RepoNotFound", "Repository not found")
            if writes and may != "write":
                return _refused(403, "", f"Forbidden: pass a token with write access to {name}")
            return function(hub, repository, call, name, *rest)
    return _refused(404, "", "Sorry, we can't find the page you are looking for.")


def _refused(status: int, code: str, message: str) -> Answer:
    headers = {"X-Error-Message": message, **({"X-Error-Code": code} if code else {})}
    return Answer(status, {"error": message}, headers)


def _create(hub: Hub, call: Call) -> Answer:
    asked = call.json
    name = f"{asked['organization']}/{asked['name']}"
    url = f"{call.endpoint}/datasets/{name}"
    if name in hub.repositories:
        return Answer(409, {"error": "You already created this dataset repo", "url": url})
    hub.repositories[name] = Repository(private=asked.get("visibility") == "private")
    return Answer(200, {"url": url, "name": name})


def _validate_yaml(call: Call) -> Answer:
    text = call.json["content"]
    match = re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)
    try:
        data = yaml.safe_load(match[1]) if match else {}
    except yaml.YAMLError as error:
        return Answer(400, {"errors": [{"message": str(error)}], "warnings": []})
    if not isinstance(data, dict):
        return Answer(400, {"errors": [{"message": "metadata must be a mapping"}], "warnings": []})
    return Answer(200, {"errors": [], "warnings": []})


def _info(_hub: Hub, repository: Repository, _call: Call, name: str, revision: str = "main") -> Answer:
    found = repository.find(revision)
    if found is None:
        return _refused(404, "RevisionNotFound", f"Invalid rev id: {revision}")
    siblings = [{"rfilename": path} for path in found.files]
    return Answer(body={"id": name, "sha": found.oid, "private": repository.private, "siblings": siblings, "tags": []})


def _refs(_hub: Hub, repository: Repository, _call: Call, _name: str) -> Answer:
    def listed(kind: str, refs: Mapping[str, str]) -> list[dict[str, str]]:
        return [{"name": name, "ref": f"refs/{kind}/{name}", "targetCommit": oid} for name, oid in refs.items()]

    branches, tags = listed("heads", repository.branches), listed("tags", repository.tags)
    return Answer(body={"branches": branches, "tags": tags, "converts": []})


def _tree(hub: Hub, repository: Repository, call: Call, name: str, revision: str, below: str = "") -> Answer:
    found = repository.find(revision)
    if found is None:
        return _refused(404, "RevisionNotFound", f"Invalid rev id: {revision}")
    entries = _entries(found, below, recursive=call.query.get("recursive", ["false"])[0] == "true")
    if below and not entries:
        return _refused(404, "EntryNotFound", f"{below} does not exist on {revision}")
    start = int(call.query.get("cursor", ["0"])[0])
    stop = start + hub.page_size
    headers = {}
    if stop < len(entries):
        where = f"{call.endpoint}/api/datasets/{name}/tree/{revision}{f'/{below}' if below else ''}"
        recursive = call.query.get("recursive", ["false"])[0]
        headers["Link"] = f'<{where}?recursive={recursive}&cursor={stop}>; rel="next"'
    return Answer(200, entries[start:stop], headers)


def _entries(commit: Commit, below: str, *, recursive: bool) -> list[dict[str, Any]]:
    prefix = f"{below}/" if below else ""
    entries: dict[str, dict[str, Any]] = {}
    for path, blob in commit.files.items():
        if not path.startswith(prefix):
            continue
        parts = path[len(prefix) :].split("/")
        for depth in range(1, len(parts) if recursive else min(len(parts), 2)):
            folder = prefix + "/".join(parts[:depth])
            oid = hashlib.sha1(folder.encode(), usedforsecurity=False).hexdigest()
            entries.setdefault(folder, {"type": "directory", "path": folder, "oid": oid, "size": 0})
        if recursive or len(parts) == 1:
            entries[path] = blob.entry(path)
    return [entries[path] for path in sorted(entries)]


def _paths_info(_hub: Hub, repository: Repository, call: Call, _name: str, revision: str) -> Answer:
    found = repository.find(revision)
    if found is None:
        return _refused(404, "RevisionNotFound", f"Invalid rev id: {revision}")
    asked = [value.strip("/") for key, value in parse_qsl(call.body.decode()) if key == "paths"]
    known = {entry["path"]: entry for entry in _entries(found, "", recursive=True)}
    return Answer(200, [known[path] for path in asked if path in known])


def _preupload(_hub: Hub, repository: Repository, call: Call, _name: str, revision: str) -> Answer:
    found = repository.find(revision)
    if found is None:
        return _refused(404, "RevisionNotFound", f"Invalid rev id: {revision}")
    present = found.files.get(".gitignore")
    ignored = call.json.get("gitIgnore", present.data.decode() if present else "").split()
    files = []
    for asked in call.json["files"]:
        path = asked["path"]
        mode = "lfs" if path.endswith(LARGE_SUFFIXES) or asked["size"] > 10 * 2**20 else "regular"
        ignore = any(fnmatch.fnmatch(path, pattern) for pattern in ignored)
        told = {"path": path, "uploadMode": mode, "shouldIgnore": ignore}
        files.append(told | ({"oid": found.files[path].etag} if path in found.files else {}))
    return Answer(body={"files": files, "commitOid": found.oid})


def _batch(_hub: Hub, repository: Repository, call: Call, name: str) -> Answer:
    objects = []
    for asked in call.json["objects"]:
        told: dict[str, Any] = {"oid": asked["oid"], "size": asked["size"]}
        if asked["oid"] not in repository.objects:
            upload = {"href": f"{call.endpoint}/storage/{name}/{asked['oid']}"}
            verify = {"href": f"{call.endpoint}/datasets/{name}.git/info/lfs/objects/verify"}
            told["actions"] = {"upload": upload, "verify": verify}
        objects.append(told)
    return Answer(body={"transfer": "basic", "objects": objects})


def _store(repository: Repository, oid: str, call: Call) -> Answer:
    if hashlib.sha256(call.body).hexdigest() != oid:
        return Answer(400, {"error": "BadDigest"})
    repository.objects[oid] = call.body
    return Answer(200, b"")


def _verify(_hub: Hub, repository: Repository, call: Call, _name: str) -> Answer:
    kept = repository.objects.get(call.json["oid"])
    if kept is None or len(kept) != call.json["size"]:
        return Answer(404, {"error": "Object does not exist"})
    return Answer(200, {})


def _commit(_hub: Hub, repository: Repository, call: Call, name: str, revision: str) -> Answer:
    head = repository.branches.get(revision)
    if head is None:
        return _refused(404, "RevisionNotFound", f"Invalid rev id: {revision}")
    lines = [json.loads(line) for line in call.body.splitlines()]
    header = next(line["value"] for line in lines if line["key"] == "header")
    if header.get("parentCommit", head) != head:
        return _refused(412, "", "A commit has happened since. Please refresh and try again.")
    added: dict[str, Blob] = {}
    for line in lines:
        value = line["value"]
        if line["key"] == "file":
            added[value["path"]] = Blob(base64.b64decode(value["content"]), large=False)
        elif line["key"] == "lfsFile":
            if value["oid"] not in repository.objects:
                return _refused(400, "", f"The object of {value['path']} is not there")
            added[value["path"]] = Blob(repository.objects[value["oid"]], large=True)
    deleted = [line["value"]["path"] for line in lines if line["key"] == "deletedFile"]
    if any(path not in repository.commits[head].files for path in deleted):
        return _refused(404, "EntryNotFound", "A file with this name doesn't exist")
    made = repository.commit(revision, added, deleted, header["summary"], header["description"])
    url = f"{call.endpoint}/datasets/{name}/commit/{made.oid}"
    return Answer(body={"success": True, "commitOid": made.oid, "commitUrl": url, "hookOutput": ""})


def _branch(_hub: Hub, repository: Repository, call: Call, _name: str, branch: str) -> Answer:
    start = repository.find(call.json.get("startingPoint", "main"))
    if branch in repository.branches:
        return _refused(409, "", f"Reference already exists: refs/heads/{branch}")
    if start is None:
        return _refused(404, "RevisionNotFound", "Invalid starting point")
    repository.branches[branch] = start.oid
    return Answer()


def _tag(_hub: Hub, repository: Repository, call: Call, _name: str, revision: str) -> Answer:
    found = repository.find(revision)
    tag = call.json["tag"]
    if found is None:
        return _refused(404, "RevisionNotFound", f"Invalid rev id: {revision}")
    if tag in repository.tags:
        return _refused(409, "", f"Tag reference exists already: {tag}")
    repository.tags[tag] = found.oid
    return Answer()


def _resolve(_hub: Hub, repository: Repository, call: Call, _name: str, revision: str, path: str) -> Answer:
    found = repository.find(revision)
    if found is None:
        return _refused(404, "RevisionNotFound", f"Invalid rev id: {revision}")
    blob = found.files.get(path)
    if blob is None:
        refused = _refused(404, "EntryNotFound", "Entry not found")
        return Answer(404, refused.body, {**refused.headers, "X-Repo-Commit": found.oid})
    headers = {"X-Repo-Commit": found.oid, "ETag": f'"{blob.etag}"', "Accept-Ranges": "bytes"}
    asked = re.fullmatch(r"bytes=(\d+)-(\d*)", call.headers.get("Range", call.headers.get("range", "")))
    if asked is None:
        return Answer(200, blob.data, headers)
    start, size = int(asked[1]), len(blob.data)
    stop = min(int(asked[2]) + 1 if asked[2] else size, size)
    if start >= size:
        return Answer(416, b"", {**headers, "Content-Range": f"bytes */{size}"})
    return Answer(206, blob.data[start:stop], {**headers, "Content-Range": f"bytes {start}-{stop - 1}/{size}"})


_NAME = r"([^/]+/[^/]+)"
_API = rf"/api/datasets/{_NAME}"
_CALLS: tuple[tuple[str, str, bool, Callable[..., Answer]], ...] = (
    ("GET", _API, False, _info),
    ("GET", rf"{_API}/revision/([^/]+)", False, _info),
    ("GET", rf"{_API}/refs", False, _refs),
    ("GET", rf"{_API}/tree/([^/]+)(?:/(.+))?", False, _tree),
    ("POST", rf"{_API}/paths-info/([^/]+)", False, _paths_info),
    ("POST", rf"{_API}/preupload/([^/]+)", True, _preupload),
    ("POST", rf"/datasets/{_NAME}\.git/info/lfs/objects/batch", True, _batch),
    ("POST", rf"/datasets/{_NAME}\.git/info/lfs/objects/verify", True, _verify),
    ("POST", rf"{_API}/commit/([^/]+)", True, _commit),
    ("POST", rf"{_API}/branch/([^/]+)", True, _branch),
    ("POST", rf"{_API}/tag/([^/]+)", True, _tag),
    ("GET", rf"/datasets/{_NAME}/resolve/([^/]+)/(.+)", False, _resolve),
    ("HEAD", rf"/datasets/{_NAME}/resolve/([^/]+)/(.+)", False, _resolve),
)
