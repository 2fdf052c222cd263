"""What is said of a resource that breaks a rule of the standard."""

from typing import Final

from fhir_server.core.messages import Text

NOT_AN_OBJECT: Final = Text(
    "An object is expected here, not {found}.",
    "Здесь ожидается объект, а не {found}.",
    "Тут очікується об’єкт, а не {found}.",
)
NOT_AN_ARRAY: Final = Text(
    "`{name}` may repeat, so it is an array in JSON.",
    "Элемент `{name}` может повторяться, поэтому в JSON он записывается массивом.",
    "Елемент `{name}` може повторюватися, тому в JSON він записується масивом.",
)
ARRAY: Final = Text(
    "`{name}` may not repeat, so it is no array in JSON.",
    "Элемент `{name}` не повторяется, поэтому в JSON он не записывается массивом.",
    "Елемент `{name}` не повторюється, тому в JSON він не записується масивом.",
)
EMPTY_ARRAY: Final = Text(
    "An array may not be empty; leave the property out.",
    "Массив не может быть пустым; уберите свойство.",
    "Масив не може бути порожнім; приберіть властивість.",
)
EMPTY_OBJECT: Final = Text(
    "An object may not be empty; leave the property out.",
    "Объект не может быть пустым; уберите свойство.",
    "Об’єкт не може бути порожнім; приберіть властивість.",
)
NULL: Final = Text(
    "A property may not be null; leave it out.",
    "Значение свойства не может быть null; уберите свойство.",
    "Значення властивості не може бути null; приберіть властивість.",
)
UNKNOWN_ELEMENT: Final = Text(
    "`{type}` has no element `{name}`.",
    "У `{type}` нет элемента `{name}`.",
    "У `{type}` немає елемента `{name}`.",
)
MISSING: Final = Text(
    "The element `{name}` is required.",
    "Элемент `{name}` обязателен.",
    "Елемент `{name}` є обов’язковим.",
)
TOO_FEW: Final = Text(
    "`{name}` must be given at least {min} times, found {count}.",
    "`{name}` должен встречаться не менее {min} раз, найдено {count}.",
    "`{name}` має траплятися щонайменше {min} разів, знайдено {count}.",
)
TOO_MANY: Final = Text(
    "`{name}` may be given at most {max} times, found {count}.",
    "`{name}` может встречаться не более {max} раз, найдено {count}.",
    "`{name}` може траплятися щонайбільше {max} разів, знайдено {count}.",
)
SEVERAL_CHOICES: Final = Text(
    "Only one of {names} may be given.",
    "Может быть указано только одно из {names}.",
    "Може бути вказано лише одне з {names}.",
)
WRONG_TYPE: Final = Text(
    "A value of type `{type}` is expected, found {found}.",
    "Ожидается значение типа `{type}`, найдено {found}.",
    "Очікується значення типу `{type}`, знайдено {found}.",
)
BAD_FORMAT: Final = Text(
    "`{value}` is not a valid `{type}`.",
    "`{value}` не является правильным значением типа `{type}`.",
    "`{value}` не є правильним значенням типу `{type}`.",
)
EMPTY_STRING: Final = Text(
    "A string may not be empty; leave the property out.",
    "Строка не может быть пустой; уберите свойство.",
    "Рядок не може бути порожнім; приберіть властивість.",
)
TOO_LONG: Final = Text(
    "A string may have at most {limit} characters, this has {length}.",
    "Строка может содержать не более {limit} символов, здесь {length}.",
    "Рядок може містити щонайбільше {limit} символів, тут {length}.",
)
UNEQUAL_ARRAYS: Final = Text(
    "`{name}` and `_{name}` must have the same length: {values} and {extensions}.",
    "`{name}` и `_{name}` должны быть одной длины: {values} и {extensions}.",
    "`{name}` і `_{name}` мають бути однакової довжини: {values} і {extensions}.",
)
NOTHING_THERE: Final = Text(
    "A null in an array needs an extension at the same place of `_{name}`.",
    "Для null в массиве нужно расширение на том же месте в `_{name}`.",
    "Для null у масиві потрібне розширення на тому самому місці в `_{name}`.",
)
NO_CONTENT: Final = Text(
    "An element needs a value or children beside its id.",
    "Элементу, кроме id, нужно значение или вложенные элементы.",
    "Елементу, крім id, потрібне значення або вкладені елементи.",
)
NO_TYPE: Final = Text(
    "A resource needs the property `resourceType`.",
    "У ресурса должно быть свойство `resourceType`.",
    "Ресурс повинен мати властивість `resourceType`.",
)
OTHER_TYPE: Final = Text(
    "A {expected} is expected here, found {found}.",
    "Здесь ожидается {expected}, найден {found}.",
    "Тут очікується {expected}, знайдено {found}.",
)
UNKNOWN_TYPE: Final = Text(
    "There is no resource type `{type}` in FHIR R4.",
    "В FHIR R4 нет типа ресурса `{type}`.",
    "У FHIR R4 немає типу ресурсу `{type}`.",
)
NOT_IN_VALUE_SET: Final = Text(
    "The code `{code}` is not in the required value set {value_set}.",
    "Кода `{code}` нет в обязательном наборе значений {value_set}.",
    "Коду `{code}` немає в обов’язковому наборі значень {value_set}.",
)
NO_CODING_OF_VALUE_SET: Final = Text(
    "At least one coding must be from the required value set {value_set}; found {codes}.",
    "Хотя бы один код должен быть из обязательного набора значений {value_set}; "
    "найдено: {codes}.",
    "Принаймні один код має бути з обов’язкового набору значень {value_set}; "
    "знайдено: {codes}.",
)
NO_UNIT: Final = Text(
    "`{code}` is not a code of UCUM.",
    "`{code}` — не код UCUM.",
    "`{code}` — не код UCUM.",
)
NOT_IN_EXTENSIBLE: Final = Text(
    "None of the codings ({codes}) is from the value set {value_set}; "
    "use one of its codes where one applies.",
    "Ни один код ({codes}) не входит в набор значений {value_set}; "
    "если подходящий код там есть, используйте его.",
    "Жоден код ({codes}) не входить до набору значень {value_set}; "
    "якщо там є відповідний код, використайте його.",
)
WRONG_TARGET: Final = Text(
    "A reference to {found} is not allowed here, only to {allowed}.",
    "Ссылка на {found} здесь недопустима, разрешены только: {allowed}.",
    "Посилання на {found} тут неприпустиме, дозволено лише: {allowed}.",
)
NO_REFERENCE: Final = Text(
    "`{value}` is no reference: neither [type]/[id] of a resource type, nor a URL, urn or #id.",
    "`{value}` — не ссылка: не [тип]/[id] с типом ресурса и не URL, urn или #id.",
    "`{value}` — не посилання: не [тип]/[id] з типом ресурсу і не URL, urn чи #id.",
)
TYPE_DISAGREES: Final = Text(
    "The reference says type `{type}` and points to {found}.",
    "В ссылке указан тип `{type}`, а ведёт она на {found}.",
    "У посиланні вказано тип `{type}`, а веде воно на {found}.",
)
NOT_CONTAINED: Final = Text(
    "There is no contained resource with the id `{id}`.",
    "Среди вложенных ресурсов нет ресурса с id `{id}`.",
    "Серед вкладених ресурсів немає ресурсу з id `{id}`.",
)
NESTED_CONTAINED: Final = Text(
    "A contained resource may not contain others (dom-2).",
    "Вложенный ресурс не может содержать другие (dom-2).",
    "Вкладений ресурс не може містити інші (dom-2).",
)
UNREFERENCED: Final = Text(
    "The contained resource `{id}` is not referred to from this resource (dom-3).",
    "На вложенный ресурс `{id}` в этом ресурсе нет ссылок (dom-3).",
    "На вкладений ресурс `{id}` у цьому ресурсі немає посилань (dom-3).",
)
CONTAINED_WITHOUT_ID: Final = Text(
    "A contained resource needs an id to be referred to (dom-3).",
    "Вложенному ресурсу нужен id, чтобы на него сослаться (dom-3).",
    "Вкладеному ресурсу потрібен id, щоб на нього послатися (dom-3).",
)
SAME_CONTAINED_ID: Final = Text(
    "The id `{id}` is given to more than one contained resource.",
    "Один и тот же id `{id}` дан нескольким вложенным ресурсам.",
    "Той самий id `{id}` надано кільком вкладеним ресурсам.",
)
CONTAINED_VERSION: Final = Text(
    "A contained resource may not have meta.versionId or meta.lastUpdated (dom-4).",
    "У вложенного ресурса не может быть meta.versionId и meta.lastUpdated (dom-4).",
    "Вкладений ресурс не може мати meta.versionId і meta.lastUpdated (dom-4).",
)
CONTAINED_SECURITY: Final = Text(
    "A contained resource may not have security labels (dom-5).",
    "У вложенного ресурса не может быть меток безопасности (dom-5).",
    "Вкладений ресурс не може мати міток безпеки (dom-5).",
)
EXTENSION_CONTENT: Final = Text(
    "An extension has either a value or nested extensions, not both and not neither (ext-1).",
    "У расширения либо значение, либо вложенные расширения: не вместе и не пусто (ext-1).",
    "Розширення має або значення, або вкладені розширення: не разом і не порожньо (ext-1).",
)
INVARIANT: Final = Text(
    "Rule {key} is broken: {human}",
    "Нарушено правило {key}: {human_ru}",
    "Порушено правило {key}: {human_uk}",
)
NOT_XHTML: Final = Text(
    "The narrative is not well-formed XHTML: {reason}.",
    "Текстовое описание не является правильным XHTML: {reason}.",
    "Текстовий опис не є правильним XHTML: {reason}.",
)
NOT_A_DIV: Final = Text(
    'The narrative must be one <div xmlns="http://www.w3.org/1999/xhtml">.',
    'Описание должно быть одним <div xmlns="http://www.w3.org/1999/xhtml">.',
    'Опис має бути одним <div xmlns="http://www.w3.org/1999/xhtml">.',
)
FORBIDDEN_DECLARATION: Final = Text(
    "The narrative may not hold a document type or a processing instruction.",
    "В описании не может быть объявления типа документа или инструкций обработки.",
    "Опис не може містити оголошення типу документа або інструкцій обробки.",
)
FORBIDDEN_TAG: Final = Text(
    "The narrative may not hold <{name}> (txt-1).",
    "В описании не может быть <{name}> (txt-1).",
    "Опис не може містити <{name}> (txt-1).",
)
MANY_ATTRIBUTES: Final = Text(
    "A `{tag}` of the narrative has more than {most} attributes.",
    "У `{tag}` в описании (narrative) больше {most} атрибутов.",
    "У `{tag}` в описі (narrative) понад {most} атрибутів.",
)
FORBIDDEN_ATTRIBUTE: Final = Text(
    "The narrative may not hold the attribute `{name}` on <{tag}> (txt-1).",
    "В описании не может быть атрибута `{name}` у <{tag}> (txt-1).",
    "Опис не може містити атрибут `{name}` у <{tag}> (txt-1).",
)
ACTIVE_CONTENT: Final = Text(
    "The attribute `{name}` of the narrative holds active content (txt-1).",
    "Атрибут `{name}` в описании содержит активное содержимое (txt-1).",
    "Атрибут `{name}` в описі містить активний вміст (txt-1).",
)
EMPTY_NARRATIVE: Final = Text(
    "The narrative has no text and no image (txt-2).",
    "В описании нет ни текста, ни изображения (txt-2).",
    "В описі немає ні тексту, ні зображення (txt-2).",
)
UNKNOWN_PROFILE: Final = Text(
    "The profile {profile} is not known here; the resource was not checked against it.",
    "Профиль {profile} здесь неизвестен; ресурс по нему не проверялся.",
    "Профіль {profile} тут невідомий; ресурс за ним не перевірявся.",
)
NOT_ALL: Final = Text(
    "Only the first {limit} issues are told.",
    "Показаны только первые {limit} замечаний.",
    "Показано лише перші {limit} зауважень.",
)
ALL_WELL: Final = Text(
    "No problems were found.",
    "Замечаний нет.",
    "Зауважень немає.",
)
