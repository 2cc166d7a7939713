// The dark modes of email apps, on the computed styles of a page that shows an email.
//
// Sources of the formulas: Outlook.com's own source as described in 2021 and measured in October 2025; Thunderbird 140's
// source; WebKit's filter "invert lightness"; a curve through 13 color pairs of classic Outlook. No code was copied.
"use strict";

const newsletterDark = (() => {
  // Colors are [red, green, blue, alpha], from 0 to 255 and from 0 to 1.
  const parse = (css) => {
    const numbers = css.match(/[\d.]+/g);
    if (!css.startsWith("rgb") || !numbers) return null;
    const [red, green, blue, alpha = 1] = numbers.map(Number);
    return [red, green, blue, alpha];
  };
  const write = ([red, green, blue, alpha]) => {
    const channels = [red, green, blue].map((each) => Math.round(Math.min(Math.max(each, 0), 255)));
    return alpha < 1 ? `rgba(${channels.join(", ")}, ${alpha})` : `rgb(${channels.join(", ")})`;
  };
  const read = (written) => {
    const canvas = document.createElement("canvas").getContext("2d");
    canvas.fillStyle = written;
    const found = canvas.fillStyle;
    if (!found.startsWith("#")) return parse(found);
    return [...[1, 3, 5].map((start) => parseInt(found.slice(start, start + 2), 16)), 1];
  };

  // CIELAB with the white of D65 (IEC 61966-2-1 and CIE 15).
  const WHITE = [0.95047, 1, 1.08883];
  const linear = (channel) => (channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4);
  const curved = (channel) => (channel > 0.0031308 ? 1.055 * channel ** (1 / 2.4) - 0.055 : channel * 12.92);
  const toLab = ([red, green, blue]) => {
    const [r, g, b] = [red, green, blue].map((each) => linear(each / 255));
    const xyz = [
      0.4124564 * r + 0.3575761 * g + 0.1804375 * b,
      0.2126729 * r + 0.7151522 * g + 0.072175 * b,
      0.0193339 * r + 0.119192 * g + 0.9503041 * b,
    ].map((each, index) => each / WHITE[index]);
    const [x, y, z] = xyz.map((each) => (each > 216 / 24389 ? Math.cbrt(each) : ((24389 / 27) * each + 16) / 116));
    return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
  };
  const fromLab = ([lightness, a, b], alpha) => {
    const y = (lightness + 16) / 116;
    const [x, , z] = [y + a / 500, y, y - b / 200];
    const [vx, vy, vz] = [x, y, z].map((each, index) => {
      const cubed = each ** 3;
      return WHITE[index] * (cubed > 216 / 24389 ? cubed : (116 * each - 16) / (24389 / 27));
    });
    const rgb = [
      3.2404542 * vx - 1.5371385 * vy - 0.4985314 * vz,
      -0.969266 * vx + 1.8760108 * vy + 0.041556 * vz,
      0.0556434 * vx - 0.2040259 * vy + 1.0572252 * vz,
    ].map((each) => Math.min(Math.max(curved(Math.max(each, 0)) * 255, 0), 255));
    return [...rgb, alpha];
  };
  const withLightness = (color, change) => {
    const [lightness, a, b] = toLab(color);
    return fromLab([change(lightness), a, b], color[3]);
  };
  const contrast = (one, other) => {
    const luminance = ([red, green, blue]) =>
      [0.2126, 0.7152, 0.0722].reduce((sum, weight, index) => sum + weight * linear([red, green, blue][index] / 255), 0);
    const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
  };

  // Outlook.com: the lightness of a color, so that it can be read with another, given the color of the dark page.
  const READABLE = 4.5;
  const outlookFix = (color, other, page) => {
    const base = toLab(page)[0];
    const middle = (100 + base) / 2;
    return withLightness(color, (lightness) => {
      let next = (lightness * (100 - base)) / 100 + base;
      if (toLab(other)[0] > middle) {
        next = Math.min(next, 2 * middle - next);
        return base + ((next - base) * (50 - base)) / (middle - base);
      }
      next = Math.max(next, 2 * middle - next);
      return 100 - ((100 - next) * (50 - base)) / (100 - middle);
    });
  };
  const outlookCom = (page) => {
    const base = read(page);
    for (const element of document.body.querySelectorAll("*")) {
      const text = parse(getComputedStyle(element).color);
      let ink = text;
      if (text && contrast(text, base) < READABLE) {
        ink = outlookFix(text, base, base);
        element.setAttribute("data-ogsc", element.style.color);
        if (element.hasAttribute("color")) {
          element.setAttribute("data-ogac", element.getAttribute("color"));
          element.setAttribute("color", write(ink));
        }
        element.style.setProperty("color", write(ink), "important");
      }
      const backdrop = parse(getComputedStyle(element).backgroundColor);
      if (backdrop && ink && backdrop[3] > 0 && contrast(backdrop, ink) < READABLE) {
        const fixed = write(outlookFix(backdrop, ink, base));
        element.setAttribute("data-ogsb", element.style.backgroundColor);
        if (element.hasAttribute("bgcolor")) {
          element.setAttribute("data-ogab", element.getAttribute("bgcolor"));
          element.setAttribute("bgcolor", fixed);
        }
        element.style.setProperty("background-color", fixed, "important");
      }
    }
  };

  // Classic Outlook: one curve for the lightness of text and backgrounds alike, fitted to backgrounds that were measured.
  const WORD_CURVE = [[0, 96.9], [39, 74.7], [58.5, 60.8], [73, 47.8], [81.2, 39.4], [90.2, 29.1], [96.2, 20.8], [100, 15.2]];
  const wordColor = (color) =>
    withLightness(color, (lightness) => {
      const upper = Math.max(1, WORD_CURVE.findIndex(([from]) => from >= Math.min(lightness, 100)));
      const [[from, to], [nextFrom, nextTo]] = WORD_CURVE.slice(upper - 1, upper + 1);
      return to + ((lightness - from) * (nextTo - to)) / (nextFrom - from);
    });

  // Gmail on iOS: a guess, CSS's invert(1) hue-rotate(180deg) on each color. Gradients and images stay.
  const HUE_ROTATED = [[-0.574, 1.43, 0.144], [0.426, 0.43, 0.144], [0.426, 1.43, -0.856]];
  const invertedColor = ([red, green, blue, alpha]) => {
    const inverted = [255 - red, 255 - green, 255 - blue];
    const turned = HUE_ROTATED.map((row) => row.reduce((sum, weight, index) => sum + weight * inverted[index], 0));
    return [...turned.map((each) => Math.min(Math.max(each, 0), 255)), alpha];
  };

  // WebKit's "invert lightness": the hue is turned in HSL, then a matrix is applied.
  const appleColor = ([red, green, blue, alpha]) => {
    const [r, g, b] = [red / 255, green / 255, blue / 255];
    const sum = Math.max(r, g, b) + Math.min(r, g, b); // turning the hue by 180° mirrors each channel in HSL
    const [tr, tg, tb] = [sum - r, sum - g, sum - b];
    const turned = [
      1 - 0.77 * tr + 0.059 * tg - 0.089 * tb,
      1 + 0.03 * tr - 0.741 * tg - 0.089 * tb,
      1 + 0.03 * tr + 0.059 * tg - 0.89 * tb,
    ];
    return [...turned.map((each) => Math.min(Math.max(each, 0), 1) * 255), alpha];
  };

  const PAINTED = ["color", "background-color", "border-top-color", "border-right-color", "border-bottom-color", "border-left-color"];
  const everyColor = (change) => {
    const all = [document.body, ...document.body.querySelectorAll("*")];
    // All colors are read before one is changed, because children inherit them.
    const found = all.map((element) => {
      const style = getComputedStyle(element);
      return PAINTED.map((name) => parse(style.getPropertyValue(name)));
    });
    all.forEach((element, index) => {
      found[index].forEach((color, number) => {
        if (color && color[3] > 0) element.style.setProperty(PAINTED[number], write(change(color)), "important");
      });
    });
  };

  // Thunderbird: light backgrounds, and text too dark for a dark page, lose their colors.
  const LIGHT = 200;
  const LEAST_CONTRAST = 3.5;
  const SEEN = 0.2;
  const brightness = ([red, green, blue]) => 0.2125 * red + 0.7154 * green + 0.0721 * blue;
  const isTransparent = (color) => !color || color[3] <= SEEN;
  const stripStyle = (style) => {
    style.removeProperty("mix-blend-mode");
    const picture = style.backgroundImage;
    if (picture && !picture.includes("gradient(")) style.removeProperty("background-image");
    const text = style.color ? read(style.color) : null;
    const backdrop = style.backgroundColor && style.backgroundColor !== "transparent" ? read(style.backgroundColor) : null;
    const isDarkText = text && brightness(text) <= LIGHT;
    if (isTransparent(backdrop)) {
      if (isDarkText) style.removeProperty("color");
    } else {
      const [light, dark] = [text ? brightness(text) : 0, brightness(backdrop)].sort((a, b) => b - a);
      const isFaint = text && (light + 0.05) / (dark + 0.05) < LEAST_CONTRAST;
      if (brightness(backdrop) > LIGHT || isFaint) {
        style.removeProperty("background-color");
        if (isDarkText) style.removeProperty("color");
      }
    }
    if (style.backgroundImage.includes("gradient(")) style.removeProperty("background-image");
  };
  const thunderbird = () => {
    ["bgcolor", "text", "link", "vlink"].forEach((name) => document.body.removeAttribute(name));
    document.body.style.removeProperty("color");
    document.body.style.removeProperty("background-color");
    for (const element of document.body.querySelectorAll(":not(button)")) {
      if (element.style.color || element.style.background || element.hasAttribute("bgcolor")) {
        element.removeAttribute("bgcolor");
        element.removeAttribute("color");
      }
      if (element.hasAttribute("style")) stripStyle(element.style);
    }
    for (const sheet of document.styleSheets) {
      if (sheet.ownerNode.id === "newsletter-frame") continue;
      for (const rule of sheet.cssRules) if (rule.style) stripStyle(rule.style);
    }
  };

  return {
    read, write, toLab, contrast, withLightness, outlookFix, outlookCom, wordColor, invertedColor, appleColor, everyColor,
    thunderbird,
  };
})();
