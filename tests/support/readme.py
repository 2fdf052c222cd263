"""The curl lines of README.md's first hour, as a reader would copy them."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

README = Path(__file__).parents[2] / "README.md"

_BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)
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


def first_hour() -> list[str]:
    """Every command, its continuation lines joined."""
    section = README.read_text(encoding="utf-8").partition("## A first hour")[2]
    section = section.partition("\n## ")[0]
    text = "\n".join(_BLOCK.findall(section)).replace("\\\n", " ")
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
