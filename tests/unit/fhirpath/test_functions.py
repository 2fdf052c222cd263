"""https://hl7.org/fhirpath/N1/#functions"""

from decimal import Decimal
from typing import Any

import pytest

from fhir_server.fhirpath import FhirPathError

from .conftest import Evaluate

EXISTENCE = [
    ("name.exists()", [True]), ("photo.exists()", [False]), ("{}.empty()", [True]),
    ("name.exists(use = 'usual')", [True]), ("name.exists(use = 'x')", [False]),
    ("name.all(given.exists())", [True]), ("name.all(family.exists())", [False]),
    ("{}.all(false)", [True]), ("name.all($index < 3)", [True]),
    ("name.all($index < 2)", [False]),
    ("name.select(family.exists()).allTrue()", [False]), ("{}.allTrue()", [True]),
    ("name.select(family.exists()).anyTrue()", [True]), ("{}.anyTrue()", [False]),
    ("name.select(family.exists()).allFalse()", [False]), ("(false).allFalse()", [True]),
    ("name.select(family.exists()).anyFalse()", [True]), ("(true).anyFalse()", [False]),
    ("name.first().subsetOf(name)", [True]), ("name.subsetOf(name.first())", [False]),
    ("name.first().supersetOf(name)", [False]), ("name.supersetOf(name.first())", [True]),
    ("name.count()", [3]), ("{}.count()", [0]), ("name.given.distinct().count()", [3]),
    ("name.given.isDistinct()", [False]), ("name.isDistinct()", [True]),
    ("gender.hasValue()", [True]), ("name.hasValue()", [False]),
    ("name.first().hasValue()", [False]), ("birthDate.getValue()", ["@1974-12-25"]),
    ("name.first().getValue()", []), ("name.given.getValue()", []),
]  # fmt: skip
FILTERING = [
    ("name.where(use = 'usual').given", ["Jim"]),
    ("telecom.where($index = 1).value", ["1111"]),
    ("name.where(given contains 'Jim').use", ["usual"]),
    ("name.select(given.first())", ["Peter", "Jim", "Peter"]),
    ("name.select($index)", [0, 1, 2]),
    ("telecom.select(iif(value = '2222', $index, {}))", [2]),
    ("1.repeat(iif($this < 5, $this + 1, {}))", [2, 3, 4, 5]),
    ("{}.all(foo)", [True]), ("{}.select(foo)", []),
    ("1.repeat(iif($this < 3, (2 | 3), {}))", [2, 3]),
    ("photo.iif(title = 'x', 1, title)", []),
    ("contact.iif(name.exists(), gender, 1)", ["female"]),
    ("photo.iif(creation.exists() or title.exists(), 1, url)", []),
    ("name.skip({}).count()", [3]),
    ("photo.iif(title.exists(), 1, 2)", [2]), ("1.combine(1).sort()", [1, 1]),
    ("contact.repeat(name).family", ["du Marché"]),
    ("1.repeatAll(iif($this < 3, ($this + 1).combine($this + 1), {}))", [2, 2, 3, 3, 3, 3]),
    ("(1 | 2 | 3).aggregate($this + $total, 2)", [8]),
    ("(1 | 3 | 2).aggregate(iif($total > $this, $total, $this))", [3]),
    ("(5 | 6).aggregate($total + $index, 0)", [1]),
    ("contained.ofType(Organization).name", ["Acme"]),
    ("contained.ofType(Patient)", []),
]  # fmt: skip
SUBSETTING = [
    ("name[1].given", ["Jim"]), ("name[9]", []), ("name[-1]", []), ("name[{}]", []),
    ("name.given.first()", ["Peter"]), ("name.given.last()", ["James"]), ("{}.first()", []),
    ("name.given.tail().first()", ["James"]), ("name.given.skip(3)", ["Peter", "James"]),
    ("name.given.skip(-1).count()", [5]), ("name.given.take(2)", ["Peter", "James"]),
    ("name.given.take(0)", []), ("name.given.take(-1)", []), ("gender.single()", ["male"]),
    ("{}.single()", []), ("(1 | 2 | 3).intersect(2 | 4)", [2]),
    ("1.combine(1).intersect(1)", [1]), ("(1 | 2 | 3).exclude(2)", [1, 3]),
    ("1.combine(1).exclude(2)", [1, 1]), ("(1 | 2).union(2 | 3)", [1, 2, 3]),
    ("(1 | 2).combine(2 | 3)", [1, 2, 2, 3]), ("1.combine(1).combine({})", [1, 1]),
    ("name.coalesce({}, gender, id)", ["male"]), ("1.combine(1) | {}", [1]),
    ("name.given | {}", ["Peter", "James", "Jim"]),
    ("(3 | 1 | 2).sort()", [1, 2, 3]), ("(3 | 1 | 2).sort(-$this)", [3, 2, 1]),
    ("('b' | 'a').sort($this)", ["a", "b"]), ("('a' | 'b').sort($this desc)", ["b", "a"]),
    ("('b' | 'a').sort($this asc)", ["a", "b"]), ("('b' | 'a').sort(+$this)", ["a", "b"]),
    ("name.sort(-family, -given.first()).use", ["usual", "maiden", "official"]),
    ("name.sort(given.first(), family).use", ["usual", "official", "maiden"]),
]  # fmt: skip
STRINGS = [
    ("'abcde'.indexOf('cd')", [2]), ("'abc'.indexOf('x')", [-1]), ("'abc'.indexOf('')", [0]),
    ("'abca'.lastIndexOf('a')", [3]), ("{}.indexOf('a')", []), ("'a'.indexOf({})", []),
    ("'12345'.substring(2)", ["345"]), ("'12345'.substring(2, 5)", ["345"]),
    ("'12345'.substring(5)", []), ("'12345'.substring(-1)", []),
    ("'12345'.substring(4)", ["5"]),
    ("'12345'.substring(1, 0)", [""]), ("'12345'.substring(1, -1)", [""]),
    ("'12345'.substring(1, {})", ["2345"]), ("'12345'.substring({})", []),
    ("'abc'.startsWith('ab')", [True]), ("'abc'.startsWith('')", [True]),
    ("'abc'.endsWith('bc')", [True]), ("'abc'.contains('x')", [False]),
    ("'aé'.upper()", ["AÉ"]), ("'AÉ'.lower()", ["aé"]),
    ("'abc'.replace('b', 'x')", ["axc"]), ("'abc'.replace('', 'x')", ["xaxbxcx"]),
    ("'abc'.matches('b')", [True]), ("'abc'.matches('^b')", [False]),
    (r"'a\nc'.matches('a.c')", [True]), ("'abc'.matchesFull('b')", [False]),
    ("'abc'.matchesFull('a.c')", [True]), ("'abc'.matches({})", []),
    ("'abc'.replaceMatches('[ab]', '-')", ["--c"]), ("'abc'.replaceMatches('', 'x')", ["abc"]),
    (r"'ab'.replaceMatches('(?<x>a)(b)', '${x}-$2-\\$1')", ["a-b-$1"]),
    (r"'ab'.replaceMatches('b', '\\\\')", ["a\\\\"]),
    ("'abc'.length()", [3]), ("''.length()", [0]), ("'abc'.toChars()", ["a", "b", "c"]),
    ("' a '.trim()", ["a"]), ("'a,,b'.split(',')", ["a", "", "b"]),
    ("'ab'.split('')", ["a", "b"]),
    ("{}.split(',')", []), ("name.given.join(',')", ["Peter,James,Jim,Peter,James"]),
    ("name.given.join()", ["PeterJamesJimPeterJames"]), ("{}.join(',')", []),
    ("name.given.join({})", []),
    ("'test'.encode('base64')", ["dGVzdA=="]),
    ("'subjects?_d'.encode('hex')", ["7375626a656374733f5f64"]),
    ("'subjects?_d'.encode('urlbase64')", ["c3ViamVjdHM_X2Q="]),
    ("'c3ViamVjdHM_X2Q='.decode('urlbase64')", ["subjects?_d"]), ("'74'.decode('hex')", ["t"]),
    ("'dGVzdA=='.decode('base64')", ["test"]),
    ("""'"1<2"'.escape('html')""", ["&quot;1&lt;2&quot;"]),
    ("""'"1<2"'.escape('json')""", ['\\"1<2\\"']),
    ("'&quot;1&lt;2&quot;'.unescape('html')", ['"1<2"']),
    (r"""'\\\"1\\n'.unescape('json')""", ['"1\n']), ("""'"'.unescape('json')""", ['"']),
    # "birthDate" is a string in JSON, and FHIR lets one treat it so.
    ("birthDate.substring(0, 4)", ["1974"]), ("birthDate.startsWith('19')", [True]),
]  # fmt: skip
NUMBERS = [
    ("(-5).abs()", [5]), ("(-5.5).abs()", [Decimal("5.5")]),
    ("(-5.5 'mg').abs()", ["5.5 'mg'"]),
    ("1.1.ceiling()", [2]), ("(-1.1).ceiling()", [-1]), ("(-1.1).floor()", [-2]),
    ("2.9.floor()", [2]), ("(-1.56).truncate()", [-1]), ("10.power(99999).floor()", []),
    ("0.exp() = 1", [True]), ("1.ln() = 0", [True]), ("0.ln()", []), ("(-1).ln()", []),
    ("16.log(2) = 4", [True]), ("100.0.log(10.0) = 2", [True]), ("2.power(3)", [8]),
    ("2.power(-1)", [Decimal("0.5")]), ("2.5.power(2)", [Decimal("6.25")]),
    ("(-1).power(0.5)", []), ("{}.power(2)", []), ("1.round()", [1]),
    ("3.14159.round(3)", [Decimal("3.142")]), ("2.5.round()", [Decimal(3)]),
    ("81.sqrt()", [Decimal(9)]), ("(-1).sqrt()", []), ("10.power(9999).round(3)", []),
    ("1000000.exp().exp()", []), ("16.log(2).toString()", ["4"]),
    ("10.log(4).round(4)", [Decimal("1.6610")]),
]  # fmt: skip
BOUNDARIES = [
    # https://build.fhir.org/ig/HL7/FHIRPath/#boundary-functions
    ("1.587.lowBoundary()", [Decimal("1.58650000")]),
    ("1.587.lowBoundary(2)", [Decimal("1.58")]),
    ("1.587.lowBoundary(0)", [Decimal(1)]), ("(-1.587).lowBoundary(6)", [Decimal("-1.587500")]),
    ("(-1.587).lowBoundary(2)", [Decimal("-1.59")]),
    ("1.lowBoundary()", [Decimal("0.50000000")]),
    ("(-0.0034).lowBoundary(1).toString()", ["-0.0"]),
    ("0.0034.highBoundary(1)", [Decimal("0.0")]),
    ("9.95.highBoundary(1)", [Decimal("10.0")]), ("9.95.lowBoundary(1)", [Decimal("9.9")]),
    ("1.587.lowBoundary(-1)", []), ("1.587.lowBoundary(32)", []),
    ("1.587.highBoundary(2)", [Decimal("1.59")]), ("1.highBoundary(0)", [Decimal(2)]),
    ("(-1.587).highBoundary(2)", [Decimal("-1.58")]),
    ("12.500.highBoundary(4)", [Decimal("12.5005")]),
    ("10.power(99999).lowBoundary()", []), ("{}.lowBoundary()", []),
    ("1.587 'm'.lowBoundary(8)", ["1.58650000 'm'"]), ("1.587 'm'.lowBoundary(40)", []),
    ("@2014.lowBoundary(6)", ["@2014-01"]), ("@2014.highBoundary(6)", ["@2014-12"]),
    ("@2014-02.highBoundary()", ["@2014-02-28"]), ("@2016-02.highBoundary()", ["@2016-02-29"]),
    ("@2014.highBoundary(5)", []), ("@2014.lowBoundary(17)", []),
    ("@2014-01-01T08.lowBoundary(8)", ["@2014-01-01"]),
    ("@2014-01-01T08:05.lowBoundary(17)", ["@2014-01-01T08:05:00.000+14:00"]),
    ("@2014-01-01T08:05.highBoundary(17)", ["@2014-01-01T08:05:59.999-12:00"]),
    ("@2014-01-01T08:05-05:00.highBoundary()", ["@2014-01-01T08:05:59.999-05:00"]),
    ("@2014-02T.highBoundary(17)", ["@2014-02-28T23:59:59.999-12:00"]),
    ("@T10:30.lowBoundary()", ["@10:30:00.000"]),
    ("@T10:30.highBoundary(9)", ["@10:30:59.999"]),
    ("@T10:30.highBoundary(6)", ["@10:30:59"]), ("@T10:30.highBoundary(0)", []),
    ("1.58700.precision()", [5]), ("1.precision()", [0]), ("@2014.precision()", [4]),
    ("@2014-01-05T10:30:00.000.precision()", [17]), ("@T10:30.precision()", [4]),
    ("{}.precision()", []), ("1 'cm'.comparable(1 '[in_i]')", [True]),
    ("1 'cm'.comparable(1 's')", [False]), ("1.comparable(2)", [True]),
    ("1 'x'.comparable(1 'x')", [True]), ("1 'cm'.comparable({})", []),
]  # fmt: skip
CONVERSION = [
    ("'1'.toInteger()", [1]), ("'-1'.toInteger()", [-1]), ("'1.0'.toInteger()", []),
    ("true.toInteger()", [1]), ("1.5.toInteger()", []), ("{}.toInteger()", []),
    ("'1.10'.toDecimal()", [Decimal("1.10")]), ("true.toDecimal()", [Decimal("1.0")]),
    ("'x'.toDecimal()", []), ("1.toDecimal()", [Decimal(1)]),
    ("'T'.toBoolean()", [True]), ("'no'.toBoolean()", [False]), ("2.toBoolean()", []),
    ("1.0.toBoolean()", [True]), ("0.toBoolean()", [False]), ("true.toBoolean()", [True]),
    ("@2014.toBoolean()", []), ("'x'.convertsToBoolean()", [False]),
    ("1.10.toString()", ["1.10"]), ("true.toString()", ["true"]), ("1.toString()", ["1"]),
    ("1 week.toString()", ["1 week"]), ("1 'wk'.toString()", ["1 'wk'"]),
    ("@2014-01T.toString()", ["2014-01"]), ("@T10:30.toString()", ["10:30"]),
    ("birthDate.toString()", ["1974-12-25"]), ("name.first().toString()", []),
    ("'2015-02'.toDate()", ["@2015-02"]), ("'2015-02-30'.toDate()", []),
    ("'2015-02-04T10:00:00'.toDate()", []), ("@2015-02-04T10:00:00Z.toDate()", ["@2015-02-04"]),
    ("@2015.toDate()", ["@2015"]), ("1.toDate()", []),
    ("'2015-02-04T14:34:28Z'.toDateTime()", ["@2015-02-04T14:34:28Z"]),
    ("@2015-02.toDateTime()", ["@2015-02"]), ("@2015T.toDateTime()", ["@2015"]),
    ("1.toDateTime()", []), ("'14:34'.toTime()", ["@14:34"]), ("'25:00'.toTime()", []),
    ("@T14.toTime()", ["@14"]), ("1.toTime()", []),
    ("'5'.toQuantity()", ["5 '1'"]), ("'5 days'.toQuantity()", ["5 day"]),
    ("'5 \\'mg\\''.toQuantity()", ["5 'mg'"]), ("'5 mg'.toQuantity()", []),
    ("'x'.toQuantity()", []), ("{}.toQuantity()", []),
    ("'1 wk'.convertsToQuantity()", [False]), ("true.toQuantity()", ["1.0 '1'"]),
    ("1.5.toQuantity()", ["1.5 '1'"]), ("1 'g'.toQuantity()", ["1 'g'"]),
    ("@2014.toQuantity()", []), ("1 'g'.toQuantity('mg')", ["1000 'mg'"]),
    ("1 'g'.toQuantity('s')", []), ("14 days.toQuantity('week')", ["2 week"]),
    ("1 week.toQuantity('week')", ["1 week"]), ("1 'g'.convertsToQuantity('mg')", [True]),
    ("1.convertsToInteger()", [True]), ("'a'.convertsToDecimal()", [False]),
    ("iif(true, 1, 2)", [1]), ("iif(false, 1, 2)", [2]), ("iif(false, 1)", []),
    ("iif({}, 1, 2)", [2]), ("iif(true, 1, (1 | 2) + 1)", [1]),
    ("'x'.iif($this = 'x', 1)", [1]),
    ("{}.iif(empty(), 1, 2)", [1]), ("photo.iif(exists(), 1, title)", []),
]  # fmt: skip
TREE = [
    ("contact.name.children()", ["du Marché"]),
    ("contact.descendants().count()", [3]),
    ("Patient.children().count() = Patient.children().count()", [True]),
    ("birthDate.children().url", ["http://example.org/time"]),
    ("birthDate.descendants().count()", [3]),
    ("name.given.trace('x', length()).count()", [5]),
    ("now()", ["@2026-11-22T06:00:00.000+00:00"]),
    ("today()", ["@2026-11-22"]),
    ("timeOfDay()", ["@06:00:00.000"]),
]
FAULTS = [
    # "an error if there are multiple items"
    "name.single()", "name.given.length()", "name.given.startsWith('a')", "(1 | 2).toString()",
    "(1 | 2).not()", "(1 | 2).iif(true, 1)", "iif(1 | 2, 1, 2)", "iif('x', 1, 2)",
    "1.length()", "active.contains('t')", "1.substring(0)", "'a'.substring('b')",
    "'a'.startsWith(1)", "'a'.substring(true)", "name.skip('a')", "name['a']",
    "(true | 'x').allTrue()", "(1).anyTrue()", "'a'.abs()", "true.floor()",
    "name.first().abs()",
    "1.5.round(-1)", "1.5.round(99)", "1.5.round(0.5)",
    "'a'.lowBoundary()", "1.lowBoundary('a')",
    "'a'.precision()", "'a'.comparable(1)", "1.comparable('a')", "1.toQuantity(1)",
    "'a'.matches('(')", "'a'.replaceMatches('a', '$9')", "'x'.encode('rot13')",
    "'x'.decode('base64')", "'zz'.decode('hex')", "'x'.escape('xml')", "(1 | 'a').join()",
    "(1 | 'a').sort()", "name.sort(given)", "identifier.startsWith('a')", "name.length()",
    "1.foo()", "name.first(1)", "name.where()", "name.ofType(foo)", "name is foo",
    "name.is(Patient.foo.bar)", "name is Foo.Bar", "name.as(string, 1)", "name.ofType()",
    "name is Patient",
]  # fmt: skip


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        *EXISTENCE, *FILTERING, *SUBSETTING, *STRINGS, *NUMBERS, *BOUNDARIES, *CONVERSION,
        *TREE,
    ],
)  # fmt: skip
def test_a_function_gives(evaluate: Evaluate, expression: str, expected: list[Any]) -> None:
    found = evaluate(expression)
    assert found == expected
    assert [type(each) for each in found] == [type(each) for each in expected]


@pytest.mark.parametrize("expression", FAULTS)
def test_a_function_refuses_what_it_is_not_defined_for(
    evaluate: Evaluate, expression: str
) -> None:
    with pytest.raises(FhirPathError):
        evaluate(expression)
