"""What the pages say. A template names a text as `t.NAME`."""

from typing import Final

from fhir_server.core.messages import Text

SIGN_IN: Final = Text("Sign in", "Вход", "Вхід")
ENTER: Final = Text("Sign in", "Войти", "Увійти")
SIGN_IN_FOR: Final = Text(
    "Sign in to go on to {app}.",
    "Войдите, чтобы продолжить в приложении {app}.",
    "Увійдіть, щоб продовжити у застосунку {app}.",
)
EMAIL: Final = Text("E-mail address", "Адрес электронной почты", "Адреса електронної пошти")
PASSWORD: Final = Text("Password", "Пароль", "Пароль")
FORGOT: Final = Text("Forgot the password?", "Забыли пароль?", "Забули пароль?")
REGISTER: Final = Text("Register", "Зарегистрироваться", "Зареєструватися")
OR: Final = Text("or", "или", "або")
SIGN_IN_WITH: Final = Text("Sign in with {name}", "Войти через {name}", "Увійти через {name}")
PASSKEY: Final = Text(
    "Sign in with a passkey", "Войти по ключу доступа", "Увійти за ключем доступу"
)
KEEP_SECRET: Final = Text(
    "Never tell anybody your password: the clinic does not ask for it.",
    "Никому не сообщайте пароль: клиника никогда его не спрашивает.",
    "Нікому не повідомляйте пароль: клініка ніколи його не запитує.",
)
LANGUAGE: Final = Text("Language", "Язык", "Мова")
SIGN_OUT: Final = Text("Sign out", "Выйти", "Вийти")
GO_ON: Final = Text("Continue", "Продолжить", "Продовжити")
BACK: Final = Text("Back", "Назад", "Назад")
PROBLEMS: Final = Text("This did not work", "Не получилось", "Не вдалося")
SKIP: Final = Text("Skip to the content", "К содержанию", "До змісту")

SECOND: Final = Text("One more step", "Ещё один шаг", "Ще один крок")
SECOND_APP: Final = Text(
    "Enter the code that your authenticator app shows.",
    "Введите код из приложения для подтверждения входа.",
    "Введіть код із застосунку для підтвердження входу.",
)
SECOND_MAIL: Final = Text(
    "Enter the code that we sent to your e-mail address.",
    "Введите код, который мы отправили на вашу электронную почту.",
    "Введіть код, який ми надіслали на вашу електронну пошту.",
)
CODE: Final = Text("Code", "Код", "Код")
SEND_AGAIN: Final = Text("Send a new code", "Отправить новый код", "Надіслати новий код")

CONSENT: Final = Text(
    "{app} asks for access", "{app} запрашивает доступ", "{app} просить доступ"
)
OWN_APP: Final = Text("Open the record", "Открыть карту", "Відкрити картку")
OWN_APP_LEAD: Final = Text(
    "The clinic's own page shows the record, books visits and sends messages for you.",
    "Страница клиники покажет карту, запишет на приём и передаст ваши сообщения.",
    "Сторінка клініки покаже картку, запише на прийом і передасть ваші повідомлення.",
)
OPEN_RECORD: Final = Text("Open", "Открыть", "Відкрити")
NOT_NOW: Final = Text("Not now", "Не сейчас", "Не зараз")
OWN_APP_HINT: Final = Text(
    "No other app gets anything by this. It is over when you sign out.",
    "Другие приложения при этом ничего не получают. Доступ прекратится, когда вы выйдете.",
    "Інші застосунки при цьому нічого не отримують. Доступ припиниться, коли ви вийдете.",
)
PUBLISHED_BY: Final = Text("Published by {name}", "Издатель: {name}", "Видавець: {name}")
NO_PUBLISHER: Final = Text(
    "The publisher is not named.", "Издатель не указан.", "Видавця не вказано."
)
SENT_TO: Final = Text(
    "Afterwards you go to {host}.",
    "После этого вы перейдёте на {host}.",
    "Після цього ви перейдете на {host}.",
)
UNREVIEWED: Final = Text(
    "The clinic has not looked at this app. Go on only if you trust its publisher.",
    "Клиника не проверяла это приложение. Продолжайте, только если доверяете издателю.",
    "Клініка не перевіряла цей застосунок. Продовжуйте, лише якщо довіряєте видавцю.",
)
PRIVACY: Final = Text("Privacy policy", "Политика конфиденциальности",
                      "Політика конфіденційності")  # fmt: skip
