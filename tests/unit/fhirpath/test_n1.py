"""More of N1, section by section: what each rule gives at its edges.

https://hl7.org/fhirpath/N1/
"""

from decimal import Decimal
from typing import Any

import pytest

from fhir_server.fhirpath import FhirPathError

from .conftest import Evaluate

LITERALS = [  # #lexical-elements
    ("@T14:34:28.123", ["@14:34:28.123"]), ("'\\u0041\\u00e9'", ["Aé"]),
    ("(-1).convertsToInteger()", [True]), ("name.`given`.count()", [5]),
    ("`Patient`.`name`.count()", [3]), ("/* c */ 1 // x", [1]), ("1 /* a */ + /* b */ 2", [3]),
]  # fmt: skip
SINGLETONS = [  # #singleton-evaluation-of-collections
    ("Patient.name.first() and true", [True]), ("Patient.active and Patient.gender", [True]),
    ("Patient.name.given.first() + ''", ["Peter"]), ("'a' and true", [True]),
    ("iif(Patient.name.exists(), 'named', 'unnamed')", ["named"]),
    ("Patient.name.first().iif(use = 'official', 1, 2)", [1]), ("{}.iif(true, 1)", [1]),
]  # fmt: skip
EXISTENCE = [  # #existence
    ("{}.allFalse()", [True]), ("{}.anyFalse()", [False]), ("{}.subsetOf({})", [True]),
    ("{}.supersetOf(1)", [False]), ("(1|2).subsetOf(1|2|3)", [True]),
    ("{}.isDistinct()", [True]),
]  # fmt: skip
FILTERING = [  # #filtering-and-projection
    ("Patient.name.where({})", []), ("Patient.name.select(given).count()", [5]),
    ("(1|2|3|4|5).where($this > 3)", [4, 5]), ("Patient.ofType(Patient).id", ["p1"]),
    ("Patient.ofType(Observation)", []), ("Patient.name.ofType(HumanName).count()", [3]),
    ("Patient.name.given.ofType(string).count()", [5]),
    ("Patient.name.given.ofType(String).count()", [0]),
    ("Patient.gender.ofType(code)", ["male"]), ("Patient.gender.ofType(string)", ["male"]),
    ("(1|2).ofType(Integer).count()", [2]), ("(1|2).ofType(System.Integer).count()", [2]),
]  # fmt: skip
SUBSETTING = [  # #subsetting
    ("Patient.name[0].given[1]", ["James"]), ("(1|2|3).skip(-1).count()", [3]),
    ("(1|2|3).skip(1)", [2, 3]), ("(1|2|3).take(0)", []), ("(1|2|3).take(-1)", []),
    ("(1|2|3).take(10).count()", [3]), ("(1|2|3).tail()", [2, 3]), ("(1|2|3).last()", [3]),
    ("(1|2|3).intersect(2|4)", [2]), ("(1|2|3).exclude(2)", [1, 3]),
    ("(1.combine(1)).count()", [2]), ("(1.union(1)).count()", [1]),
    ("name.given.combine(name.family).count()", [7]),
]  # fmt: skip
CONVERSION = [  # #conversion
    ("'+1'.toInteger()", [1]), ("'1.1'.toInteger()", []), ("1.1.toInteger()", []),
    ("1.0.toInteger()", []), ("'1'.toDecimal()", [Decimal(1)]), ("'.1'.toDecimal()", []),
    ("'1.'.toDecimal()", []), ("'1e3'.toDecimal()", []),
    ("'-1'.toInteger().toString()", ["-1"]), ("1.0.toString()", ["1.0"]),
    ("@2014-12-14.toString()", ["2014-12-14"]),
    ("@2014-12-14T10.toString()", ["2014-12-14T10"]), ("@T10:00.toString()", ["10:00"]),
    ("'true'.toBoolean()", [True]), ("'TRUE'.toBoolean()", [True]),
    ("'Yes'.toBoolean()", [True]), ("'1.0'.toBoolean()", [True]), ("'n'.toBoolean()", [False]),
    ("'maybe'.toBoolean()", []), ("'2015-01-01'.toDate()", ["@2015-01-01"]),
    ("'2015-13-01'.toDate()", []), ("'2015-02-30'.convertsToDate()", [False]),
    ("@2015-01-01T10:00.toDate()", ["@2015-01-01"]),
    ("'2015-01-01T10'.convertsToDateTime()", [True]),
    ("'2015-01-01T10:00:00Z'.toDateTime()", ["@2015-01-01T10:00:00Z"]),
    ("'2015-01-01'.toDateTime()", ["@2015-01-01"]), ("'10:00'.toTime()", ["@10:00"]),
    ("'1 week'.convertsToQuantity()", [True]), ("'1 \\'wk\\''.convertsToQuantity()", [True]),
    ("1.convertsToQuantity()", [True]), ("1 'g'.convertsToQuantity('m')", [False]),
    ("Patient.name.first().convertsToString()", [False]),
    ("Patient.name.first().toString()", []), ("Patient.gender.toString()", ["male"]),
    ("Patient.birthDate.toString()", ["1974-12-25"]), ("{}.convertsToString()", []),
    ("{}.toString()", []), ("'a'.convertsToBoolean()", [False]),
    ("1.0.convertsToInteger()", [False]), ("@2012.convertsToDateTime()", [True]),
]  # fmt: skip
STRINGS = [  # #string-manipulation
    ("'abc'.indexOf('d')", [-1]), ("'abc'.indexOf({})", []), ("'abc'.lastIndexOf('c')", [2]),
    ("'abcdefg'.substring(3)", ["defg"]), ("'abcdefg'.substring(1,2)", ["bc"]),
    ("'abcdefg'.substring(6,2)", ["g"]), ("'abcdefg'.substring(7,1)", []),
    ("'abcdefg'.substring(-1,1)", []), ("'abcdefg'.substring(3,0)", [""]),
    ("'abcdefg'.substring({})", []), ("{}.startsWith('a')", []), ("'abc'.startsWith({})", []),
    ("'abc'.contains('')", [True]), ("'abc'.upper()", ["ABC"]),
    ("'abcdefg'.replace('cde', '123')", ["ab123fg"]),
    ("'abcdefg'.replace('cde', '')", ["abfg"]), ("'abc'.replace({}, 'x')", []),
    ("'http://x/Library/f'.matches('Library')", [True]),
    ("'N8000123123'.matches('^N[0-9]{8}$')", [False]),
    ("{}.length()", []), ("''.toChars()", []), ("'a,b'.split(',')", ["a", "b"]),
    ("('a'|'b').join(',')", ["a,b"]), ("('a'|'b').join()", ["ab"]),
    ("name.given.join(' ')", ["Peter James Jim Peter James"]),
    ("'test'.encode('hex')", ["74657374"]), ("'74657374'.decode('hex')", ["test"]),
]  # fmt: skip
MATH = [  # #math
    ("2.1.floor()", [2]), ("(-2.1).floor()", [-3]), ("101.99.truncate()", [101]),
    ("(-0.0).exp()", [Decimal(1)]), ("{}.log(10)", []), ("16.log({})", []),
    ("2.power({})", []), ("{}.sqrt()", []), ("3.14159.round(2)", [Decimal("3.14")]),
]  # fmt: skip
ARITHMETIC = [  # #math-1
    ("1 + 2.0", [Decimal("3.0")]), ("'a' + {}", []), ("'a' & {} & 'b'", ["ab"]),
    ("2 / 4", [Decimal("0.5")]), ("(-5) div 2", [-2]), ("5.5 div 0.7", [7]),
    ("2.2 div 1.8", [1]), ("5.5 mod 0.7", [Decimal("0.6")]), ("(-5) mod 2", [-1]),
    ("1 'mg' + 2 'mg'", ["3 'mg'"]), ("3 'm' + 3 'cm'", ["303 'cm'"]), ("3 'm' + 3 'g'", []),
    ("12 'cm' * 3 'cm' = 36 'cm2'", [True]), ("12 'cm2' / 3 'cm' = 4.0 'cm'", [True]),
    ("12 'cm' / 0 'cm'", []), ("1 day + 1 day", ["2 day"]),
]  # fmt: skip
DATES = [  # #datetime-arithmetic
    ("@1973-12-25 + 1 month", ["@1974-01-25"]),
    ("@1973-12-25T00:00:00.000+10:00 + 7 days", ["@1974-01-01T00:00:00.000+10:00"]),
    ("@1973-12-25T00:00:00.000+10:00 + 1 second", ["@1973-12-25T00:00:01.000+10:00"]),
    ("@1973-12-25T00:00:00.000+10:00 + 10 millisecond", ["@1973-12-25T00:00:00.010+10:00"]),
    ("@1973-12-25 - 1 year", ["@1972-12-25"]), ("@2016-02-29 + 1 year", ["@2017-02-28"]),
    ("@2019-03-01 + 24 months", ["@2021-03-01"]), ("@T01:00 + 2 hours", ["@03:00"]),
    ("@T23:00 + 2 hours", ["@01:00"]), ("now() + 1 day > now()", [True]),
    ("today() + 1 day > today()", [True]), ("now() = now()", [True]),
]  # fmt: skip
EQUALITY = [  # #equality
    ("1 = {}", []), ("{} = {}", []), ("true = 'true'", [False]), ("1.1 = 1.10", [True]),
    ("(1|2) = (1|2)", [True]), ("(1|2) = (2|1)", [False]), ("(1|2|3) = (1|2)", [False]),
    ("@2012 = @2012-01", []), ("@2012-01-01T10:30 = @2012-01-01T10:30:00", []),
    ("@2012-01-01T10:30:31 = @2012-01-01T10:30:31.0", [True]),
    ("@2012-01-01T10:30:31.1 = @2012-01-01T10:30:31", [False]),
    ("@2012-04-15T15:00:00+02:00 = @2012-04-15T16:00:00+03:00", [True]),
    ("@2012-04-15T15:00:00Z = @2012-04-15T10:00:00", []),
    ("@2012-04-15T15:00:00 = @2012-04-15T10:00:00", [False]),
    ("@2012-04-15 = @2012-04-15T10:00:00", []),
    ("@2012-04-16 = @2012-04-15T10:00:00", [False]), ("@T10:30 = @T10:30:00", []),
    ("@2012 != @2012-01", []), ("4 'g' = 4000 'mg'", [True]), ("1 'wk' = 7 days", [True]),
    ("6 'd' = 6 days", [True]), ("1 month = 1 'mo'", []), ("1 second = 1 's'", [True]),
    ("name = name", [True]), ("name[0] = name[1]", [False]),
    ("name.given = name.given", [True]), ("active = true", [True]),
    ("active = 'true'", [False]),
]  # fmt: skip
EQUIVALENCE = [  # #equivalent
    ("1 ~ {}", [False]), ("'a' ~ 'A'", [True]), ("1.0 ~ 1.00", [True]),
    ("(1|2) ~ (2|1)", [True]), ("(1|2|3) ~ (1|2)", [False]), ("@2012 ~ @2012-01", [False]),
    ("@2012-01-01T10:30:31 ~ @2012-01-01T10:30:31.0", [True]),
    ("@2012-01-01T10:30 ~ @2012-01-01T10:30:00", [False]), ("4 'g' ~ 4000 'mg'", [True]),
    ("4 'g' ~ 4 'm'", [False]), ("1 ~ 1.0", [True]), ("1 ~ '1'", [False]),
    ("name[0] ~ name[2]", [False]), ("1 !~ {}", [True]),
]  # fmt: skip
COMPARISON = [  # #comparison
    ("1 < 1.5", [True]), ("'a' < 'b'", [True]), ("'A' < 'a'", [True]), ("1 > {}", []),
    ("@2012 < @2012-01", []), ("@2011 < @2012-01", [True]),
    ("@2012-01-01T10:30:00 < @2012-01-01T10:30:00.0", [False]),
    ("@2012-01-01T10:30:00 <= @2012-01-01T10:30:00.0", [True]),
    ("@2012-01-01T10:30 <= @2012-01-01T10:30:00", []),
    ("@2012-01-01 <= @2012-01-01T10:30:00", []),
    ("@2012-01-01 < @2012-01-02T10:30:00", [True]), ("@T10:30 < @T10:30:00", []),
    ("5 'cm' < 1 'm'", [True]), ("5 'cm' < 1 'g'", []), ("1 year < 1 'a'", []),
    ("birthDate < @1980", [True]),
]  # fmt: skip
TYPES = [  # #types
    ("1 is FHIR.integer", [False]), ("Patient is Patient", [True]),
    ("Patient is DomainResource", [True]), ("Patient is Observation", [False]),
    ("name[0] is HumanName", [True]), ("name[0] is Element", [True]),
    ("name[0] is FHIR.Element", [True]), ("contact[0] is BackboneElement", [True]),
    ("(gender as code)", ["male"]), ("gender.as(id)", []), ("1 as Integer", [1]),
    ("1 as String", []), ("{} is Integer", []), ("{} as Integer", []),
]  # fmt: skip
MEMBERSHIP = [  # #collections
    ("1 in (1|2)", [True]), ("{} in (1|2)", []), ("(1|2) contains 1", [True]),
    ("(1|2) contains {}", []), ("'male' in gender", [True]),
]  # fmt: skip
PRECEDENCE = [  # #operator-precedence
    ("-1 + 2", [1]), ("(1 + 2) * 3", [9]), ("true and false or true", [True]),
    ("1 is Integer and true", [True]),
]  # fmt: skip
VARIABLES = [  # #environment-variables
    ("%'vs-administrative-gender'", ["http://hl7.org/fhir/ValueSet/administrative-gender"]),
    ("%`ext-patient-birthTime`", ["http://hl7.org/fhir/StructureDefinition/patient-birthTime"]),
    ("name.where(%resource.id = 'p1').count()", [3]),
    ("name.select($this.given.first()).count()", [3]),
    ("name.aggregate($total + $this.given.count(), 0)", [5]),
    ("(1|2|3).aggregate(iif($total.empty(), $this, iif($this < $total, $this, $total)))", [1]),
    ("name.first().defineVariable('x').select(%x.use)", ["official"]),
    ("defineVariable('x', 1).select(%x + 1)", [2]),
    ("name.select(defineVariable('u', use).select(%u))", ["official", "usual", "maiden"]),
    ("defineVariable('n', name).select(%n.count() | %n.given.count())", [3, 5]),
]  # fmt: skip
BOUNDARIES = [
    ("1.587.lowBoundary(6)", [Decimal("1.586500")]),
    ("(-1.587).lowBoundary()", [Decimal("-1.58750000")]), ("1.lowBoundary(0)", [Decimal(0)]),
    ("1.lowBoundary(5)", [Decimal("0.50000")]),
    ("12.500.lowBoundary(4)", [Decimal("12.4995")]),
    ("1.587.highBoundary()", [Decimal("1.58750000")]),
    ("1.587.highBoundary(6)", [Decimal("1.587500")]),
    ("(-1.587).highBoundary()", [Decimal("-1.58650000")]),
    ("(-1.587).highBoundary(6)", [Decimal("-1.586500")]),
    ("1.highBoundary()", [Decimal("1.50000000")]),
    ("@2014-02.highBoundary(8)", ["@2014-02-28"]),
    ("@2014-01-01T08.lowBoundary(17)", ["@2014-01-01T08:00:00.000+14:00"]),
    ("@2014-01-01T08:05-05:00.lowBoundary(17)", ["@2014-01-01T08:05:00.000-05:00"]),
    ("@T10:30.lowBoundary(9)", ["@10:30:00.000"]), ("@T10:30:00.000.precision()", [9]),
]  # fmt: skip
SORT = [
    ("(3|1|2).sort()", [1, 2, 3]), ("(1|2|3).sort(-$this)", [3, 2, 1]),
    ("('b'|'a').sort()", ["a", "b"]), ("('b'|'a').sort(-$this)", ["b", "a"]),
    ("(1|2|3).sort($this desc)", [3, 2, 1]), ("{}.sort()", []),
]  # fmt: skip
OTHERS = [  # #functions
    ("name.given.trace('x').count()", [5]), ("name.trace('x', given).count()", [3]),
    ("today().toString()", ["2026-11-22"]),
    ("Patient.conformsTo('http://hl7.org/fhir/StructureDefinition/Patient')", [True]),
    ("Patient.conformsTo('http://hl7.org/fhir/StructureDefinition/Person')", [False]),
    ("managingOrganization.reference.resolve().name", ["Acme"]),
    ("Patient.extension('http://x').exists()", [False]),
    ("birthDate.hasValue()", [True]), ("text.`div`.htmlChecks()", []),
    ("text.div.htmlChecks()", []), ("name[0].checkModifiers('http://x').family", ["Chalmers"]),
    ("(name.given | 1).count()", [4]),
    ("telecom.where(use='work').value.toInteger() + 1", [1112]), ("iif(active, 1, 2)", [1]),
    ("text.`div`.exists()", [False]), ("1 days", ["1 day"]),
    ("Patient.name.first().family.matches('^C')", [True]), ("'Jim' in name.given", [True]),
    ("maritalStatus.coding.where(code = 'P' and system = 'x').exists()", [False]),
    ("name.where(use = 'official').given.first().substring(0,1)", ["P"]),
    ("(name.given | name.family).isDistinct()", [True]),
    ("name.skip(1).first().use", ["usual"]),
    ("Patient.birthDate.toDateTime()", ["@1974-12-25"]),
    ("true.combine(false).allTrue()", [False]), ("Patient.telecom.rank.where($this > 1)", [2]),
    ("Patient.telecom.rank.first() + 1", [2]), ("Patient.deceased is boolean", [True]),
    ("Patient.deceased.is(boolean)", [True]), ("Patient.deceased.as(boolean)", [False]),
    ("Patient.deceased.ofType(boolean)", [False]), ("Patient.multipleBirth", []),
    ("Patient.id.is(id)", [True]), ("Patient.active.type().name", ["boolean"]),
    ("Patient.contained.first().is(Organization)", [True]),
    ("Patient.link.other.resolve()", []),
]  # fmt: skip
SCOPES = [
    ("defineVariable('v1', 'x').select(%v1) | defineVariable('v1', 'y').select(%v1)",
     ["x", "y"]),
    ("name.given.combine(name.family, true).count()", [7]),
    ("(1|2).combine(2|3).count()", [4]),
    ("select(defineVariable('a').name.select(%a.id))", ["p1", "p1", "p1"]),
    ("name.select(%context.id)", ["p1", "p1", "p1"]),
]  # fmt: skip
THIS = [  # #this
    ("name.where(given.where($this = 'Jim').exists()).use", ["usual"]),
    ("name.where($this.given.exists($this = 'Jim')).use", ["usual"]),
    ("name.select(given.where($this.startsWith('P'))).count()", [2]),
    ("(1|2|3).where($this > (1|2).first())", [2, 3]),
    ("name.select(given.select($index))", [0, 1, 0, 0, 1]),
    ("name.select($index + given.count())", [2, 2, 4]),
]  # fmt: skip
DUPLICATES = [  # #combining
    ("1.0 in (1|2)", [True]), ("'a' in ('A'|'b')", [False]),
    ("@2012 in (@2012 | @2013)", [True]), ("4 'g' in (4000 'mg' | 3 'g')", [True]),
    ("(4 'g' | 4000 'mg').count()", [1]), ("(1 | 1.0).count()", [1]),
    ("(@2012 | @2012-01).count()", [2]), ("('a' | 'A').count()", [2]),
    ("(1 | '1').count()", [2]),
]  # fmt: skip
QUANTITIES = [  # #quantity
    ("1 'kg' = 1000 'g'", [True]), ("1 'kg' > 999 'g'", [True]), ("10 'mL' = 1 'cL'", [True]),
    ("1 'm' * 2", ["2 'm'"]), ("2 * 1 'm'", ["2 'm'"]), ("1 'm' / 2", ["0.5 'm'"]),
    ("4 'm' / 2 'm'", ["2 '1'"]), ("1 minute = 60 seconds", [True]),
    ("1 'min' = 60 's'", [True]), ("1 'foo' = 1 'foo'", [True]), ("1 'foo' > 2 'bar'", []),
    ("-(1 'm')", ["-1 'm'"]), ("1 '1' = 1", [True]), ("1 'a' > 364 'd'", [True]),
]  # fmt: skip
CONVERSION_EDGES = [  # #conversion
    ("'Y'.toBoolean()", [True]), ("''.toBoolean()", []), ("''.toInteger()", []),
    ("' 1'.toInteger()", []), ("'0.0'.toBoolean()", [False]), ("@2012.toString()", ["2012"]),
    ("@T10:30:00.000.toString()", ["10:30:00.000"]),
    ("@2012-01-01T10:00:00+00:00.toString()", ["2012-01-01T10:00:00+00:00"]),
    ("0.10.toString()", ["0.10"]), ("1 'mg'.toString()", ["1 'mg'"]),
    ("'1 day'.toQuantity() = 1 day", [True]), ("'1 day' is Quantity", [False]),
    ("'1.a'.convertsToQuantity()", [False]), ("'abc'.convertsToQuantity()", [False]),
    ("'1 \\'abc'.convertsToQuantity()", [False]),
    ("'2012-01-01T10:30'.convertsToDateTime()", [True]),
    ("'10:30:00.0'.convertsToTime()", [True]), ("'2015'.convertsToDate()", [True]),
    ("'2015-02-04'.convertsToDate()", [True]), ("@2012-01-01.convertsToTime()", [False]),
    ("1.convertsToDate()", [False]),
]  # fmt: skip
REFUSED = [
    # literals / lexical
    "@T14:30:00Z", "-1.convertsToInteger()", "/* 2+2",
    # singleton evaluation
    "Patient.name and true", "Patient.name.given + 'x'", "Patient.gender + 1",
    "iif(Patient.name, 1, 2)", "Patient.name.iif(true, 1, 2)",
    # existence
    "Patient.name.all()", "Patient.name.exists(1, 2)", "Patient.name.given1",
    "name.given.allTrue()",
    # filter
    "Patient.name.where()", "Patient.name.where(given)", "Patient.name.ofType(Foo)",
    # subsetting
    "Patient.name['a']", "Patient.name.given.single()",
    # conversion
    "(1|2).toInteger()", '"5 \'mg\'".toQuantity()', "Patient.name.convertsToString()",
    # strings
    "('a'|'b').startsWith('a')", "1.startsWith('1')",
    # math
    "('1'|'2').abs()",
    # arithmetic
    "'a' + 1", "'a' * 2",
    # dates
    "@1974-12-25 + 7", "@1974-12-25 + 'a'", "7 days + @1973-12-25",
    "@2012-01-01 - @2011-01-01",
    # comparison
    "(1|2) > 1", "@T10:30 < @2012", "birthDate > 'abc'", "name > name", "name[0] > name[1]",
    # types
    "name is HumanName", "1 is Foo", "1.as(Foo)",
    # logic
    "(1|2).not()", "(true|false).not()",
    # in
    "(1|2) in (1|2)", "(1|2) contains (1|2)",
    # variables
    "%foo", "defineVariable('x', 1).defineVariable('x', 2)", "defineVariable('context', 1)",
    "select(%x)", "name.select(defineVariable('u', use).select(%u)) | %u",
    # boundaries
    "true.lowBoundary()",
    # misc functions
    "trace()", "children().first()", "children()[0]", "Patient.conformsTo('http://trash')",
    "aggregate()", "name.repeat()", "unknownFn()", "$this.foo", "Observation.status",
    "Encounter.id", "name.Patient", "iif(true)", "iif(true,1,2,3)", "(1 + 2", "1 + 2)",
    "name..given", "name.where(use = 'official'", "1 = = 1", "1 == 1", "not true", "1 ! 2",
    "@2015-13-01", "@15", "name.given.contains('e')", "Patient.name.first().given.toString()",
    "Patient.deceasedBoolean",
    # membership equality
    "(1.0|2).contains(1)",
]  # fmt: skip


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        *LITERALS,
        *SINGLETONS,
        *EXISTENCE,
        *FILTERING,
        *SUBSETTING,
        *CONVERSION,
        *STRINGS,
        *MATH,
        *ARITHMETIC,
        *DATES,
        *EQUALITY,
        *EQUIVALENCE,
        *COMPARISON,
        *TYPES,
        *MEMBERSHIP,
        *PRECEDENCE,
        *VARIABLES,
        *BOUNDARIES,
        *SORT,
        *OTHERS,
        *SCOPES,
        *THIS,
        *DUPLICATES,
        *QUANTITIES,
        *CONVERSION_EDGES,
    ],
)
def test_it_gives(evaluate: Evaluate, expression: str, expected: list[Any]) -> None:
    assert evaluate(expression) == expected


@pytest.mark.parametrize("expression", REFUSED)
def test_it_is_refused(evaluate: Evaluate, expression: str) -> None:
    with pytest.raises(FhirPathError):
        evaluate(expression)
