"""What the laboratories measure, and whom they measured how often.

Ranges are those of adults; a value of None on one side leaves that side open.
"""
# ruff: noqa: E501  # a row of a table is a line
# a row of a table is a line

from dataclasses import dataclass
from typing import Final

from scripts.seeds.elements import LOINC, Term


@dataclass(frozen=True, slots=True)
class Test:
    """A laboratory test: LOINC, unit as printed, UCUM code, reference range, decimals."""

    name: Term
    unit: str
    ucum: str
    low: float | None
    high: float | None
    digits: int

    @property
    def middle(self) -> float:
        low, high = self.low, self.high
        if low is None or high is None:
            return (low or 0) * 1.3 + (high or 0) * 0.6
        return (low + high) / 2


def _test(
    code: str, names: tuple[str, str, str], units: tuple[str, str],
    span: tuple[float | None, float | None], digits: int,
) -> Test:  # fmt: skip
    display, ru, uk = names
    return Test(Term(LOINC, code, display, ru, uk), *units, *span, digits)


_MMOL: Final = ("ммоль/л", "mmol/L")
_CELLS: Final = ("10⁹/л", "10*9/L")

TESTS: Final = {
    "glucose": _test("14749-6", ("Glucose [Moles/volume] in Serum or Plasma", "Глюкоза", "Глюкоза"), _MMOL, (3.9, 6.1), 1),
    "glucose-mg": _test("2345-7", ("Glucose [Mass/volume] in Serum or Plasma", "Глюкоза", "Глюкоза"), ("мг/дл", "mg/dL"), (70, 110), 0),
    "hba1c": _test("4548-4", ("Hemoglobin A1c/Hemoglobin.total in Blood", "Гликированный гемоглобин", "Глікований гемоглобін"), ("%", "%"), (4.0, 6.0), 1),
    "haemoglobin": _test("718-7", ("Hemoglobin [Mass/volume] in Blood", "Гемоглобин", "Гемоглобін"), ("г/л", "g/L"), (120, 160), 0),
    "haemoglobin-dl": _test("718-7", ("Hemoglobin [Mass/volume] in Blood", "Гемоглобин", "Гемоглобін"), ("г/дл", "g/dL"), (12, 16), 1),
    "leukocytes": _test("6690-2", ("Leukocytes [#/volume] in Blood by Automated count", "Лейкоциты", "Лейкоцити"), _CELLS, (4, 9), 1),
    "platelets": _test("777-3", ("Platelets [#/volume] in Blood by Automated count", "Тромбоциты", "Тромбоцити"), _CELLS, (150, 400), 0),
    "cholesterol": _test("14647-2", ("Cholesterol [Moles/volume] in Serum or Plasma", "Холестерин общий", "Холестерин загальний"), _MMOL, (3.0, 5.2), 1),
    "hdl": _test("14646-4", ("Cholesterol in HDL [Moles/volume] in Serum or Plasma", "Холестерин ЛПВП", "Холестерин ЛПВЩ"), _MMOL, (1.0, 2.2), 2),
    "ldl": _test("39469-2", ("Cholesterol in LDL [Moles/volume] in Serum or Plasma by calculation", "Холестерин ЛПНП", "Холестерин ЛПНЩ"), _MMOL, (None, 3.0), 2),
    "triglycerides": _test("14927-8", ("Triglyceride [Moles/volume] in Serum or Plasma", "Триглицериды", "Тригліцериди"), _MMOL, (None, 1.7), 2),
    "creatinine": _test("14682-9", ("Creatinine [Moles/volume] in Serum or Plasma", "Креатинин", "Креатинін"), ("мкмоль/л", "umol/L"), (62, 106), 0),
    "egfr": _test("62238-1", ("Glomerular filtration rate/1.73 sq M.predicted [Volume Rate/Area] in Serum, Plasma or Blood by Creatinine-based formula (CKD-EPI)", "СКФ", "ШКФ"), ("мл/мин/1,73 м²", "mL/min/{1.73_m2}"), (60, None), 0),
    "potassium": _test("2823-3", ("Potassium [Moles/volume] in Serum or Plasma", "Калий", "Калій"), _MMOL, (3.5, 5.1), 1),
    "alt": _test("1742-6", ("Alanine aminotransferase [Enzymatic activity/volume] in Serum or Plasma", "АЛТ", "АЛТ"), ("Ед/л", "U/L"), (None, 41), 0),
    "tsh": _test("3016-3", ("Thyrotropin [Units/volume] in Serum or Plasma", "ТТГ", "ТТГ"), ("мМЕ/л", "m[IU]/L"), (0.4, 4.0), 2),
    "ft4": _test("14920-3", ("Thyroxine (T4) free [Moles/volume] in Serum or Plasma", "Т4 свободный", "Т4 вільний"), ("пмоль/л", "pmol/L"), (9, 19), 1),
    "ferritin": _test("2276-4", ("Ferritin [Mass/volume] in Serum or Plasma", "Ферритин", "Феритин"), ("мкг/л", "ug/L"), (15, 150), 0),
    "crp": _test("1988-5", ("C reactive protein [Mass/volume] in Serum or Plasma", "С-реактивный белок", "С-реактивний білок"), ("мг/л", "mg/L"), (None, 5), 1),
    "inr": _test("6301-6", ("INR in Platelet poor plasma by Coagulation assay", "МНО", "МНВ"), ("{INR}", "{INR}"), (2.0, 3.0), 2),
    "vitamin-d": _test("1989-3", ("25-hydroxyvitamin D3 [Mass/volume] in Serum or Plasma", "Витамин D (25-OH)", "Вітамін D (25-OH)"), ("нг/мл", "ng/mL"), (30, 100), 0),
    "urate": _test("14933-6", ("Urate [Moles/volume] in Serum or Plasma", "Мочевая кислота", "Сечова кислота"), ("мкмоль/л", "umol/L"), (200, 420), 0),
    "nt-probnp": _test("33762-6", ("Natriuretic peptide.B prohormone N-Terminal [Mass/volume] in Serum or Plasma", "NT-proBNP", "NT-proBNP"), ("пг/мл", "pg/mL"), (None, 450), 0),
    "ttg": _test("31017-7", ("Tissue transglutaminase IgA Ab [Units/volume] in Serum", "Антитела к тТГ, IgA", "Антитіла до тТГ, IgA"), ("Ед/мл", "U/mL"), (None, 10), 1),
    "ca153": _test("6875-9", ("Cancer Ag 15-3 [Units/volume] in Serum or Plasma", "СА 15-3", "СА 15-3"), ("Ед/мл", "U/mL"), (None, 30), 1),
    "ige": _test("19113-0", ("IgE [Units/volume] in Serum or Plasma", "IgE общий", "IgE загальний"), ("МЕ/мл", "[IU]/mL"), (None, 100), 0),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Panel:
    """What is taken together and reported together."""

    name: Term
    tests: tuple[str, ...]


def _panel(code: str, names: tuple[str, str, str], *tests: str) -> Panel:
    return Panel(Term(LOINC, code, *names), tests)


_OTHER: Final = ("Laboratory report", "Лабораторное исследование", "Лабораторне дослідження")
_SUGAR: Final = ("Diabetes tracking panel", "Контроль диабета", "Контроль діабету")
_BLOOD: Final = ("CBC panel - Blood by Automated count", "Общий анализ крови", "Загальний аналіз крові")  # fmt: skip

PANELS: Final = {
    "sugar": _panel("55399-0", _SUGAR, "glucose", "hba1c"),
    "sugar-mg": _panel("55399-0", _SUGAR, "glucose-mg", "hba1c"),
    "blood": _panel("58410-2", _BLOOD, "haemoglobin", "leukocytes", "platelets"),
    "blood-dl": _panel("58410-2", _BLOOD, "haemoglobin-dl", "leukocytes", "platelets"),
    "lipids": _panel("24331-1", ("Lipid 1996 panel - Serum or Plasma", "Липидный профиль", "Ліпідний профіль"), "cholesterol", "hdl", "ldl", "triglycerides"),
    "kidneys": _panel("24362-6", ("Renal function 2000 panel - Serum or Plasma", "Функция почек", "Функція нирок"), "creatinine", "egfr", "potassium"),
    "thyroid": _panel("24348-5", ("Free T4 and TSH panel - Serum or Plasma", "Щитовидная железа", "Щитоподібна залоза"), "tsh", "ft4"),
    "clotting": _panel("34528-0", ("PT panel - Platelet poor plasma by Coagulation assay", "Свёртываемость", "Згортання"), "inr"),
    "iron": _panel("11502-2", _OTHER, "ferritin"),
    "inflammation": _panel("11502-2", _OTHER, "crp"),
    "bones": _panel("11502-2", _OTHER, "vitamin-d"),
    "heart": _panel("11502-2", _OTHER, "nt-probnp"),
    "joints": _panel("11502-2", _OTHER, "urate", "crp"),
    "liver": _panel("11502-2", _OTHER, "alt"),
    "gut": _panel("11502-2", _OTHER, "ttg"),
    "marker": _panel("11502-2", _OTHER, "ca153"),
    "allergy": _panel("11502-2", _OTHER, "ige"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """A patient's panel every so many days; tests go from a first to a last value."""

    patient: str
    panel: str
    every: int
    times: int
    course: tuple[tuple[str, float, float], ...]
    """Test, value at the beginning, value now; others stay in the middle of their range."""


def _plan(
    patient: str, panel: str, rhythm: tuple[int, int], **course: tuple[float, float]
) -> Plan:
    rows = tuple((name.replace("_", "-"), a, b) for name, (a, b) in course.items())
    return Plan(patient, panel, *rhythm, rows)


_QUARTERS, _HALVES, _YEARS = (91, 20), (182, 10), (365, 5)

PLANS: Final = (
    _plan("nikolai-ivanov-ru", "sugar", _QUARTERS, glucose=(11.2, 7.4), hba1c=(9.6, 7.1)),
    _plan("nikolai-ivanov-ru", "kidneys", _HALVES, creatinine=(96, 142), egfr=(72, 44), potassium=(4.3, 5.3)),
    _plan("nikolai-ivanov-ru", "lipids", _HALVES, cholesterol=(7.1, 4.4), ldl=(4.9, 2.1), triglycerides=(3.2, 1.9), hdl=(0.9, 1.1)),
    _plan("nikolai-ivanov-ru", "blood", _YEARS, haemoglobin=(141, 124)),
    _plan("ruslan-khabibullin-ru", "sugar", _QUARTERS, glucose=(13.8, 7.9), hba1c=(10.4, 7.3)),
    _plan("ruslan-khabibullin-ru", "kidneys", _YEARS),
    _plan("anna-ivanova-ru", "thyroid", _QUARTERS, tsh=(11.4, 2.3), ft4=(7.9, 14.2)),
    _plan("anna-ivanova-ru", "blood", _HALVES, haemoglobin=(108, 128)),
    _plan("anna-ivanova-ru", "iron", _HALVES, ferritin=(9, 48)),
    _plan("pyotr-ivanov-ru", "lipids", _YEARS, cholesterol=(6.2, 5.4), ldl=(4.1, 3.4)),
    _plan("pyotr-ivanov-ru", "kidneys", _YEARS),
    _plan("maria-ivanova-ru", "bones", _HALVES, vitamin_d=(14, 42)),
    _plan("maria-ivanova-ru", "lipids", _YEARS, cholesterol=(6.0, 5.6)),
    _plan("fyodor-semyonov-ru", "heart", _HALVES, nt_probnp=(640, 2950)),
    _plan("fyodor-semyonov-ru", "kidneys", _HALVES, creatinine=(104, 131), egfr=(58, 41)),
    _plan("alyona-semyonova-ru", "marker", _QUARTERS, ca153=(54, 18)),
    _plan("alyona-semyonova-ru", "blood", _HALVES, haemoglobin=(98, 131), leukocytes=(3.1, 5.2)),
    _plan("artyom-semyonov-ru", "blood", (365, 3)),
    _plan("matvey-semyonov-ru", "blood", (365, 3)),
    _plan("ivan-ivanov-ru", "allergy", (365, 3), ige=(420, 260)),
    _plan("aigul-khabibullina-ru", "blood", (28, 6), haemoglobin=(126, 109)),
    _plan("aigul-khabibullina-ru", "sugar", (84, 2)),
    _plan("galina-shcherbakova-ru", "heart", (365, 4), nt_probnp=(900, 4100)),
    _plan("oksana-lukianenko-ua", "sugar-mg", _QUARTERS, glucose_mg=(208, 128), hba1c=(9.1, 6.8)),
    _plan("oksana-lukianenko-ua", "lipids", _HALVES, cholesterol=(6.4, 4.6), ldl=(4.2, 2.4), triglycerides=(2.6, 1.5)),
    _plan("taras-lukianenko-ua", "joints", _HALVES, urate=(560, 355), crp=(14, 3.1)),
    _plan("taras-lukianenko-ua", "lipids", _YEARS, cholesterol=(5.9, 5.0)),
    _plan("hanna-lukianenko-ua", "clotting", (28, 40), inr=(1.4, 2.5)),
    _plan("hanna-lukianenko-ua", "kidneys", _YEARS),
    _plan("yaryna-lukianenko-ua", "gut", _HALVES, ttg=(96, 6)),
    _plan("yaryna-lukianenko-ua", "blood-dl", _YEARS, haemoglobin_dl=(10.4, 13.1)),
    _plan("orest-gudz-ua", "liver", _QUARTERS, alt=(146, 24)),
    _plan("yivha-yizhak-ua", "blood-dl", _QUARTERS, haemoglobin_dl=(8.9, 11.6)),
    _plan("yivha-yizhak-ua", "iron", _QUARTERS, ferritin=(5, 31)),
    _plan("bohdan-kovalchuk-ua", "inflammation", _HALVES, crp=(9.5, 6.2)),
    _plan("bohdan-kovalchuk-ua", "blood", _YEARS, haemoglobin=(158, 171)),
    _plan("solomiia-kovalchuk-ua", "thyroid", (365, 3)),
    _plan("mykhailo-kovalchuk-ua", "allergy", (365, 3), ige=(880, 610)),
    _plan("zinaida-kravets-ua", "blood", _HALVES, haemoglobin=(121, 112)),
    _plan("zinaida-kravets-ua", "kidneys", _YEARS, creatinine=(92, 111), egfr=(55, 46)),
    _plan("andrii-shevchenko-ua", "inflammation", (182, 6), crp=(22, 1.4)),
    _plan("lesia-ponomarenko-ua", "thyroid", _QUARTERS, tsh=(0.02, 1.1), ft4=(31, 15)),
)  # fmt: skip
