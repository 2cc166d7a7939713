// The sheet beside a block. Every address that the sheet uses is a page of its own, of which the script takes only the
// sheet. So a link or a form does the same with and without the script.

const desk = document.getElementById("desk");
const MARK = "data-editing";
let opener = "";
let isDirty = false;

const sheet = () => document.getElementById("sheet");
const editor = () => document.getElementById("sheet-text");
const frames = () => [...document.querySelectorAll(".screen iframe")];
const pathOf = (place) => place.replace(/:\d+$/, "");
const lineOf = (place) => Number(/:(\d+)$/.exec(place)?.[1] ?? 1);

// Opening and replacing the sheet.

async function open(place) {
  if (isDirty && sheet()) {
    if (pathOf(place) === sheet().dataset.path) return goTo(place);
    tell("Save your changes first, or close the sheet.");
    sheet().querySelector("#save")?.focus();
    return;
  }
  await load("edit?at=" + encodeURIComponent(place));
}

async function load(address, request = {}) {
  const kept = request.method ? position() : null;
  const answer = await fetch(address, { cache: "no-store", ...request }).catch(() => null);
  if (!answer) return tell("The studio is not responding. Your text is still here.");
  const text = await answer.text();
  const next = new DOMParser().parseFromString(text, "text/html").getElementById("sheet");
  if (!next) return tell(text.length < 300 ? text : "That did not work. Your text is still here.");
  show(next, answer.ok ? kept : null);
  isDirty = !answer.ok && editor() !== null;
}

function show(next, kept) {
  const old = sheet();
  if (!old) chooseDevice();
  old ? old.replaceWith(next) : desk.append(next);
  document.documentElement.classList.add("editing");
  prepare();
  if (kept && document.getElementById(kept.id)) restore(kept);
  else focusPlace();
  mark();
  if (!old || next.querySelector("[role=alert]:not([hidden])")) bringIntoView();
}

function prepare() {
  isDirty = false;
  for (const form of sheet().querySelectorAll(".add-image")) form.hidden = false;
}

function close() {
  if (isDirty && !confirm("Close without saving your changes?")) return;
  sheet().remove();
  isDirty = false;
  document.documentElement.classList.remove("editing");
  mark();
  showDevices();
  const link = [...document.querySelectorAll("a, button")].find((each) => opener && each.getAttribute("href") === opener);
  (link ?? document.querySelector("#edits a") ?? desk).focus();
}

function tell(words) {
  const note = sheet()?.querySelector(".note");
  if (note) note.textContent = words;
  else alert(words);
}

// The position in the text, which stays when the sheet is replaced after a save.

function position() {
  const active = document.activeElement;
  if (!active?.id || !sheet()?.contains(active)) return null;
  const { id, selectionStart, selectionEnd, scrollTop } = active;
  return { id, selectionStart, selectionEnd, scrollTop, sheetTop: sheet().scrollTop };
}

function restore({ id, selectionStart, selectionEnd, scrollTop, sheetTop }) {
  const element = document.getElementById(id);
  element.focus({ preventScroll: true });
  if (element === editor()) element.setSelectionRange(selectionStart, selectionEnd);
  element.scrollTop = scrollTop;
  sheet().scrollTop = sheetTop;
}

function focusPlace() {
  const key = sheet().dataset.key && document.getElementById("key-" + sheet().dataset.key);
  if (key) {
    key.closest("details")?.setAttribute("open", "");
    key.scrollIntoView({ block: "center" });
    key.focus({ preventScroll: true });
  } else if (editor() && !editor().readOnly) goToLine(Number(sheet().dataset.line));
  else sheet().querySelector("button")?.focus();
}

function goTo(place) {
  sheet().dataset.line = lineOf(place);
  goToLine(lineOf(place));
  mark();
}

function goToLine(line) {
  const area = editor();
  const lines = area.value.split("\n");
  const index = Math.min(Math.max(line - Number(area.dataset.firstLine), 0), lines.length - 1);
  const start = lines.slice(0, index).reduce((sum, each) => sum + each.length + 1, 0);
  area.focus({ preventScroll: true });
  area.setSelectionRange(start, start);
  area.scrollTop = heightOf(area, area.value.slice(0, start)) - area.clientHeight / 3;
}

