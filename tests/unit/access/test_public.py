"""What everybody may do in an open directory: read and search, and nothing of a patient's."""

import pytest

from fhir_server.access.audience import TYPES
from fhir_server.access.public import OPENABLE, ClosedTypeError, public_rights
from fhir_server.access.scopes import LETTERS
from fhir_server.search.plan import Nothing
from fhir_server.spec.structures import RESOURCE_TYPES


def test_without_types_nothing_is_open() -> None:
    rights = public_rights(())
    assert not any(rights.allows(x, kind) for x in LETTERS for kind in RESOURCE_TYPES)


@pytest.mark.parametrize("kind", sorted(OPENABLE))
def test_an_open_type_is_read_and_searched_alone(kind: str) -> None:
    rights = public_rights((kind,))
    assert {x for x in LETTERS if rights.allows(x, kind)} == {"r", "s"}
    others = set(RESOURCE_TYPES) - {kind}
    assert all(isinstance(rights.of(x).of(each), Nothing) for x in LETTERS for each in others)


@pytest.mark.parametrize(
    "kind",
    [kind for kind, row in TYPES if row in ("patient", "none")] + ["Device", "Practitionr"],
)
def test_a_type_with_patients_data_cannot_be_opened(kind: str) -> None:
    with pytest.raises(ClosedTypeError, match=kind):
        public_rights(("Organization", kind))
