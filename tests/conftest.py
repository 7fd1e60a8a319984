"""What all tests share."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]

settings.register_profile("default", deadline=None)
settings.load_profile("default")


@pytest.fixture(scope="session")
def real_corpora() -> Path:
    """The folder of genuine upstream pieces; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("ECINSTRUCT_REAL_CORPORA", ROOT.parent / "shared" / "corpora"))
    if not folder.is_dir():
        pytest.skip("no real corpora here; set ECINSTRUCT_REAL_CORPORA to their folder")
    return folder