// How high the text above a position is. Long lines wrap, so a copy of the editor is measured.
function heightOf(area, text) {
  const copy = area.cloneNode();
  copy.removeAttribute("id");
  copy.className += " measured";
  copy.style.width = area.clientWidth + "px";
  copy.value = text;
  area.after(copy);
  const height = copy.scrollHeight;
  copy.remove();
  return height;
}

function lineOfCaret() {
  const area = editor();
  return Number(area.dataset.firstLine) + area.value.slice(0, area.selectionStart).split("\n").length - 1;
}

// The mark on the block in the email.

function mark() {
  const path = sheet()?.dataset.path;
  const line = Number(sheet()?.dataset.line);
  for (const frame of frames()) {
    const page = frame.contentDocument;
    if (!page?.body) continue;
    for (const block of page.querySelectorAll(`[${MARK}]`)) block.removeAttribute(MARK);
    if (!path) continue;
    const blocks = [...page.querySelectorAll("[data-place]")].filter((each) => pathOf(each.dataset.place) === path);
    const lines = blocks.map((each) => lineOf(each.dataset.place));
    const nearest = Math.max(...lines.filter((each) => each <= line), Math.min(...lines));
    for (const block of blocks) if (lineOf(block.dataset.place) === nearest) block.setAttribute(MARK, "");
    follow(frame);
  }
}

function follow(frame) {
  const block = frame.contentDocument.querySelector(`[${MARK}]`);
  if (!block) return;
  const { top, bottom } = block.getBoundingClientRect();
  const room = frame.contentWindow.innerHeight;
  if (top < 0 || bottom > room) frame.contentWindow.scrollBy(0, top - room / 4);
}

// On a narrow page, only the device with the block is shown, and the sheet is below it.
function chooseDevice() {
  const shown = frames().filter((frame) => frame.offsetParent !== null);
  const usual = matchMedia("(max-width: 559px)").matches ? shown.at(-1) : shown[0];
  const chosen = shown.find((frame) => frame.contentDocument === lastClicked) ?? usual;
  for (const figure of document.querySelectorAll(".device")) figure.classList.toggle("beside", figure.contains(chosen));
}

function bringIntoView() {
  sheet().scrollTop = 0;
  if (matchMedia("(max-width: 1199px)").matches) scrollTo(0, desk.getBoundingClientRect().top + scrollY);
}

// Hidden devices have missed the edits. Choosing the same view again updates them.
function showDevices() {
  if (!document.querySelector(".device:not(.beside)")) return;
  document.querySelector("#controls input:checked").dispatchEvent(new Event("change", { bubbles: true }));
}

let lastClicked = null;

// Images that are dropped on a block.

function watchFrame(frame) {
  const page = frame.contentDocument;
  if (!page || page.isWatched) return;
  page.isWatched = true;
  page.addEventListener("click", () => { lastClicked = page; }, true);
  const blockAt = (event) => event.target.closest?.("[data-place]") ?? nearestBlock(page, event.clientY);
  const light = (block) => {
    for (const each of page.querySelectorAll("[data-dropping]")) each.removeAttribute("data-dropping");
    block?.setAttribute("data-dropping", "");
  };
  page.addEventListener("dragover", (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    light(blockAt(event));
  });
  page.addEventListener("dragleave", () => light(null));
  page.addEventListener("drop", async (event) => {
    event.preventDefault();
    light(null);
    const { files } = event.dataTransfer;
    const block = blockAt(event);
    lastClicked = page;
    if (!files.length || !block) return;
    await open(block.dataset.place);
    takeFiles(files);
  });
  mark();
}

function nearestBlock(page, y) {
  const distance = (block) => Math.abs((block.getBoundingClientRect().top + block.getBoundingClientRect().bottom) / 2 - y);
  return [...page.querySelectorAll("[data-place]")].sort((one, other) => distance(one) - distance(other))[0];
}

function takeFiles(files) {
  const input = document.getElementById("image-file");
  if (!input) return tell("Images belong in the text of a section. Drop the image on a paragraph.");
  input.files = files;
  input.form.scrollIntoView({ block: "nearest" });
  document.getElementById("image-alt").focus();
}

