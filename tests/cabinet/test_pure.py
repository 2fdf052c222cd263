"""What the patient's page computes without a browser, by node's own test runner."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.arch.checkers import ROOT
from tests.browser.driving import NODE

HERE = Path(__file__).parent
PAGE = ROOT / "fhir_server" / "web" / "cabinet"
PREFIXES = ("RELATION_", "OF_", "DID_", "EMERGENCY_", "REQUIRES_")
"""Of texts that are looked up by a code."""


@pytest.mark.skipif(NODE is None, reason="no node: apt-get install nodejs")
def test_the_pure_modules() -> None:
    command = [str(NODE), "--test", str(HERE / "pure" / "pure.test.mjs")]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_text_that_is_said_is_there_and_none_besides() -> None:
    texts = (PAGE / "app" / "texts.js").read_text(encoding="utf-8")
    known = set(re.findall(r"^  \"?([\w-]+)\"?: \[", texts, re.MULTILINE))
    code = "".join(
        each.read_text(encoding="utf-8")
        for each in [*(PAGE / "app").glob("*.js"), *(PAGE / "views").glob("*.js")]
        if each.name != "texts.js"
    )
    said = set(re.findall(r'\b[tn]\("(\w+)"', code))
    assert said <= known
    named = set(re.findall(r'"([A-Z][A-Z_]+|OF_\w+)"', code))
    assert {each for each in known - said - named if not each.startswith(PREFIXES)} == set()