TERMS: Final = Text("Terms of use", "Условия использования", "Умови користування")
ABOUT: Final = Text("Whose record", "Чья карта", "Чия картка")
OWN: Final = Text("yourself", "вы", "ви")
REPRESENTED: Final = Text("you represent", "вы представляете", "ви представляєте")
VISIT: Final = Text(
    "Which visit is this about?", "О каком посещении идёт речь?", "Про який візит ідеться?"
)
VISIT_HINT: Final = Text(
    "The app is told which one you choose.",
    "Приложение узнает, какое вы выбрали.",
    "Застосунок дізнається, який ви вибрали.",
)
NO_VISIT: Final = Text("No particular visit", "Без посещения", "Без візиту")
NO_VISITS: Final = Text(
    "There are no visits to choose from.",
    "Посещений для выбора нет.",
    "Візитів для вибору немає.",
)
VISIT_ID: Final = Text(
    "Visit (id), if it is about one",
    "Посещение (id), если речь о нём",
    "Візит (id), якщо йдеться про нього",
)
UNKNOWN_VISIT: Final = Text(
    "There is no such visit that you may see.",
    "Нет такого посещения, которое вы можете видеть.",
    "Немає такого візиту, який ви можете бачити.",
)
CLOSED: Final = Text(
    "The record of {name} is closed until these consents are given. Until then the app sees "
    "only what is needed to give them.",
    "Карта ({name}) закрыта, пока не даны согласия. До этого приложение видит только то, что "
    "нужно, чтобы их дать.",
    "Картку ({name}) закрито, поки не надано згоди. До цього застосунок бачить лише те, що "
    "потрібно, щоб їх надати.",
)
CHOOSE_PATIENT: Final = Text(
    "Choose whose record this is about.",
    "Выберите, о чьей карте идёт речь.",
    "Виберіть, про чию картку йдеться.",
)
NO_RECORD: Final = Text(
    "There is no record that you may open.",
    "Нет карты, которую вы можете открыть.",
    "Немає картки, яку ви можете відкрити.",
)
PATIENT_ID: Final = Text("Patient (id)", "Пациент (id)", "Пацієнт (id)")
MAY: Final = Text("What the app may do", "Что приложению можно", "Що застосунку можна")
MAY_HINT: Final = Text(
    "Take the tick away from what you do not want to share.",
    "Снимите отметку с того, чем не хотите делиться.",
    "Зніміть позначку з того, чим не хочете ділитися.",
)
IDENTITY: Final = Text("Know who you are", "Знать, кто вы", "Знати, хто ви")
IDENTITY_HINT: Final = Text(
    "Your name in this cabinet; never your password.",
    "Ваше имя в этом кабинете; пароль — никогда.",
    "Ваше ім'я в цьому кабінеті; пароль — ніколи.",
)
OFFLINE: Final = Text(
    "Keep access while you are not using the app",
    "Сохранять доступ, когда вы не пользуетесь приложением",
    "Зберігати доступ, коли ви не користуєтеся застосунком",
)
OFFLINE_HINT: Final = Text(
    "Without this it must ask you again in a few minutes.",
    "Без этого оно снова спросит вас через несколько минут.",
    "Без цього він знову запитає вас за кілька хвилин.",
)
SEE: Final = Text("See", "Смотреть", "Переглядати")
ALL_OF_IT: Final = Text("All of it", "Всё", "Усе")
ONLY_CHOSEN: Final = Text("Only what I tick here", "Только отмеченное", "Лише позначене")
OF_ALL: Final = Text(
    "of everybody whose record you may open",
    "всех, чью карту вы можете открыть",
    "усіх, чию картку ви можете відкрити",
)
HOW_LONG: Final = Text("For how long", "На какой срок", "На який строк")
DAYS_1: Final = Text("One day", "Один день", "Один день")
DAYS_30: Final = Text("30 days", "30 дней", "30 днів")
DAYS_90: Final = Text("90 days", "90 дней", "90 днів")
DAYS_365: Final = Text("One year", "Один год", "Один рік")
UNTIL_ENDED: Final = Text("Until I end it", "Пока не отзову", "Поки не відкличу")
ALLOW: Final = Text("Allow", "Разрешить", "Дозволити")
DENY: Final = Text("Do not allow", "Не разрешать", "Не дозволяти")
CAN_END: Final = Text(
    "You can end this at any time on the page of your account.",
    "Вы можете прекратить это в любое время на странице кабинета.",
    "Ви можете припинити це будь-коли на сторінці кабінету.",
)

