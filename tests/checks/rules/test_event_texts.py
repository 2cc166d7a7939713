"""The text of an event contradicts its keys: another day, month, time, zone or length, in every language."""

import pytest

from tests.checks.conftest import Workspace, findings_of
from tests.checks.rules.event_issue import BODY_LINE, found_in_events
from tests.checks.rules.event_sentences import GOOD, WRONG

# The event is on Saturday, March 7, 2026, from 9:00 to 12:00 in Dublin, and the issue is of March 1.
FAULTS = {
    "en": (
        ("We meet on April 7.", "E7"),
        ("Join us on Saturday, March 14.", "E7"),
        ("Starts Sunday, March 8, in our garden.", "E7"),
        ("Join us this April for a quiet morning.", "E7"),
        ("A morning of rest in May.", "E7"),
        ("Sign up by February 20.", "E7"),
        ("Register before March 20 to get a place.", "E7"),
        ("It starts at 10 am.", "E8"),
        ("Join us at 9 pm.", "E8"),
        ("We begin at 8:30.", "E8"),
        ("From 14:00 to 15:30 we walk by the sea.", "E8"),
        ("We start at 9 am ET.", "E8"),
        ("9:00 am CET, online.", "E8"),
        ("All times are Eastern Time.", "E8"),
        ("We use Berlin time.", "E8"),
        ("This two-hour workshop is for everyone.", "E7"),
        ("A 5-hour day of practice.", "E7"),
        ("Our 90-minute class is gentle.", "E7"),
        ("See you tomorrow at the harbour.", "E6"),
        ("See you next Saturday.", "E6"),
        ("Come on February 30.", "E2"),
    ),
    "de": (
        ("Wir treffen uns am 7. April.", "E7"),
        ("Am Samstag, 14. März 2026, öffnen wir den Garten.", "E7"),
        ("Ein ruhiger Vormittag im April.", "E7"),
        ("Anmeldung bis 20. Februar.", "E7"),
        ("Beginn um 10 Uhr.", "E8"),
        ("Wir beginnen um 9.30 Uhr.", "E8"),
        ("Von 14:00 bis 15:30 gehen wir ans Meer.", "E8"),
        ("Los geht es um 9 Uhr MEZ.", "E8"),
        ("Dieser zweistündige Workshop ist für alle.", "E7"),
        ("Der Kurs dauert 90 Minuten.", "E7"),
        ("Am 30. Februar ist Ruhe.", "E2"),
    ),
    "es": (
        ("Nos vemos el 7 de abril.", "E7"),
        ("Únete el sábado, 14 de marzo.", "E7"),
        ("Una mañana tranquila en abril.", "E7"),
        ("Inscripción hasta el 20 de febrero.", "E7"),
        ("Empieza a las 10:00.", "E8"),
        ("Hora de Madrid.", "E8"),
        ("Este taller de 2 horas es para todos.", "E7"),
    ),
    "fr": (
        ("Rendez-vous le 7 avril.", "E7"),
        ("Venez le samedi 14 mars.", "E7"),
        ("Une matinée calme en avril.", "E7"),
        ("Inscription jusqu’au 20 février.", "E7"),
        ("L’atelier commence à 10 h.", "E8"),
        ("À l’heure de Paris.", "E8"),
        ("Cet atelier de 2 heures est pour tous.", "E7"),
    ),
    "it": (
        ("Ci vediamo il 7 aprile.", "E7"),
        ("Un mattino tranquillo in aprile.", "E7"),
        ("Iscrizioni entro il 20 febbraio.", "E7"),
        ("Inizia alle 10:00.", "E8"),
        ("Questo laboratorio di 2 ore è per tutti.", "E7"),
    ),
    "nl": (
        ("We zien elkaar op 7 april.", "E7"),
        ("Een rustige ochtend in april.", "E7"),
        ("Aanmelden tot 20 februari.", "E7"),
        ("We beginnen om 10:00 uur.", "E8"),
        ("Deze workshop duurt 90 minuten.", "E7"),
    ),
    "pl": (
        ("Spotykamy się 7 kwietnia.", "E7"),
        ("Zapisy do 20 lutego.", "E7"),
        ("Zaczynamy o 10:00.", "E8"),
        ("Te warsztaty trwają 90 minut.", "E7"),
        ("30 lutego odpoczywamy.", "E2"),
    ),
    "pt": (
        ("Encontro no dia 7 de abril.", "E7"),
        ("Uma manhã calma em abril.", "E7"),
        ("Inscrições até 20 de fevereiro.", "E7"),
        ("Começa às 10:00.", "E8"),
        ("Esta oficina de 2 horas é para todos.", "E7"),
    ),
    "sv": (
        ("Vi träffas den 7 april.", "E7"),
        ("En stilla förmiddag i april.", "E7"),
        ("Anmäl dig senast den 20 februari.", "E7"),
        ("Vi börjar kl. 10.00.", "E8"),
        ("Kursen tar 90 minuter.", "E7"),
    ),
    "ja": (
        ("4月7日にお会いしましょう。", "E7"),
        ("4月の静かな朝です。", "E7"),
        ("2月20日までにお申し込みください。", "E7"),
        ("午前10時に始まります。", "E8"),
        ("この2時間のワークショップはどなたでも参加できます。", "E7"),
        ("2月30日に集まります。", "E2"),
    ),
    "zh": (
        ("我们4月7日见面。", "E7"),
        ("4月的一个安静的早晨。", "E7"),
        ("2月20日之前报名。", "E7"),
        ("上午10点开始。", "E8"),
        ("本次课程为期2小时。", "E7"),
    ),
    "ar": (
        ("نلتقي في 7 أبريل.", "E7"),
        ("صباح هادئ في أبريل.", "E7"),
        ("التسجيل حتى 20 فبراير.", "E7"),
        ("نبدأ الساعة 10:00.", "E8"),
    ),
    "he": (
        ("ניפגש ב־7 באפריל.", "E7"),
        ("ההרשמה עד 20 בפברואר.", "E7"),
        ("מתחיל בשעה 10:00.", "E8"),
    ),
}
FINE = {
    "en": (
        "Join us on Saturday, March 7, at 9 am.",
        "We start at 9:00 and end at noon.",
        "A break at 10:30, then a walk.",
        "Sign up by March 4.",
        "The recording is available until April 7.",
        "Requires an 8-week course, which you completed before March 2025.",
        "On March 7, 2025, we were forty people.",
        "We begin at 4 am ET, 10 am in Berlin.",
        "This 3-hour workshop includes a 30-minute walk.",
        "You may rest, and march on.",
        "Three hours of quiet, five exercises, 24/7 support.",
        "Doors open at 8:30 am.",
        "In 1995 we had one room; in 2026, ten.",
        "Read chapter 3.5, verse 10:12, and page 7.",
        "In June 31 people came to our course.",
        "On the third day we rest.",
    ),
    "de": (
        "Wir treffen uns am Samstag, 7. März, um 9 Uhr.",
        "Anmeldung bis 4. März.",
        "Die Aufzeichnung ist bis 7. April verfügbar.",
        "Am Morgen beginnen wir mit drei Übungen zu je 20 Minuten.",
        "Der Kurs dauert drei Stunden.",
        "Von 9 bis 12 Uhr.",
    ),
    "es": ("Nos vemos el sábado 7 de marzo a las 9:00.", "La grabación estará disponible hasta el 7 de abril."),
    "fr": ("Rendez-vous le samedi 7 mars à 9 h.", "Un atelier de 3 heures, de 9h00 à 12h00."),
    "it": ("Ci vediamo sabato 7 marzo alle 9:00.", "Dura 3 ore, dalle 9:00 alle 12:00."),
    "nl": ("We beginnen op zaterdag 7 maart om 9:00 uur.", "De workshop duurt drie uur."),
    "pt": ("Encontro no sábado, 7 de março, às 9:00.", "Esta oficina dura 3 horas."),
    "sv": ("Vi träffas lördagen den 7 mars kl. 9.00.", "Kursen tar tre timmar."),
    "pl": (
        "Spotykamy się w sobotę, 7 marca, o 9:00.",
        "Warsztaty trwają trzy godziny.",
        "Nagranie jest dostępne do 7 kwietnia.",
    ),
    "ja": ("3月7日（土）午前9時から12時まで開催します。", "3時間のワークショップです。"),
    "zh": ("3月7日星期六上午9点开始，为期3小时。", "3月7日之前报名。"),
    "ar": ("نلتقي يوم السبت 7 مارس الساعة 9:00.",),
    "he": ("ניפגש בשבת, 7 במרץ, בשעה 9:00.",),
}


