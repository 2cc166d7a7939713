"""The questions about the look: the logo, and one color for links and buttons in light and in dark mode."""

import re
import shutil
from pathlib import Path

from newsletter.checks.reading.contrast import READABLE, SrgbColor, color_of, contrast, nearest_readable
from newsletter.config import CONFIG_FILE, Config, line_of_key, load_config
from newsletter.errors import FaultError
from newsletter.model.picture_files import DRAWN_ENDING, PHOTOGRAPHED_FORMATS
from newsletter.render.imaging.decode import FAULTS
from newsletter.render.imaging.fit import Original, try_out
from newsletter.settings.workspace import Palette
from newsletter.system.file_errors import explained
from newsletter.system.pictures import read_picture
from newsletter.workflows.setup.asking import NearMissError, SetupQuestion, saving
from newsletter.workflows.setup.logo import vanishes_on, width_for
from newsletter.workflows.setup.settings_file import Changes
from newsletter.workflows.setup.situation import Situation

_LOGO, _DARK_LOGO = ("brand", "logo"), ("brand", "logo_dark")
_LOGOS = "brand"  # the folder for logos that are copied into the workspace
_HEX = re.compile(r"#?([0-9A-Fa-f]{6}|[0-9A-Fa-f]{3})")
_SHOWN = {
    "inside": "the email's page",
    "outside": "the area around it",
    "wash": "panels",
    "on_accent": "a button's text",
}


def _logo(situation: Situation, text: str) -> Changes:
    """Return the change for a logo. A file outside the workspace is copied into it."""
    if not text:
        return {_LOGO: None, _DARK_LOGO: None}
    root = situation.config.root
    path = Path(text).expanduser()
    path = path if path.is_absolute() else root / path
    _require_picture(path, situation.config)
    if not path.resolve().is_relative_to(root.resolve()):
        path = _copied(path, root / _LOGOS)
    changes: dict[tuple[str | int, ...], object] = {_LOGO: path.resolve().relative_to(root.resolve()).as_posix()}
    if "logo_width" not in situation.config.settings.brand.model_fields_set and (width := width_for(path)):
        changes["brand", "logo_width"] = width
    return changes


def _use_logo(situation: Situation, text: str) -> str:
    """Save the logo. Say so if dark mode hides it."""
    done = saving(_logo)(situation, text)
    if not text:
        return done
    brand = load_config(situation.config.root).settings.brand
    hidden = vanishes_on(situation.config.root / str(brand.logo), brand.dark.inside)
    return "In dark mode, this logo vanishes. Add one for dark backgrounds as the next answer." if hidden else done


def _dark_logo(situation: Situation, text: str) -> Changes:
    """Return the change for the logo on dark backgrounds. Raise FaultError if it vanishes there too."""
    if not text:
        return {_DARK_LOGO: None}
    changes = _logo(situation, text)
    name = str(changes[_LOGO])
    brand = situation.config.settings.brand
    if vanishes_on(situation.config.root / name, brand.dark.inside):
        raise FaultError(f"{name} vanishes on a dark background too", "name a version of the logo in light colors")
    return {_DARK_LOGO: name}


def _require_picture(path: Path, config: Config) -> None:
    """Raise FaultError if a file cannot be used as an image."""
    ending = path.suffix.lower()
    if path.is_dir() or ending not in {*PHOTOGRAPHED_FORMATS, DRAWN_ENDING}:
        raise FaultError(f"{path.name} is not an image that can be used", "name a PNG, JPEG or SVG file")
    try:
        try_out(Original(content=read_picture(path), ending=ending))
    except FaultError as err:
        raise FaultError(f"the image {path.name} {err.what}", err.remedy) from err
    except OSError as err:
        if err.errno is not None:
            raise explained(err, path, deed="read", elsewhere="", shown=config.shown) from err
        raise _broken(path) from err
    except FAULTS as err:
        raise _broken(path) from err


def _broken(path: Path) -> FaultError:
    return FaultError(f"the image {path.name} cannot be read", "open it in an image editor, and export it again")


