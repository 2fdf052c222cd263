"""The thirty patients: who they are."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from scripts.seeds.clinics import DZHERELO, RODNIK, Clinic
from scripts.seeds.elements import (
    ANCHOR,
    HL7,
    JsonObject,
    Text,
    coding,
    identifier,
    reference,
)
from scripts.seeds.staff import DOCTOR, Doctor

CONFIDENTIALITY: Final = f"{HL7}/v3-Confidentiality"
RESTRICTED: Final = coding(CONFIDENTIALITY, "R", "restricted")
VERY_RESTRICTED: Final = coding(CONFIDENTIALITY, "V", "very restricted")
_YEAR: Final = 365.25


@dataclass(frozen=True, slots=True)
class Person:
    """A patient; `born` is a date, or for a child days before the anchor."""

    id: str
    clinic: Clinic
    family: str
    given: tuple[str, ...]
    latin: tuple[str, str]
    gender: str
    born: str | int
    doctor: str
    home: tuple[str, str]
    """Street and postal code."""
    note: Text
    """What makes the record worth a look, for the narrative and the handbook."""
    languages: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    security: tuple[str, ...] = ()

    @property
    def is_child(self) -> bool:
        return isinstance(self.born, int)

    @property
    def birthday(self) -> date:
        if isinstance(self.born, int):
            return ANCHOR - timedelta(days=self.born)
        return date.fromisoformat(self.born)

    @property
    def age(self) -> float:
        """Years on the anchor day."""
        return (ANCHOR - self.birthday).days / _YEAR

    @property
    def name(self) -> str:
        return " ".join((*self.given, self.family))

    @property
    def reference(self) -> JsonObject:
        return reference(f"Patient/{self.id}", self.name)

    @property
    def gp(self) -> Doctor:
        return DOCTOR[self.doctor]

    @property
    def number(self) -> str:
        """The medical record number."""
        return f"{self.clinic.suffix.upper()}{PATIENT_IDS.index(self.id) + 100001}"

    @property
    def by_number(self) -> JsonObject:
        """A logical reference: the number alone."""
        return {
            "identifier": identifier(self.clinic.system("mrn"), self.number, "MR"),
            "display": self.name,
        }


def _person(  # noqa: PLR0913, PLR0917  # a row of the table below
    clinic: Clinic,
    name: str,
    family: str,
    given: str,
    latin: str,
    born: tuple[str, str | int],
    doctor: str,
    home: tuple[str, str],
    note: Text,
    **more: Any,
) -> Person:
    last, _, first = latin.partition(", ")
    return Person(
        id=f"{name}-{clinic.suffix}",
        clinic=clinic,
        family=family,
        given=tuple(given.split()),
        latin=(last, first),
        gender=born[0],
        born=born[1],
        doctor=doctor,
        home=home,
        note=note,
        **more,
    )


_IVANOV_HOME: Final = ("улица Берёзовая, 5, кв. 17", "420073")
_SEMYONOV_HOME: Final = ("улица Счастливая, 21, кв. 3", "420054")
_KHABIBULLIN_HOME: Final = ("улица Тукая, 44, кв. 90", "420021")
_LUKIANENKO_HOME: Final = ("вулиця Зелена, 118, кв. 6", "79035")
_KOVALCHUK_HOME: Final = ("вулиця Коперника, 30, кв. 12", "79005")
_YIZHAK_HOME: Final = ("вулиця Наукова, 2, кв. 41", "79060")
_F, _M = "female", "male"

_RUSSIAN: Final = (
    _person(
        RODNIK, "anna-ivanova", "Иванова", "Анна Сергеевна", "Ivanova, Anna",
        (_F, "1985-03-14"), "dr-sokolova", _IVANOV_HOME,
        (
            "Гипотиреоз: ТТГ за пять лет; мать двоих детей",
            "Гіпотиреоз: ТТГ за п'ять років; мати двох дітей",
        ),
        languages=("ru", "en"), tags=("portal",),
    ),
    _person(
        RODNIK, "pyotr-ivanov", "Иванов", "Пётр Николаевич", "Ivanov, Pyotr",
        (_M, "1983-07-02"), "dr-sokolova", _IVANOV_HOME,
        ("Гипертония: дневник давления", "Гіпертонія: щоденник тиску"),
        tags=("portal",),
    ),
    _person(
        RODNIK, "ivan-ivanov", "Иванов", "Иван Петрович", "Ivanov, Ivan",
        (_M, 3420), "dr-berezina", _IVANOV_HOME,
        ("Девять лет, астма, аллергия на кошек", "Дев'ять років, астма, алергія на котів"),
    ),
    _person(
        RODNIK, "sofia-ivanova", "Иванова", "София Петровна", "Ivanova, Sofia",
        (_F, 16), "dr-berezina", _IVANOV_HOME,
        ("Новорождённая, первые прививки", "Новонароджена, перші щеплення"),
    ),
    _person(
        RODNIK, "nikolai-ivanov", "Иванов", "Николай Фёдорович", "Ivanov, Nikolai",
        (_M, "1952-10-30"), "dr-zhuravlyov", ("улица Горького, 8, кв. 2", "420015"),
        (
            "Диабет 2 типа, ИБС, почки: самая богатая карта",
            "Діабет 2 типу, ІХС, нирки: найбагатша картка",
        ),
        tags=("dispensary",),
    ),
    _person(
        RODNIK, "maria-ivanova", "Иванова", "Мария Ивановна", "Ivanova, Maria",
        (_F, "1955-05-09"), "dr-sokolova", ("улица Горького, 8, кв. 2", "420015"),
        ("Остеопороз, витамин D", "Остеопороз, вітамін D"),
    ),
    _person(
        RODNIK, "fyodor-semyonov", "Семёнов", "Фёдор Семёнович", "Semyonov, Fyodor",
        (_M, "1930-05-09"), "dr-zhuravlyov", _SEMYONOV_HOME,
        ("95 лет, сердечная недостаточность", "95 років, серцева недостатність"),
        tags=("dispensary", "home-visits"),
    ),
    _person(
        RODNIK, "alyona-semyonova", "Семёнова", "Алёна Викторовна", "Semyonova, Alyona",
        (_F, "1978-08-19"), "dr-yermolaev", _SEMYONOV_HOME,
        ("После рака молочной железы; карта с меткой R", "Після раку молочної залози; мітка R"),
        security=("R",), tags=("dispensary",),
    ),
    _person(
        RODNIK, "artyom-semyonov", "Семёнов", "Артём Денисович", "Semyonov, Artyom",
        (_M, "2010-06-01"), "dr-berezina", _SEMYONOV_HOME,
        ("15 лет, близнец, мигрень", "15 років, близнюк, мігрень"),
    ),
    _person(
        RODNIK, "matvey-semyonov", "Семёнов", "Матвей Денисович", "Semyonov, Matvey",
        (_M, "2010-06-01"), "dr-berezina", _SEMYONOV_HOME,
        ("15 лет, близнец, сколиоз", "15 років, близнюк, сколіоз"),
    ),
    _person(
        RODNIK, "ruslan-khabibullin", "Хабибуллин", "Руслан Ильдарович",
        "Khabibullin, Ruslan", (_M, "1990-12-01"), "dr-gareeva", _KHABIBULLIN_HOME,
        ("Диабет 1 типа, инсулиновая помпа", "Діабет 1 типу, інсулінова помпа"),
        languages=("tt", "ru"), tags=("dispensary", "portal"),
    ),
    _person(
        RODNIK, "aigul-khabibullina", "Хабибуллина", "Айгуль Маратовна",
        "Khabibullina, Aigul", (_F, "1992-02-29"), "dr-nasibullina", _KHABIBULLIN_HOME,
        ("Беременность, 28 недель; родилась 29 февраля", "Вагітність, 28 тижнів"),
        languages=("tt", "ru"), tags=("portal",),
    ),
    _person(
        RODNIK, "galina-shcherbakova", "Щербакова", "Галина Степановна",
        "Shcherbakova, Galina", (_F, "1940-11-11"), "dr-zhuravlyov",
        ("переулок Тихий, 1", "420036"),
        ("Умерла; карта закрыта", "Померла; картку закрито"),
    ),
    _person(
        RODNIK, "anna-ivanova-duplicate", "Иванова", "Анна", "Ivanova, Anna",
        (_F, "1985-03-14"), "dr-sokolova", _IVANOV_HOME,
        ("Дубль карты, заменён основной", "Дубль картки, замінено основною"),
    ),
    _person(
        RODNIK, "unknown-man", "Неизвестный", "", "",
        ("unknown", "1970-01-01"), "dr-sokolova", ("", ""),
        ("Доставлен без документов: почти всё отсутствует", "Доставлений без документів"),
    ),
)  # fmt: skip

_UKRAINIAN: Final = (
    _person(
        DZHERELO, "oksana-lukianenko", "Лук'яненко", "Оксана Михайлівна",
        "Lukianenko, Oksana", (_F, "1979-04-23"), "dr-hrytsenko", _LUKIANENKO_HOME,
        ("Диабет 2 типа: глюкоза в мг/дл", "Діабет 2 типу: глюкоза в мг/дл"),
        languages=("uk", "pl"), tags=("portal", "dispensary"),
    ),
    _person(
        DZHERELO, "taras-lukianenko", "Лук'яненко", "Тарас Григорович",
        "Lukianenko, Taras", (_M, "1976-09-01"), "dr-palianytsia", _LUKIANENKO_HOME,
        ("Гипертония, подагра", "Гіпертонія, подагра"), tags=("portal",),
    ),
    _person(
        DZHERELO, "yaryna-lukianenko", "Лук'яненко", "Ярина Тарасівна",
        "Lukianenko, Yaryna", (_F, 4870), "dr-yizhakevych", _LUKIANENKO_HOME,
        ("13 лет, целиакия", "13 років, целіакія"),
    ),
    _person(
        DZHERELO, "matvii-lukianenko", "Лук'яненко", "Матвій Тарасович",
        "Lukianenko, Matvii", (_M, 610), "dr-gedz", _LUKIANENKO_HOME,
        ("Полтора года, календарь прививок", "Півтора року, календар щеплень"),
    ),
    _person(
        DZHERELO, "hanna-lukianenko", "Лук'яненко", "Ганна Остапівна",
        "Lukianenko, Hanna", (_F, "1948-01-07"), "dr-palianytsia", _LUKIANENKO_HOME,
        ("Мерцательная аритмия: МНО на варфарине", "Фібриляція передсердь: МНВ на варфарині"),
        tags=("dispensary", "home-visits"),
    ),
    _person(
        DZHERELO, "orest-gudz", "Ґудзь", "Орест Богданович", "Gudz, Orest",
        (_M, "1988-05-25"), "dr-dziuba", ("вулиця Ґалаґанівська, 4", "79008"),
        ("Гепатит C, вылечен; карта с меткой R", "Гепатит C, вилікувано; мітка R"),
        security=("R",),
    ),
    _person(
        DZHERELO, "yivha-yizhak", "Їжак", "Ївга Ярославівна", "Yizhak, Yivha",
        (_F, "1995-07-15"), "dr-hrytsenko", _YIZHAK_HOME,
        ("Железодефицит: ферритин, гемоглобин", "Залізодефіцит: феритин, гемоглобін"),
        tags=("portal",),
    ),
    _person(
        DZHERELO, "nemovlia-yizhak", "Їжак", "Немовля", "Yizhak, Newborn",
        ("other", 2), "dr-gedz", _YIZHAK_HOME,
        ("Два дня, ещё без имени", "Два дні, ще без імені"),
    ),
    _person(
        DZHERELO, "bohdan-kovalchuk", "Ковальчук", "Богдан Зиновійович",
        "Kovalchuk, Bohdan", (_M, "1966-03-03"), "dr-hrytsenko", _KOVALCHUK_HOME,
        ("ХОБЛ, курильщик", "ХОЗЛ, курець"), tags=("dispensary",),
    ),
    _person(
        DZHERELO, "solomiia-kovalchuk", "Ковальчук", "Соломія Богданівна",
        "Kovalchuk, Solomiia", (_F, "2003-02-14"), "dr-vdovychenko", _KOVALCHUK_HOME,
        ("Депрессия; карта с меткой V", "Депресія; мітка V"), security=("V",),
    ),
    _person(
        DZHERELO, "mykhailo-kovalchuk", "Ковальчук", "Михайло Богданович",
        "Kovalchuk, Mykhailo", (_M, 2400), "dr-gedz", _KOVALCHUK_HOME,
        ("Шесть лет, анафилаксия на арахис", "Шість років, анафілаксія на арахіс"),
    ),
    _person(
        DZHERELO, "zinaida-kravets", "Кравець", "Зінаїда Ґеорґіївна", "Kravets, Zinaida",
        (_F, "1936-12-25"), "dr-palianytsia", ("вулиця Личаківська, 61", "79014"),
        ("89 лет, деменция, опекун", "89 років, деменція, опікун"), tags=("home-visits",),
    ),
    _person(
        DZHERELO, "andrii-shevchenko", "Шевченко", "Андрій Васильович",
        "Shevchenko, Andrii", (_M, "1991-08-24"), "dr-hrytsenko",
        ("вулиця Героїв УПА, 15, кв. 8", "79018"),
        ("Протез голени, ПТСР", "Протез гомілки, ПТСР"), tags=("portal",),
    ),
    _person(
        DZHERELO, "lesia-ponomarenko", "Пономаренко", "Леся Юріївна",
        "Ponomarenko, Lesia", (_F, "1970-02-25"), "dr-hrytsenko",
        ("вулиця Городоцька, 99, кв. 5", "79016"),
        ("Гипертиреоз, аллергия на пенициллин", "Гіпертиреоз, алергія на пеніцилін"),
    ),
    _person(
        DZHERELO, "emilia-de-la-cruz", "de la Cruz Núñez", "Emilia", "de la Cruz Nunez, Emilia",
        (_F, "1999-06-30"), "dr-hrytsenko", ("вулиця Вірменська, 20", "79008"),
        ("Иностранка, имя латиницей с диакритикой", "Іноземка, ім'я латиницею з діакритикою"),
        languages=("es", "en"),
    ),
)  # fmt: skip

PATIENTS: Final = _RUSSIAN + _UKRAINIAN
PATIENT_IDS: Final = tuple(each.id for each in PATIENTS)
PATIENT: Final = {each.id: each for each in PATIENTS}


def of_clinic(clinic: Clinic) -> tuple[Person, ...]:
    return tuple(each for each in PATIENTS if each.clinic is clinic)
