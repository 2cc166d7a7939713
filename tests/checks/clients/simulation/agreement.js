// Measure, in a browser, whether an email that an app has changed still shows the effect of a feature.
//
// The effect of a feature is what its removal from the untouched email changes. It is removed here by the browser's own
// CSSOM and DOM, so that nothing of the simulation judges itself.
"use strict";

const numbered = (html) => {
  const page = new DOMParser().parseFromString(html, "text/html");
  [...page.querySelectorAll("*")].forEach((each, index) => each.setAttribute("data-n", index));
  return `<!DOCTYPE html>${page.documentElement.outerHTML}`;
};
window.numbered = numbered;

const opened = (html) =>
  new Promise((done) => {
    const frame = document.createElement("iframe");
    frame.sandbox = "allow-same-origin";
    frame.width = 700;
    frame.onload = () => done(frame);
    frame.srcdoc = html;
    document.body.append(frame);
  });

const ownSheets = (frame) => [...frame.contentDocument.styleSheets].filter((sheet) => !sheet.href);
const styleRules = (frame) => {
  const walk = (rules, around) =>
    [...rules].flatMap((rule) => {
      const here = rule.selectorText !== undefined && rule.style ? [{ rule, around }] : [];
      return [...here, ...(rule.cssRules ? walk(rule.cssRules, [...around, rule]) : [])];
    });
  return ownSheets(frame).flatMap((sheet) => walk(sheet.cssRules, []));
};
const groups = (frame) => {
  const walk = (rules) => [...rules].flatMap((rule) => [rule, ...(rule.cssRules ? walk(rule.cssRules) : [])]);
  return ownSheets(frame).flatMap((sheet) => walk(sheet.cssRules));
};
const matching = (frame, selector) => {
  try {
    return [...frame.contentDocument.querySelectorAll(selector)];
  } catch {
    return [];
  }
};

// All declarations of an email: where they stand, for which elements, and what they say.
const declarations = (frame) => {
  const inline = [...frame.contentDocument.querySelectorAll("[style]")].map((each) => [each.style, [each], true]);
  const ruled = styleRules(frame).map(({ rule }) => [rule.style, matching(frame, rule.selectorText), false]);
  return [...inline, ...ruled].flatMap(([style, elements, inline]) =>
    [...style].map((name) => ({
      style, elements, inline, name, value: style.getPropertyValue(name), important: style.getPropertyPriority(name) !== "",
    })),
  );
};
const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const longhands = (property) => {
  const probe = document.createElement("i").style;
  probe.setProperty(property, "inherit");
  return [...probe];
};
const isUse = (kind, name) => {
  if (kind === "property") {
    const names = name === "--*" ? null : longhands(name);
    return (each) => (names ? names.includes(each.name) : each.name.startsWith("--"));
  }
  if (kind === "function") return (each) => new RegExp(`(^|[^\\w-])(repeating-)?${escaped(name)}\\(`).test(each.value);
  if (kind === "unit") return (each) => new RegExp(`\\d${escaped(name)}(?![\\w-])`).test(each.value);
  if (name === "!important") return (each) => each.important;
  const [property, value] = name.split(": ");
  if (value) return (each) => each.name === property && each.value === value;
  return (each) => new RegExp(`(^|[\\s,(])${escaped(name)}($|[\\s,)])`).test(each.value);
};
const SELECTOR_SIGNS = {
  ">": />/, "+": /\+/, "~": /~(?!=)/, ",": /,/, "*": /(^|[\s>+~])\*/, attribute: /\[(?!data-n)/, class: /\.[a-z_-]/i, id: /#[a-z]/i,
  chaining: /\.[\w-]+\.[\w-]/, descendant: /[\w\])*] +[\w.#[*:]/, type: /(^|[\s>+~])[a-z]/i, nesting: /^&|&/,
};
const hasSelector = (name) => (rule) =>
  (SELECTOR_SIGNS[name] || new RegExp(`${name.startsWith("::") ? ":?" : "(?<!:)"}${escaped(name)}(?![\\w-])`)).test(rule.selectorText);
const isGroup = (kind, name) => (rule) => {
  if (kind === "media_feature") return rule instanceof CSSMediaRule || rule.media ? (rule.conditionText || "").includes(name) : false;
  return rule.cssText.toLowerCase().startsWith(`@${name}`) || rule.cssText.toLowerCase().startsWith(`@-webkit-${name}`);
};

