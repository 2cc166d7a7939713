"""The fonts that show the letters of a language. The fonts of a newsletter are usually made for Latin letters."""

from collections.abc import Mapping

_SERIFS = "serif"
_ARABIC_HEBREW = ("Geeza Pro", "Segoe UI", "Tahoma")
# The families that systems have, by language and script: for running text, then for headings in a serif face. Without
# them, Windows shows Japanese in a font that was drawn for screens of 1995, and Android in whatever comes first.
_FAMILIES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "ja": (("Hiragino Sans", "Noto Sans JP", "Yu Gothic"), ("Hiragino Mincho ProN", "Noto Serif JP", "Yu Mincho")),
    "zh": (("PingFang SC", "Microsoft YaHei", "Noto Sans SC"), ("Songti SC", "Noto Serif SC")),
    "zh-Hant": (("PingFang TC", "Microsoft JhengHei", "Noto Sans TC"), ("Songti TC", "Noto Serif TC")),
    "ko": (("Apple SD Gothic Neo", "Malgun Gothic"), ("AppleMyungjo", "Batang")),
    "ar": (_ARABIC_HEBREW, _ARABIC_HEBREW),
    "he": (_ARABIC_HEBREW, _ARABIC_HEBREW),
}
_TRADITIONAL = ("zh-Hant", "zh-TW", "zh-HK", "zh-MO")


def with_fonts_of(stack: str, language: str) -> str:
    """Return a font stack with the families of a language before its last family, which is a generic one."""
    families = _FAMILIES.get("zh-Hant" if language.startswith(_TRADITIONAL) else language.partition("-")[0])
    if families is None:
        return stack
    *own, generic = (family.strip() for family in stack.split(","))
    fitting = families[generic == _SERIFS]
    return ", ".join([*own, *(f"'{family}'" for family in fitting if f"'{family}'" not in own), generic])