ACCOUNT: Final = Text("Your account", "Ваш кабинет", "Ваш кабінет")
APPS: Final = Text(
    "Apps that may see my data",
    "Приложения, которым видны мои данные",
    "Застосунки, яким видно мої дані",
)
NO_APPS: Final = Text(
    "No app has access now.",
    "Сейчас доступа нет ни у одного приложения.",
    "Зараз доступу не має жоден застосунок.",
)
RECORD_OF: Final = Text("Record of {name}", "Карта: {name}", "Картка: {name}")
GRANTED: Final = Text("Allowed {when}", "Разрешено {when}", "Дозволено {when}")
LAST_READ: Final = Text(
    "Last read your data {when}",
    "Последнее чтение данных {when}",
    "Останнє читання даних {when}",
)
NEVER_READ: Final = Text(
    "Has not read any data yet", "Данные ещё не читало", "Дані ще не читав"
)
LAST_USED: Final = Text(
    "Access last renewed {when}", "Доступ продлён {when}", "Доступ подовжено {when}"
)
BY_OTHER: Final = Text(
    "Allowed by somebody who represents you.",
    "Разрешил тот, кто вас представляет.",
    "Дозволив той, хто вас представляє.",
)
ENDS: Final = Text("Ends {when}", "Действует до {when}", "Діє до {when}")
ENDLESS: Final = Text("Until you end it", "Пока вы не отзовёте", "Поки ви не відкличете")
END: Final = Text("End access", "Прекратить доступ", "Припинити доступ")
END_OF: Final = Text(
    "End access of {app}", "Прекратить доступ: {app}", "Припинити доступ: {app}"
)
END_ALL: Final = Text("End all", "Прекратить всё", "Припинити все")
SECURITY: Final = Text("Security", "Безопасность", "Безпека")
CHANGE_PASSWORD: Final = Text("Change the password", "Сменить пароль", "Змінити пароль")
CURRENT: Final = Text("Current password", "Текущий пароль", "Поточний пароль")
NEW: Final = Text("New password", "Новый пароль", "Новий пароль")
AGAIN: Final = Text("New password again", "Новый пароль ещё раз", "Новий пароль ще раз")
LEAST: Final = Text(
    "At least {least} characters; a few words are best.",
    "Не меньше {least} символов; лучше несколько слов.",
    "Щонайменше {least} символів; найкраще кілька слів.",
)
ENDS_ALL: Final = Text(
    "All other devices and all apps are signed out.",
    "Все другие устройства и все приложения будут отключены.",
    "Усі інші пристрої та всі застосунки буде від'єднано.",
)
STALE: Final = Text(
    "Your password is old: change it.",
    "Ваш пароль старый: смените его.",
    "Ваш пароль старий: змініть його.",
)
SECOND_STEP: Final = Text("Second step", "Второй шаг входа", "Другий крок входу")
APP_ON: Final = Text(
    "An authenticator app is connected.",
    "Приложение для подтверждения входа подключено.",
    "Застосунок для підтвердження входу підключено.",
)
MAIL_ON: Final = Text(
    "Codes come by e-mail.", "Коды приходят по почте.", "Коди надходять поштою."
)
NO_SECOND: Final = Text(
    "A password alone opens your account. A second step keeps it safe if the password leaks.",
    "Кабинет открывается одним паролем. Второй шаг защитит его, если пароль узнают.",
    "Кабінет відкривається самим паролем. Другий крок захистить його, якщо пароль дізнаються.",
)
SET_UP_APP: Final = Text(
    "Set up an authenticator app",
    "Подключить приложение для подтверждения",
    "Підключити застосунок для підтвердження",
)
MAIL_ME: Final = Text("Send me codes by e-mail", "Присылать коды по почте",
                      "Надсилати коди поштою")  # fmt: skip
STOP_MAIL: Final = Text("No codes by e-mail any more", "Больше не присылать коды",
                        "Більше не надсилати коди")  # fmt: skip
