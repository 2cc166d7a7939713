// The frames that show the email. After a save, only the elements that differ are replaced, so that the scroll position,
// the focus and the loaded images stay. The blocks that changed are marked, and each block can be chosen.

const FRAMES = ["desktop", "tablet", "phone"].map((name) => document.getElementById(name));
const NOTES = ["data-place", "data-block", "data-only", "data-first"]; // what the studio adds to blocks
const hooked = new WeakSet();
const STATES = ["data-changed", "data-marked", "data-editing", "data-dropping"]; // what scripts say about blocks

// Shows the HTML of the email in every frame that can be seen. Returns the number of blocks that an edit changed.
export function showEmail(html, source, isEdit) {
  let count = 0;
  for (const frame of FRAMES) {
    if (frame.offsetParent === null) continue;
    if (!isReady(frame) || picturesOf(frame.dataset.source ?? frame.src) !== picturesOf(source)) {
      turn(frame, source);
      continue;
    }
    frame.dataset.source = source;
    // The frame's own parser, because the page's policy does not allow styles in attributes, and the email's does.
    const next = new frame.contentWindow.DOMParser().parseFromString(html, "text/html");
    count = Math.max(count, update(frame, next, isEdit));
  }
  return count;
}

function isReady(frame) {
  const page = frame.contentDocument;
  return page !== null && page.readyState === "complete" && page.querySelector("[data-place]") !== null;
}

// Whether a frame may load images is decided when it is loaded.
function picturesOf(source) {
  return new URL(source, location.href).searchParams.get("pictures") ?? "on";
}

// Loads a frame again, and scrolls it to where it was before it is seen.
function turn(frame, source) {
  frame.dataset.source = source;
  if (!isReady(frame)) {
    frame.src = source;
    return;
  }
  const { scrollX, scrollY } = frame.contentWindow;
  frame.classList.add("arriving");
  frame.addEventListener("load", () => {
    frame.contentWindow.scrollTo(scrollX, scrollY);
    frame.classList.remove("arriving");
  }, { once: true });
  frame.contentWindow.location.replace(source); // unlike a new `src`, this adds nothing to the browser's history
}

function update(frame, next, isEdit) {
  const page = frame.contentDocument;
  const focused = page.activeElement;
  const states = STATES.map((name) => [name, [...page.querySelectorAll(`[${name}]`)]]);
  const styles = [...page.head.querySelectorAll("style[id]")]; // added by scripts of the studio
  for (const style of styles) style.remove();
  const seen = seenBlocks(page);
  takeNotes(page);
  const notes = takeNotes(next);
  const touched = new Set();
  patch(page.documentElement, next.documentElement, touched);
  const all = page.getElementsByTagName("*");
  for (const [index, attributes] of notes) {
    for (const [name, value] of attributes) all[index]?.setAttribute(name, value);
  }
  const changed = isEdit ? changedBlocks(page, touched) : new Set();
  for (const [name, blocks] of states) {
    for (const block of name === "data-changed" && changed.size ? changed : blocks) block.setAttribute(name, "");
  }
  page.head.append(...styles);
  const anchor = seen.find(({ block }) => block.isConnected);
  if (anchor) frame.contentWindow.scrollBy(0, anchor.block.getBoundingClientRect().top - anchor.top);
  makeReachable(page, focused);
  return changed.size;
}

// The blocks in view, and where they are. What is inserted above them must not move them.
function seenBlocks(page) {
  const blocks = [...page.querySelectorAll("[data-place]")].map((block) => ({ block, ...edges(block) }));
  return blocks.filter(({ top, bottom }) => bottom > 0 && top < page.defaultView.innerHeight);
}

function edges(block) {
  const { top, bottom } = block.getBoundingClientRect();
  return { top, bottom };
}

// Removes the notes of a page, because lines and numbers move with every edit, and returns them by their position.
function takeNotes(page) {
  const notes = [];
  let index = -1;
  for (const element of page.getElementsByTagName("*")) {
    index += 1;
    if (!element.hasAttribute("data-place")) continue;
    notes.push([index, NOTES.filter((name) => element.hasAttribute(name)).map((name) => [name, element.getAttribute(name)])]);
    for (const name of [...NOTES, ...STATES, "tabindex"]) element.removeAttribute(name);
  }
  return notes;
}

