"""The parts of the card on where the rows come from: sources and terms, how to cite, how to build it again."""

import re
from collections.abc import Iterator

from ecinstruct_build.audit.wholeness import CHECKSUMS
from ecinstruct_build.publish import markdown
from ecinstruct_build.publish.card_info import CardInfo
from ecinstruct_build.publish.licences import LICENCE, terms_table
from ecinstruct_build.publish.rebuild import STEPS
from ecinstruct_build.publish.recipe_file import RECIPE

ECELLM = """\
@inproceedings{peng2024ecellm,
  title     = {{eCeLLM}: Generalizing Large Language Models for E-commerce from Large-scale, High-quality
               Instruction Data},
  author    = {Peng, Bo and Ling, Xinyi and Chen, Ziru and Sun, Huan and Ning, Xia},
  booktitle = {Proceedings of the 41st International Conference on Machine Learning (ICML)},
  year      = {2024},
  eprint    = {2402.08831},
  archivePrefix = {arXiv}
}"""
"""The paper that the dataset's design comes from."""


def sources(info: CardInfo) -> Iterator[str]:
    """Yield each corpus with its home and terms, what may be done with its text, and the files that were read."""
    yield "## Sources and licences\n"
    yield _terms(info)
    ordered = sorted(info.sources, key=lambda source: source.name)
    yield "\n".join(f"- **{source.name}**: {source.title}. {source.summary}" for source in ordered) + "\n"
    if not info.generated:
        yield terms_table(ordered)
    names = ("records", "ingested", "quarantined", "collapsed")
    inputs = sorted(info.manifest["inputs"], key=lambda entry: (entry["source"], entry["file"]))
    read = [(entry["source"], f"`{entry['file']}`", *(entry[name] for name in names)) for entry in inputs]
    yield "Records read; the quarantined ones were malformed, the collapsed ones exact repetitions.\n"
    yield markdown.table(("source", "file", *names), read, right=len(names))


def _terms(info: CardInfo) -> str:
    if info.generated:
        return "Generated files in the form of these corpora; none of the corpora's own text is in this dataset.\n"
    if info.restricted:
        return (
            f"No text of any of these corpora is in this dataset. [{LICENCE}]({LICENCE}) has their terms, which hold "
            "for the rows once they are rebuilt.\n"
        )
    return (
        "The text of each row stays under the terms of the corpora that it was made from: the one named in its column "
        f"`source`, and those that describe its products. [{LICENCE}]({LICENCE}) repeats the terms.\n"
    )


def citing(info: CardInfo) -> Iterator[str]:
    """Yield how to cite the dataset, the paper behind it, and each corpus."""
    yield "## How to cite\n"
    yield "The dataset:\n"
    yield markdown.code(bibtex(info), "bibtex")
    yield "The paper whose design it follows:\n"
    yield markdown.code(ECELLM, "bibtex")
    if info.generated:
        yield "The corpora in whose form the sample corpora are generated:\n"
    else:
        yield "The corpora that it is made from:\n"
    ordered = sorted(info.sources, key=lambda source: source.name)
    yield (
        "\n".join(f"- {source.name}: {' '.join((source.citation or source.title).split())}" for source in ordered)
        + "\n"
    )


def bibtex(info: CardInfo) -> str:
    """Return the dataset as a BibTeX entry; it has no year, because the same dataset can be built in any."""
    manifest = info.manifest
    key = re.sub(r"[^a-z0-9]+", "_", manifest["name"].lower()).strip("_") or "dataset"
    version = manifest["versions"]["ecinstruct-build"]
    seeds = ", ".join(f"{name} seed {seed}" for name, seed in sorted(manifest["seeds"].items()))
    note = f"Built with ecinstruct-build {version}, recipe {manifest['name']}, {seeds}"
    return f"@misc{{{key},\n  title = {{{_tex(info.title)}}},\n  note  = {{{_tex(note)}}}\n}}"


def _tex(text: str) -> str:
    """Return text for a BibTeX field: one line, special characters escaped, braces left out."""
    plain = " ".join(text.replace("{", "").replace("}", "").replace("\\", "").split())
    return re.sub(r"([&%$#_])", r"\\\1", plain)


def building(info: CardInfo) -> Iterator[str]:
    """Yield how to build the dataset again, byte for byte."""
    seeds = ", ".join(f"{name} {seed}" for name, seed in sorted(info.manifest["seeds"].items()))
    versions = ", ".join(f"{name} {version}" for name, version in sorted(info.manifest["versions"].items()))
    yield "## How to build it again\n"
    yield markdown.code(info.command, "sh")
    yield (
        f"- Recipe: `{info.manifest['name']}`; [{RECIPE}]({RECIPE}) is all of it\n"
        f"- Seeds: {seeds}\n- Versions: {versions}\n"
    )
    yield (
        f"The same recipe on the same files with the same versions gives the same bytes. [{STEPS}]({STEPS}) says it "
        f"step by step, with the SHA-256 of every file that was read; [{CHECKSUMS}]({CHECKSUMS}) has those of the "
        "shards.\n"
    )
