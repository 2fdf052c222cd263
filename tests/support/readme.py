"""What pages tell a reader to copy; the curl lines of README.md's first hour as requests."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).parents[2]

_WITHOUT_VALUE = frozenset({"-s", "-i", "-si", "-G"})
_VARIABLES = {
    "json": "Content-Type: application/fhir+json",
    "auth": "Authorization: $auth",  # the test's to fill
}


@dataclass(frozen=True)
class Line:
    """One curl line as a request; its path is below the base."""

    method: str
    path: str
    headers: dict[str, str]
    body: str | None


def blocks(page: str, heading: str, language: str = "sh") -> list[str]:
    """The fenced blocks of a language below a heading of the second level, in their order."""
    text = (ROOT / page).read_text(encoding="utf-8")
    section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)


def first_hour() -> list[str]:
    """Every command, its continuation lines joined."""
    text = "\n".join(blocks("README.md", "A first hour")).replace("\\\n", " ")
    commands = re.split(r"\n(?=curl |next=|base=|json=|auth=)", text.strip())
    return [each for each in commands if not each.startswith(("base=", "json=", "auth="))]


def requests() -> list[Line]:
    """The lines that go to the base as they stand, in their order."""
    return [
        _request(shlex.split(each.partition(" | ")[0]))
        for each in first_hour()
        if each.startswith("curl") and "$next" not in each and "${base" not in each
    ]


def _request(words: list[str]) -> Line:
    method, url, data, query, headers = "", "", "", list[str](), dict[str, str]()
    rest = iter(words[1:])
    for word in rest:
        match word:
            case "-X":
                method = next(rest)
            case "-H":
                key, _, value = _filled(next(rest)).partition(": ")
                headers[key] = value
            case "-d" if "-G" in words:
                query.append(next(rest))
            case "-d":
                data = next(rest)
            case "--data-urlencode":
                key, _, value = next(rest).partition("=")
                query.append(f"{key}={quote(value, safe='')}")
            case "-o" | "-w":
                next(rest)
            case _ if word not in _WITHOUT_VALUE:
                url = word.replace("\\$", "$")
    path = url.removeprefix("$base")
    if query:
        path += ("&" if "?" in path else "?") + "&".join(query)
    return Line(method or ("POST" if data else "GET"), path, headers, data or None)


def _filled(header: str) -> str:
    return _VARIABLES.get(header.removeprefix("$"), header)
