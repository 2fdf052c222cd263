"""What the patient's page computes without a browser, by node's own test runner."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.arch.checkers import ROOT
from tests.browser.driving import NODE

HERE = Path(__file__).parent
PAGE = ROOT / "fhir_server" / "web" / "cabinet"
PREFIXES = (
    "RELATION_", "OF_", "DID_", "EMERGENCY_", "REQUIRES_", "LABEL_", "PURPOSE_", "SORT_",
    "RULE_", "WHO_", "WAY_", "NOTICE_", "EVERYBODY_", "AFTER_", "MAY_DO_",
)  # fmt: skip
"""Of texts that are looked up by a code."""


@pytest.mark.skipif(NODE is None, reason="no node: apt-get install nodejs")
def test_the_pure_modules() -> None:
    files = sorted(map(str, (HERE / "pure").glob("*.test.mjs")))
    command = [str(NODE), "--test", *files]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_text_that_is_said_is_there_and_none_besides() -> None:
    texts = [each.read_text(encoding="utf-8") for each in (PAGE / "app").glob("texts*.js")]
    listed = re.findall(r"^  \"?([\w-]+)\"?: \[", "\n".join(texts), re.MULTILINE)
    known = set(listed)
    assert len(known) == len(listed)
    code = "".join(
        each.read_text(encoding="utf-8")
        for each in [*(PAGE / "app").glob("*.js"), *(PAGE / "views").glob("*.js")]
        if not each.name.startswith("texts")
    )
    said = set(re.findall(r'\b[tn]\("(\w+)"', code))
    assert said <= known
    named = set(re.findall(r'"([A-Z][A-Z_]+|OF_\w+)"', code))
    assert {each for each in known - said - named if not each.startswith(PREFIXES)} == set()
