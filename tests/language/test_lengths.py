"""The length of a video in digits, from the words of the theme's languages."""

import pytest

from newsletter.language.lengths import digits_of_length


@pytest.mark.parametrize(
    ("length", "digits"),
    [
        *(("8 min", "8:00"), ("8-minute", "8:00"), ("90 minutes", "1:30:00"), ("1 hour and 5 minutes", "1:05:00")),
        *(("12:34", "12:34"), ("1:02:03", "1:02:03"), ("42 sec", "0:42"), ("1 h 20 min", "1:20:00")),
        *(("8 Minuten", "8:00"), ("1 Std. 5 Min.", "1:05:00"), ("10 minutos", "10:00"), ("2 heures", "2:00:00")),
        *(("12 minuti", "12:00"), ("1 uur", "1:00:00"), ("8 minuter", "8:00")),
        *(("8 دقائق", "8:00"), ("٨ دقائق", "8:00"), ("1 ساعة و20 دقيقة", "1:20:00"), ("8 דקות", "8:00")),
        *(("8分", "8:00"), ("1時間20分", "1:20:00"), ("5分钟", "5:00"), ("8分30秒", "8:30")),
        *(("8 minut", "8:00"), ("1 godz. 20 min", "1:20:00"), ("2 godziny", "2:00:00"), ("5분", "5:00")),
        *(("1시간 20분", "1:20:00"), ("8분 30초", "8:30")),
    ],
)
def test_hours_and_minutes_become_digits(length: str, digits: str) -> None:
    assert digits_of_length(length) == digits


@pytest.mark.parametrize("length", ["", "8", "eight minutes", "8 parts", "8 min of 20", "8 mint", "12:75"])
def test_what_is_no_length_is_not_drawn(length: str) -> None:
    assert digits_of_length(length) is None