// Makes an element equal to another one. What is the same at both ends of its content stays; the rest is compared in pairs.
function patch(old, next, touched) {
  for (const { name } of [...old.attributes]) {
    if (!next.hasAttribute(name)) touch(old, () => old.removeAttribute(name), touched);
  }
  for (const { name, value } of next.attributes) {
    if (old.getAttribute(name) !== value) touch(old, () => old.setAttribute(name, value), touched);
  }
  const before = [...old.childNodes], after = [...next.childNodes];
  let start = 0, end = 0;
  while (start < Math.min(before.length, after.length) && before[start].isEqualNode(after[start])) start += 1;
  while (end < Math.min(before.length, after.length) - start && before.at(-1 - end).isEqualNode(after.at(-1 - end))) end += 1;
  const left = before.slice(start, before.length - end), arriving = after.slice(start, after.length - end);
  const follower = before[before.length - end] ?? null;
  const isEven = left.length === arriving.length;
  arriving.forEach((node, at) => {
    const isElement = node.nodeType === Node.ELEMENT_NODE; // equal spaces far apart mean nothing
    const equal = left.slice(at, isElement ? undefined : at + 1).findIndex((each) => each.isEqualNode(node));
    if (equal >= 0) {
      for (const gone of left.splice(at, equal)) gone.remove();
    } else if (left[at] && isKin(left[at], node, isEven)) {
      if (isElement) patch(left[at], node, touched);
      else touch(old, () => { left[at].data = node.data; }, touched);
    } else {
      const replaced = left.length - at >= arriving.length - at ? left[at] : null;
      old.insertBefore(node, left[at] ?? follower);
      replaced?.remove();
      left.splice(at, replaced ? 1 : 0, node);
      touched.add(isElement ? node : old);
    }
  });
  for (const gone of left.slice(arriving.length)) gone.remove();
}

function touch(element, edit, touched) {
  edit();
  touched.add(element);
}

// Whether one node becomes the other: if as many nodes leave as arrive, or if they share a third of their words.
function isKin(old, next, isEven) {
  if (old.nodeType !== next.nodeType || old.nodeName !== next.nodeName) return false;
  if (isEven || old.nodeType !== Node.ELEMENT_NODE) return true;
  const words = wordsOf(old), others = wordsOf(next);
  const shared = [...words].filter((word) => others.has(word)).length;
  return 3 * shared >= Math.max(words.size, others.size);
}

function wordsOf(element) {
  return new Set(element.textContent.split(/\s+/));
}

function changedBlocks(page, touched) {
  const blocks = new Set();
  for (const element of touched) {
    if (!page.body.contains(element) || element === page.body) continue;
    const around = element.closest("[data-place]");
    const inside = [...element.querySelectorAll("[data-place]")].filter((each) => !each.querySelector("[data-place]"));
    for (const block of around ? [around] : inside) blocks.add(block);
  }
  return blocks;
}

// One block is reached with the Tab key, and the arrow keys move from there to the others.
function makeReachable(page, wanted) {
  const blocks = [...page.querySelectorAll("[data-place]")];
  const current = blocks.includes(wanted) ? wanted : blocks[0];
  for (const block of blocks) block.tabIndex = block === current ? 0 : -1;
}

function hook(frame) {
  const page = frame.contentDocument;
  if (!page || page.URL === "about:blank" || hooked.has(page)) return;
  hooked.add(page);
  makeReachable(page, null);
  page.addEventListener("click", (event) => {
    const block = event.target.closest?.("[data-place]");
    if (!block || event.ctrlKey || event.metaKey) return; // with these keys, a link is followed
    event.preventDefault();
    choose(frame, block);
  });
  page.addEventListener("keydown", (event) => {
    const blocks = [...page.querySelectorAll("[data-place]")], at = blocks.indexOf(page.activeElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (at < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Enter") choose(frame, blocks[at]);
    else if (step && blocks[at + step]) {
      makeReachable(page, blocks[at + step]);
      blocks[at + step].focus();
    } else return;
    event.preventDefault();
  });
}

// Tells the page that a block was chosen. Its place is `path:line`.
function choose(frame, block) {
  mark(frame, block);
  block.focus({ preventScroll: true }); // and not a link in it
  makeReachable(frame.contentDocument, block);
  const { place, block: number } = block.dataset;
  document.dispatchEvent(new CustomEvent("block", { detail: { place, number: Number(number), frame, element: block } }));
}

function mark(frame, block) {
  for (const other of frame.contentDocument.querySelectorAll("[data-marked]")) other.removeAttribute("data-marked");
  block.setAttribute("data-marked", "");
}

// Scrolls every visible frame to the block at a place, and marks it. Returns whether there is one.
export function reveal(place) {
  let isFound = false;
  for (const frame of FRAMES) {
    if (frame.offsetParent === null || !isReady(frame)) continue;
    const block = blockAt(frame.contentDocument, place);
    if (!block) continue;
    isFound = true;
    mark(frame, block);
    block.scrollIntoView({ block: "center" });
  }
  return isFound;
}

export function revealChanges() {
  for (const frame of FRAMES) {
    if (frame.offsetParent !== null) frame.contentDocument?.querySelector("[data-changed]")?.scrollIntoView({ block: "center" });
  }
}

// The last block of the file that begins on the line or above it, or else the first block of the file.
function blockAt(page, place) {
  const [path, line] = split(place);
  const blocks = [...page.querySelectorAll("[data-place]")].filter((block) => split(block.dataset.place)[0] === path);
  const above = blocks.filter((block) => split(block.dataset.place)[1] <= line);
  const lines = above.map((block) => split(block.dataset.place)[1]);
  return above.find((block) => split(block.dataset.place)[1] === Math.max(...lines)) ?? blocks[0];
}

function split(place) {
  const found = /^(.*?)(?::(\d+))?$/.exec(place);
  return [found[1], Number(found[2] ?? 0)];
}

for (const frame of FRAMES) {
  frame.addEventListener("load", () => hook(frame));
  if (frame.contentDocument?.readyState === "complete") hook(frame);
}