@pytest.mark.parametrize("language", FAULTS)
def test_a_contradiction_is_found_at_its_line(workspace: Workspace, language: str) -> None:
    sentences = dict(FAULTS[language])
    found = found_in_events(workspace, language, list(sentences))
    rules = {sentence: [finding.rule for finding in findings] for sentence, findings in found.items()}
    assert rules == {sentence: [rule] for sentence, rule in sentences.items()}
    assert {finding.place.line for findings in found.values() for finding in findings} == {BODY_LINE}


@pytest.mark.parametrize("language", FINE)
def test_what_agrees_with_the_event_is_fine(workspace: Workspace, language: str) -> None:
    found = found_in_events(workspace, language, FINE[language])
    assert {sentence: list(map(str, findings)) for sentence, findings in found.items() if findings} == {}


@pytest.mark.parametrize("language", WRONG)
def test_a_contradiction_is_found_in_other_words_too(workspace: Workspace, language: str) -> None:
    found = found_in_events(workspace, language, WRONG[language])
    assert [sentence for sentence, findings in found.items() if not findings] == []
    assert {finding.place.line for findings in found.values() for finding in findings} == {BODY_LINE}


@pytest.mark.parametrize("language", GOOD)
def test_what_else_people_write_about_events_is_fine(workspace: Workspace, language: str) -> None:
    found = found_in_events(workspace, language, GOOD[language])
    assert {sentence: list(map(str, findings)) for sentence, findings in found.items() if findings} == {}