async function addImage(form) {
  const [file] = document.getElementById("image-file").files;
  const alt = document.getElementById("image-alt").value.trim();
  const isDecorative = document.getElementById("image-decorative").checked;
  if (!file) return complain(form, "Choose an image file first.", "image-file");
  if (file.size > 100_000_000) return complain(form, "The image is larger than 100 MB.", "image-file");
  if (!alt && !isDecorative) return complain(form, "Write what the image shows, or tick “Only decoration”.", "image-alt");
  const headers = { "Studio-Token": sheet().querySelector("[name=token]").value };
  const address = "images?name=" + encodeURIComponent(file.name);
  const answer = await fetch(address, { method: "POST", headers, body: file }).catch(() => null);
  const words = answer ? await answer.text() : "The studio is not responding.";
  if (!answer?.ok) return complain(form, words, "image-file");
  const written = isDecorative ? `![](${words} "decorative")` : `![${alt.replace(/[\\[\]]/g, "\\$&")}](${words})`;
  insertBlock(written);
  sheet().querySelector("form.editor").requestSubmit();
}

function complain(form, words, id) {
  const place = form.querySelector("[role=alert]");
  place.hidden = false;
  place.textContent = words;
  document.getElementById(id).focus();
}

// Put a paragraph below the one with the caret.
function insertBlock(paragraph) {
  const area = editor();
  const start = sheet().dataset.key ? 0 : area.selectionStart;
  const after = area.value.slice(start);
  const end = sheet().dataset.key ? 0 : start + (/\n[ \t]*\n|\n?$/.exec(after)?.index ?? after.length);
  const above = area.value.slice(0, end).trimEnd();
  const below = area.value.slice(end).replace(/^(?:[ \t]*\n)+/, "");
  area.value = `${above}${above ? "\n\n" : ""}${paragraph}\n${below ? "\n" : ""}${below}`;
  const caret = above.length + (above ? 2 : 0);
  area.setSelectionRange(caret, caret);
}

// What the user does.

document.addEventListener("block", (event) => open(event.detail.place ?? event.detail));

document.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link || !desk || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  if (link.matches("#sheet .close")) {
    event.preventDefault();
    close();
  } else if (/^(edit|fix)\?/.test(link.getAttribute("href") ?? "")) {
    event.preventDefault();
    if (!link.closest("#sheet")) {
      opener = link.getAttribute("href");
      const place = new URLSearchParams(opener.split("?")[1]).get("at");
      if (opener.startsWith("edit") || isDirty) open(place);
      else load(opener);
    } else if (!isDirty || link.matches("[data-discard]") || confirm("Leave without saving your changes?")) {
      load(link.getAttribute("href"));
    }
  }
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.closest("#sheet")) return;
  if (form.matches(".add-image")) {
    event.preventDefault();
    addImage(form);
    return;
  }
  if (!desk) {
    isDirty = false;
    return;
  }
  event.preventDefault();
  const isSave = form.matches(".editor");
  if (isDirty && !isSave && !confirm("Leave without saving your changes?")) return;
  const area = editor();
  if (area && isSave && document.activeElement === area) {
    form.elements.at.value = sheet().dataset.path + ":" + lineOfCaret();
  }
  load(form.getAttribute("action"), { method: "POST", body: new URLSearchParams(new FormData(form)) });
});

document.addEventListener("input", (event) => {
  if (event.target.closest("#sheet form.editor")) isDirty = true;
});

document.addEventListener("keydown", (event) => {
  if (!sheet()) return;
  if (event.key === "s" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    sheet().querySelector("form.editor")?.requestSubmit();
  } else if (event.key === "Escape" && desk && sheet().contains(document.activeElement)) {
    close();
  }
});

window.addEventListener("beforeunload", (event) => {
  if (isDirty) event.preventDefault();
});

// Frames come and go with each change, and a frame's own events stay inside it.
document.addEventListener("load", (event) => {
  if (event.target instanceof HTMLIFrameElement) watchFrame(event.target);
}, true);
for (const frame of frames()) watchFrame(frame);
document.addEventListener("email", mark); // the frames show the current email
document.addEventListener("dragover", (event) => {
  if (event.target.closest?.("#sheet") && event.dataTransfer.types.includes("Files")) event.preventDefault();
});
document.addEventListener("drop", (event) => {
  if (!event.target.closest?.("#sheet") || !event.dataTransfer.files.length) return;
  event.preventDefault();
  takeFiles(event.dataTransfer.files);
});
if (sheet()) {
  prepare();
  focusPlace();
}
