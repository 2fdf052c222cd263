"""A notice as it is read: in the record, in a mail, in an SMS."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fhir_server.cabinet.notices import words
from fhir_server.cabinet.notices.details import Details
from fhir_server.cabinet.notices.kinds import Kind
from fhir_server.core.messages import Language, Text
from fhir_server.store.links import Action


@dataclass(frozen=True, slots=True)
class Letter:
    """What is told to one person."""

    kind: Kind
    language: Language
    details: Details | None
    """None: it is about no visit."""
    by_clinic: bool = False
    name: str = ""
    """Of whom it is about, where that is somebody else."""
    links: Sequence[tuple[Action, str]] = ()
    """What each does, and its URL."""

    def note(self) -> str:
        """For the record, which only who may see the visit reads."""
        return "\n".join((self._sentence, *self._facts(doctor=True)))

    def headline(self) -> str:
        """What it is about, in a few words."""
        return self._say(words.OF_KIND[self.kind].headline)

    def email(self, home: str, *, doctor: bool) -> Mapping[str, Any]:
        """The content of a mail; `home` is the URL where people see their visits."""
        lines = [self._sentence, "", *self._facts(doctor=doctor)]
        if self.links:
            lines += ["", *self._answers(), "", self._say(words.SECRET)]
        lines += ["", self._say(words.SIGN_IN, link=home), ""]
        return {"subject": self._subject(), "text": "\n".join(lines)}

    def sms(self, *, doctor: bool) -> Mapping[str, Any]:
        """The content of an SMS."""
        parts = [self._subject()]
        if self.details is not None and self.details.plain:
            parts += [self.details.place] if self.details.place else []
            parts += self._doctor() if doctor else []
        if self.details is not None and self.details.until is not None:
            until = self.details.short(self.details.until, self.language)
            parts.append(self._say(words.ANSWER, until=until))
        return {"text": "\n".join((". ".join(parts), *self._answers()))}

    def _subject(self) -> str:
        said = self.headline()
        if self.details is None or self.details.start is None:
            return said
        return f"{said}: {self.details.short(self.details.start, self.language)}"

    @property
    def _sentence(self) -> str:
        is_clinics = self.kind == "visit-cancelled" and self.by_clinic
        said = words.BY_CLINIC if is_clinics else words.OF_KIND[self.kind].sentence
        found = self._say(said)
        return f"{found} {self._say(words.FOR, name=self.name)}" if self.name else found

    def _facts(self, *, doctor: bool) -> Iterator[str]:
        found = self.details
        if found is None:
            return
        if found.start is not None:
            yield self._say(words.WHEN, when=found.time(found.start, self.language))
        if found.place and found.plain:
            yield self._say(words.WHERE, place=found.place)
        if doctor and found.plain:
            said = ", ".join(self._doctor())
            if said:
                yield self._say(words.DOCTOR, doctor=said)
        if found.ticket:
            yield self._say(words.TICKET, ticket=found.ticket)
        if found.until is not None:
            yield self._say(words.ANSWER, until=found.time(found.until, self.language))

    def _doctor(self) -> list[str]:
        found = self.details
        return [] if found is None else [x for x in (found.doctor, found.speciality) if x]

    def _answers(self) -> Iterator[str]:
        for action, url in self.links:
            yield f"{self._say(words.ACTION[action])}: {url}"

    def _say(self, text: Text, **places: object) -> str:
        return text.in_language(self.language, places)
