"""What HL7's invariants say, in Russian and Ukrainian.

Those of types that people write; the rules of definitions (StructureDefinition and the like)
are for developers and stay in English.
"""

from collections.abc import Mapping
from typing import Final

from fhir_server.core.errors import Issue
from fhir_server.core.messages import Text
from fhir_server.spec.structures import Constraint

_RULES: Final[Mapping[str, tuple[str, str]]] = {
    "dom-6": (
        "У ресурса желательно текстовое описание (text)",
        "У ресурсу бажаний текстовий опис (text)",
    ),
    "age-1": (
        "если есть value, нужен code единицы времени; system — UCUM; value положительно",
        "якщо є value, потрібен code одиниці часу; system — UCUM; value додатне",
    ),
    "qty-3": (
        "если указан code единицы, нужен и system",
        "якщо вказано code одиниці, потрібен і system",
    ),
    "ait-1": (
        "clinicalStatus обязателен, если verificationStatus не entered-in-error",
        "clinicalStatus обов’язковий, якщо verificationStatus не entered-in-error",
    ),
    "ait-2": (
        "clinicalStatus не указывается, если verificationStatus — entered-in-error",
        "clinicalStatus не вказується, якщо verificationStatus — entered-in-error",
    ),
    "app-2": (
        "start и end указываются вместе или не указываются",
        "start і end вказуються разом або не вказуються",
    ),
    "app-3": (
        "без start и end бывают только записи proposed, cancelled и waitlist",
        "без start і end бувають лише записи proposed, cancelled і waitlist",
    ),
    "app-4": (
        "cancelationReason указывается только для cancelled и noshow",
        "cancelationReason вказується лише для cancelled і noshow",
    ),
    "app-1": ("у участника нужен type или actor", "учаснику потрібен type або actor"),
    "apr-1": ("нужен participantType или actor", "потрібен participantType або actor"),
    "att-1": ("если есть data, нужен contentType", "якщо є data, потрібен contentType"),
    "sev-1": ("либо name, либо query, но не вместе", "або name, або query, але не разом"),
    "bdl-1": (
        "total бывает только у searchset и history",
        "total буває лише у searchset і history",
    ),
    "bdl-2": ("entry.search бывает только у searchset", "entry.search буває лише у searchset"),
    "bdl-3": (
        "entry.request обязателен для batch, transaction и history, иначе недопустим",
        "entry.request обов’язковий для batch, transaction і history, інакше неприпустимий",
    ),
    "bdl-4": (
        (
            "entry.response обязателен для batch-response, "
            "transaction-response и history, иначе недопустим"
        ),
        (
            "entry.response обов’язковий для batch-response, "
            "transaction-response і history, інакше неприпустимий"
        ),
    ),
    "bdl-7": (
        "fullUrl не повторяется, кроме записей с разными meta.versionId",
        "fullUrl не повторюється, крім записів із різними meta.versionId",
    ),
    "bdl-9": (
        "документу нужен identifier с system и value",
        "документу потрібен identifier із system і value",
    ),
    "bdl-10": ("документу нужна дата (timestamp)", "документу потрібна дата (timestamp)"),
    "bdl-11": (
        "первым ресурсом документа должен быть Composition",
        "першим ресурсом документа має бути Composition",
    ),
    "bdl-12": (
        "первым ресурсом сообщения должен быть MessageHeader",
        "першим ресурсом повідомлення має бути MessageHeader",
    ),
    "bdl-5": (
        "нужен resource, если нет request или response",
        "потрібен resource, якщо немає request або response",
    ),
    "bdl-8": ("fullUrl не может указывать на версию", "fullUrl не може вказувати на версію"),
    "cpl-3": (
        "либо reference, либо detail, но не вместе",
        "або reference, або detail, але не разом",
    ),
    "ctm-1": (
        "onBehalfOf указывается, только если member — Practitioner",
        "onBehalfOf вказується, лише якщо member — Practitioner",
    ),
    "cmp-1": (
        "в разделе нужен text, entry или section",
        "у розділі потрібен text, entry або section",
    ),
    "cmp-2": (
        "emptyReason указывается только у пустого раздела",
        "emptyReason вказується лише в порожнього розділу",
    ),
    "con-3": (
        "у problem-list-item нужен clinicalStatus, если verificationStatus не entered-in-error",
        (
            "для problem-list-item потрібен clinicalStatus, якщо "
            "verificationStatus не entered-in-error"
        ),
    ),
    "con-4": (
        "если указан abatement, clinicalStatus — inactive, resolved или remission",
        "якщо вказано abatement, clinicalStatus — inactive, resolved або remission",
    ),
    "con-5": (
        "clinicalStatus не указывается, если verificationStatus — entered-in-error",
        "clinicalStatus не вказується, якщо verificationStatus — entered-in-error",
    ),
    "con-1": (
        "у стадии нужен summary или assessment",
        "для стадії потрібен summary або assessment",
    ),
    "con-2": ("у evidence нужен code или detail", "для evidence потрібен code або detail"),
    "ppc-1": ("нужен policy или policyRule", "потрібен policy або policyRule"),
    "ppc-2": ("при таком scope нужен patient", "за такого scope потрібен patient"),
    "ppc-3": ("при таком scope нужен patient", "за такого scope потрібен patient"),
    "ppc-4": ("при таком scope нужен patient", "за такого scope потрібен patient"),
    "ppc-5": ("при таком scope нужен patient", "за такого scope потрібен patient"),
    "cpt-2": ("если есть value, нужен system", "якщо є value, потрібен system"),
    "cnt-3": (
        "если есть value, нужен code «1»; system — UCUM; value целое",
        "якщо є value, потрібен code «1»; system — UCUM; value ціле",
    ),
    "drq-1": (
        "либо path, либо searchParam, но не вместе",
        "або path, або searchParam, але не разом",
    ),
    "drq-2": (
        "либо path, либо searchParam, но не вместе",
        "або path, або searchParam, але не разом",
    ),
    "dis-1": (
        "если есть value, нужен code единицы длины; system — UCUM",
        "якщо є value, потрібен code одиниці довжини; system — UCUM",
    ),
    "drt-1": (
        "если есть value, нужен code единицы времени; system — UCUM",
        "якщо є value, потрібен code одиниці часу; system — UCUM",
    ),
    "exp-1": ("нужен expression или reference", "потрібен expression або reference"),
    "fhs-1": ("либо age, либо born, но не вместе", "або age, або born, але не разом"),
    "fhs-2": (
        "estimatedAge указывается только вместе с age",
        "estimatedAge вказується лише разом із age",
    ),
    "gol-1": ("если есть detail, нужен measure", "якщо є detail, потрібен measure"),
    "grp-1": (
        "member бывает только у группы с actual = true",
        "member буває лише в групи з actual = true",
    ),
    "imm-1": ("нужен documentType или reference", "потрібен documentType або reference"),
    "imr-1": ("нужен vaccineCode или targetDisease", "потрібен vaccineCode або targetDisease"),
    "lst-1": (
        "emptyReason указывается только у пустого списка",
        "emptyReason вказується лише в порожнього списку",
    ),
    "lst-2": (
        "deleted допустим только при mode = changes",
        "deleted припустимий лише за mode = changes",
    ),
    "lst-3": (
        "entry.date допустима только при mode = working",
        "entry.date припустима лише за mode = working",
    ),
    "mad-1": ("нужен dose или rate", "потрібен dose або rate"),
    "mdd-1": (
        "whenHandedOver не может быть раньше whenPrepared",
        "whenHandedOver не може бути раніше за whenPrepared",
    ),
    "nor-1": (
        "нужен oralDiet, supplement или enteralFormula",
        "потрібен oralDiet, supplement або enteralFormula",
    ),
    "obs-6": (
        "dataAbsentReason указывается, только если нет value",
        "dataAbsentReason вказується, лише якщо немає value",
    ),
    "obs-7": (
        "если code совпадает с component.code, value не указывается",
        "якщо code збігається з component.code, value не вказується",
    ),
    "obs-3": ("нужен low, high или text", "потрібен low, high або text"),
    "org-1": (
        "у организации нужно имя или идентификатор",
        "організації потрібна назва або ідентифікатор",
    ),
    "org-3": (
        "у организации не бывает telecom с use = home",
        "в організації не буває telecom із use = home",
    ),
    "org-2": (
        "у организации не бывает address с use = home",
        "в організації не буває address із use = home",
    ),
    "A parameter must have one and only one of (value, resource, part)": (
        "у параметра ровно одно из value, resource, part",
        "у параметра рівно одне з value, resource, part",
    ),
    "pat-1": (
        "нужны имя, телефон или адрес контакта либо ссылка на организацию",
        "потрібні ім’я, телефон чи адреса контакту або посилання на організацію",
    ),
    "per-1": ("start не может быть позже end", "start не може бути пізніше за end"),
    "que-2": (
        "linkId не повторяются в пределах опросника",
        "linkId не повторюються в межах опитувальника",
    ),
    "que-1": (
        "у group должны быть вложенные item, у display их не бывает",
        "group повинна мати вкладені item, display їх не має",
    ),
    "que-3": ("у display не бывает code", "display не має code"),
    "que-4": (
        "answerOption и answerValueSet не указываются вместе",
        "answerOption і answerValueSet не вказуються разом",
    ),
    "que-5": (
        "варианты ответа бывают только у вопросов с выбором",
        "варіанти відповіді бувають лише в питань із вибором",
    ),
    "que-6": ("у display не бывает required и repeats", "display не має required і repeats"),
    "que-8": ("у group и display не бывает initial", "group і display не мають initial"),
    "que-9": ("у display не бывает readOnly", "display не має readOnly"),
    "que-10": (
        "maxLength бывает только у простых типов вопросов",
        "maxLength буває лише в простих типів питань",
    ),
    "que-11": (
        "answerOption и initial не указываются вместе",
        "answerOption і initial не вказуються разом",
    ),
    "que-12": (
        "если enableWhen несколько, нужен enableBehavior",
        "якщо enableWhen кілька, потрібен enableBehavior",
    ),
    "que-13": (
        "несколько initial бывает только при repeats = true",
        "кілька initial буває лише за repeats = true",
    ),
    "que-7": (
        "при operator = exists ответ должен быть boolean",
        "за operator = exists відповідь має бути boolean",
    ),
    "qrs-1": (
        "вложенные item стоят либо в item, либо в answer",
        "вкладені item стоять або в item, або в answer",
    ),
    "rng-2": ("low не может быть больше high", "low не може бути більшим за high"),
    "rat-1": (
        "numerator и denominator указываются вместе; без них нужно расширение",
        "numerator і denominator вказуються разом; без них потрібне розширення",
    ),
    "rqg-1": (
        "либо resource, либо action, но не вместе",
        "або resource, або action, але не разом",
    ),
    "ras-2": ("значение не больше 100", "значення не більше 100"),
    "ras-1": ("low и high указываются в процентах", "low і high вказуються у відсотках"),
    "prr-1": (
        "orderDetail указывается только вместе с code",
        "orderDetail вказується лише разом із code",
    ),
    "Last modified date must be greater than or equal to authored-on date.": (
        "lastModified не может быть раньше authoredOn",
        "lastModified не може бути раніше за authoredOn",
    ),
    "tim-1": (
        "если есть duration, нужен durationUnit",
        "якщо є duration, потрібен durationUnit",
    ),
    "tim-2": ("если есть period, нужен periodUnit", "якщо є period, потрібен periodUnit"),
    "tim-4": ("duration не может быть отрицательной", "duration не може бути від’ємною"),
    "tim-5": ("period не может быть отрицательным", "period не може бути від’ємним"),
    "tim-6": ("если есть periodMax, нужен period", "якщо є periodMax, потрібен period"),
    "tim-7": ("если есть durationMax, нужна duration", "якщо є durationMax, потрібна duration"),
    "tim-8": ("если есть countMax, нужен count", "якщо є countMax, потрібен count"),
    "tim-9": (
        "если есть offset, нужен when, причём не C, CM, CD, CV",
        "якщо є offset, потрібен when, причому не C, CM, CD, CV",
    ),
    "tim-10": (
        "timeOfDay и when не указываются вместе",
        "timeOfDay і when не вказуються разом",
    ),
    "trd-1": ("либо timing, либо data, но не вместе", "або timing, або data, але не разом"),
    "trd-2": (
        "condition указывается только вместе с data",
        "condition вказується лише разом із data",
    ),
    "trd-3": (
        "named-event нужен name, periodic — timing, событию данных — data",
        "named-event потрібен name, periodic — timing, події даних — data",
    ),
    "sqty-1": ("у SimpleQuantity не бывает comparator", "SimpleQuantity не має comparator"),
    "vs-1": (
        "effectiveDateTime нужна с точностью до дня",
        "effectiveDateTime потрібна з точністю до дня",
    ),
    "vs-2": (
        "без component и hasMember нужен value или dataAbsentReason",
        "без component і hasMember потрібен value або dataAbsentReason",
    ),
    "vs-3": ("без value нужен dataAbsentReason", "без value потрібен dataAbsentReason"),
}
"""Key -> Russian, Ukrainian; where R4 gives a key twice, the sentence stands for it."""


def broken(rule: Constraint, text: Text, path: str, **args: object) -> Issue:
    """The issue that says `rule` is broken at `path`.

    `text` has the places `{key}` and, by language, `{human}`, `{human_ru}` and `{human_uk}`.
    """
    ru, uk = _RULES.get(rule.key) or _RULES.get(rule.human) or (rule.human, rule.human)
    said = {"key": rule.key, "human": rule.human, "human_ru": ru, "human_uk": uk}
    return Issue("invariant", text, said | args, rule.severity, (path,))