const computed = (element, property) => {
  if (!element || !element.isConnected) return undefined;
  const found = element.computedStyleMap().getAll(property);
  return found.length ? found.map(String).join(", ") : getComputedStyle(element).getPropertyValue(property);
};
const twins = new WeakMap(); // of each frame: its elements by their numbers
const twin = (frame, element) => {
  if (!twins.has(frame)) {
    const numbered = [...frame.contentDocument.querySelectorAll("[data-n]")];
    twins.set(frame, new Map(numbered.map((each) => [each.getAttribute("data-n"), each])));
  }
  return twins.get(frame).get(element.getAttribute("data-n"));
};

// The pairs of element and property that a feature has an effect on.
const effects = async (html, original, uses, remove) => {
  const without = await opened(html);
  remove(without);
  const pairs = new Map();
  for (const { elements, names, inline } of uses(original))
    for (const element of elements)
      for (const name of names) {
        const key = `${element.getAttribute("data-n")} ${name}`;
        pairs.set(key, [element, name, inline || (pairs.get(key) || [])[2]]);
      }
  const found = [...pairs.values()]
    .map(([element, name, inline]) => ({ element, name, inline, shown: computed(element, name), bare: computed(twin(without, element), name) }))
    .filter(({ shown, bare }) => shown !== bare);
  without.remove();
  return found;
};

const styled = async (html, original, kind, name) => {
  const test = isUse(kind, name);
  const uses = (frame) => declarations(frame).filter(test).map((each) => ({ ...each, names: [each.name] }));
  return effects(html, original, uses, (frame) => declarations(frame).filter(test).forEach((each) => each.style.removeProperty(each.name)));
};
const ruled = async (html, original, isRuled) => {
  const uses = (frame) =>
    styleRules(frame).filter(isRuled).map(({ rule }) => ({ elements: matching(frame, rule.selectorText), names: [...rule.style] }));
  return effects(html, original, uses, (frame) => styleRules(frame).filter(isRuled).forEach(({ rule }) => { rule.style.cssText = ""; }));
};

const share = (frame, found, inlineOnly) => {
  const judged = found.filter(({ element, inline }) => twin(frame, element) && (inline || !inlineOnly));
  if (!judged.length) return null;
  return judged.filter(({ element, name, shown }) => computed(twin(frame, element), name) === shown).length / judged.length;
};
const counted = (kind, name) => (frame) => {
  const page = frame.contentDocument;
  if (kind === "element") {
    const [tag, condition] = name.split(" ");
    const [key, value] = (condition || "").split("=");
    return [...page.querySelectorAll(`${tag}[data-n]`)].filter((each) =>
      !condition || (each.getAttribute(key) || (key === "type" ? (tag === "input" ? "text" : "submit") : "")) === value).length;
  }
  if (kind === "attribute") {
    const [key, value] = name.split("=");
    return [...page.querySelectorAll(`[data-n][${key}]`)].filter((each) => !value || each.getAttribute(key).startsWith(value)).length;
  }
  if (kind === "picture")
    return [...page.querySelectorAll("img[data-n][src]")].filter((each) => {
      const address = each.getAttribute("src").toLowerCase();
      return name === "base64" ? address.startsWith("data:") : address.split(/[?#]/)[0].endsWith(`.${name}`);
    }).length;
  if (kind === "selector") return styleRules(frame).filter(({ rule }) => hasSelector(name)(rule)).length;
  return groups(frame).filter(isGroup(kind, name)).length;
};

// The share of a feature's effect that each email still shows, from 0 to 1; null where it cannot be told.
// Apps in `inlineOnly` ignore style elements: a property is then judged by the `style` attributes that use it.
window.measured = async (html, features, emails, inlineOnly) => {
  const results = {};
  const frames = {};
  const original = await opened(html);
  for (const [app, changed] of Object.entries(emails)) frames[app] = await opened(changed);
  for (const [slug, signs] of Object.entries(features)) {
    results[slug] = {};
    for (const [kind, name] of signs) {
      const isStyle = ["property", "value", "function", "unit"].includes(kind);
      let found = [];
      if (isStyle) found = await styled(html, original, kind, name);
      else if (kind === "selector") found = await ruled(html, original, ({ rule }) => hasSelector(name)(rule));
      else if (["at_rule", "media_feature"].includes(kind))
        found = await ruled(html, original, ({ around }) => around.some(isGroup(kind, name)));
      const count = counted(kind, name);
      const before = isStyle ? 0 : count(original);
      for (const [app, frame] of Object.entries(frames)) {
        let value = null;
        if (found.length) value = share(frame, found, isStyle && inlineOnly.includes(app));
        else if (before) value = Math.min(count(frame) / before, 1);
        if (value !== null) (results[slug][app] ||= []).push(value);
      }
    }
  }
  document.querySelectorAll("iframe").forEach((each) => each.remove());
  return results;
};