SCAN: Final = Text(
    "Scan this picture with the app, or type the key, then enter the code that it shows.",
    "Отсканируйте картинку приложением или введите ключ, затем введите показанный код.",
    "Відскануйте зображення застосунком або введіть ключ, потім введіть показаний код.",
)
KEY: Final = Text("Key", "Ключ", "Ключ")
QR: Final = Text("QR code of the key", "QR-код ключа", "QR-код ключа")
REMOVE: Final = Text("Remove the app", "Отключить приложение", "Від'єднати застосунок")
PASSKEYS: Final = Text("Passkeys", "Ключи доступа", "Ключі доступу")
PASSKEYS_HINT: Final = Text(
    "Sign in with your fingerprint, face or security key instead of a password.",
    "Вход по отпечатку, лицу или ключу безопасности вместо пароля.",
    "Вхід за відбитком, обличчям або ключем безпеки замість пароля.",
)
ADD_PASSKEY: Final = Text("Add a passkey", "Добавить ключ", "Додати ключ")
REMOVE_PASSKEY: Final = Text("Remove", "Удалить", "Видалити")
ADDED: Final = Text("Added {when}", "Добавлен {when}", "Додано {when}")

SIGN_UP: Final = Text("Registration", "Регистрация", "Реєстрація")
SIGN_UP_HINT: Final = Text(
    "Tell us what the clinic has in your record. If it is the same, we send a code to your "
    "e-mail address.",
    "Укажите то, что записано в вашей карте. Если всё совпадёт, мы отправим код на вашу "
    "электронную почту.",
    "Вкажіть те, що записано у вашій картці. Якщо все збігається, ми надішлемо код на вашу "
    "електронну пошту.",
)
FAMILY: Final = Text("Surname", "Фамилия", "Прізвище")
GIVEN: Final = Text("First name", "Имя", "Ім'я")
BIRTH_DATE: Final = Text("Date of birth", "Дата рождения", "Дата народження")
FILL_ALL: Final = Text(
    "Fill in everything as it stands in your record.",
    "Заполните всё так, как записано в карте.",
    "Заповніть усе так, як записано в картці.",
)
RECOVER: Final = Text("New password", "Новый пароль", "Новий пароль")
RECOVER_HINT: Final = Text(
    "We send a code to your address, if it has an account.",
    "Мы отправим код на ваш адрес, если для него есть кабинет.",
    "Ми надішлемо код на вашу адресу, якщо для неї є кабінет.",
)
CONFIRM: Final = Text("Code and new password", "Код и новый пароль", "Код і новий пароль")
CONFIRM_HINT: Final = Text(
    "If what you told us is right, a code is on its way to your mailbox. It works once and for "
    "{hours} hours.",
    "Если указанное верно, код уже отправлен на вашу почту. Он действует один раз, {hours} ч.",
    "Якщо вказане правильне, код уже надіслано на вашу пошту. Він діє один раз, {hours} год.",
)
SAVE: Final = Text("Save", "Сохранить", "Зберегти")
WELCOME: Final = Text("You are registered", "Вы зарегистрированы", "Вас зареєстровано")
CHANGED: Final = Text("Your password is changed", "Пароль изменён", "Пароль змінено")
NOW_SIGN_IN: Final = Text(
    "You can sign in now.", "Теперь вы можете войти.", "Тепер ви можете увійти."
)
SIGNED_OUT: Final = Text("You have signed out", "Вы вышли", "Ви вийшли")
GONE: Final = Text("This request is over", "Этот запрос завершён", "Цей запит завершено")
GONE_HINT: Final = Text(
    "It was answered already, took too long, or was begun in another browser. Go back to the "
    "app and start again.",
    "На него уже ответили, прошло слишком много времени или он начат в другом браузере. "
    "Вернитесь в приложение и начните снова.",
    "На нього вже відповіли, минуло забагато часу або його розпочато в іншому браузері. "
    "Поверніться в застосунок і почніть знову.",
)
FOREIGN: Final = Text("This form is not valid any more", "Форма устарела", "Форма застаріла")
FOREIGN_HINT: Final = Text(
    "It came from another site, or was open for too long. Open the page anew.",
    "Она пришла с другого сайта или была открыта слишком долго. Откройте страницу заново.",
    "Вона надійшла з іншого сайту або була відкрита задовго. Відкрийте сторінку знову.",
)
STRANGER: Final = Text("We could not sign you in", "Не удалось войти", "Не вдалося увійти")
STRANGER_HINT: Final = Text(
    "The provider did not confirm who you are, or the clinic has no record that is certainly "
    "yours. Ask at the reception to compare your data and consents.",
    "Провайдер не подтвердил вашу личность, или в клинике нет карты, которая точно ваша. "
    "Попросите в регистратуре сверить данные и согласия.",
    "Провайдер не підтвердив вашу особу, або в клініці немає картки, яка точно ваша. "
    "Попросіть у реєстратурі звірити дані та згоди.",
)
BUSY: Final = Text("Try again in a moment", "Попробуйте чуть позже", "Спробуйте трохи згодом")
BUSY_HINT: Final = Text(
    "The server has too much to do just now.",
    "Сервер сейчас перегружен.",
    "Сервер зараз перевантажений.",
)

