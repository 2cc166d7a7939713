"""The length of a video: from the words that people write to digits, which look the same in every language."""

import re

_HOURS = (
    "h hr hrs hour hours std stunde stunden hora horas heure heures ora ore uur uren tim timme timmar"
    " godz godzina godziny godzin ساعة ساعات שעה שעות 時間 小时 小時 시간"
)
_MINUTES = (
    "m min mins minute minutes minuten minuto minutos minuti minuut minut minuter"
    " minuta minuty minut دقيقة دقائق דקה דקות דק׳ דק' 分 分間 分钟 分鐘 분"
)
_SECONDS = (
    "s sec secs second seconds sek sekunde sekunden seg segundo segundos seconde secondes secondo secondi seconden"
    " sekund sekunder sekunda sekundy ثانية ثوان ثواني שנייה שניות 秒 초"
)
_UNITS = {
    word: seconds for words, seconds in ((_HOURS, 3600), (_MINUTES, 60), (_SECONDS, 1)) for word in words.split()
}  # each with its seconds
_ONE_UNIT = re.compile(
    rf"(?P<number>\d{{1,3}})[\s\-]*(?P<unit>{'|'.join(sorted(_UNITS, key=len, reverse=True))})(?![a-z])", re.IGNORECASE
)
_DIGITS = re.compile(r"\d{1,3}(?::[0-5]\d){1,2}")


def digits_of_length(length: str) -> str | None:
    """Return a length such as `8 min` or `1 h 20 min` as digits and colons: `8:00`, `1:20:00`.

    Return None if it is not hours, minutes and seconds in one of the theme's languages.
    """
    text = length.strip()
    if _DIGITS.fullmatch(text):
        minutes, *rest = map(int, text.split(":"))
        return ":".join((str(minutes), *(f"{part:02d}" for part in rest)))
    found = [(int(match["number"]), _UNITS[match["unit"].lower()]) for match in _ONE_UNIT.finditer(text)]
    if not found or re.search(r"\d", _ONE_UNIT.sub("", text)):
        return None
    minutes, seconds = divmod(sum(number * unit for number, unit in found), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}" if minutes >= 60 else f"{minutes}:{seconds:02d}"