@pytest.mark.parametrize(
    ("language", "text", "found"),
    [
        ("en", "Join us on February 10 for tea.", True),
        ("en", "Please register by Friday, February 20.", True),
        ("en", "On February 10 we met for tea.", False),
        ("en", "Join us on March 10 for tea.", False),
        ("en", "Our open evening on February 10 was full.", False),
        ("de", "Meldet euch bis 20. Februar.", True),
        ("de", "Am 10. Februar waren wir am Meer.", False),
        ("es", "Únete el 10 de febrero.", True),
        ("fr", "Inscrivez-vous avant le 20 février.", True),
        ("it", "Ci vediamo il 10 febbraio.", True),
        ("nl", "Doe mee op 10 februari.", True),
        ("pt", "Venha no dia 10 de fevereiro.", True),
        ("sv", "Anmäl dig senast den 20 februari.", True),
        ("ja", "2月20日までにお申し込みください。", True),
        ("zh", "请在2月20日之前报名。", True),
        ("pl", "Zapisz się do 20 lutego.", True),
        ("pl", "10 lutego byliśmy nad morzem.", False),
        ("ar", "انضم إلينا في 10 فبراير.", True),
        ("he", "הצטרפו אלינו ב־10 בפברואר.", True),
    ],
)
def test_a_letter_does_not_invite_to_a_day_that_is_over(
    workspace: Workspace, language: str, text: str, found: bool
) -> None:
    workspace.edit("toml", 'timezone = "Europe/Dublin"', f'timezone = "Europe/Dublin"\nlanguage = "{language}"')
    workspace.edit("letter", "A book", f"{text}\n\nA book")
    findings = [str(each.place) for each in findings_of(workspace.subject()) if each.rule[0] == "E"]
    assert findings == ["issues/2026-03/letter.md:16"] * found