TAP_DONE: Final = Text("Done", "Готово", "Готово")
TAP_WHEN: Final = Text("When", "Когда", "Коли")
TAP_WHERE: Final = Text("Where", "Где", "Де")
TAP_UNTIL: Final = Text("Answer until", "Ответьте до", "Дайте відповідь до")
TAP_CHOOSE: Final = Text("Choose another time", "Выберите другое время", "Оберіть інший час")
TAP_NO_PLACES: Final = Text(
    "No other time is free here. Look in your account, or call the clinic.",
    "Другого свободного времени здесь нет. Посмотрите в кабинете или позвоните в клинику.",
    "Іншого вільного часу тут немає. Подивіться в кабінеті або зателефонуйте до клініки.",
)
TAP_CONFIRMED: Final = Text(
    "Thank you: the clinic knows that you will come.",
    "Спасибо: клиника знает, что вы придёте.",
    "Дякуємо: клініка знає, що ви прийдете.",
)
TAP_MOVED: Final = Text(
    "The visit was moved. The new time is on its way to you.",
    "Приём перенесён. Новое время мы вам пришлём.",
    "Прийом перенесено. Новий час ми вам надішлемо.",
)
TAP_CANCELLED: Final = Text("The visit is cancelled.", "Запись отменена.", "Запис скасовано.")
TAP_ACCEPTED: Final = Text(
    "The place is yours.", "Это время теперь ваше.", "Цей час тепер ваш."
)
TAP_DECLINED: Final = Text(
    "The place goes to the next one. You wait on, if this was not the last offer.",
    "Время предложат следующему. Вы остаётесь в очереди, если предложение не было последним.",
    "Час запропонують наступному. Ви залишаєтеся в черзі, якщо пропозиція не була останньою.",
)
TAP_SIGN_IN: Final = Text(
    "This needs a sign-in. Do it in your account.",
    "Для этого нужно войти. Сделайте это в кабинете.",
    "Для цього потрібно увійти. Зробіть це в кабінеті.",
)
TAP_ACCOUNT: Final = Text("My account", "Мой кабинет", "Мій кабінет")
TAP_OVER: Final = Text(
    "This link is over", "Ссылка больше не действует", "Посилання більше не діє"
)
TAP_OVER_HINT: Final = Text(
    "It was used, its time has passed, or the visit has changed. See your visits in your "
    "account, or call the clinic.",
    "Её уже использовали, срок истёк, или запись изменилась. Посмотрите записи в кабинете "
    "или позвоните в клинику.",
    "Його вже використали, термін минув, або запис змінився. Подивіться записи в кабінеті "
    "або зателефонуйте до клініки.",
)

DONE: Final = {
    "apps": Text("Access was ended.", "Доступ прекращён.", "Доступ припинено."),
    "password": Text("Your password is changed.", "Пароль изменён.", "Пароль змінено."),
    "second": Text(
        "The second step was changed.", "Второй шаг изменён.", "Другий крок змінено."
    ),
    "passkey": Text("Your passkeys were changed.", "Ключи изменены.", "Ключі змінено."),
}
"""What the account page says after something was done."""

TEXTS: Final[dict[str, Text]] = {
    name: value for name, value in dict(globals()).items() if isinstance(value, Text)
}
"""By the name that templates use."""
