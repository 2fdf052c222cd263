"""What is said of a resource that breaks a profile."""

from typing import Final

from fhir_server.core.messages import Text

OTHER_TYPE: Final = Text(
    "The profile {profile} is for {type}, not for {found}.",
    "Профиль {profile} предназначен для {type}, а не для {found}.",
    "Профіль {profile} призначений для {type}, а не для {found}.",
)
TOO_FEW: Final = Text(
    "The profile {profile} asks for `{name}` at least {min} times, found {count}.",
    "По профилю {profile} `{name}` должен встречаться не менее {min} раз, найдено {count}.",
    "За профілем {profile} `{name}` має траплятися щонайменше {min} разів, знайдено {count}.",
)
TOO_MANY: Final = Text(
    "The profile {profile} allows `{name}` at most {max} times, found {count}.",
    "По профилю {profile} `{name}` может встречаться не более {max} раз, найдено {count}.",
    "За профілем {profile} `{name}` може траплятися щонайбільше {max} разів, знайдено {count}.",
)
TYPE: Final = Text(
    "The profile {profile} does not allow the type {found} here, only {types}.",
    "Профиль {profile} не допускает здесь тип {found}, только {types}.",
    "Профіль {profile} не допускає тут тип {found}, лише {types}.",
)
CONTEXT: Final = Text(
    "The extension {profile} is not meant to stand in {found}.",
    "Расширение {profile} не предназначено для {found}.",
    "Розширення {profile} не призначене для {found}.",
)
NO_SLICE: Final = Text(
    "The item is of none of the slices that the profile {profile} allows for `{name}`.",
    "Значение не относится ни к одному срезу `{name}`, разрешённому профилем {profile}.",
    "Значення не належить до жодного зрізу `{name}`, дозволеного профілем {profile}.",
)
FIXED: Final = Text(
    "The profile {profile} fixes the value here: {expected}.",
    "Профиль {profile} требует здесь значения {expected}.",
    "Профіль {profile} вимагає тут значення {expected}.",
)
PATTERN: Final = Text(
    "The value lacks what the profile {profile} asks for: {expected}.",
    "В значении нет того, что требует профиль {profile}: {expected}.",
    "У значенні немає того, що вимагає профіль {profile}: {expected}.",
)
RULE: Final = Text(
    "Rule {key} of the profile {profile} is broken: {human}",
    "Нарушено правило {key} профиля {profile}: {human_ru}",
    "Порушено правило {key} профілю {profile}: {human_uk}",
)
NOT_KNOWN: Final = Text(
    "The profile {profile} is not known here.",
    "Профиль {profile} здесь неизвестен.",
    "Профіль {profile} тут невідомий.",
)
