"""The form for one's own website: plain HTML, which sends what was filled in to our page to be checked."""

from html import escape

from newsletter.config import Config
from newsletter.language.catalogue import spoken, words_of

_FORM = """\
<form action="{url}/join" method="post">
  <p><label>{email}<br>
  <input type="email" name="email" autocomplete="email" maxlength="320" required></label></p>
  <p><label>{first_name}<br>
  <input name="first_name" autocomplete="given-name" maxlength="100"></label></p>
  <input type="hidden" name="form" value="website">
  <input type="hidden" name="language" value="{language}">
  <p><button>{button}</button></p>
</form>
"""


def snippet_of(config: Config) -> str:
    """Return the form in the newsletter's language. `form` names it in the record of each consent."""
    settings = config.settings
    language = spoken([settings.newsletter.language])
    words = words_of(language, "joining")
    named = {name: escape(words[name]) for name in ("email", "first_name", "button")}
    return _FORM.format(url=settings.service.url, language=language, **named)
