// The functions with which the checks inspect an email in a page. This script is loaded after axe.
window.newsletter = (() => {
  // Return the fields of `Element` in inspection.py.
  const describe = (element) => {
    const worded = element.matches("table") ? element.querySelector("th, td") || element : element;
    const text = (worded.innerText || "").replace(/\s+/g, " ").trim();
    const inside = (selector) => (text ? null : element.querySelector(selector));
    const link = element.closest("a[href], area[href]") || inside("a[href]");
    const picture = element.closest("img") || inside("img");
    const headings = [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")];
    const above = headings.findLast((heading) => heading.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING);
    return {
      tag: element.tagName.toLowerCase(),
      text: text.slice(0, 400),
      link: link && link.getAttribute("href"),
      picture: picture && picture.getAttribute("src"),
      heading: above ? above.innerText.trim() : "",
    };
  };

  const violationsOf = ({ violations }) =>
    violations.map((violation) => ({
      rule: violation.id,
      impact: violation.impact,
      address: violation.helpUrl,
      nodes: violation.nodes.map((node) => ({
        element: describe(node.element),
        contrast: (node.any.find((check) => check.id === "color-contrast") || {}).data || null,
      })),
    }));

  // Start axe a moment later, so that this call returns at once. The caller waits for the report with a timeout.
  const startAxe = () => {
    window.newsletter.report = null;
    setTimeout(() => {
      const options = { resultTypes: ["violations"], elementRef: true, preload: false };
      axe.run(document, options).then(
        (results) => { window.newsletter.report = { failure: null, violations: violationsOf(results) }; },
        (failure) => { window.newsletter.report = { failure: String(failure), violations: [] }; },
      );
    });
  };

  // Return the boxes of an element and of its lines of text, which may be wider than the element.
  const boxesOf = (element) => {
    const texts = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
    const lines = texts.flatMap((text) => {
      const range = document.createRange();
      range.selectNodeContents(text);
      return [...range.getClientRects()];
    });
    return [element.getBoundingClientRect(), ...lines];
  };

  const isTooWide = () => document.documentElement.scrollWidth > document.documentElement.clientWidth;

  // Return the innermost elements that are wider than the window. A data table counts as one element.
  const sticking = () => {
    const limit = document.documentElement.clientWidth;
    const sticksOut = (box) => box.width > 0 && (box.right > limit + 0.5 || box.left < -0.5);
    const wide = [...document.querySelectorAll("body *")].filter((element) => boxesOf(element).some(sticksOut));
    const deepest = wide.filter((element) => !wide.some((other) => other !== element && element.contains(other)));
    const table = "table:not([role=presentation], [role=none])";
    return [...new Set(deepest.map((element) => element.closest(table) || element))];
  };

  const hide = (element) => element.style.setProperty("display", "none", "important");

  // Return the elements that make the page too wide. One wide element widens everything around it. So all elements that
  // stick out are hidden first, then shown one at a time. An element is a cause if the page is too wide with only this
  // one shown. If only several together are too wide, the cause is the element that contains them.
  const causesOf = () => {
    const hidden = new Map();
    for (let found = sticking(); found.length; found = sticking()) {
      found.forEach((element) => hidden.set(element, element.getAttribute("style") || ""));
      found.forEach(hide);
    }
    const show = (element) => element.setAttribute("style", hidden.get(element));
    const elements = [...hidden.keys()];
    const causes = [];
    if (!isTooWide()) {
      for (const element of elements.toReversed()) {
        const around = elements.filter((other) => other !== element && other.contains(element));
        if (around.some((other) => causes.includes(other))) continue;
        [element, ...around].forEach(show);
        if (isTooWide()) causes.unshift(element);
        [element, ...around].forEach(hide);
      }
    }
    elements.forEach(show);
    if (causes.length || !elements.length) return causes;
    let common = elements[0];
    while (!elements.every((element) => common.contains(element))) common = common.parentElement;
    return [common];
  };

  const tooWide = () => {
    if (!isTooWide()) return null;
    const width = document.documentElement.scrollWidth;
    return { width, causes: causesOf().map(describe) };
  };

  return { startAxe, tooWide, report: null };
})();