def _copied(path: Path, folder: Path) -> Path:
    target = folder / path.name
    try:
        folder.mkdir(exist_ok=True)
        if target.exists() and target.read_bytes() != path.read_bytes():
            remedy = "rename your file, or delete the other one"
            raise FaultError(f"there is another {path.name} in {folder.name}/", remedy)
        shutil.copyfile(path, target)
    except OSError as err:
        raise explained(err, target, elsewhere="") from err
    return target


def _accent(situation: Situation, text: str) -> Changes:
    """Return the changes for the color of links and buttons, with its shade for dark mode.

    Raise NearMissError if it is too faint. A dark shade that someone chose by hand stays.
    """
    match = _HEX.fullmatch(text)
    if match is None:
        raise FaultError(f"{text!r} is not a color", "write six hexadecimal digits, for example #9C3353")
    digits = match[1] if len(match[1]) == 6 else "".join(2 * digit for digit in match[1])
    color = color_of(f"#{digits}")
    light, dark = situation.config.settings.brand.light, situation.config.settings.brand.dark
    if faint := _too_faint(color, light):
        nearest = nearest_readable(color, _beside(light).values())
        what = f"the color {color} has a contrast of only {faint}, and text needs {READABLE}:1"
        if nearest is None:
            raise FaultError(what, f"choose another, or change the backgrounds in [brand.light] in {CONFIG_FILE}")
        raise NearMissError(what, str(nearest))
    changes: dict[tuple[str | int, ...], object] = {("brand", "light", "accent"): str(color)}
    if _has_derived_dark(situation.config) and (shade := nearest_readable(color, _beside(dark).values())):
        changes["brand", "dark", "accent"] = str(shade)
    return changes


def _has_derived_dark(config: Config) -> bool:
    """Return whether the dark accent is missing from the settings, or the shade that setup chose for the light one."""
    line = line_of_key(config, "brand", "dark", "accent")
    brand = config.settings.brand
    if line is None or brand.dark.accent == Palette.model_fields["accent"].default:
        return True
    derived = nearest_readable(color_of(brand.light.accent), _beside(brand.dark).values())
    return "accent" not in brand.dark.model_fields_set or str(derived) == brand.dark.accent


def _beside(palette: Palette) -> dict[str, SrgbColor]:
    """Return the colors that the accent must be readable on, or readable under, by name."""
    return {name: color_of(getattr(palette, name)) for name in _SHOWN}


def _too_faint(color: SrgbColor, palette: Palette) -> str:
    """Return the lowest contrast of a color with those beside it if it is too low, or else an empty text."""
    ratio, name = min((contrast(color, other), name) for name, other in _beside(palette).items())
    return f"{ratio:.2f}:1 with {_SHOWN[name]}" if ratio < READABLE else ""


def least_contrast(config: Config) -> float:
    """Return the lowest contrast of the accent with the colors beside it in light mode."""
    light = config.settings.brand.light
    return min(contrast(color_of(light.accent), other) for other in _beside(light).values())


LOOK_QUESTIONS: tuple[SetupQuestion, ...] = (
    SetupQuestion(
        name="logo",
        asks="Your logo, a PNG, JPEG or SVG file",
        about=f"Its path on this computer. A file outside this folder is copied to {_LOGOS}/.",
        current=lambda situation: situation.own(*_LOGO),
        apply=_use_logo,
        is_optional=True,
    ),
    SetupQuestion(
        name="logo_dark",
        asks="Your logo for dark backgrounds",
        about="In dark mode, it replaces the other one. A logo that can be seen on both needs none.",
        current=lambda situation: situation.own(*_DARK_LOGO),
        apply=saving(_dark_logo),
        applies=lambda situation: situation.config.settings.brand.logo is not None,
        is_optional=True,
    ),
    SetupQuestion(
        name="accent",
        asks="The color of links and buttons",
        about="Six hexadecimal digits. A shade of it for dark mode is chosen for you.",
        current=lambda situation: situation.config.settings.brand.light.accent,
        apply=saving(_accent),
    ),
)
