"""The look: `[brand]`."""

from pydantic import Field

from newsletter.model.values import Colour, OneLine, WebAddress
from newsletter.settings.part import Part


class SocialLink(Part):
    """`[[brand.social]]`: a place elsewhere, shown as a word in the footer."""

    name: OneLine
    url: WebAddress


class Palette(Part):
    """`[brand.light]` and `[brand.dark]`: the eight colours of the theme."""

    outside: Colour
    inside: Colour
    ink: Colour
    quiet: Colour
    accent: Colour
    on_accent: Colour
    wash: Colour
    hairline: Colour


class LightPalette(Palette):
    """Paper, ink and one warm accent."""

    outside: Colour = "#FBF7F1"
    inside: Colour = "#FFFFFF"
    ink: Colour = "#2A2724"
    quiet: Colour = "#5E5850"
    accent: Colour = "#9C3353"
    on_accent: Colour = "#FFFFFF"
    wash: Colour = "#F6ECE6"
    hairline: Colour = "#E8DFD4"


class DarkPalette(Palette):
    """The same voice at night."""

    outside: Colour = "#161413"
    inside: Colour = "#1F1C1A"
    ink: Colour = "#EEE7DF"
    quiet: Colour = "#B9AFA4"
    accent: Colour = "#F2A7BA"
    on_accent: Colour = "#2A0F18"
    wash: Colour = "#2A2522"
    hairline: Colour = "#3A332E"


class Brand(Part):
    """`[brand]`: logo, fonts, colours and links of the look."""

    logo: OneLine | None = Field(default=None, description="a picture in the workspace, for a light ground")
    logo_dark: OneLine | None = Field(default=None, description="the same for a dark ground")
    logo_width: int = Field(default=72, ge=16, le=536, description="in pixels, as shown")
    heading_font: OneLine = "Georgia, 'Iowan Old Style', 'Palatino Linotype', Palatino, 'Times New Roman', serif"
    body_font: OneLine = "-apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"
    light: LightPalette = LightPalette()
    dark: DarkPalette = DarkPalette()
    social: tuple[SocialLink, ...] = ()
